"""The key of an object in a request path, and the form of an object id."""

from __future__ import annotations

import re
from dataclasses import dataclass

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class PathKey:
    """An object's key in a path; `name` is set for an alternate key, `quoted` for the parenthesis form."""

    value: str
    name: str | None = None
    quoted: bool = False
