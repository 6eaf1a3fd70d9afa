"""Which permission each call of a stack needs, and whether a token names it. Pure, from data/permissions.json.

A token names what was granted to it, not what directory roles add (grade C), so what it lacks may still be covered.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

HAVE, LACKING, UNKNOWN = "have", "lacking", "unknown"


_OWNED = "Application.ReadWrite.OwnedBy"


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
    kept = json.loads((Path(__file__).parent / "data" / "permissions.json").read_text("utf-8"))["rows"]
    wanted = {"always", *(["extensions"] if extensions else []), *(["users"] if users else [])}
    found = []
    for row in kept:
        if row["for"] not in wanted:
            continue
        enough = [names for names in row["any_of"] if set(names) <= set(granted or ())]
        state = UNKNOWN if granted is None else HAVE if enough else LACKING
        owned = bool(enough) and row["call"].startswith("POST") and all(_OWNED in names for names in enough)
        least = " with ".join(row["any_of"][0])
        found.append(Need(row["call"], row["to"], least, state, row.get("without", ""), owned))
    return found
