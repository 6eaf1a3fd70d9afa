"""Dials: the points on which nobody outside Microsoft can be sure, each with a friendly default.

Every dial stands for a behaviour of grade B, C or D in docs/parity.md, so that a client can be shown both
possibilities; nothing here is a fact about Graph. Counts are counted in requests, never in seconds, so that no test
waits. Set through PATCH /admin/dials; kept in memory only, and back to the defaults after a restart or a reset.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields, replace
from typing import get_type_hints

from emulator.types import Json

_CHOICES: dict[str, tuple[Json, ...]] = {
    "duplicate_extension_status": (400, 409),
    "second_policy_status": (400, 409),
    "delete_assigned_policy": ("allow", "refuse"),
    "missing_link_delete": (404, 400),
    "unset_extension": ("absent", "null"),
    "empty_string": ("accept", "refuse"),
    "batch_order": ("request", "reversed"),
    "absent_claims_policy": ("not_found", "empty"),
    "synced_user_extension": ("accept", "refuse"),
}


@dataclass(frozen=True)
class Dials:
    """One setting of all dials."""

    read_lag: int = 0  # a new policy, property or link: so many reads of it do not see it
    stale_reads: int = 0  # after a PATCH: so many reads of that object show what was before
    ref_lag: int = 0  # after a policy's creation: so many $ref POSTs naming it answer 404
    delete_lag: int = 0  # after a DELETE: so many reads of that object still show it
    availability_delay: int = 0  # a new property: so many PATCHes of users or getAvailable calls do not know it
    lose_posted_property: int = 0  # so many property POSTs answer 201 and keep nothing
    hidden_until_available: bool = True  # values that came back with their property read as unset until then
    is_multi_valued_field: bool = True  # False: property bodies without isMultiValued, as recorded in 2021
    duplicate_extension_status: int = 400
    second_policy_status: int = 400
    delete_assigned_policy: str = "allow"
    missing_link_delete: int = 404
    unset_extension: str = "absent"
    empty_string: str = "accept"
    batch_order: str = "request"
    absent_claims_policy: str = "not_found"  # GET of a custom claims policy that was never set
    synced_user_extension: str = "accept"  # PATCH of a directory extension of a user synced from on-premises
    retry_after: str = "2"  # its form is also the form quota refusals use: whole, fractional, or "date"

    def changed(self, patch: Json) -> Dials:
        """These dials with `patch` applied. Raises ValueError, in one line, for an unknown dial or an ill value."""
        if not isinstance(patch, dict):
            raise ValueError("dials are set by a JSON object of dial names and values")
        for name, value in patch.items():
            problem = _problem(name, value)
            if problem:
                raise ValueError(problem)
        return replace(self, **patch)

    def to_json(self) -> dict[str, Json]:
        return asdict(self)


_KINDS: dict[str, type] = get_type_hints(Dials)
_KNOWN = tuple(field.name for field in fields(Dials))


def _problem(name: str, value: Json) -> str | None:
    if name not in _KNOWN:
        return f"there is no dial '{name}'; known are {', '.join(_KNOWN)}"
    if name in _CHOICES:
        # `type` beside `in`: True == 1 would let a boolean pass for a number.
        fits = value in _CHOICES[name] and type(value) is _KINDS[name]
        return None if fits else f"dial '{name}' takes one of {', '.join(map(str, _CHOICES[name]))}"
    if name == "retry_after":
        fits = isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?|date", value) is not None
        return None if fits else 'dial \'retry_after\' takes "2", "2.128" or "date"'
    if type(value) is not _KINDS[name]:
        return f"dial '{name}' takes a value of type {_KINDS[name].__name__}"
    return f"dial '{name}' counts requests and is at least 0" if type(value) is int and value < 0 else None
