"""Who may call what: application roles per call, from the reference pages (permissions.json names its source).

Quirks tamed: Application.ReadWrite.OwnedBy writes only to what the caller owns but reads everything (A); the role that
writes policies cannot read them as soon as one exists (A, known issue 13678).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeAlias

OWNED = "Application.ReadWrite.OwnedBy"
_POLICY_READ = "GET policies/claimsMappingPolicies[/{id}]"
_POLICY_WRITER = "Policy.ReadWrite.ApplicationConfiguration"
Alternatives: TypeAlias = tuple[frozenset[str], ...]


@cache
def table() -> dict[str, Alternatives]:
    document = json.loads(Path(__file__).with_name("permissions.json").read_text(encoding="utf-8"))
    return {call: tuple(map(frozenset, ways)) for call, ways in document["calls"].items()}


def covers(call: str, roles: frozenset[str]) -> bool:
    """Whether `roles` hold one of the alternatives, whoever owns what: enough to judge reads."""
    return any(way <= roles for way in table()[call])


def allows(
    call: str, method: str, roles: frozenset[str], *, owns: Callable[[], bool], any_policy: Callable[[], bool]
) -> bool:
    """Whether `roles` suffice. `owns` and `any_policy` are asked only where the answer hangs on them."""
    ways = [way for way in table()[call] if way <= roles]
    if call == _POLICY_READ:
        return any(_POLICY_WRITER not in way for way in ways) or (bool(ways) and not any_policy())
    return any(OWNED not in way or method == "GET" or owns() for way in ways)
