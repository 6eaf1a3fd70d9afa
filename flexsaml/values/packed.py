"""Anything per user crosses the engine as one string.

The engine pays per property value, not per byte: 10,000 users as a map cost 10 s and 1 GB for every
command, as one string next to nothing. Packed data is canonical JSON, compressed, base64, behind a
version; the same data gives the same bytes on one machine (another zlib may compress otherwise).
Beside it stand a visible `count` and `sha256`, which say whether and how much it changed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from typing import Any

_PREFIX = "1:"
_LEVEL = 3  # 9 takes three times as long for a tenth less


class UnknownPackedFormat(ValueError):
    """Packed by a version of flexsaml that packs otherwise."""

    def __init__(self) -> None:
        super().__init__("the state is packed as another version of flexsaml does it; run the version that wrote it")


def pack(data: Any) -> str:
    """JSON data to a string; equal data to equal bytes."""
    return _PREFIX + base64.b64encode(zlib.compress(_canonical(data), _LEVEL)).decode("ascii")


def unpack(text: str) -> Any:
    """The inverse of `pack`. Raises `UnknownPackedFormat`."""
    if not text.startswith(_PREFIX):
        raise UnknownPackedFormat
    return json.loads(zlib.decompress(base64.b64decode(text[len(_PREFIX) :])))


def digest(data: Any) -> str:
    """The first 16 hex digits of the SHA-256 of the data's canonical JSON."""
    return hashlib.sha256(_canonical(data)).hexdigest()[:16]


def digest_of_packed(*texts: str) -> str:
    """The same of packed data, without unpacking it: equal for equal bytes."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def _canonical(data: Any) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
