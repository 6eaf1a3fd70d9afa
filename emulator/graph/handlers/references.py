"""The `@odata.id` of a `$ref` body: which object it names.

Quirk: the url is absolute, of either version, and names the object below its own collection or below directoryObjects
(B); words of the refusal are D.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from emulator.errors import bad_request
from emulator.graph.path_keys import GUID

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_VERSIONS = frozenset({"v1.0", "beta"})


def referenced_id(url: object, collections: Sequence[str]) -> str:
    """The id in the url: on a host this program serves, below one of `collections` or directoryObjects."""
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
    except ValueError:
        parts = None
    version, _, path = parts.path.strip("/").partition("/") if parts else ("", "", "")
    collection, _, object_id = path.rpartition("/")
    is_served = parts is not None and parts.scheme in ("http", "https") and parts.hostname in _LOOPBACK
    is_known = version in _VERSIONS and collection in (*collections, "directoryObjects")
    if not is_served or not is_known or not GUID.fullmatch(object_id):
        raise bad_request("Invalid URL format specified in payload.")
    return object_id.lower()
