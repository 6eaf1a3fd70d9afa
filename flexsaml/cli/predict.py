"""`predict`: what a sign-in will deliver, before anyone signs in. Reads the stack file and the tenant; changes nothing.
Every line shows its confidence (exact, predicted or unknown) and the rules of docs/sign-in.md it follows from. Exit
status: 0 fine or unknown, 1 a sign-in fails or probably fails, 2 could not predict."""

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from flexsaml import prediction as signin
from flexsaml.claims import MAX_TEXT_BYTES
from flexsaml.errors import UserError
from flexsaml.flex import describe_ignored
from flexsaml.graph import Directory, Policy, PrincipalSnapshot
from flexsaml.terminal_text import print_json, print_lines, replace_controls
from flexsaml.values import NULL

from . import declared as stacks
from .lint import is_stack_file
from .terminal import align_columns, read_file

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REFERENCE = "\ufffe"


def arguments(parser: argparse.ArgumentParser) -> None:
    users = parser.add_mutually_exclusive_group(required=True)
    users.add_argument("--user", metavar="UPN", help="user principal name or object id")
    users.add_argument("--all", action="store_true", help="everybody assigned to the application, one line each")
    policy_help = "a definition or a stack file, instead of the assigned policy"
    parser.add_argument("--policy", default="", metavar="FILE", help=policy_help)
    parser.add_argument("--against", choices=["assigned"], help="with --policy: what it would change, user by user")
    stacks.arguments(parser)
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one JSON object with every line")
    output.add_argument("--xml", action="store_true", help="print the statement of the assertion; for one user")


def run(given: argparse.Namespace) -> int:
    if given.against and not given.policy:
        raise UserError("--against compares a file with the assigned policy; give the file with --policy")
    if given.xml and (given.all or given.against):
        raise UserError("--xml prints the statement of one user; give --user, and no --against")
    stack = stacks.declared(given)
    reference = stack.service_principal
    written = _read_policy(given.policy) if given.policy else None  # a mistake in it is told before the tenant is asked
    directory = stack.directory()
    snapshot = directory.read_principal_snapshot(reference)
    assigned, scenarios = None, []
    if given.against or not given.policy:
        assigned = signin.find_assigned_policy(directory, snapshot)
        policy = signin.parse_policy(assigned.definition, f"the assigned policy '{assigned.display_name}'")
        scenarios.append(signin.Scenario(policy))
    if written is not None:
        scenarios.append(_make_scenario(given.policy, written, stack, directory, snapshot.principal.app_id))
    result = signin.predict_sign_ins(directory, snapshot, scenarios, datetime.now(timezone.utc), given.user)
    if given.json:
        body = _to_json(given, snapshot, assigned, result)
        print_json(body, indent=None if given.all else 1)
    elif given.xml:
        print_lines(_to_xml(result.by_scenario[-1][0]).split("\n"))
    else:
        print_lines(_lines(given, snapshot, assigned, result))
    return 1 if any(prediction.verdict.outcome == "fails" for prediction in result.by_scenario[-1]) else 0


def _read_policy(file: str) -> signin.SignInPolicy | bytes:
    """The policy of a definition, or the text of a stack file."""
    raw = read_file(file, MAX_TEXT_BYTES, "give a file with a definition, or a stack file")
    return raw if is_stack_file(file, raw) else signin.parse_policy(raw, file)


def _make_scenario(
    file: str, written: signin.SignInPolicy | bytes, stack: stacks.Declared, directory: Directory, app_id: str
) -> signin.Scenario:
    """From a definition, or from the claims and values of a stack file and the application that it names."""
    if not isinstance(written, bytes):
        return signin.Scenario(written)
    raw = written
    other = stack if Path(file) == Path(stack.file) else stacks.from_text(raw, file)
    other.require("application")
    reference = other.declaration.application
    if reference:
        application = directory.application(reference)
        if application is None:
            raise UserError(f"{file}: there is no application '{reference}' (appId or object id)")
        app_id = application.app_id
    return signin.Scenario(signin.parse_policy(other.definition(app_id), file), _plan_values(other, app_id))


def _plan_values(stack: stacks.Declared, app_id: str) -> signin.DeclaredValues:
    """What a stack file would make of users' extension values, its roster's among them. Extensions that are not made
    yet count as made; encrypted values cannot be read without the engine and are named. Raises `UserError` if users,
    extensions or the roster have a finding."""
    declaration = stack.declaration
    stack.require_valid("users", "usersFile", "extensions")
    full_names = declaration.full_names(app_id)
    types = {full_names[name]: str(kind) for name, kind in declaration.extensions.items()}
    values: dict[str, dict[str, object]] = {}
    for user, cells in declaration.all_users.items():
        row = values.setdefault(user.lower(), {})
        for name, value in cells.items():
            if name in full_names:
                row[full_names[name]] = declaration.extensions[name].to_wire(str(value))
            else:
                row[name] = None if value == NULL else value
    paths = tuple(path for path in declaration.encrypted if path.startswith("users"))
    encrypted: dict[str, frozenset[str]] = {}
    for path in paths:
        # Everybody, all of one user, or one of a user's extensions; a user may have dots.
        place = re.sub(r"\[\d+\]$", "", path).partition(".")[2]
        user, _, name = (place, "", "") if place in ("", *declaration.users) else place.rpartition(".")
        names = {full_names.get(name, name)} if name else set(full_names.values())
        encrypted[user.lower()] = encrypted.get(user.lower(), frozenset()) | names
    return signin.DeclaredValues(types, values, encrypted, paths)


def _lines(
    given: argparse.Namespace, snapshot: PrincipalSnapshot, assigned: Policy | None, result: signin.SignInPredictions
) -> Iterator[str]:
    predictions = result.by_scenario[-1]
    policy = given.policy or (f"'{assigned.display_name}' ({assigned.id})" if assigned else "")
    yield f"{snapshot.principal.display_name} ({snapshot.principal.id}), policy {policy}"
    if given.against:
        yield from _change_lines(*result.by_scenario)
    elif given.all:
        yield from align_columns([(item.agent.upn, *_verdict_cells(item.verdict)) for item in predictions], "")
    else:
        yield from _user_lines(predictions[0])
    yield from (f"not read: {reason}" for reason in result.unread)
    if given.all and not predictions:
        yield "nobody is known to be assigned to the application; give --user to predict the sign-in of one user"
    elif given.all:
        counts = _count_outcomes(predictions)
        answer = "{users} users: {works} can sign in, {fails} cannot, {unknown} unknown".format(**counts)
        probable = counts["probable"]
        yield f"{answer}; {probable} of these answers not confirmed (grade D)" if probable else answer


def _verdict_cells(verdict: signin.SignInVerdict) -> tuple[str, str]:
    """Of what works, too, only the rules that are not confirmed are named."""
    reasons = (*verdict.problems, *verdict.doubts)
    return verdict.text, "; ".join(reasons) if reasons or verdict.text == verdict.outcome else f"({verdict.grounds})"


def _count_outcomes(predictions: Sequence[signin.Prediction]) -> dict[str, int]:
    """`probable`: how many of those that work and fail do so by rules of grade D."""
    verdicts = [prediction.verdict for prediction in predictions]
    outcomes = [verdict.outcome for verdict in verdicts]
    probable = sum(verdict.confidence == "predicted" for verdict in verdicts)
    counts = {outcome: outcomes.count(outcome) for outcome in signin.OUTCOMES}
    return {"users": len(outcomes), **counts, "probable": probable}


def _to_json(
    given: argparse.Namespace, snapshot: PrincipalSnapshot, assigned: Policy | None, result: signin.SignInPredictions
) -> dict[str, Any]:
    predictions, principal = result.by_scenario[-1], snapshot.principal
    users = [_user_json(prediction) for prediction in predictions]
    if given.against:
        for user, before, after in zip(users, *result.by_scenario, strict=True):
            user["changes"] = [vars(change) for change in signin.compare_policies(before, after)]
    return {
        "principal": {"id": principal.id, "appId": principal.app_id, "displayName": principal.display_name},
        "policy": given.policy or None,
        "assigned": {"id": assigned.id, "displayName": assigned.display_name} if assigned else None,
        "users": users, "counts": _count_outcomes(predictions), "notRead": result.unread,
    }  # fmt: skip


def _user_lines(prediction: signin.Prediction) -> Iterator[str]:
    """One user in full."""
    agent, name_id = prediction.agent, prediction.name_id
    verdict = prediction.verdict
    yield f"{agent.upn} ({agent.id}): sign-in {verdict.text if verdict.problems else verdict.sentence}"
    yield from (f"  {text}" for text in (*verdict.problems, *verdict.doubts))
    rule, settings = "N3: unless the service provider's request names another", prediction.worker
    format_row = (name_id.format, name_id.format_confidence, rule)
    yield from ("", "NameID", *align_columns([_row(name_id.value or "?", name_id), format_row]))
    values = [(line, " | ".join(value or '""' for value in line.values)) for line in prediction.attributes]
    rows = [(line.name, *_row(text or "(not sent)", line)) for line, text in values]
    yield from ("", "Attribute statement", *align_columns(rows))
    rows = [(item.name, *_row("(keeps its value)" if item.kept else show_json(item.value), item)) for item in settings]
    yield from ("", "Worker in Flex", *align_columns(rows))
    if prediction.update.ignored:
        message, grade = describe_ignored(prediction.update.ignored)
        yield from ("", f"{message} (F2, {grade})")
    levels = [item.confidence for item in (name_id, *prediction.attributes, *settings)]
    yield from ("", ", ".join(f"{levels.count(level)} {level}" for level in signin.CONFIDENCE_LEVELS))


def _row(value: str, line: signin.Inference) -> tuple[str, str, str]:
    explanation = f": {line.explanation}" if line.explanation else ""
    return "?" if line.unknown else value, line.confidence, " ".join(line.rules) + explanation


def _change_lines(before: Sequence[signin.Prediction], after: Sequence[signin.Prediction]) -> Iterator[str]:
    """What changes for each user; of several users, those for whom nothing changes are only counted."""

    def show(value: object) -> str:
        return value if isinstance(value, str) else show_json(value)

    changed = 0
    for old, new in zip(before, after, strict=True):
        changes = signin.compare_policies(old, new)
        changed += bool(changes)
        if changes or len(after) == 1:
            yield f"{old.agent.upn}: {len(changes) or 'no'} change{'s' * (len(changes) > 1)}"
        rows = [(change.where, change.name, show(change.before), "->", show(change.after)) for change in changes]
        yield from align_columns(rows)
    if len(after) > 1:
        yield f"{changed} of {len(after)} users change"


def show_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _user_json(prediction: signin.Prediction) -> dict[str, Any]:
    name_id = prediction.name_id
    value = {"value": name_id.value or None, "format": name_id.format, "formatConfidence": name_id.format_confidence}
    return {
        "id": prediction.agent.id,
        "userPrincipalName": prediction.agent.upn,
        "signIn": prediction.describe_sign_in(),
        "nameId": {**value, **name_id.to_json()},
        "attributes": [
            {"name": item.name, "values": item.values or None, "nameFormat": item.name_format or None, **item.to_json()}
            for item in prediction.attributes
        ],
        "worker": [
            {"name": item.name, "value": item.value, "kept": item.kept, **item.to_json()} for item in prediction.worker
        ],
        "ignored": prediction.update.ignored,
    }


def _to_xml(prediction: signin.Prediction) -> str:
    """Subject and attribute statement as in an assertion; what is unknown is a comment."""
    assertion = ElementTree.Element("saml:Assertion", {"xmlns:saml": "urn:oasis:names:tc:SAML:2.0:assertion"})
    subject = ElementTree.SubElement(assertion, "saml:Subject")
    name_id = prediction.name_id
    if name_id.value:
        element = ElementTree.SubElement(subject, "saml:NameID", Format=_write_text(name_id.format))
        element.text = _write_text(name_id.value)
    else:
        subject.append(_make_comment("NameID", name_id))
    statement = ElementTree.SubElement(assertion, "saml:AttributeStatement")
    for line in prediction.attributes:
        if line.unknown:
            statement.append(_make_comment(line.name, line))
        elif line.values:
            form = {"NameFormat": _write_text(line.name_format)} if line.name_format else {}
            name = _write_text(line.name)
            attribute = ElementTree.SubElement(statement, "saml:Attribute", {"Name": name, **form})
            for value in line.values:
                ElementTree.SubElement(attribute, "saml:AttributeValue").text = _write_text(value)
    ElementTree.indent(assertion)
    return ElementTree.tostring(assertion, "unicode").replace(_REFERENCE, "&#")


def _make_comment(name: str, line: signin.Inference) -> Any:
    return ElementTree.Comment(_write_text(f" {name}: unknown: {line.unknown} ").replace("--", "- -"))


def _write_text(value: str) -> str:
    """Characters that XML 1.0 does not allow become U+FFFD. Those that a terminal should not get become references,
    behind a mark that XML does not allow: the serializer would escape an ampersand."""
    return replace_controls(_NOT_IN_XML.sub("\ufffd", value), lambda character: f"{_REFERENCE}{ord(character)};")
