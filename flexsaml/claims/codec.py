"""The policy definition string: `{"ClaimsMappingPolicy": {…}}`, to and from typed claims. Graph takes `definition` as
an array of one JSON string, refuses raw newlines in it, needs `Version` in exactly that case, and answers every mistake
with "Property definition has an invalid value." (grade A). So only this module writes the string, and always the same
bytes for the same policy: claims sorted by name, keys in one order, no white space. What is sent to Graph carries a
signature as well: spaces between tokens, which mean nothing in JSON and which no other tool writes (`sign_definition`).
By it a policy that an unfinished run of this project left behind is told from a policy of the same name that somebody
else made. Published policies contain white space between tokens, so Graph accepts it (A); whether every tenant keeps it
is not documented. Where it is lost, a policy counts as somebody else's. Decoding accepts what the service accepts: keys
in any case but `Version`, `Id` for `ID`, the basic claim set as string or boolean. What has no typed form
(transformations, JWT-only entries, group filters) raises `InvalidDefinition`; such a definition is compared as JSON
(`has_same_meaning`)."""

import json
from collections.abc import Mapping
from typing import Any

from flexsaml.errors import UserError
from flexsaml.json_values import load_json

from .model import NAME_FORM_PREFIX, NAME_ID, Claim, ClaimsPolicy, Constant, DirectoryAttribute, Extension

_SIGNATURE = (" " * 3, " " * 5)  # behind the first brace, and before the last
_ENTRY_KEYS = {"source", "id", "extensionid", "value", "samlclaimtype", "samlnameform"}


class InvalidDefinition(UserError):
    """The definition has no typed form; the message names the place."""


def encode(policy: ClaimsPolicy, full_names: Mapping[str, str]) -> str:
    """The definition string. `full_names` maps short names of extensions to full ones; a full name stays."""
    schema = []
    for claim in policy.claims.values():
        entry: dict[str, str] = {}
        if isinstance(claim.source, Constant):
            entry["Value"] = claim.source.value
        elif isinstance(claim.source, Extension):
            entry |= {"Source": "user", "ExtensionID": full_names.get(claim.source.name, claim.source.name)}
        else:
            entry |= {"Source": claim.source.source, "ID": claim.source.id}
        entry["SamlClaimType"] = claim.saml_type
        if claim.name_form:
            entry["SAMLNameForm"] = NAME_FORM_PREFIX + claim.name_form
        schema.append(entry)
    basic = "true" if policy.include_basic_claim_set else "false"
    return _compact({"ClaimsMappingPolicy": {"Version": 1, "IncludeBasicClaimSet": basic, "ClaimsSchema": schema}})


def decode(definition: str, full_names: Mapping[str, str]) -> ClaimsPolicy:
    """Typed claims from a definition string. `full_names` maps short names to full ones, as in `encode`."""
    data = _load(definition)
    written = data.get("ClaimsMappingPolicy") if isinstance(data, dict) else None
    if not isinstance(written, dict) or written.get("Version") != 1:
        raise InvalidDefinition("the definition is not a ClaimsMappingPolicy of Version 1")
    body = {key.lower(): value for key, value in written.items()}
    unknown = sorted(set(body) - {"version", "includebasicclaimset", "claimsschema"})
    if unknown and any(body[key] for key in unknown):
        raise InvalidDefinition(f"'{unknown[0]}' has no typed form")
    short = {full: name for name, full in full_names.items()}
    claims: dict[str, Claim] = {}
    for raw in body.get("claimsschema") or []:
        claim = _parse_entry(raw, short)
        if claim.name in claims:
            raise InvalidDefinition(f"the claim '{claim.name}' appears twice")
        claims[claim.name] = claim
    return ClaimsPolicy(dict(sorted(claims.items())), str(body.get("includebasicclaimset", "false")).lower() == "true")


def normalise_definition(definition: str | Mapping[str, Any]) -> str:
    """A raw definition, text or structure, as compact JSON with sorted keys. Raises `InvalidDefinition`."""
    definition = _load(definition) if isinstance(definition, str) else definition
    if not isinstance(definition, Mapping) or not isinstance(definition.get("ClaimsMappingPolicy"), Mapping):
        raise InvalidDefinition('the definition is not a JSON object {"ClaimsMappingPolicy": {...}}')
    return json.dumps(_restore_integers(definition), separators=(",", ":"), ensure_ascii=False, sort_keys=True)


def has_same_meaning(definition: str, other: str) -> bool:
    """True if two definition strings mean the same, whatever their order, spelling and white space."""
    if definition == other:
        return True
    try:
        return decode(definition, {}) == decode(other, {})
    except InvalidDefinition:
        try:
            return bool(load_json(definition) == load_json(other))
        except ValueError:
            return False


def sign_definition(definition: str) -> str:
    """The same definition with this project's signature; `definition` is the result of `encode` or
    `normalise_definition`."""
    head, tail = _SIGNATURE
    return f"{{{head}{definition[1:-1]}{tail}}}"


def is_signed(definition: str) -> bool:
    """Whether the string is, byte for byte, one that `sign_definition` returns."""
    head, tail = _SIGNATURE
    plain = f"{{{definition[1 + len(head) : -1 - len(tail)]}}}"
    if definition != sign_definition(plain):
        return False
    try:
        return plain in (normalise_definition(plain), encode(decode(plain, {}), {}))
    except InvalidDefinition:
        return False


def _compact(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


def _restore_integers(value: Any) -> Any:
    """Integers that crossed the engine became floats (`Version: 1.0`)."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _restore_integers(item) for key, item in value.items()}
    return [_restore_integers(item) for item in value] if isinstance(value, (list, tuple)) else value


def _load(definition: str) -> Any:
    try:
        return load_json(definition)
    except ValueError as problem:
        raise InvalidDefinition(f"the definition is not JSON: {problem}") from None


def _parse_entry(raw: object, short: Mapping[str, str]) -> Claim:
    if not isinstance(raw, dict) or not all(isinstance(value, str) for value in raw.values()):
        raise InvalidDefinition("an entry of ClaimsSchema is not an object of strings")
    entry = {key.lower(): value for key, value in raw.items()}
    if "samlclaimtype" not in entry or set(entry) - _ENTRY_KEYS:
        raise InvalidDefinition(f"the entry {_compact(raw)} has no typed form")
    name = "nameid" if entry["samlclaimtype"] == NAME_ID else entry["samlclaimtype"]
    form = entry.get("samlnameform", "").removeprefix(NAME_FORM_PREFIX)
    if "extensionid" in entry:
        return Claim(name, Extension(short.get(entry["extensionid"], entry["extensionid"])), form)
    if "value" in entry and "id" not in entry:
        return Claim(name, Constant(entry["value"]), form)
    if "source" not in entry or "id" not in entry:
        raise InvalidDefinition(f"the entry {_compact(raw)} has no source")
    return Claim(name, DirectoryAttribute.of(entry["source"], entry["id"]), form)
