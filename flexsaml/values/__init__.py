"""User extension values: data types and canonical values, roster files, the roster table, the ledger. Pure: standard
library only, no input or output."""

from .data_types import DATA_TYPES, MAX_VALUES, NULL, DataType, InvalidValue
from .ledger import Ledger, LedgerEntry, Restoration, pack_memory, unpack_memory
from .packed import IMPORT_EXPORT, UnknownPackedFormat, digest, pack, unpack
from .roster import NO_USER, InvalidRoster, Roster, is_user, read_roster
from .roster_table import ID_PREFIX_LENGTH, RosterChange, RosterTable, may_be_same_user, removes_too_many

__all__ = [
    "DATA_TYPES", "ID_PREFIX_LENGTH", "IMPORT_EXPORT", "MAX_VALUES", "NO_USER", "NULL", "DataType",
    "InvalidRoster", "InvalidValue", "Ledger", "LedgerEntry",
    "Restoration", "Roster", "RosterChange", "RosterTable", "UnknownPackedFormat", "digest", "is_user",
    "may_be_same_user", "pack", "pack_memory", "read_roster", "removes_too_many", "unpack", "unpack_memory",
]  # fmt: skip
