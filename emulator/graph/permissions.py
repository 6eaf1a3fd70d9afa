"""Who may call what: application roles per call, from the reference pages (permissions.json names its source).

Quirks: Application.ReadWrite.OwnedBy writes only to what the caller owns but reads everything (A); the role that
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
def load_table() -> dict[str, Alternatives]:
    document = json.loads(Path(__file__).with_name("permissions.json").read_text(encoding="utf-8"))
    return {call: tuple(map(frozenset, alternatives)) for call, alternatives in document["calls"].items()}


def covers(call: str, roles: frozenset[str]) -> bool:
    """Whether `roles` hold an alternative, whoever owns what: enough to judge reads."""
    return any(alternative <= roles for alternative in load_table()[call])


def allows(
    call: str, method: str, roles: frozenset[str], *, owns: Callable[[], bool], any_policy: Callable[[], bool]
) -> bool:
    """Whether `roles` suffice. `owns` and `any_policy` are called only where the answer depends on them."""
    held = [alternative for alternative in load_table()[call] if alternative <= roles]
    if call == _POLICY_READ:
        return any(_POLICY_WRITER not in alternative for alternative in held) or (bool(held) and not any_policy())
    return any(OWNED not in alternative or method == "GET" or owns() for alternative in held)
