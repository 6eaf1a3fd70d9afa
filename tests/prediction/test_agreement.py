"""If this goes red, prediction and the sandbox no longer agree; they are independent code over one page of rules.

For every policy of the corpus that Graph accepts and every seeded user, what `predict` computes from Graph's answers is
what the sandbox signs. Unknown lines are listed and not compared. Agreement proves consistency only;
tests/prediction/expected holds assertions written out by hand.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest

from flexsaml.flex import SamlAttribute, SamlStatement, compute_worker_update
from flexsaml.graph import Client, Directory, cloud, credentials
from flexsaml.prediction import UNKNOWN, Prediction, Scenario, find_assigned_policy, parse_policy, predict_sign_ins
from flexsaml.prediction.evidence import EXACT, PREDICTED
from tests.emulator import signin
from tests.emulator.process import ADMIN, SECRET, Emulator
from tests.emulator.tenant import FLEX, USERS, Tenant
from tests.prediction.seeded import ADA, CASES, CORPUS, MANDATORY

ACCEPTED = sorted(
    entry["file"] for entry in json.loads((CORPUS / "index.json").read_text("utf-8")) if entry["label"] != "invalid"
)
NOW = datetime.now(timezone.utc)
ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
UNKNOWN_LINES = {  # policy to what is unknown for every user; "" is the NameID
    "09-suryendu-groups-regex-role.json": {ROLE},
    "12-yvand-ext-localupn.json": {""},
    "13-guacamole-mailnickname-nameid.json": {""},
    "40-blog-regex-upn-domain.json": {""},
    "60-parser-future-fields.json": {"", "urn:joined"},
    "73-bad-hallucinated-keys.json": {""},
}


@pytest.fixture
def tenant(process: Emulator) -> Tenant:
    process.reset()
    return Tenant(process)


@pytest.fixture
def directory(process: Emulator, monkeypatch: pytest.MonkeyPatch) -> Directory:
    monkeypatch.setenv("FLEXSAML_SANDBOX_CLIENT", ADMIN)
    monkeypatch.setenv("FLEXSAML_SANDBOX_SECRET", SECRET)
    where = cloud("loopback", graph_endpoint=process.http, login_endpoint=process.http)
    return Directory(Client(where, credentials(where)))


def predict(directory: Directory, *users: str) -> list[Prediction]:
    snapshot = directory.read_principal_snapshot(FLEX["id"])
    scenario = Scenario(parse_policy(find_assigned_policy(directory, snapshot).definition))
    return [predict_sign_ins(directory, snapshot, [scenario], NOW, user).by_scenario[0][0] for user in users]


def assert_agreement(prediction: Prediction, tenant: Tenant) -> set[str]:
    """Asserts that the sandbox issues what was predicted, and that its Flex lets in whom it should. Returns the names of what is unknown, "" for the NameID."""
    answer = signin.ask(tenant.emulator, prediction.agent.upn)
    certain = [refusal for refusal in prediction.refusals if not refusal.unknown]
    if certain:
        assert (answer.status, answer.json["error"]["code"]) == (403, certain[0].code)
    if prediction.refusals:
        return set()
    assert answer.status == 200, answer.content
    issued = signin.read(answer.json["SAMLResponse"])
    if prediction.verdict.outcome != UNKNOWN:
        received = signin.deliver(tenant.emulator, answer.json["SAMLResponse"], answer.json["acs"])
        assert received.status == (200 if prediction.verdict.outcome == "works" else 400), received.content
    unknown = {line.name for line in prediction.attributes if line.unknown}
    sent = [(line.name, list(line.values), line.name_format) for line in prediction.attributes if line.values]
    assert sent == [attribute for attribute in issued.attributes if attribute[0] not in unknown]
    if prediction.name_id.format_confidence != UNKNOWN:
        assert issued.name_id_format == prediction.name_id.format
    if prediction.name_id.unknown:
        return {*unknown, ""}
    assert issued.name_id == prediction.name_id.value
    return unknown


@pytest.mark.parametrize("policy", ACCEPTED)
def test_every_policy_of_the_corpus_for_every_seeded_user(tenant: Tenant, directory: Directory, policy: str) -> None:
    signin.assign(tenant, json.loads((CORPUS / policy).read_text("utf-8")))
    for prediction in predict(directory, *USERS):
        unknown = assert_agreement(prediction, tenant)
        if not prediction.refusals:
            assert unknown == UNKNOWN_LINES.get(policy, set()), prediction.agent.upn


@pytest.mark.parametrize("name", CASES)
def test_every_case_written_out_by_hand_read_over_graph(tenant: Tenant, directory: Directory, name: str) -> None:
    signin.prepare(tenant, CASES[name])
    [prediction] = predict(directory, CASES[name]["user"])
    assert_agreement(prediction, tenant)


@pytest.mark.parametrize("name", ["03-guide-with-its-extension", "03-guide-two-roles-sorted", "04-team-id"])
def test_flex_stores_of_the_issued_assertion_what_was_predicted(
    tenant: Tenant, directory: Directory, name: str
) -> None:
    signin.prepare(tenant, CASES[name])
    [prediction] = predict(directory, CASES[name]["user"])
    issued = signin.issued(tenant.emulator, CASES[name]["user"])
    received = tuple(SamlAttribute(name, tuple(values)) for name, values, _ in issued.attributes)
    update = compute_worker_update(SamlStatement(issued.name_id, issued.name_id_format, received))
    assert update.attributes == {
        line.name: line.value for line in prediction.worker if not line.kept and not line.unknown
    }


ROLES = {"Source": "user", "ID": "assignedroles", "SamlClaimType": "roles"}


@pytest.mark.parametrize(("is_enabled", "confidence"), [(True, EXACT), (False, PREDICTED)])
def test_a_disabled_role_is_sent_as_far_as_anybody_can_infer(
    tenant: Tenant, directory: Directory, is_enabled: bool, confidence: str
) -> None:
    signin.patch_principal(tenant, appRoles=[{**role, "isEnabled": is_enabled} for role in FLEX["appRoles"]])
    signin.assign(tenant, signin.claims(ROLES))
    [prediction] = predict(directory, ADA)
    assert_agreement(prediction, tenant)
    lines = {line.name: (line.values, line.confidence) for line in prediction.attributes}
    assert lines["roles"] == (("agent",), confidence)


@pytest.mark.parametrize("name", ["startDateTime", "endDateTime"])
def test_a_certificate_without_dates_signs_in_the_sandbox_and_is_unknown_elsewhere(
    tenant: Tenant, directory: Directory, name: str
) -> None:
    """One rule for predict, doctor and the sandbox (W5)."""
    signin.patch_principal(tenant, keyCredentials=[{**row, name: None} for row in FLEX["keyCredentials"]])
    signin.assign(tenant, signin.claims(*MANDATORY))
    [prediction] = predict(directory, ADA)
    assert [(refusal.code, refusal.confidence) for refusal in prediction.refusals] == [("AADSTS50146", UNKNOWN)]
    assert prediction.verdict.outcome == UNKNOWN
    assert signin.ask(tenant.emulator, ADA).status == 200
    assert tenant.emulator.request("GET", f"/portal/{FLEX['id']}").status == 200
