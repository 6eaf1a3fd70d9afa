"""How a prediction is shown: as a table, as JSON, as the XML of an assertion. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from flexsaml.prediction import CONFIDENCE_LEVELS, Inference, Prediction, compare_policies

from .terminal import align_columns, one_line

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def lines(prediction: Prediction) -> Iterator[str]:
    """One user in full."""
    agent, name_id = prediction.agent, prediction.name_id
    yield f"{one_line(agent.upn)} ({agent.id}): sign-in {prediction.outcome}"
    yield from (f"  {one_line(text)}" for text in (*prediction.problems, *prediction.doubts))
    rule = "N3: unless the service provider's request names another"
    name_id_rows = [_row(name_id.value or "?", name_id), (name_id.format, name_id.format_confidence, rule)]
    yield from ("", "NameID", *align_columns(name_id_rows))
    rows = [
        (line.name, *_row(" | ".join(value or '""' for value in line.values) or "(not sent)", line))
        for line in prediction.attributes
    ]
    yield from ("", "Attribute statement", *align_columns(rows))
    rows = [
        (line.name, *_row("(keeps its value)" if line.kept else show_json(line.value), line))
        for line in prediction.worker
    ]
    yield from ("", "Worker in Flex", *align_columns(rows))
    if prediction.update.ignored:
        yield from ("", f"Flex ignores {len(prediction.update.ignored)} attributes whose name is a URI (F2)")
    levels = [item.confidence for item in (name_id, *prediction.attributes, *prediction.worker)]
    yield from ("", ", ".join(f"{levels.count(level)} {level}" for level in CONFIDENCE_LEVELS))


def _row(value: str, line: Inference) -> tuple[str, str, str]:
    explanation = f": {line.explanation}" if line.explanation else ""
    return "?" if line.unknown else value, line.confidence, " ".join(line.rules) + explanation


def row(prediction: Prediction) -> tuple[str, str, str]:
    """One user among many."""
    return prediction.agent.upn, prediction.outcome, "; ".join((*prediction.problems, *prediction.doubts))


def change_lines(before: Sequence[Prediction], after: Sequence[Prediction]) -> Iterator[str]:
    """What changes for each user; of several users, those for whom nothing changes are only counted."""
    changed = 0
    for old, new in zip(before, after, strict=True):
        changes = compare_policies(old, new)
        changed += bool(changes)
        if changes or len(after) == 1:
            yield f"{one_line(old.agent.upn)}: {len(changes) or 'no'} change{'s' * (len(changes) > 1)}"
        yield from align_columns(
            [(change.where, change.name, _show(change.before), "->", _show(change.after)) for change in changes]
        )
    if len(after) > 1:
        yield f"{changed} of {len(after)} users change"


def _show(value: object) -> str:
    return value if isinstance(value, str) else show_json(value)


def show_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def to_json(prediction: Prediction) -> dict[str, Any]:
    name_id = prediction.name_id
    return {
        "id": prediction.agent.id,
        "userPrincipalName": prediction.agent.upn,
        "signIn": {
            "outcome": prediction.outcome,
            "refusals": [
                {"code": item.code, "message": item.message, **item.to_json()} for item in prediction.refusals
            ],
            "faults": [vars(fault) for fault in prediction.faults],
            "doubts": list(prediction.doubts),
        },
        "nameId": {
            "value": name_id.value or None,
            "format": name_id.format,
            "formatConfidence": name_id.format_confidence,
            **name_id.to_json(),
        },
        "attributes": [
            {
                "name": line.name,
                "values": list(line.values) or None,
                "nameFormat": line.name_format or None,
                **line.to_json(),
            }
            for line in prediction.attributes
        ],
        "worker": [
            {"name": line.name, "value": line.value, "kept": line.kept, **line.to_json()} for line in prediction.worker
        ],
        "ignored": list(prediction.update.ignored),
    }


def to_xml(prediction: Prediction) -> str:
    """Subject and attribute statement as in an assertion; what is unknown is a comment."""
    name_id = prediction.name_id
    xml = ['<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">', "  <saml:Subject>"]
    if name_id.value:
        xml.append(f"    <saml:NameID Format={quoteattr(name_id.format)}>{_escape(name_id.value)}</saml:NameID>")
    else:
        xml.append(_comment("NameID", name_id))
    xml += ["  </saml:Subject>", "  <saml:AttributeStatement>"]
    for line in prediction.attributes:
        if line.unknown:
            xml.append(_comment(line.name, line))
        elif line.values:
            form = f" NameFormat={quoteattr(line.name_format)}" if line.name_format else ""
            xml.append(f"    <saml:Attribute Name={quoteattr(_replace_illegal(line.name))}{form}>")
            xml += [f"      <saml:AttributeValue>{_escape(value)}</saml:AttributeValue>" for value in line.values]
            xml.append("    </saml:Attribute>")
    return "\n".join([*xml, "  </saml:AttributeStatement>", "</saml:Assertion>"])


def _comment(name: str, line: Inference) -> str:
    text = _replace_illegal(f"{name}: unknown: {line.unknown}").replace("--", "- -")
    return f"    <!-- {text} -->"


def _escape(value: str) -> str:
    return escape(_replace_illegal(value))


def _replace_illegal(value: str) -> str:
    """Characters that XML 1.0 does not allow become U+FFFD."""
    return _NOT_IN_XML.sub("\ufffd", value)
