"""If this goes red, a report of the live suite names a person or a tenant, or the table of evidence cannot read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flexsaml.prediction import MEASURED, apply_measurements, load_rules
from tests.emulator.process import TENANT, Emulator
from tests.live.conftest import DOMAIN, make_run
from tests.live.experiment import Outcome
from tests.live.life_cycle import run_life_cycle
from tests.live.report import Finding, redact
from tests.live.run import EXPERIMENTS
from tests.live.test_run import GUID


def test_a_report_names_nobody(emulator: Emulator) -> None:
    seeded = emulator.export()
    emulator.clear()
    run = make_run(emulator, life_cycles=(run_life_cycle,))
    report = run.carry_out()
    assert all(row["answer"] for row in report["answers"])
    text = json.dumps(report, ensure_ascii=False)
    names = {run.mark, DOMAIN, TENANT, "Twilio", *(user["userPrincipalName"] for user in seeded["users"])}
    asked = {id_ for request in emulator.requests() for id_ in GUID.findall(request["path"])}
    assert len(asked) > 5
    assert {name for name in names | asked if name.lower() in text.lower()} == set()
    assert not GUID.search(text)
    assert "@" not in text


def test_a_report_of_the_emulator_is_data_and_changes_no_grade(emulator: Emulator) -> None:
    """The fixture is such a report, so that the table of evidence is known to read what the suite writes."""
    written = json.loads((Path(__file__).parent / "emulator_report.json").read_text("utf-8"))
    report = make_run(emulator).carry_out()
    for each in (written, report):
        assert each["measured_on"] == "emulator"
        assert apply_measurements(load_rules(), [each]) == load_rules()
    assert [strip_row(row) for row in report["answers"]] == [strip_row(row) for row in written["answers"]]
    assert report.keys() | {"note"} == written.keys()
    measured = apply_measurements(load_rules(), [{**report, "measured_on": "tenant"}])
    assert {name for name, rule in measured.items() if rule.grade == MEASURED} == {
        rule for row in report["answers"] for rule in row["rules"]
    }


def strip_row(row: dict[str, Any]) -> dict[str, Any]:
    """Without what differs from run to run, and without grades, which change as evidence comes in."""
    observations = {name: item for name, item in row["observations"].items() if "seconds" not in name}
    verdicts = {rule: change["verdict"] for rule, change in row["rules"].items()}
    return {**row, "rules": verdicts, "observations": observations}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Resource 'C0FFEE00-5eed-4a11-8c01-7e2a27c0d05e' does not exist", "Resource '<id>' does not exist"),
        ("extension_c0ffee005eed4a118c017e2a27c0d05e_team", "extension_<id>_team"),
        ("of ada.l-o+x@contoso.example.", "of <address>."),
        ("in contoso.onmicrosoft.com", "in <domain>"),
        ("in Contoso.Example, of MARK", "in <redacted>, of <redacted>"),
        ("thumbprint 00112233445566778899AABBCCDDEEFF00112233", "thumbprint <id>"),
        ("400 Request_BadRequest", "400 Request_BadRequest"),
    ],
)
def test_what_names_somebody_is_taken_out(text: str, expected: str) -> None:
    assert redact({"a": [text]}, ["contoso.example", "mark", ""]) == {"a": [expected]}


@pytest.mark.parametrize(
    ("code", "expected"),
    [("Request_BadRequest", "Request_BadRequest"), ("", ""), ("Contoso_Ada", "another code"), (7, "another code")],
)
def test_only_a_known_code_is_reported(code: object, expected: str) -> None:
    outcome = Outcome("400", {"status": 400, "code": code})
    assert Finding(EXPERIMENTS[0], outcome).to_json()["observations"] == {"status": 400, "code": expected}
