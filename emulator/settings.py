"""What can be turned while the emulator runs: the dials in force. One holder, so that all parts see a change at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.dials import Dials


@dataclass
class Settings:
    dials: Dials = field(default_factory=Dials)
