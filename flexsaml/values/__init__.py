"""User extension values: data types and canonical strings, the packed form, what may be taken back.

Pure: standard library only, no input or output.
"""

from .data_types import DATA_TYPES, NULL, DataType, Misfit
from .packed import digest, pack, unpack
from .take_back import Cell, TakeBack, take_back, too_many

__all__ = [
    "DATA_TYPES",
    "NULL",
    "Cell",
    "DataType",
    "Misfit",
    "TakeBack",
    "digest",
    "pack",
    "take_back",
    "too_many",
    "unpack",
]
