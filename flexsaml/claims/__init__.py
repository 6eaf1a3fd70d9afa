"""Claims mapping policies: typed claims, the definition string, extension names, lint. Pure: standard library only; the
only files read are the tables in `data/`. Lint is imported on first use, so that a command that only needs a claim does
not pay for it."""

from typing import TYPE_CHECKING, Any

from .codec import InvalidDefinition, decode, encode, has_same_meaning, is_signed, normalise_definition, sign_definition
from .extension_names import FULL_NAME, build_full_name, is_full_name, owner_app_id, short_name
from .json_text import MAX_TEXT_BYTES
from .model import NAME_ID, Claim, ClaimsPolicy, InvalidClaim
from .rules import (
    PROFILES,
    RULE_NAMES,
    RULES,
    Context,
    is_entity_id,
    is_flex_role,
    is_surely_misfit,
    is_uri,
    load_table,
)
from .wording import escape, find_nearest, join_names, quote, suggest

if TYPE_CHECKING:
    from .linter import lint
    from .reading import Document, JsonNode, read_policies

__all__ = [
    "FULL_NAME",
    "MAX_TEXT_BYTES",
    "NAME_ID",
    "PROFILES",
    "RULES",
    "RULE_NAMES",
    "Claim",
    "ClaimsPolicy",
    "Context",
    "Document",
    "InvalidClaim",
    "InvalidDefinition",
    "JsonNode",
    "build_full_name",
    "decode",
    "encode",
    "escape",
    "find_nearest",
    "has_same_meaning",
    "is_entity_id",
    "is_flex_role",
    "is_full_name",
    "is_signed",
    "is_surely_misfit",
    "is_uri",
    "join_names",
    "lint",
    "load_table",
    "normalise_definition",
    "owner_app_id",
    "quote",
    "read_policies",
    "short_name",
    "sign_definition",
    "suggest",
]  # fmt: skip

_LAZY = {"lint": "linter", "Document": "reading", "JsonNode": "reading", "read_policies": "reading"}
"""Public name to the module that is imported when the name is first used."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_LAZY[name]}", __name__), name)
