"""How a prediction is shown: as a table, as JSON, as the XML an assertion has. Text only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from flexsaml.prediction.changes import Change
from flexsaml.prediction.confidence import MARKS, UNKNOWN
from flexsaml.prediction.predict import Line, Prediction, WorkerLine

from .table import aligned
from .terminal import one_line

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
FINE, FAILS, UNSURE = "works", "fails", "cannot be known"


def outcome(one: Prediction) -> str:
    """The sign-in in a word."""
    return FAILS if one.findings else UNSURE if one.doubts else FINE


def lines(one: Prediction) -> Iterator[str]:
    """One user in full."""
    yield f"{one_line(one.agent.upn)} ({one.agent.id}): sign-in {outcome(one)}"
    yield from (f"  {one_line(text)}" for text in (*one.findings, *one.doubts))
    name_id = one.name_id
    yield ""
    yield "NameID"
    yield from aligned(
        [
            (name_id.value or "?", name_id.mark, _why(name_id.rules, name_id.why)),
            (name_id.format, name_id.format_mark, "N3: unless the service provider's request names another"),
        ]
    )
    yield ""
    yield "Attribute statement"
    yield from aligned([(line.name, _sent(line), line.mark, _why(line.rules, line.why)) for line in one.lines])
    yield ""
    yield "Worker in Flex"
    yield from aligned([(line.name, _kept(line), line.mark, _why(line.rules, line.why)) for line in one.worker])
    if one.stored.ignored:
        yield ""
        yield f"Flex ignores {len(one.stored.ignored)} attributes whose name is a URI (F2)"
    yield ""
    yield counted(one)


def counted(one: Prediction) -> str:
    """How many lines bear which mark."""
    marks = [one.name_id.mark, *(line.mark for line in one.lines), *(line.mark for line in one.worker)]
    return ", ".join(f"{marks.count(each)} {each}" for each in MARKS)


def row(one: Prediction) -> tuple[str, str, str]:
    """One user among many."""
    return one.agent.upn, outcome(one), "; ".join((*one.findings, *one.doubts))


def change_lines(upn: str, found: Sequence[Change]) -> Iterator[str]:
    yield f"{one_line(upn)}: {len(found)} changes" if found else f"{one_line(upn)}: no change"
    yield from aligned([(one.where, one.name, shown(one.before), "->", shown(one.after)) for one in found])


def shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def to_json(one: Prediction) -> dict[str, Any]:
    return {
        "id": one.agent.id,
        "userPrincipalName": one.agent.upn,
        "signIn": {
            "outcome": outcome(one),
            "refusals": [
                {"code": each.code, "message": each.message, "mark": each.mark, "rules": list(each.rules)}
                for each in one.refusals
            ],
            "faults": [{"kind": each.kind, "name": each.name, "message": each.message} for each in one.faults],
            "doubts": list(one.doubts),
        },
        "nameId": {
            "value": one.name_id.value or None,
            "format": one.name_id.format,
            "mark": one.name_id.mark,
            "formatMark": one.name_id.format_mark,
            "rules": list(one.name_id.rules),
            "why": one.name_id.why,
        },
        "attributes": [
            {
                "name": line.name,
                "values": list(line.values) if line.sent else None,
                "nameFormat": line.name_form or None,
                "mark": line.mark,
                "rules": list(line.rules),
                "why": line.why,
            }
            for line in one.lines
        ],
        "worker": [
            {
                "name": line.name,
                "value": line.value,
                "kept": line.kept,
                "mark": line.mark,
                "rules": list(line.rules),
                "why": line.why,
            }
            for line in one.worker
        ],
        "ignored": list(one.stored.ignored),
    }


def to_xml(one: Prediction) -> str:
    """Subject and attribute statement as they stand in an assertion; what cannot be known is a comment."""
    name_id = one.name_id
    parts = ['<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">', "  <saml:Subject>"]
    if name_id.value:
        parts.append(f"    <saml:NameID Format={quoteattr(name_id.format)}>{_text(name_id.value)}</saml:NameID>")
    else:
        parts.append(_comment("NameID", name_id.why, "    "))
    parts += ["  </saml:Subject>", "  <saml:AttributeStatement>"]
    for line in one.lines:
        if line.mark == UNKNOWN:
            parts.append(_comment(line.name, line.why, "    "))
        elif line.sent:
            form = f" NameFormat={quoteattr(line.name_form)}" if line.name_form else ""
            parts.append(f"    <saml:Attribute Name={quoteattr(_legal(line.name))}{form}>")
            parts += [f"      <saml:AttributeValue>{_text(value)}</saml:AttributeValue>" for value in line.values]
            parts.append("    </saml:Attribute>")
    return "\n".join([*parts, "  </saml:AttributeStatement>", "</saml:Assertion>"])


def _comment(name: str, why: str, indent: str) -> str:
    said = _legal(f"{name}: cannot be known: {why}").replace("--", "- -")
    return f"{indent}<!-- {said} -->"


def _text(value: str) -> str:
    return escape(_legal(value))


def _legal(value: str) -> str:
    """What XML 1.0 has no letter for is shown as such."""
    return _NO_XML.sub("\ufffd", value)


def _sent(line: Line) -> str:
    if line.sent:
        return " | ".join(value or '""' for value in line.values)
    return "?" if line.mark == UNKNOWN else "(not sent)"


def _kept(line: WorkerLine) -> str:
    if line.kept:
        return "(keeps its value)"
    return "?" if line.mark == UNKNOWN else json.dumps(line.value, ensure_ascii=False)


def _why(rules: Sequence[str], why: str) -> str:
    return f"{' '.join(rules)}{f': {why}' if why else ''}"
