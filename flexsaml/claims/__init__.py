"""Claims of a claims mapping policy: typed, and their definition string.

Pure: standard library only, no input or output (lint reads the tables beside it). Lint is imported when it is
first asked for, so that a command which only needs a claim does not pay for it.
"""

from typing import TYPE_CHECKING, Any

from .codec import InvalidDefinition, decode, encode, has_same_meaning, is_made_here, normal
from .extension_names import FULL_NAME, build_full_name, is_full_name, owner_app_id, short_name
from .model import NAME_ID, Claim, ClaimsPolicy, InvalidClaim

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
    "InvalidClaim",
    "InvalidDefinition",
    "build_full_name",
    "decode",
    "encode",
    "has_same_meaning",
    "is_full_name",
    "is_made_here",
    "lint",
    "nearest",
    "normal",
    "owner_app_id",
    "quoted",
    "read",
    "short_name",
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
