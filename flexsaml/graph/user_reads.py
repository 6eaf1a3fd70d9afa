"""Reading users, one or a hundred thousand, the way that takes the fewest requests. v1.0, reads only.

Quirks: v1.0 shows extension values only on $select (A); a page holds at most 999 users (C), and its link comes with the
page before, so several listings, by the beginning of the name, are read side by side; listings may lag behind fresh
writes (A) and $count needs ConsistencyLevel (A). So users that no listing shows are read by name, and where the tenant
may not be counted or a listing is refused, all users are.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from os.path import commonprefix

from .batch import CHUNK, BatchResponse, body_of
from .directory_calls import DirectoryCalls
from .errors import Forbidden, Malformed, NotFound
from .models import User
from .urls import user_path, with_query

Strings = Collection[str]

BASICS = ("id", "userPrincipalName")
FEW = 2 * CHUNK  # users for whom counting the tenant is not worth a request
PAGE = 999  # users on a page, at most (C)
SIDE_BY_SIDE = 4
MOST = 15  # clauses joined by `or` in one filter of a default query (A)


class UserReads(DirectoryCalls):
    """Reading users."""

    def read_users(
        self, references: Strings, extensions: Strings = (), profile: Strings = (), names: Strings = ()
    ) -> dict[str, User | None]:
        """Any number of users by UPN or object id; None for one that does not exist. Read in batches, or, where that
        takes fewer requests, from listings of the tenant; users that no listing shows are read by name all the same.
        `profile`: other properties to read. `names`: UPNs those users are thought to have, when the references are
        object ids; they only make the listings shorter."""
        asked = list(dict.fromkeys(references))
        users: dict[str, User | None] = dict(self._from_listings(asked, extensions, profile, names))
        absent = [reference for reference in asked if reference not in users]
        answers = self._in_batches([select(reference, (*profile, *extensions)) for reference in absent])
        for reference, answer in zip(absent, answers, strict=True):
            is_absent = isinstance(answer.failure, NotFound)
            users[reference] = None if is_absent else User.read(body_of(answer), extensions)
        return {reference: users[reference] for reference in asked}

    def _from_listings(self, asked: Strings, extensions: Strings, profile: Strings, names: Strings) -> dict[str, User]:
        """Those of them that listings show; nobody when batches are fewer requests or listings are refused."""
        if len(asked) <= FEW or self._tenant_size() / PAGE >= len(asked) / CHUNK:
            return {}
        wanted: dict[str, list[str]] = {}
        for reference in asked:
            wanted.setdefault(reference.lower(), []).append(reference)
        upns = names or [reference for reference in asked if "@" in reference]
        groups = [[""]] if len(upns) < len(asked) else listings(upns, SIDE_BY_SIDE)
        select = ",".join((*BASICS, *profile, *extensions))

        def listed(prefixes: list[str]) -> dict[str, User]:
            condition = starting_with(prefixes)
            params = {"$top": PAGE, "$select": select, **({"$filter": condition} if condition else {})}
            users = {}
            for body in self._client.pages("/users", params=params):
                for key in (body["id"], body.get("userPrincipalName") or ""):
                    for reference in wanted.get(key.lower(), ()):
                        users[reference] = User.read(body, extensions)
            return users

        try:
            with ThreadPoolExecutor(len(groups)) as pool:
                return {reference: user for users in pool.map(listed, groups) for reference, user in users.items()}
        except Malformed:
            return {}  # a filter or property that a listing does not take

    def _tenant_size(self) -> float:
        """How many users the tenant has; infinite where it may not be counted."""
        try:
            params = {"$count": "true", "$top": 1, "$select": "id"}
            page = self._client.get("/users", params=params, headers={"ConsistencyLevel": "eventual"})
        except (Forbidden, Malformed):
            return math.inf
        return float(page.get("@odata.count", math.inf))

    def _in_batches(self, paths: Sequence[str]) -> list[BatchResponse]:
        """GETs in batches, several side by side when there are many."""
        chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
        if len(chunks) <= SIDE_BY_SIDE:
            return self._client.read_batch(paths)
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            return [answer for answers in pool.map(self._client.read_batch, chunks) for answer in answers]


def select(reference: str, extensions: Sequence[str]) -> str:
    """The path that reads one user with these extensions and properties."""
    return with_query(user_path(reference), {"$select": ",".join((*BASICS, *extensions))})


def listings(names: Iterable[str], side_by_side: int) -> list[list[str]]:
    """Prefixes that cover all names, in up to `side_by_side` groups that hold about the same number of them."""
    buckets = {"": sorted({name.lower() for name in names})}
    enough = max(1, len(buckets[""]) // (2 * side_by_side))
    while True:  # divide the largest
        prefix, held = max(buckets.items(), key=lambda bucket: len(bucket[1]))
        longer: dict[str, list[str]] = {}
        for name in held:
            longer.setdefault(name[: len(prefix) + 1], []).append(name)
        if len(held) <= enough or prefix in longer or len(buckets) + len(longer) > side_by_side * MOST:
            break
        del buckets[prefix]
        buckets |= longer
    groups: list[list[list[str]]] = [[] for _ in range(side_by_side)]
    for held in sorted(filter(None, buckets.values()), key=len, reverse=True):
        min((group for group in groups if len(group) < MOST), key=lambda group: sum(map(len, group))).append(held)
    # As long as its names allow: a short prefix of few names may stand for very many others.
    return [sorted(commonprefix((held[0], held[-1])) for held in group) for group in groups if group]  # noqa: RUF071 - letters are meant


def starting_with(prefixes: Sequence[str]) -> str | None:
    """The $filter of one listing; None lists everybody."""
    if "" in prefixes:
        return None
    quoted = (prefix.replace("'", "''") for prefix in prefixes)
    return " or ".join(f"startswith(userPrincipalName,'{prefix}')" for prefix in quoted)
