"""Which permission each call of a stack needs, and whether a token names it. Pure; the table is flexsaml.graph's.

A token names what was granted to it, not what directory roles add (grade C), so what it lacks may still be covered.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from flexsaml.graph import Requirement, requirements_of_stack

HAVE, LACKING, UNKNOWN = "have", "lacking", "unknown"


@dataclass(frozen=True)
class Need:
    """`least`: what it takes at least, in words; `without`: what is left out where the call is not essential.

    `owned_only`: what the token names is good for objects the identity owns.
    """

    call: str
    to: str
    least: str
    state: str
    without: str = ""
    owned_only: bool = False


def needs(granted: Collection[str] | None, *, extensions: bool, users: bool) -> list[Need]:
    """The calls of a stack with or without extensions and users; `granted` None: the token cannot be read."""
    return [_need(requirement, granted) for requirement in requirements_of_stack(extensions=extensions, users=users)]


def _need(requirement: Requirement, granted: Collection[str] | None) -> Need:
    state = UNKNOWN if granted is None else HAVE if requirement.is_met(granted) else LACKING
    owned = requirement.is_met_for_owned_objects_only(granted or ())
    return Need(requirement.call, requirement.purpose, requirement.least, state, requirement.without, owned)
