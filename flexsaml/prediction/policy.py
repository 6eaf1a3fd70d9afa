"""A claims mapping policy as a sign-in reads it: verbatim names, fifty entries, keys in any case. Pure. Accepts every
form that lint accepts (`flexsaml.claims.read_policies`): a definition, a request body, an answer. What Graph would
refuse is refused here too, because it can never be assigned; senseless policies that Graph accepts are predicted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flexsaml.claims import NAME_ID, JsonNode, load_table, quote, read_policies
from flexsaml.errors import UserError

_ENVELOPE_KEYS = ("issuerWithApplicationId", "audienceOverride")
_MISREAD = ("duplicate-key", "root", "wrong-type")
"""Rules of lint about text of which something is left out when it is read, so that it may mean something else."""
MAX_ENTRIES = 50  # entries and transformations that Entra reads (S4)


class UnusablePolicy(UserError):
    """The text is no policy that could be assigned."""


@dataclass(frozen=True)
class PolicyEntry:
    """One entry of ClaimsSchema. Missing texts are "", a missing `value` is None. `caveats`: rules of evidence that
    follow from how it is written; `undocumented`: what it has that no document describes, "" for nothing."""

    value: str | None
    source: str
    id: str
    extension: str
    saml_type: str
    name_format: str
    name_id_format: str
    transformation: str
    caveats: tuple[str, ...] = ()
    undocumented: str = ""

    @property
    def label(self) -> str:
        """Its source, as a stack file writes it."""
        if self.source == "transformation":
            return f"transformation {self.transformation}"
        if self.extension:
            return f"extension {self.extension}"
        return f"{self.source}.{self.id}" if self.source else "a constant"


@dataclass(frozen=True)
class InputClaim:
    """`reference`: the entry it refers to; `name`: the method's input; `each`: every value, not only the first."""

    reference: str
    name: str
    each: bool


@dataclass(frozen=True)
class PolicyTransformation:
    """`method` in lower case and without `()`, `written` as in the policy. `caveats`, `undocumented`: see
    `PolicyEntry`."""

    id: str
    method: str
    written: str
    claims: tuple[InputClaim, ...]
    parameters: Mapping[str, str]
    caveats: tuple[str, ...] = ()
    undocumented: str = ""


@dataclass(frozen=True)
class SignInPolicy:
    """What Entra reads of a policy. `ignored`: the claim types of entries after the fiftieth; `has_group_filter`:
    groups may be sent; `has_both_keys`: transformations stand under both spellings of their key; `envelope_keys`: keys
    that change the assertion's issuer or audience; `caveats`, `undocumented`: as those of an entry, for all of its
    entries."""

    entries: tuple[PolicyEntry, ...]
    ignored: tuple[str, ...]
    transformations: tuple[PolicyTransformation, ...]
    includes_basic_claims: bool
    has_group_filter: bool
    has_both_keys: bool
    envelope_keys: tuple[str, ...]
    caveats: tuple[str, ...]
    undocumented: str

    @cached_property
    def name_ids(self) -> tuple[PolicyEntry, ...]:
        """The entries for the NameID; lint refuses more than one."""
        return tuple(entry for entry in self.entries if entry.saml_type == NAME_ID)

    def find_transformation(self, reference: str) -> PolicyTransformation | None:
        matches = (item for item in self.transformations if item.id.lower() == reference.lower() != "")
        return next(matches, None)

    def find_entry(self, reference: str) -> PolicyEntry | None:
        """What an input of a transformation refers to."""
        wanted = reference.lower()
        matches = (entry for entry in self.entries if wanted in (entry.id.lower(), entry.extension.lower()))
        return next(matches, None) if wanted else None

    @property
    def user_ids(self) -> frozenset[str]:
        """IDs, in lower case, of the user attributes it reads."""
        return frozenset(entry.id.lower() for entry in self.entries if entry.source == "user" and not entry.extension)

    @property
    def extensions(self) -> frozenset[str]:
        return frozenset(entry.extension for entry in self.entries if entry.extension and entry.source == "user")


def parse_policy(text: str | bytes, name: str = "") -> SignInPolicy:
    """From a definition in any form. Raises `UnusablePolicy`, with the policy's `name` in front."""
    documents = read_policies(text)
    prefix = f"{name}: " if name else ""
    count = max(len(documents), documents[0].definition_count)
    if count != 1:
        raise UnusablePolicy(f"{prefix}there are {count} policies, and a sign-in follows one; give one")
    document = documents[0]
    version = document.body.raw.get("Version") if document.body else None
    if document.body is None or isinstance(version, bool) or version != 1:
        problem = document.problems[0] if document.problems else None
        why = f"{problem.where}: {problem.message}" if problem else '"Version": 1 is missing, in exactly this case'
        is_recorded = document.body is None or "version" in document.body.raw  # as one policy that was refused has it
        refuses = "refuses" if is_recorded else "probably refuses"
        raise UnusablePolicy(f"{prefix}Graph {refuses} this policy, so nobody can sign in with it: {why}")
    body = document.body
    types = (_text(node.get("SamlClaimType")) for node in document.entries[MAX_ENTRIES:])
    caveats, undocumented = judge_keys(body.raw, load_table("keys")["policy"])
    is_cut = max(document.entry_count, document.transformation_count) > MAX_ENTRIES
    others = [
        f"the key {quote(key)} beside ClaimsMappingPolicy" for key in document.root if key != "ClaimsMappingPolicy"
    ]
    basic, group_filter = body.get("IncludeBasicClaimSet"), body.get("GroupFilter")
    if basic is not None and str(basic).lower() not in ("true", "false"):
        others.append(f'{quote(basic, 40)} as "IncludeBasicClaimSet"')
    if group_filter is not None and not isinstance(group_filter, dict):
        others.append(f'{quote(group_filter, 40)} as "GroupFilter"')
    misread = (problem for problem in document.problems if problem.rule in _MISREAD)
    others += [f"a mistake ({problem.where}: {problem.message})" for problem in misread]
    return SignInPolicy(
        entries=tuple(_read_entry(node) for node in document.entries[:MAX_ENTRIES]),
        ignored=tuple(filter(None, types)),
        transformations=tuple(_read_transformation(node) for node in document.transformations[:MAX_ENTRIES]),
        includes_basic_claims=str(body.get("IncludeBasicClaimSet")).lower() == "true",
        has_group_filter=body.has("GroupFilter"),
        has_both_keys=bool(body.get("ClaimsTransformation") and body.get("ClaimsTransformations")),
        envelope_keys=tuple(key for key in _ENVELOPE_KEYS if body.get(key) not in (None, False, "")),
        caveats=(*caveats, *(("S4 first",) if is_cut else ())),
        undocumented=undocumented or next(iter(others), ""),
    )


def _read_entry(node: JsonNode) -> PolicyEntry:
    source, id_, extension, value = _text(node.get("Source")).lower(), *map(node.get, ("ID", "ExtensionID", "Value"))
    is_made = source == "transformation"
    sources = value is not None, bool(extension), bool(id_) and not is_made, is_made or node.has("TransformationID")
    caveats, undocumented = judge_keys(node.raw, load_table("keys")["entry"])
    return PolicyEntry(
        value=_constant(value), source=source, id=_text(id_), extension=_text(extension),
        saml_type=_text(node.get("SamlClaimType")), name_format=_text(node.get("SAMLNameForm")),
        name_id_format=_text(node.get("SamlNameIdFormat")), transformation=_text(node.get("TransformationID")),
        caveats=(
            *caveats, *(("S3 beside",) if sum(sources) > 1 else ()),
            *(() if _is_text(value) and _has_usual_case(node) else ("S3 form",)),
            *(("S8 blanks",) if _text(value) != _text(value).strip() else ()),
        ),
        undocumented=undocumented or _find_odd_value(node),
    )  # fmt: skip


def _find_odd_value(node: JsonNode) -> str:
    """A value of an entry that no document describes: no text, or spaces around it (reported to break claims), or a
    claim type that differs only in case from one of which Entra has rules, or the format of a NameID beside another
    claim. A constant may have spaces around it or be a whole number."""
    for key, value in node.raw.items():
        if key.lower() == "value":
            is_odd = not _is_text(value) and (isinstance(value, bool) or not isinstance(value, int))
        else:
            is_odd = not _is_text(value) or (value is not None and value != value.strip())
            is_odd = is_odd or (key.lower() == "samlclaimtype" and _is_near_special(_text(value)))
        if is_odd:
            return f"{quote(value, 40)} as {quote(key)}"
    has_format = node.has("SamlNameIdFormat")
    return '"SamlNameIdFormat" beside another claim type' if has_format and node.get("SamlClaimType") != NAME_ID else ""


def _has_usual_case(node: JsonNode) -> bool:
    """Whether Source and ID are written as the document or Microsoft's samples write them."""
    source, id_, table = _text(node.get("Source")), _text(node.get("ID")), load_table("attributes")
    documented = (*table.get(source.lower(), ()), *table["observed"].get(source.lower(), ()))
    is_other_case = id_ not in documented and id_.lower() in map(str.lower, documented)
    return source in (source.lower(), "User") and not is_other_case


def _is_near_special(claim_type: str) -> bool:
    restricted = load_table("restricted_claims")
    special = (NAME_ID, *restricted["saml"], *restricted["saml_released_by_signing_key"])
    return claim_type not in special and claim_type.lower() in map(str.lower, special)


def _is_text(value: object) -> bool:
    return value is None or isinstance(value, str)


def _read_transformation(node: JsonNode) -> PolicyTransformation:
    written, keys = _text(node.get("TransformationMethod")), load_table("keys")
    inputs, constants = node.list_items("InputClaims"), node.list_items("InputParameters")
    judged = [judge_keys(node.raw, keys["transformation"])]
    for name in keys["items"]:
        judged += [judge_keys(row.raw, keys["items"][name]) for row in node.list_items(name)]
    parameters = {_text(row.get("ID")): _constant(row.get("Value")) for row in constants}
    claims = []
    for row in inputs:
        reference, name = _text(row.get("ClaimTypeReferenceId")), _text(row.get("TransformationClaimType"))
        claims.append(InputClaim(reference, name, each=str(row.get("TreatAsMultiValue")).lower() == "true"))
    return PolicyTransformation(
        id=_text(node.get("ID")), method=written.lower().removesuffix("()"), written=written, claims=tuple(claims),
        parameters={name: value for name, value in parameters.items() if value is not None},
        caveats=tuple(dict.fromkeys(rule for rules, _ in judged for rule in rules)),
        undocumented=next((why for _, why in judged if why), ""),
    )  # fmt: skip


def judge_keys(raw: Mapping[str, Any], documented: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """The rules of evidence that follow from how keys are written, and which of them no document describes."""
    known = {key.lower() for key in documented}
    names = [key.lower() for key in raw]
    for key in raw:
        if key.lower() not in known:
            return (), f"the key {quote(key)}"
        if names.count(key.lower()) > 1:
            return (), f"the key {quote(key)} twice, in two spellings"
    spellings = (*documented, *load_table("keys")["accepted_spellings"])
    is_common = all(key in spellings and (value not in (None, "") or key == "Value") for key, value in raw.items())
    return () if is_common else ("S3 form",), ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _constant(value: object) -> str | None:
    return None if isinstance(value, bool) or not isinstance(value, (str, int)) else str(value)
