"""Which parts of a tenant's users are worth listing, side by side, to find so many by name. Pure.

Pages of one listing follow each other, each link comes with the page before, so a large tenant takes long to read.
Listings of users whose name starts with given letters are independent of each other. Quirk: a default query takes at
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
    whole: list[tuple[int, str]] = []
    enough = max(1, len(lowered) // (2 * side_by_side))
    while heap and -heap[0][0] > enough:
        size, prefix, held = heapq.heappop(heap)
        parts: dict[str, list[str]] = defaultdict(list)
        for name in held:
            parts[name[: len(prefix) + 1]].append(name)
        if prefix in parts or len(heap) + len(whole) + len(parts) > side_by_side * MOST:
            whole.append((size, prefix))  # cannot be cut any finer
            continue
        for longer, found in parts.items():
            heapq.heappush(heap, (-len(found), longer, found))
    # As long as its names allow: a short prefix of few names may stand for very many others.
    sized = sorted([*whole, *((size, commonprefix((held[0], held[-1]))) for size, _, held in heap)])  # noqa: RUF071 - letters are meant
    groups: list[tuple[int, list[str]]] = [(0, []) for _ in range(side_by_side)]
    for size, prefix in sized:
        place = min((one for one in groups if len(one[1]) < MOST), key=lambda one: one[0])
        groups[groups.index(place)] = (place[0] - size, [*place[1], prefix])
    return [sorted(prefixes) for _, prefixes in groups if prefixes]


def starting_with(prefixes: Sequence[str]) -> str | None:
    """The $filter of one listing; None lists everybody."""
    if "" in prefixes:
        return None
    quoted = (prefix.replace("'", "''") for prefix in prefixes)
    return " or ".join(f"startswith(userPrincipalName,'{prefix}')" for prefix in quoted)
