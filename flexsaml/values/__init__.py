"""User extension values: data types and canonical strings, the packed form, what may be taken back.

Pure: standard library only, no input or output.
"""

from .data_types import DATA_TYPES, NULL, DataType, InvalidValue
from .packed import UnknownPackedFormat, digest, digest_of_packed, pack, unpack
from .roster import NO_USER, InvalidRoster, Roster, is_user, read_roster
from .take_back import Cell, TakeBack, take_back, too_many

__all__ = [
    "DATA_TYPES",
    "NO_USER",
    "NULL",
    "Cell",
    "DataType",
    "InvalidRoster",
    "InvalidValue",
    "Roster",
    "TakeBack",
    "UnknownPackedFormat",
    "digest",
    "digest_of_packed",
    "is_user",
    "pack",
    "read_roster",
    "take_back",
    "too_many",
    "unpack",
]
