"""Building the relative URLs of Graph from names that users typed. Pure. Quirks: a `#` in a guest's UPN must travel as
%23, and a UPN that starts with `$` only works as users('…') (both A). Spaces go as %20: a plus is legal in a UPN.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from flexsaml.errors import UserError

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
