"""Claims of a claims mapping policy: typed, and their definition string.

Pure: standard library only, no input or output (lint reads the tables beside it). Lint is imported when it is
first asked for, so that a command which only needs a claim does not pay for it.
"""

from typing import TYPE_CHECKING, Any

from .codec import Unreadable, decode, encode, is_our_make, normal, same_meaning
from .model import FULL_NAME, NAME_ID, Claim, ClaimsPolicy, Unclear

if TYPE_CHECKING:
    from .lint import LARGEST, PROFILES, RULE_NAMES, Context, lint, nearest, quoted

__all__ = [
    "FULL_NAME",
    "LARGEST",
    "NAME_ID",
    "PROFILES",
    "RULE_NAMES",
    "Claim",
    "ClaimsPolicy",
    "Context",
    "Unclear",
    "Unreadable",
    "decode",
    "encode",
    "is_our_make",
    "lint",
    "nearest",
    "normal",
    "quoted",
    "same_meaning",
]

_OF_LINT = ("LARGEST", "PROFILES", "RULE_NAMES", "Context", "lint", "nearest", "quoted")


def __getattr__(name: str) -> Any:
    if name not in _OF_LINT:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module = import_module(".lint", __name__)
    for one in _OF_LINT:  # all at once: importing the module put it where the function of its name belongs
        globals()[one] = getattr(module, one)
    return globals()[name]
