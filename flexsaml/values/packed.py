"""Packed data: anything per user crosses the engine as one string. The engine pays per property value, not per byte:
10,000 users as a map cost 10 s and 1 GB in every command, as one string next to nothing. Packed data is canonical JSON,
compressed, in base64, behind a version. Equal data gives equal strings on one machine; another machine's zlib may
compress otherwise, so a digest decides whether data changed."""

import base64
import hashlib
import json
import zlib
from typing import Any

from flexsaml.errors import UserError

_VERSION = "1:"
_COMPRESSION_LEVEL = 3  # level 9 takes three times as long and saves a tenth


class UnknownPackedFormat(UserError):
    """The state was written by a version of flexsaml with another packed format; `packed_format` names it."""

    def __init__(self, packed_format: str) -> None:
        super().__init__(
            "this state was written by another version of flexsaml, which packs values in format "
            f"'{packed_format}', and this version reads format '{_VERSION[:-1]}' only; run the same command with that "
            "version"
        )


def pack(data: Any) -> str:
    """JSON data as one string."""
    return pack_json(canonical_json(data))


def pack_json(json_text: bytes) -> str:
    """`pack` for data whose canonical JSON is at hand."""
    return _VERSION + base64.b64encode(zlib.compress(json_text, _COMPRESSION_LEVEL)).decode("ascii")


def unpack(packed: str) -> Any:
    """The inverse of `pack`. Raises `UnknownPackedFormat`."""
    if not packed.startswith(_VERSION):
        version, colon, _ = packed[:10].partition(":")
        raise UnknownPackedFormat(version if colon else "unknown")
    return json.loads(zlib.decompress(base64.b64decode(packed[len(_VERSION) :])))


def canonical_json(data: Any) -> bytes:
    """The one spelling of JSON data: sorted keys, no blanks, UTF-8."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(content: bytes) -> str:
    """The first 16 hex digits of the SHA-256."""
    return hashlib.sha256(content).hexdigest()[:16]
