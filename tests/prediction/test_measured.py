"""If this goes red, a measurement on a tenant does not reach what `predict` says, or the emulator's own does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flexsaml.prediction import apply_measurements, load_rules, rate_evidence
from flexsaml.prediction.evidence import EXACT, MEASURED, PREDICTED, UNKNOWN

PROJECT = Path(__file__).resolve().parents[2]


def report(measured_on: str = "tenant", **verdicts: str) -> dict[str, Any]:
    """Made up: one answer whose rules have these verdicts; `_` in a name of a rule stands for a space."""
    rules = {rule.replace("_", " "): {"verdict": verdict} for rule, verdict in verdicts.items()}
    answer = {"question": "made-up", "answer": "this", "rules": rules}
    return {"measured_on": measured_on, "date": "2027-01-05", "answers": [answer]}


@pytest.mark.parametrize(
    ("reports", "rule", "grade", "before", "after"),
    [
        ([report(S6="confirmed")], "S6", MEASURED, PREDICTED, EXACT),
        ([report(S18="confirmed")], "S18", MEASURED, UNKNOWN, EXACT),
        ([report(S4="contradicted")], "S4", "A", EXACT, UNKNOWN),
        ([report(S6="contradicted")], "S6", "D", PREDICTED, UNKNOWN),
        ([report(S6="confirmed"), report(S6="contradicted")], "S6", "D", PREDICTED, UNKNOWN),
        ([report(S6="contradicted"), report(S6="confirmed")], "S6", "D", PREDICTED, UNKNOWN),
        ([report("emulator", S6="confirmed")], "S6", "D", PREDICTED, PREDICTED),
        ([report("emulator", S4="contradicted")], "S4", "A", EXACT, EXACT),
        ([report(S6="confirmed")], "S12 null", "D", PREDICTED, PREDICTED),
        ([], "S6", "D", PREDICTED, PREDICTED),
    ],
)
def test_a_measurement_on_a_tenant_changes_a_grade(
    reports: list[dict[str, Any]], rule: str, grade: str, before: str, after: str
) -> None:
    measured = apply_measurements(load_rules(), reports)
    assert rate_evidence([rule]) == before
    assert rate_evidence([rule], measured) == after
    assert measured[rule].grade == grade
    assert bool(measured[rule].contradicted_by) == bool(measured[rule].unknown)
    assert ("2027-01-05" in measured[rule].source + measured[rule].contradicted_by) is (before != after)


def test_no_tenant_was_reached_yet() -> None:
    shipped = json.loads((PROJECT / "flexsaml" / "prediction" / "data" / "measured.json").read_text("utf-8"))
    assert shipped["reports"] == []


PREDICT = """
from tests.prediction.seeded import find_line, predict_entries
line = find_line(predict_entries(*({"Value": text, "SamlClaimType": "x"} for text in ("1", "2"))))
print(line.confidence, *line.values)
"""


@pytest.mark.parametrize(
    ("verdict", "predicted"), [("confirmed", "exact 1 2"), ("contradicted", "unknown"), (None, "unknown")]
)
def test_predict_reads_the_measurements_that_are_shipped(tmp_path: Path, verdict: str | None, predicted: str) -> None:
    shutil.copytree(PROJECT / "flexsaml", tmp_path / "flexsaml", ignore=shutil.ignore_patterns("__pycache__"))
    made_up = {"reports": [report(S18=verdict)] if verdict else []}
    (tmp_path / "flexsaml" / "prediction" / "data" / "measured.json").write_text(json.dumps(made_up))
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{PROJECT}", "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(
        [sys.executable, "-c", PREDICT], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == predicted.split()
