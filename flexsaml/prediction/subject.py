"""Who signs in, and where: what the claims of a policy read, as it was seen in the tenant. Pure.

What could not be read is said as such and never as empty: None for a set that was not seen, and for a person of whom
nothing may be read (Graph then answers null for every property).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from flexsaml.claims import load_table

from .policy import Entry

DATES = frozenset({"createddatetime", "lastpasswordchangedatetime"})
PRINCIPAL = ("application", "resource", "audience")


@dataclass(frozen=True)
class Found:
    """What a source gives: values with the rules they hang on; `why` there are none; `unknown` why nobody can tell."""

    values: tuple[str, ...] = ()
    grounds: tuple[str, ...] = ()
    why: str = ""
    unknown: str = ""


@dataclass(frozen=True)
class Place:
    """The service principal and its tenant.

    `tenant_id` "" and `domains`, `country` None: may not be read; `country` "" is a null. `extensions`: full name to
    data type, `[]` behind it for several values, "" where its owner was not seen.
    """

    principal_id: str
    app_id: str
    display_name: str
    tenant_id: str = ""
    enabled: bool = True
    assignment_required: bool = False
    has_key: bool = True
    accept_mapped_claims: bool = False
    tags: tuple[str, ...] = ()
    domains: tuple[str, ...] | None = None
    country: str | None = None
    extensions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Agent:
    """One user. `properties`: v1.0 name to JSON value; `values`: full extension name to JSON value.

    `roles` and `assigned` as far as they were seen; `blind` says why there may be more. `unread`: extensions
    whose value was not to be read, and why.
    """

    id: str
    upn: str
    properties: Mapping[str, object]
    values: Mapping[str, object] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    assigned: bool = False
    blind: str = ""
    unread: Mapping[str, str] = field(default_factory=dict)

    @property
    def legible(self) -> bool:
        """Whether its properties may be read: an account is enabled or not, never null."""
        return self.properties.get("accountEnabled") is not None

    @cached_property
    def lowered(self) -> dict[str, object]:
        return {key.lower(): value for key, value in self.properties.items()}


def property_of(id_: str) -> str:
    """The v1.0 property an ID of source `user` reads; "" if there is none."""
    lower = id_.lower()
    if lower.startswith("extensionattribute"):
        return "onPremisesExtensionAttributes" if lower in _known("user") else ""
    same, other = _properties()
    return other.get(lower, same.get(lower, ""))


def attribute(entry: Entry, place: Place, agent: Agent) -> Found:
    """What an entry with Source and ID gives (S10 to S16)."""
    source, id_ = entry.source, entry.id.lower()
    if source in PRINCIPAL and id_ in _known(source):
        value: object = {"displayname": place.display_name, "objectid": place.principal_id}.get(id_, place.tags[:1])
        return shown(value, ("S15", *(("S11",) if id_ == "tags" else ())), entry.label)
    if source == "company" and id_ == "tenantcountry":
        if place.country is None:
            return Found(unknown="the organization may not be read (Organization.Read.All)")
        return shown(place.country or None, ("S16",), entry.label)
    if source == "user" and id_ == "groups":
        return Found(unknown="group claims are not evaluated", grounds=("S21",))
    if source != "user" or id_ not in _known("user"):
        return Found(grounds=("S10",), why=f"{entry.label} is no attribute Entra documents")
    return _of_user(id_, agent, entry.label)


def _of_user(id_: str, agent: Agent, label: str) -> Found:
    if id_ == "netbiosname":
        return Found(unknown="netbiosname is on no v1.0 user", grounds=("ID",))
    if id_ == "assignedroles":
        if agent.blind:
            return Found(unknown=agent.blind, grounds=("S12",))
        why = "" if agent.roles else "no role with a text is assigned"
        return Found(agent.roles, ("S12",), why)
    if not agent.legible and id_ not in ("objectid", "userprincipalname"):
        return Found(unknown="the user's properties may not be read (User.Read.All)")
    value: object
    grounds: tuple[str, ...] = ()
    if id_.startswith("extensionattribute"):
        several = agent.lowered.get("onpremisesextensionattributes")
        value = several.get(f"extensionAttribute{id_[18:]}") if isinstance(several, Mapping) else None
        grounds = ("ID",)
    else:
        value = agent.lowered.get(property_of(id_).lower())
        grounds = ("ID",) if id_ in _properties()[1] else ()
    if isinstance(value, list):
        grounds += ("S11",) if id_ in load_table("attributes")["one_value_emitted"] and value else ()
        value = value[0] if value else None
    if value is not None and (isinstance(value, bool) or id_ in DATES):
        grounds += ("S14",)
    return shown(value, grounds, label)


def extension(entry: Entry, place: Place, agent: Agent) -> Found:
    """What an entry with an ExtensionID gives: names are read with case (S9), one value by its type (S13)."""
    name = entry.extension
    if name in agent.unread:
        return Found(unknown=agent.unread[name])
    if name not in place.extensions:
        near = next((one for one in place.extensions if one.lower() == name.lower()), "")
        told = f"the property is spelt {near}" if near else f"there is no extension {name}"
        return Found(grounds=("S9",) if near else ("S5",), why=told)
    if not agent.legible:
        return Found(unknown="the user's properties may not be read (User.Read.All)")
    value, kind = agent.values.get(name), place.extensions[name]
    if isinstance(value, list) or kind.endswith("[]"):
        if value in (None, []):
            return Found(grounds=("S5",), why=f"{name} is null")
        return Found(unknown="how several values of an extension made with Graph are sent", grounds=("S13 several",))
    return shown(value, ("S13",) if kind in ("String", "Integer", "LargeInteger") else ("S13 form",), name)


def shown(value: object, grounds: tuple[str, ...], label: str) -> Found:
    """A value as an assertion spells it; null gives nothing (S5), "" one empty value (S6)."""
    several = list(value) if isinstance(value, (list, tuple)) else [value]
    texts = tuple(_text(one) for one in several if one is not None)
    if not texts:
        return Found(grounds=("S5", *grounds), why=f"{label} is null")
    return Found(texts, (*grounds, *(("S6",) if "" in texts else ())))


def _text(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


@cache
def _known(source: str) -> frozenset[str]:
    """The IDs Entra documents for a source, in lower case; one of them is spelt in two ways."""
    listed = {str(one).lower() for one in load_table("attributes")[source]}
    return frozenset(listed | ({"onpremisessecurityidentifier"} if source == "user" else set()))


@cache
def _properties() -> tuple[dict[str, str], dict[str, str]]:
    """ID to property: where they differ in case only, and where they have different names."""
    kept = json.loads((Path(__file__).parent / "data" / "user_properties.json").read_text("utf-8"))
    return {one.lower(): one for one in kept["same_name"]}, dict(kept["other_name"])
