"""The verdict on one SAML response: its signature, its conditions, and its attributes against those of a stack. Pure.
Attributes are judged by rules F1 to F8 of docs/sign-in.md. Messages never contain a value of an attribute or a NameID.
Quirk: Entra omits attributes without a value (S5, A), so a declared claim that is missing means either a user without a
value or a policy that is not in force; the fix names both."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from lxml import etree

from flexsaml.claims import NAME_ID, quote
from flexsaml.flex import (
    SamlAttribute,
    SamlStatement,
    compute_worker_update,
    describe_ignored,
    describe_loss,
    describe_uri,
    is_ignored,
    is_plain_value,
    parse_attribute_name,
)
from flexsaml.fragile_text import describe_fragile_character, is_null_word

from .checks import ASK_SENDER, Check, Expected, ResponseRefused, fault
from .conditions import check_conditions, find_child, read_text
from .metadata import TrustedCertificates
from .response import NAMESPACES, is_response
from .shape import check_shape
from .signature import verify_signatures

_FIXES = {
    "missing": "Entra omits attributes without a value: give the user a value, check whether `predict` shows it, "
    "and whether the stack's policy is the assigned one",
    "empty": "give the user a value in Entra",
    "ill-typed": "correct the user's value in Entra, or the suffix of the claim's name",
}

_PLAIN = {"email": "address", "full_name": "name"}
_NEAR_NAMES = {"email": {"emailaddress", "mail"}, "fullname": {"displayname"}, "roles": {"role"}}
"""Other names under which the portal and examples send what Flex requires, as `_simplify_name` gives them."""
_BASIC_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"


@dataclass(frozen=True)
class DeclaredClaims:
    """The SamlClaimTypes that a stack declares; `source` names the stack in messages."""

    names: Collection[str]
    source: str


@dataclass(frozen=True)
class Verdict:
    """`statement` is None where nothing of the response may be read."""

    checks: tuple[Check, ...]
    statement: SamlStatement | None = None

    @property
    def is_refused(self) -> bool:
        return any(check.status == "fault" for check in self.checks)

    @property
    def name(self) -> str:
        return "refused" if self.is_refused else "fine"


def judge_response(
    root: etree._Element,
    trusted: TrustedCertificates,
    expected: Expected,
    *,
    flex: bool,
    declared: DeclaredClaims | str,
) -> Verdict:
    """The verdict on what `parse_response` returned. `flex`: whether Flex would receive the attributes. `declared`: the
    claims of a stack, or why there are none."""
    checks: list[Check] = []
    try:
        signed = verify_signatures(root, trusted, expected.at)
        checks += signed.checks
        misplaced = tuple(check_shape(root))
        if misplaced:
            raise ResponseRefused(*misplaced)
        checks += check_conditions(signed, root if is_response(root) else None, expected)
        statement, faults = _read_statement(signed.assertion)
        checks += faults
    except ResponseRefused as refused:
        return Verdict((*checks, *refused.faults))
    if flex:
        checks += _check_policy(statement)
        checks += _check_flex_rules(statement, () if isinstance(declared, str) else declared.names)
    if isinstance(declared, str):
        checks.append(Check("declared", "not judged", declared))
    else:
        faulty = {check.attribute for check in checks if check.status == "fault"}
        checks += (check for check in _compare_claims(statement, declared) if check.attribute not in faulty)
    return Verdict(tuple(checks), statement)


def _read_statement(assertion: etree._Element) -> tuple[SamlStatement, list[Check]]:
    faults = []
    subject = find_child(assertion, "Subject")
    name_id = None if subject is None else find_child(subject, "NameID")
    if not read_text(name_id).strip():
        message = "the NameID is missing: Flex would not know who signs in"
        faults.append(fault("name-id", message, "check the claim 'nameid'"))
    attributes = []
    elements = assertion.findall("saml:AttributeStatement/saml:Attribute", NAMESPACES)
    for element in elements:
        name, values = element.get("Name", ""), element.findall("saml:AttributeValue", NAMESPACES)
        if any(len(value) for value in values):
            message = f"attribute {quote(name)} contains elements instead of values"
            faults.append(fault("attribute-shape", message, ASK_SENDER))
            values = []
        texts = tuple(value.text or "" for value in values)
        attributes.append(SamlAttribute(name, texts, element.get("NameFormat", "")))
    if any(not attribute.name.strip() for attribute in attributes):
        faults.append(fault("attribute-shape", "an attribute has no Name", ASK_SENDER))
    for attribute in attributes:
        if any(character < " " for character in attribute.name):
            message = f"the Name {quote(attribute.name)} contains control characters, which strict receivers refuse"
            faults.append(fault("attribute-shape", message, "correct the claim's name", attribute.name))
    for name, count in Counter(attribute.name for attribute in attributes).items():
        if count > 1:
            message = f"{quote(name)} is there {count} times, and parsers disagree on which wins"
            faults.append(fault("attribute-duplicate", message, ASK_SENDER, name))
    aliases = Counter(element.get("FriendlyName", "") for element in elements)
    if any(count > 1 for alias, count in aliases.items() if alias):
        message = "two attributes have the same FriendlyName, and strict receivers refuse that"
        faults.append(fault("attribute-duplicate", message, ASK_SENDER))
    name_format = "" if name_id is None else name_id.get("Format", "")
    return SamlStatement(read_text(name_id), name_format, tuple(attributes)), faults


def _check_flex_rules(statement: SamlStatement, declared_names: Collection[str]) -> Iterator[Check]:
    update = compute_worker_update(statement)
    for problem in update.faults:
        is_missing = problem.kind == "missing"
        fix = _explain_missing(problem.name, statement, declared_names) if is_missing else _FIXES[problem.kind]
        yield fault(f"attribute-{problem.kind}", problem.message, fix, problem.name)
    faulty = {problem.name for problem in update.faults}
    names: Counter[str] = Counter()
    for attribute in statement.attributes:
        if is_ignored(attribute.name):
            continue
        worker_name, kind = parse_attribute_name(attribute.name)
        names[worker_name] += 1
        yield from _check_characters(attribute)
        if attribute.name in faulty:
            continue
        if not any(attribute.values):
            message = f"{quote(attribute.name)} is empty: {describe_loss(attribute.name, is_absent=False)}"
            fix = "unless that is meant, give the user a value"
            yield Check("attribute-empty", "warning", message, fix, attribute.name)
        elif worker_name in update.unknown and len(attribute.values) > 1:
            count, refuses = len(attribute.values), "" if kind == "string" else ", and whether it refuses the sign-in"
            message = f"{quote(attribute.name)} has {count} values; it is unknown what Flex keeps{refuses} (F8, D)"
            fix = f"name the claim '{worker_name}.{kind}array' to keep them all"
            if worker_name.startswith("channel."):
                fix = "send one value"
            yield Check("attribute-several", "warning", message, fix, attribute.name)
        elif not all(is_plain_value(attribute.name, value) for value in attribute.values):
            message = f"{quote(attribute.name)} is no plain {_PLAIN[attribute.name]}, and 45050 is documented for "
            message += "invalid values, too, but not what makes one invalid (F1)"
            yield Check("attribute-doubtful", "warning", message, "correct the value in Entra", attribute.name)
    for name, count in names.items():
        if count > 1 and name not in faulty:
            message = f"{count} attributes set the worker attribute {quote(name)}; it is unknown which wins (F14, D)"
            yield Check("attribute-collision", "warning", message, "keep only one of these claims", name)
    for doubt in update.doubts:
        if doubt.rule == "F8":  # said above
            continue
        message = f"{doubt.message}; {doubt.consequence}"
        yield Check("attribute-doubtful", "warning", message, doubt.fix, doubt.name)
    if update.ignored:
        message, grade = describe_ignored(update.ignored)
        yield Check("attribute-namespaced", "ok", f"{message} (F2, {grade})")


def _check_characters(attribute: SamlAttribute) -> Iterator[Check]:
    """What came along in a value and is easily overlooked; the value itself is not told."""
    for text in attribute.values:
        problem = describe_fragile_character(text) or ("a word for no value" if is_null_word(text) else "")
        if problem:
            message = f"{quote(attribute.name)} has {problem}"
            yield Check("attribute-fragile", "warning", message, "correct the value in Entra", attribute.name)
            return


def _compare_claims(statement: SamlStatement, declared: DeclaredClaims) -> Iterator[Check]:
    names, is_declared = [name for name in declared.names if name != NAME_ID], f"is declared by {declared.source}"
    received = {attribute.name for attribute in statement.attributes}
    setting = {parse_attribute_name(name)[0]: name for name in sorted(received) if not is_ignored(name)}
    for name in names:
        if name not in received:
            other = setting.get(parse_attribute_name(name)[0], "")
            effect = (
                f"{quote(other)} sets its worker attribute (F3, A)" if other else describe_loss(name, is_absent=True)
            )
            problem = f"and missing; {effect}"
            fix = _explain_missing(name, statement, names)
            yield fault("attribute-missing", f"{quote(name)} {is_declared} {problem}", fix, name)
        elif is_ignored(name):
            message = f"{quote(name)} {is_declared}, but {describe_uri(name)}"
            yield Check("attribute-namespaced", "warning", message, "give the claim a name without a colon", name)
    for name in sorted(received - set(names)):
        if not is_ignored(name):
            message = f"{quote(name)} is not declared by {declared.source}, and Flex stores it"
            fix = "declare it, or run `pulumi refresh` to see whether somebody changed or replaced the policy"
            yield Check("attribute-unexpected", "warning", message, fix, name)
    if names and received.issuperset(names):
        yield Check("declared", "ok", f"every attribute declared by {declared.source} is there ({len(names)})")


def _check_policy(statement: SamlStatement) -> Iterator[Check]:
    if _has_portal_claims(statement):
        message = (
            "it has the portal's default claims and none that Flex takes: the claims mapping policy is not in force (D)"
        )
        fix = "run `pulumi preview` to see whether the stack's policy is assigned, and sign in again"
        yield fault("policy", message, fix)


def _has_portal_claims(statement: SamlStatement) -> bool:
    received = [attribute.name for attribute in statement.attributes]
    return all(map(is_ignored, received)) and any(name.startswith(_BASIC_CLAIMS) for name in received)


def _explain_missing(name: str, statement: SamlStatement, declared_names: Collection[str]) -> str:
    """The attribute that is there under another name, and what to do."""
    simple = _simplify_name(name)
    wanted = {simple, *_NEAR_NAMES.get(simple, ())}
    received = (attribute.name for attribute in statement.attributes)
    near = next((other for other in received if other not in declared_names and _simplify_name(other) in wanted), "")
    fix = _FIXES["missing"]
    if _has_portal_claims(statement):
        fix = "put the stack's policy in force"
    elif near:
        fix = "correct the claim's name"
    if not near:
        return fix
    rule = describe_uri(near) if is_ignored(near) else "Flex needs this very Name (F1, F3, A)"
    base, near_base = parse_attribute_name(name)[0], parse_attribute_name(near)[0]
    if near_base == base:
        rule = "only the type suffix of its name differs (F3, A)"
    elif near_base.lower() == base.lower():
        rule = "Flex probably distinguishes case (F1, D)"
    return f"{quote(near)} is there instead, and {rule}: {fix}"


def _simplify_name(name: str) -> str:
    """The name without its namespace, type suffix, case and punctuation: `http://…/EmailAddress` is `emailaddress`."""
    base = name.rpartition("/")[2] if is_ignored(name) else parse_attribute_name(name)[0]
    return "".join(filter(str.isalnum, base)).casefold()
