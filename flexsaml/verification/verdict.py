"""The verdict on one SAML response: signature, conditions, and its attributes held against what was declared.

Pure: everything it needs is given. Attributes are judged by the rules F1 to F8 of docs/sign-in.md. Messages never hold
a value of an attribute or a NameID; whoever prints the statement decides whether a person may see them.

Quirk tamed: Entra leaves out what is null (S5, A), so a declared claim that is missing may be a user without a value as
well as a policy that is not in force; both are told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from lxml import etree

from flexsaml.claims import NAME_ID
from flexsaml.flex import (
    NameId,
    SamlAttribute,
    SamlStatement,
    compute_worker_update,
    is_ignored,
    parse_attribute_name,
)

from .checks import FAULT, NOTE, OK, WARNING, Check, Refused, fault, shown
from .conditions import conditions, only, text
from .expected import Expected
from .metadata import Trust
from .response import NAMESPACES, is_response
from .signature import proven

_NULL = (
    "Entra leaves out what is null: give the user a value, see whether `predict` has it, "
    "and whether the stack's policy is the assigned one"
)
_FIXES = {
    "missing": _NULL,
    "empty": "give the user a value in Entra",
    "ill-typed": "correct the user's value in Entra, or the suffix of the claim's name",
}


@dataclass(frozen=True)
class Declared:
    """The claims of a stack, as SamlClaimTypes, and where they were declared."""

    claims: Collection[str]
    where: str


@dataclass(frozen=True)
class Verdict:
    """What was found. `statement` is None where nothing may be read."""

    checks: tuple[Check, ...]
    statement: SamlStatement | None = None

    @property
    def refused(self) -> bool:
        return any(one.status == FAULT for one in self.checks)


def judge(root: etree._Element, trust: Trust, expected: Expected, *, flex: bool, declared: Declared | str) -> Verdict:
    """The verdict on a document of response.py.

    `flex`: whether Flex would have to take its attributes. `declared`: the claims of a stack, or why there are none.
    """
    checks: list[Check] = []
    try:
        held = proven(root, trust, expected.at)
        checks += held.checks
        checks += conditions(held, root if is_response(root) else None, expected)
        statement, faults = _statement(held.assertion)
        checks += faults
    except Refused as refused:
        return Verdict((*checks, *refused.faults))
    if flex:
        checks += _as_flex_reads(statement)
    if isinstance(declared, str):
        checks.append(Check("declared", NOTE, declared))
    else:
        told = {one.attribute for one in checks if one.status == FAULT}
        checks += (one for one in _against(statement, declared) if one.attribute not in told)
    return Verdict(tuple(checks), statement)


def _statement(assertion: etree._Element) -> tuple[SamlStatement, list[Check]]:
    faults = []
    subject = only(assertion, "Subject")
    name_id = None if subject is None else only(subject, "NameID")
    if not text(name_id).strip():
        faults.append(fault("name-id", "has no NameID: Flex would not know who signs in", "check the claim 'nameid'"))
    attributes = []
    for one in assertion.iterfind("saml:AttributeStatement/saml:Attribute", NAMESPACES):
        values = one.findall("saml:AttributeValue", NAMESPACES)
        if any(len(value) for value in values):
            told = f"attribute {shown(one.get('Name', ''))} has elements where values belong"
            faults.append(fault("attribute-shape", told, "ask who made this response"))
            values = []
        attributes.append(
            SamlAttribute(one.get("Name", ""), tuple(value.text or "" for value in values), one.get("NameFormat", ""))
        )
    if any(not one.name.strip() for one in attributes):
        faults.append(fault("attribute-shape", "has an attribute without a Name", "ask who made this response"))
    for name, count in Counter(one.name for one in attributes).items():
        if count > 1:
            said = f"{shown(name)} is there {count} times, and readers differ in which they take"
            faults.append(Check("attribute-duplicate", FAULT, said, "ask who made this response", name))
    form = "" if name_id is None else name_id.get("Format", "")
    return SamlStatement(NameId(text(name_id), form), tuple(attributes)), faults


def _as_flex_reads(statement: SamlStatement) -> Iterator[Check]:
    found = compute_worker_update(statement)
    for one in found.faults:
        yield Check(f"attribute-{one.kind}", FAULT, one.message, _FIXES[one.kind], one.name)
    told = {one.name for one in found.faults}
    for attribute in statement.attributes:
        if attribute.name in told or is_ignored(attribute.name):
            continue
        if not any(attribute.values):
            said = f"{shown(attribute.name)} is empty: Flex clears the worker's attribute (F7, A)"
            yield Check("attribute-empty", WARNING, said, "give the user a value if that is not meant", attribute.name)
        elif len(attribute.values) > 1 and parse_attribute_name(attribute.name)[1] == "string":
            said = f"{shown(attribute.name)} has {len(attribute.values)} values; what Flex keeps is not known (F8, D)"
            fix = f"name the claim '{attribute.name}.stringarray' to have them all"
            yield Check("attribute-several", WARNING, said, fix, attribute.name)
    collided = Counter(parse_attribute_name(one.name)[0] for one in statement.attributes if not is_ignored(one.name))
    for base, count in collided.items():
        if count > 1 and base not in told:
            said = f"{count} attributes lead to the worker attribute {shown(base)}; which one stays is not known (D)"
            yield Check("attribute-collision", WARNING, said, "keep one of these claims", base)
    if found.ignored:
        said = f"{len(found.ignored)} attributes have a URI as Name: Flex ignores them (F2, A)"
        yield Check("attribute-namespaced", OK, said)


def _against(statement: SamlStatement, declared: Declared) -> Iterator[Check]:
    wanted = [one for one in declared.claims if one != NAME_ID]
    given = {one.name for one in statement.attributes}
    for name in wanted:
        if name not in given:
            said = f"{shown(name)}, declared by {declared.where}, is missing; Flex keeps what the worker had (F7, A)"
            yield Check("attribute-missing", FAULT, said, _NULL, name)
        elif is_ignored(name):
            said = f"{shown(name)}, declared by {declared.where}, has a URI as Name: Flex ignores it (F2, A)"
            yield Check("attribute-namespaced", WARNING, said, "give the claim a name without a colon", name)
    for name in sorted(given - set(wanted)):
        if not is_ignored(name):
            said = f"{shown(name)} is not declared by {declared.where}, and Flex stores it"
            fix = "declare it, or see with `pulumi refresh` whether somebody changed or replaced the policy"
            yield Check("attribute-unexpected", WARNING, said, fix, name)
    if wanted and given.issuperset(wanted):
        yield Check("declared", OK, f"all {len(wanted)} attributes declared by {declared.where} are there")
