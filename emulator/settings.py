"""The dials in force: one holder, so that every part of the emulator sees a change at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.dials import Dials


@dataclass
class Settings:
    dials: Dials = field(default_factory=Dials)
