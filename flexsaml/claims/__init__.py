"""Claims of a claims mapping policy: typed, and their definition string.

Pure: standard library only, no input or output (lint reads the tables beside it). Lint is imported when it is
first asked for, so that a command which only needs a claim does not pay for it.
"""

from typing import TYPE_CHECKING, Any

from .codec import Unreadable, decode, encode, is_our_make, normal, same_meaning
from .model import FULL_NAME, NAME_ID, Claim, ClaimsPolicy, Unclear

if TYPE_CHECKING:
    from .lint import LARGEST, PROFILES, RULE_NAMES, Context, lint, nearest, quoted
    from .reading import Document, read
    from .rules import table

__all__ = [
    "FULL_NAME",
    "LARGEST",
    "NAME_ID",
    "PROFILES",
    "RULE_NAMES",
    "Claim",
    "ClaimsPolicy",
    "Context",
    "Document",
    "Unclear",
    "Unreadable",
    "decode",
    "encode",
    "is_our_make",
    "lint",
    "nearest",
    "normal",
    "quoted",
    "read",
    "same_meaning",
    "table",
]

_OF_LINT = ("LARGEST", "PROFILES", "RULE_NAMES", "Context", "lint", "nearest", "quoted")
_LATER = {"Document": "reading", "read": "reading", "table": "rules"}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _LATER:
        return getattr(import_module(f".{_LATER[name]}", __name__), name)
    if name not in _OF_LINT:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(".lint", __name__)
    for one in _OF_LINT:  # all at once: importing the module put it where the function of its name belongs
        globals()[one] = getattr(module, one)
    return globals()[name]
