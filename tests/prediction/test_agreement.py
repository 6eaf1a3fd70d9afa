"""If this goes red, prediction and the sandbox, two pieces of code over one page of rules, no longer agree.

Every policy of the corpus that Graph accepts, for every seeded user: what `predict` computes from Graph's answers is
what the sandbox then signs. Lines that cannot be known are left out, and listed. Agreement proves consistency only;
tests/prediction/expected holds both against assertions written out by hand.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest

from flexsaml.flex import NameId, SamlAttribute, SamlStatement, compute_worker_update
from flexsaml.graph import Client, Directory, cloud, credentials
from flexsaml.prediction import inspect as look
from flexsaml.prediction.confidence import UNKNOWN
from flexsaml.prediction.policy import sign_in_policy
from flexsaml.prediction.predict import Prediction, predict
from tests.emulator import signin
from tests.emulator.process import ADMIN, SECRET, Emulator
from tests.emulator.tenant import FLEX, USERS, Tenant
from tests.prediction.seeded import CASES, CORPUS

ACCEPTED = sorted(
    entry["file"] for entry in json.loads((CORPUS / "index.json").read_text("utf-8")) if entry["label"] != "invalid"
)
NOW = datetime.now(timezone.utc)
ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
UNKNOWABLE = {  # policy to the lines no prediction can know, whoever signs in; "" is the NameID
    "09-suryendu-groups-regex-role.json": {ROLE},
    "12-yvand-ext-localupn.json": {""},
    "40-blog-regex-upn-domain.json": {""},
}


@pytest.fixture
def tenant(process: Emulator) -> Tenant:
    process.reset()
    return Tenant(process)


@pytest.fixture
def directory(process: Emulator, monkeypatch: pytest.MonkeyPatch) -> Directory:
    monkeypatch.setenv("AZURE_CLIENT_ID", ADMIN)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", SECRET)
    where = cloud("loopback", graph_endpoint=process.http, login_endpoint=process.http)
    return Directory(Client(where, credentials(where)))


def predicted(directory: Directory, upn: str) -> Prediction:
    seen = look.survey(directory, FLEX["id"])
    policy = sign_in_policy(look.assigned_policy(directory, seen).definition)
    where = look.place(directory, seen, [policy], NOW)
    return predict(policy, where, look.one_agent(directory, seen, where, [policy], upn).people[0])


def agree(found: Prediction, tenant: Tenant) -> set[str]:
    """Asserts that the sandbox issues what was predicted; returns what was not to be known."""
    answer = signin.ask(tenant.emulator, found.agent.upn)
    if found.refusals:
        assert (answer.status, answer.json["error"]["code"]) == (403, found.refusals[0].code)
        return set()
    assert answer.status == 200, answer.content
    issued = signin.read(answer.json["SAMLResponse"])
    unknown = {one.name for one in found.lines if one.mark == UNKNOWN}
    assert [(one.name, list(one.values), one.name_form) for one in found.lines if one.sent] == [
        one for one in issued.attributes if one[0] not in unknown
    ]
    assert issued.name_id_format == found.name_id.format
    if found.name_id.mark == UNKNOWN:
        return {*unknown, ""}
    assert issued.name_id == found.name_id.value
    return unknown


@pytest.mark.parametrize("policy", ACCEPTED)
def test_every_policy_of_the_corpus_for_every_seeded_user(tenant: Tenant, directory: Directory, policy: str) -> None:
    signin.assign(tenant, json.loads((CORPUS / policy).read_text("utf-8")))
    for upn in USERS:
        found = predicted(directory, upn)
        unknown = agree(found, tenant)
        if not found.refusals:
            assert unknown == UNKNOWABLE.get(policy, set()), upn


@pytest.mark.parametrize("name", CASES)
def test_every_case_written_out_by_hand_read_over_graph(tenant: Tenant, directory: Directory, name: str) -> None:
    signin.prepare(tenant, CASES[name])
    agree(predicted(directory, CASES[name]["user"]), tenant)


@pytest.mark.parametrize("name", ["03-guide-with-its-extension", "03-guide-two-roles-sorted", "04-team-id"])
def test_the_small_flex_keeps_what_was_predicted(tenant: Tenant, directory: Directory, name: str) -> None:
    signin.prepare(tenant, CASES[name])
    found = predicted(directory, CASES[name]["user"])
    issued = signin.issued(tenant.emulator, CASES[name]["user"])
    received = tuple(SamlAttribute(one, tuple(values)) for one, values, _ in issued.attributes)
    assert compute_worker_update(SamlStatement(NameId(issued.name_id, issued.name_id_format), received)).attributes == {
        one.name: one.value for one in found.worker if not one.kept and one.mark != UNKNOWN
    }
