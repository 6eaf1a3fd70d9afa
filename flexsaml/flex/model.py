"""What a sign-in delivers, as values: the NameID and the attribute statement, whoever made them.

A prediction, a received assertion and what Flex stores all speak of these. Pure: standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Attribute:
    """One attribute of the statement: its Name verbatim, its values in order, its NameFormat ("" for none)."""

    name: str
    values: tuple[str, ...]
    name_form: str = ""


@dataclass(frozen=True)
class NameID:
    """Who signs in, and the Format of the NameID."""

    value: str
    format: str


@dataclass(frozen=True)
class Statement:
    """The part of an assertion that Flex reads."""

    name_id: NameID
    attributes: tuple[Attribute, ...]
