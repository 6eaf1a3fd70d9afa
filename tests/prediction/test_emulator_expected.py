"""If this goes red, the sandbox issues another assertion than docs/sign-in.md says, or fails on a policy Graph accepts.

The expected assertions were written out by hand (tests/prediction/expected).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.emulator import signin
from tests.emulator.process import Emulator
from tests.emulator.tenant import GUEST, USERS, Tenant

CASES = sorted((Path(__file__).parent / "expected").glob("*.json"))
ACCEPTED = sorted(
    entry["file"]
    for entry in json.loads((signin.CORPUS / "index.json").read_text(encoding="utf-8"))
    if entry["label"] != "invalid"
)
NIGHT = "nora@contoso.example"


@pytest.fixture
def tenant(process: Emulator) -> Tenant:
    process.reset()
    return Tenant(process)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_sandbox_issues_what_was_written_out_by_hand(tenant: Tenant, path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    signin.prepare(tenant, case)
    issued = signin.issued(tenant.emulator, case["user"])
    assert {"value": issued.name_id, "format": issued.name_id_format} == case["name_id"]
    expected = [(row["name"], row["values"], row.get("name_form", "")) for row in case["attributes"]]
    assert issued.attributes == expected, case["why"]


def test_at_least_a_dozen_policies_are_written_out() -> None:
    cases: list[dict[str, Any]] = [json.loads(path.read_text(encoding="utf-8")) for path in CASES]
    assert len({case["policy"] for case in cases}) >= 12
    assert all(case["grade"] in "ABCD" and case["why"] for case in cases)


@pytest.mark.parametrize("policy", ACCEPTED)
def test_every_policy_of_the_corpus_is_issued_for_every_user(tenant: Tenant, policy: str) -> None:
    signin.assign(tenant, json.loads((signin.CORPUS / policy).read_text(encoding="utf-8")))
    refused = {GUEST: "AADSTS50057", NIGHT: "AADSTS50105"}
    for upn in USERS:
        answer = signin.ask(tenant.emulator, upn)
        if upn in refused:
            assert (answer.status, answer.json["error"]["code"]) == (403, refused[upn])
        else:
            assert answer.status == 200, answer.content
            assert signin.read(answer.json["SAMLResponse"]).name_id
