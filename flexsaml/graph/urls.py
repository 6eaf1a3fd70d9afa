"""Building the relative URLs of Graph from names that users typed. Pure. Quirks: a `#` in a guest's UPN must travel as
%23, and a UPN that starts with `$` only works as users('…') (both A). Spaces go as %20: a plus is legal in a UPN."""

import re
from collections.abc import Iterable, Mapping, Sequence
from os.path import commonprefix
from urllib.parse import quote, urlencode

from flexsaml.errors import UserError

MOST = 15  # clauses joined by `or` in one filter of a default query (A)
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class InvalidReference(UserError):
    """What a user wrote cannot be the name or id of such an object."""


def is_guid(text: str) -> bool:
    """True for the dashed form of a GUID, the only one that Graph uses in paths."""
    return _GUID.fullmatch(text) is not None


def segment(text: str) -> str:
    """`text` as one path segment: nothing in it can open a new segment, a query or a fragment. Raises InvalidReference
    for what would name the collection above it instead: nothing, or dots."""
    if text in ("", ".", ".."):
        raise InvalidReference(f"'{text}' names no object; give an object id or a name")
    return quote(text, safe="@")


def literal(text: str) -> str:
    """`text` as an OData string literal: quotes doubled, quotes around it."""
    return "'" + text.replace("'", "''") + "'"


def segment_literal(text: str) -> str:
    """`text` as an OData key in a path, like `(appId='…')`."""
    return literal(segment(text))


def search_phrase(field: str, text: str) -> str:
    """A $search clause, in double quotes, `"` and `\\` escaped by a backslash (A)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{field}:{escaped}"'


def user_path(reference: str) -> str:
    """The path of a user by object id or UPN."""
    if reference.startswith("$"):
        return f"/users({quote(literal(reference), safe=chr(39) + '@$')})"
    return f"/users/{segment(reference)}"


def with_query(path: str, params: Mapping[str, object] | None) -> str:
    """`path` with its query; keys keep their `$`."""
    if not params:
        return path
    pairs = {key: str(value) for key, value in params.items()}
    return f"{path}?{urlencode(pairs, quote_via=quote, safe='$,()@' + chr(39))}"


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
    """The $filter of one listing of users; None lists everybody."""
    if "" in prefixes:
        return None
    quoted = (prefix.replace("'", "''") for prefix in prefixes)
    return " or ".join(f"startswith(userPrincipalName,'{prefix}')" for prefix in quoted)
