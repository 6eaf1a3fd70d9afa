"""If this goes red, `predict` shows another assertion than docs/sign-in.md says, or gives it too much confidence.

The expected assertions were written out by hand (tests/prediction/expected), independently of this code.
"""

from __future__ import annotations

import pytest

from flexsaml.prediction.evidence import EXACT, PREDICTED
from tests.prediction.seeded import CASES, predict_case


@pytest.mark.parametrize("name", CASES)
def test_the_prediction_is_the_assertion_written_out_by_hand(name: str) -> None:
    case, prediction = CASES[name], predict_case(CASES[name])
    sent = [line for line in prediction.attributes if line.values]
    expected = [(row["name"], tuple(row["values"]), row.get("name_form", "")) for row in case["attributes"]]
    assert [(line.name, line.values, line.name_format) for line in sent] == expected, case["why"]
    grades = {row["name"]: row["grade"] for row in case["attributes"]}
    assert {line.name: line.confidence for line in sent} == {
        name: PREDICTED if grade == "D" else EXACT for name, grade in grades.items()
    }
    assert [line.name for line in prediction.attributes if line.unknown] == [
        name for name in case.get("unknown", ()) if name
    ]
    assert prediction.name_id.format == case["name_id"]["format"]
    assert bool(prediction.name_id.unknown) == ("" in case.get("unknown", ()))
    if not prediction.name_id.unknown:
        assert prediction.name_id.value == case["name_id"]["value"]
