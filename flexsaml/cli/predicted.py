"""How a prediction is shown: as a table, as JSON, as the XML of an assertion. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree import ElementTree

from flexsaml.prediction import CONFIDENCE_LEVELS, Inference, Prediction, compare_policies

from .terminal import align_columns, one_line

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def lines(prediction: Prediction) -> Iterator[str]:
    """One user in full."""
    agent, name_id = prediction.agent, prediction.name_id
    yield f"{one_line(agent.upn)} ({agent.id}): sign-in {prediction.outcome}"
    yield from (f"  {one_line(text)}" for text in (*prediction.problems, *prediction.doubts))
    rule = "N3: unless the service provider's request names another"
    rows: list[tuple[str, ...]] = [_row(name_id.value or "?", name_id)]
    rows.append((name_id.format, name_id.format_confidence, rule))
    yield from ("", "NameID", *align_columns(rows))
    rows = []
    for line in prediction.attributes:
        values = " | ".join(value or '""' for value in line.values)
        rows.append((line.name, *_row(values or "(not sent)", line)))
    yield from ("", "Attribute statement", *align_columns(rows))
    settings = prediction.worker
    rows = [(item.name, *_row("(keeps its value)" if item.kept else show_json(item.value), item)) for item in settings]
    yield from ("", "Worker in Flex", *align_columns(rows))
    if prediction.update.ignored:
        yield from ("", f"Flex ignores {len(prediction.update.ignored)} attributes whose name is a URI (F2)")
    levels = [item.confidence for item in (name_id, *prediction.attributes, *settings)]
    yield from ("", ", ".join(f"{levels.count(level)} {level}" for level in CONFIDENCE_LEVELS))


def _row(value: str, line: Inference) -> tuple[str, str, str]:
    explanation = f": {line.explanation}" if line.explanation else ""
    return "?" if line.unknown else value, line.confidence, " ".join(line.rules) + explanation


def change_lines(before: Sequence[Prediction], after: Sequence[Prediction]) -> Iterator[str]:
    """What changes for each user; of several users, those for whom nothing changes are only counted."""

    def show(value: object) -> str:
        return value if isinstance(value, str) else show_json(value)

    changed = 0
    for old, new in zip(before, after, strict=True):
        changes = compare_policies(old, new)
        changed += bool(changes)
        if changes or len(after) == 1:
            yield f"{one_line(old.agent.upn)}: {len(changes) or 'no'} change{'s' * (len(changes) > 1)}"
        rows = [(change.where, change.name, show(change.before), "->", show(change.after)) for change in changes]
        yield from align_columns(rows)
    if len(after) > 1:
        yield f"{changed} of {len(after)} users change"


def show_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def to_json(prediction: Prediction) -> dict[str, Any]:
    name_id, format_confidence = prediction.name_id, prediction.name_id.format_confidence
    refusals = [{"code": item.code, "message": item.message, **item.to_json()} for item in prediction.refusals]
    sign_in = {
        "outcome": prediction.outcome,
        "refusals": refusals,
        "faults": [vars(fault) for fault in prediction.faults],
        "doubts": prediction.doubts,
    }
    value = {"value": name_id.value or None, "format": name_id.format, "formatConfidence": format_confidence}
    attributes = [
        {"name": line.name, "values": line.values or None, "nameFormat": line.name_format or None, **line.to_json()}
        for line in prediction.attributes
    ]
    worker = [
        {"name": item.name, "value": item.value, "kept": item.kept, **item.to_json()} for item in prediction.worker
    ]
    return {
        "id": prediction.agent.id,
        "userPrincipalName": prediction.agent.upn,
        "signIn": sign_in,
        "nameId": {**value, **name_id.to_json()},
        "attributes": attributes,
        "worker": worker,
        "ignored": prediction.update.ignored,
    }


def to_xml(prediction: Prediction) -> str:
    """Subject and attribute statement as in an assertion; what is unknown is a comment."""
    assertion = ElementTree.Element("saml:Assertion", {"xmlns:saml": "urn:oasis:names:tc:SAML:2.0:assertion"})
    subject = ElementTree.SubElement(assertion, "saml:Subject")
    name_id = prediction.name_id
    if name_id.value:
        element = ElementTree.SubElement(subject, "saml:NameID", Format=_replace_illegal(name_id.format))
        element.text = _replace_illegal(name_id.value)
    else:
        subject.append(_make_comment("NameID", name_id))
    statement = ElementTree.SubElement(assertion, "saml:AttributeStatement")
    for line in prediction.attributes:
        if line.unknown:
            statement.append(_make_comment(line.name, line))
        elif line.values:
            form = {"NameFormat": _replace_illegal(line.name_format)} if line.name_format else {}
            name = _replace_illegal(line.name)
            attribute = ElementTree.SubElement(statement, "saml:Attribute", {"Name": name, **form})
            for value in line.values:
                ElementTree.SubElement(attribute, "saml:AttributeValue").text = _replace_illegal(value)
    ElementTree.indent(assertion)
    return ElementTree.tostring(assertion, "unicode")


def _make_comment(name: str, line: Inference) -> Any:
    text = _replace_illegal(f" {name}: unknown: {line.unknown} ")
    return ElementTree.Comment(text.replace("--", "- -"))


def _replace_illegal(value: str) -> str:
    """Characters that XML 1.0 does not allow become U+FFFD."""
    return _NOT_IN_XML.sub("\ufffd", value)
