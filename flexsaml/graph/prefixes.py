"""By which beginnings of names to list users, so that a few listings show all that are wanted. Pure.

The pages of one listing are read one after the other, since each link comes with the page before; listings of users
whose names start with given letters can be read side by side. Quirk: a default query takes at
most 15 clauses joined by `or` (A). Pinned by tests/graph/test_prefixes.py.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from os.path import commonprefix

MOST = 15  # clauses of one filter


def listings(names: Iterable[str], side_by_side: int) -> list[list[str]]:
    """Prefixes that cover all names, in up to `side_by_side` groups that hold about the same number of them."""
    lowered = sorted({name.lower() for name in names})
    if not lowered:
        return []
    heap: list[tuple[int, str, list[str]]] = [(-len(lowered), "", lowered)]
    final: list[tuple[int, str]] = []
    enough = max(1, len(lowered) // (2 * side_by_side))
    while heap and -heap[0][0] > enough:
        size, prefix, held = heapq.heappop(heap)
        longer: dict[str, list[str]] = defaultdict(list)
        for name in held:
            longer[name[: len(prefix) + 1]].append(name)
        if prefix in longer or len(heap) + len(final) + len(longer) > side_by_side * MOST:
            final.append((size, prefix))  # cannot be divided further
            continue
        for extended, starting in longer.items():
            heapq.heappush(heap, (-len(starting), extended, starting))
    # As long as its names allow: a short prefix of few names may stand for very many others.
    sized = sorted([*final, *((size, commonprefix((held[0], held[-1]))) for size, _, held in heap)])  # noqa: RUF071 - letters are meant
    groups: list[tuple[int, list[str]]] = [(0, []) for _ in range(side_by_side)]
    for size, prefix in sized:
        smallest = min((group for group in groups if len(group[1]) < MOST), key=lambda group: group[0])
        groups[groups.index(smallest)] = (smallest[0] - size, [*smallest[1], prefix])
    return [sorted(prefixes) for _, prefixes in groups if prefixes]


def starting_with(prefixes: Sequence[str]) -> str | None:
    """The $filter of one listing; None lists everybody."""
    if "" in prefixes:
        return None
    quoted = (prefix.replace("'", "''") for prefix in prefixes)
    return " or ".join(f"startswith(userPrincipalName,'{prefix}')" for prefix in quoted)
