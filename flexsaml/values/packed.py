"""Packed data: anything per user crosses the engine as one string. The engine pays per property value, not per byte:
10,000 users as a map cost 10 s and 1 GB in every command, as one string next to nothing. Packed data is canonical JSON,
compressed, in base64, behind a version. Equal data gives equal strings on one machine; another machine's zlib may
compress otherwise, so a digest decides whether data changed."""

import base64
import hashlib
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flexsaml.errors import UserError
from flexsaml.json_values import load_json

_VERSION = "1:"
_COMPRESSION_LEVEL = 3  # level 9 takes three times as long and saves a tenth

IMPORT_EXPORT = "import an export of the state from before that (`pulumi stack import`)"
"""What to do about a state that somebody edited."""


class UnknownPackedFormat(UserError):
    """The state was written by a version of flexsaml with another packed format; `packed_format` names it."""

    def __init__(self, packed_format: str) -> None:
        super().__init__(
            "this state was written by another version of flexsaml, which packs values in format "
            f"'{packed_format}', and this version reads format '{_VERSION[:-1]}' only; run the same command with that "
            "version"
        )


class DamagedPackedText(UserError):
    """The text was cut or altered."""

    def __init__(self) -> None:
        super().__init__(f"the state holds a packed text that was cut or altered; {IMPORT_EXPORT}")


def pack(data: Any) -> str:
    """JSON data as one string."""
    return pack_json(canonical_json(data))


def pack_json(json_text: bytes) -> str:
    """`pack` for data whose canonical JSON is at hand."""
    return _VERSION + base64.b64encode(zlib.compress(json_text, _COMPRESSION_LEVEL)).decode("ascii")


def unpack(packed: str) -> Any:
    """The inverse of `pack`. Raises `UnknownPackedFormat`, or `DamagedPackedText`."""
    if not packed.startswith(_VERSION):
        version, colon, _ = packed[:10].partition(":")
        raise UnknownPackedFormat(version if colon else "unknown")
    try:
        return load_json(zlib.decompress(base64.b64decode(packed[len(_VERSION) :])))
    except (ValueError, zlib.error):
        raise DamagedPackedText from None


@contextmanager
def refusing_damage() -> Iterator[None]:
    """While unpacked data is read: `DamagedPackedText` if it is not of the shape that was packed."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError):
        raise DamagedPackedText from None


def canonical_json(data: Any) -> bytes:
    """The one spelling of JSON data: sorted keys, no blanks, UTF-8."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(content: bytes) -> str:
    """The first 16 hex digits of the SHA-256."""
    return hashlib.sha256(content).hexdigest()[:16]
