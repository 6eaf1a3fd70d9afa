"""Which link leads to the next page, and whether it may be followed with a token. Pure.

Quirks: `@odata.nextLink` is used verbatim, it is opaque (A); a live tenant has linked a page to itself (C), so a link
that was followed before ends the listing with an error, never silently. A link that leaves the cloud's host or the
version that was asked is refused. Pinned by tests/graph/test_paging.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from flexsaml.graph.clouds import Cloud
from flexsaml.graph.errors import Unanswered, operation
from flexsaml.graph.transport import Call

_PORTS = {"http": 80, "https": 443}


def next_page(cloud: Cloud, call: Call, page: Mapping[str, Any], urls: set[str]) -> str | None:
    """The URL of the page after `page`, None at the end. Adds it to `urls`, those of the pages before; raises
    Unanswered when it must not be followed."""
    link = page.get("@odata.nextLink")
    if link is None:
        return None
    tried = operation(call.method, call.path)
    if not isinstance(link, str) or not _same_root(cloud, call, link):
        raise Unanswered(tried, "the link to the next page leaves this cloud's Graph and is not followed")
    if link in urls:
        raise Unanswered(
            tried, "the link to the next page leads back to a page already read", "run the same command again"
        )
    urls.add(link)
    return link


def _same_root(cloud: Cloud, call: Call, link: str) -> bool:
    try:
        target = urlsplit(link)
        same_origin = _origin(target) == _origin(urlsplit(cloud.graph))
    except ValueError:  # a port that is no number
        return False
    version = urlsplit(call.url).path.split("/")[1]
    segments = target.path.split("/")
    return same_origin and target.username is None and segments[1:2] == [version] and ".." not in segments


def _origin(parts: SplitResult) -> tuple[str, str, int | None]:
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme)
