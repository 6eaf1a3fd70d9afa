"""If this goes red, `setup` makes something twice, leaves something out, or overwrites what was there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from flexsaml.graph import GRAPH_APP_ID, ClientSecret, FederatedCredential, GraphPermissions, Registration, ScopeGrant
from flexsaml.setup.credentials import parse_github, read_certificate
from flexsaml.setup.plan import (
    CLIENT,
    MARK,
    PRINCIPAL,
    SECRET_NAME,
    Existing,
    OwnedObject,
    Step,
    Wanted,
    list_surplus,
    plan_steps,
    references_of,
)
from tests.setup.certificates import make_pem

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
YEAR = timedelta(days=365)
GRAPH = GraphPermissions("graph", {"Read": "r1", "Write": "r2", "More": "r3"}, {"Read": "s1", "Write": "s2"})
CERTIFICATE = read_certificate(make_pem(NOW - YEAR, NOW + YEAR)[0], "client.pem", NOW)
REPOSITORY = parse_github("contoso/infra")
WANTED = Wanted(
    "flexsaml prod",
    {"Read": ["read policies"], "Write": ["write the policy"]},
    owned=(OwnedObject("applications", "flex-app", "Flex"), OwnedObject("servicePrincipals", "flex-sp", "Flex")),
    federations=(REPOSITORY,),
    audience="api://AzureADTokenExchange",
    certificate=CERTIFICATE,
    secret_ends=NOW + YEAR,
)
MADE = Registration(
    id="app",
    app_id="client",
    display_name="flexsaml prod",
    tags=(MARK,),
    requested=({"resourceAppId": GRAPH_APP_ID, "resourceAccess": [{"id": "r1", "type": "Role"}, {"id": "r2", "type": "Role"}]},),
    is_public_client=False,
    keys=({"displayName": f"flexsaml {CERTIFICATE.thumbprint}", "key": CERTIFICATE.key},),
    secrets=(ClientSecret("k", SECRET_NAME, NOW + YEAR),),
    federated=(FederatedCredential("any name", REPOSITORY.issuer, REPOSITORY.subject),),
    principal_id="sp",
    roles=frozenset({"r1", "r2"}),
    grant=None,
)  # fmt: skip
OWNERS = {"flex-app": frozenset({"sp"}), "flex-sp": frozenset({"sp", "other"})}
COMPLETE = Existing(GRAPH, MADE, OWNERS)


def plan(wanted: Wanted, existing: Existing) -> list[Step]:
    return plan_steps(wanted, existing, graph_url="https://graph.example", now=NOW)


def waiting(wanted: Wanted, existing: Existing) -> list[tuple[str, str]]:
    return [(step.method, step.path) for step in plan(wanted, existing) if not step.is_there]


def test_everything_is_made_where_nothing_is_and_nothing_where_all_is_there() -> None:
    steps = plan(WANTED, Existing(GRAPH))
    assert len(steps) == 9
    assert not any(step.is_there for step in steps)
    assert [step.title for step in steps[-2:]] == ["consent to Read", "consent to Write"], (
        "last: most may not give them"
    )
    assert waiting(WANTED, COMPLETE) == []


def test_a_certificate_names_the_days_on_which_it_is_valid() -> None:
    """One that begins later is made, too: until then nobody can sign in with it."""
    assert any("valid from 2025-" in step.title and " until 2027-" in step.title for step in plan(WANTED, COMPLETE))


def test_a_step_names_only_what_an_earlier_one_gives() -> None:
    given: set[str] = set()
    for step in plan(WANTED, Existing(GRAPH)):
        used = {
            name for name in ("\0APPLICATION\0", CLIENT, PRINCIPAL) if name in f"{step.path}{list(flat(step.body))}"
        }
        assert {repr(name) for name in used} <= {repr(name) for name in given}, step.title
        given |= step.gives.keys()


def flat(value: Any) -> Any:
    """All texts in a body."""
    if isinstance(value, dict):
        for item in value.values():
            yield from flat(item)
    elif isinstance(value, list):
        for item in value:
            yield from flat(item)
    else:
        yield value


@pytest.mark.parametrize(
    ("change", "owners", "steps"),
    [
        ({"principal_id": "", "roles": frozenset()}, {}, [
            ("POST", "/servicePrincipals"), ("POST", "/applications/flex-app/owners/$ref"),
            ("POST", "/servicePrincipals/flex-sp/owners/$ref"), *[("POST", "/servicePrincipals/graph/appRoleAssignedTo")] * 2,
        ]),
        ({}, {"flex-app": frozenset({"other"})}, [("POST", "/applications/flex-app/owners/$ref")]),
        ({"federated": (FederatedCredential(REPOSITORY.name, REPOSITORY.issuer, "repo:contoso/infra:ref:x"),)}, {}, [
            ("POST", "/applications/\0APPLICATION\0/federatedIdentityCredentials"),
        ]),
        ({"keys": ()}, {}, [("PATCH", "/applications/\0APPLICATION\0")]),
        ({"keys": ({"displayName": f"flexsaml {CERTIFICATE.thumbprint}", "key": "QQ=="},)}, {}, [
            ("PATCH", "/applications/\0APPLICATION\0"),
        ]),
        ({"secrets": (ClientSecret("k", "somebody's", NOW + YEAR),)}, {}, [("POST", "/applications/\0APPLICATION\0/addPassword")]),
        ({"secrets": (ClientSecret("k", SECRET_NAME, NOW),)}, {}, [("POST", "/applications/\0APPLICATION\0/addPassword")]),
        ({"roles": frozenset({"r1", "r3"})}, {}, [("POST", "/servicePrincipals/graph/appRoleAssignedTo")]),
        ({"requested": ()}, {}, [("PATCH", "/applications/\0APPLICATION\0")]),
    ],
    ids=["no principal", "not an owner", "other subject", "no key", "other key of that name", "other secret", "ended secret", "no consent", "not asked for"],
)  # fmt: skip
def test_what_is_missing_is_completed(
    change: dict[str, Any], owners: dict[str, frozenset[str]], steps: list[tuple[str, str]]
) -> None:
    existing = Existing(GRAPH, replace(MADE, **change), {**OWNERS, **owners})
    assert waiting(WANTED, existing) == steps


def test_what_is_there_is_kept_by_a_write_that_replaces_a_list() -> None:
    other = {"resourceAppId": "other", "resourceAccess": [{"id": "x", "type": "Scope"}]}
    mine = {"resourceAppId": GRAPH_APP_ID, "resourceAccess": [{"id": "r3", "type": "Role"}]}
    key = {"keyId": "1", "displayName": "by hand", "key": "QQ=="}
    existing = Existing(GRAPH, replace(MADE, requested=(other, mine), keys=(key,)), OWNERS)
    asked, certificate = (step.body for step in plan(WANTED, existing) if step.method == "PATCH")
    assert asked["requiredResourceAccess"][0] == other
    assert [access["id"] for access in asked["requiredResourceAccess"][1]["resourceAccess"]] == ["r3", "r1", "r2"]
    assert certificate["keyCredentials"][0] == key
    assert certificate["keyCredentials"][1]["key"] == CERTIFICATE.key


def test_a_secret_is_renewed_only_when_that_is_asked_for() -> None:
    renewing = replace(WANTED, renews_secret=True)
    assert waiting(renewing, COMPLETE) == [("POST", "/applications/\0APPLICATION\0/addPassword")]


PERSON = Wanted("flexsaml prod person", {"Read": ["read policies"], "Write": ["write the policy"]}, as_person=True)


@pytest.mark.parametrize(
    ("grant", "method", "scope"),
    [
        (None, "POST", "Read Write"),
        (ScopeGrant("g", frozenset({"openid"})), "PATCH", "Read Write openid"),
        (ScopeGrant("g", frozenset({"Write", "Read", "openid"})), "", ""),
    ],
)
def test_a_person_gets_delegated_permissions_in_one_consent(grant: ScopeGrant | None, method: str, scope: str) -> None:
    asked = {
        "resourceAppId": GRAPH_APP_ID,
        "resourceAccess": [{"id": "s1", "type": "Scope"}, {"id": "s2", "type": "Scope"}],
    }
    made = replace(MADE, requested=(asked,), is_public_client=True, grant=grant, roles=frozenset())
    written = [(step.method, step.body["scope"]) for step in plan(PERSON, Existing(GRAPH, made)) if not step.is_there]
    assert written == ([(method, scope)] if method else [])
    (first, *_) = plan(PERSON, Existing(GRAPH))
    assert first.body["isFallbackPublicClient"] is True
    assert first.body["requiredResourceAccess"] == [asked]


def test_a_permission_that_is_not_needed_is_named_and_stays() -> None:
    existing = Existing(GRAPH, replace(MADE, roles=frozenset({"r1", "r2", "r3"})), OWNERS)
    assert list_surplus(WANTED, existing) == ["More"]
    assert waiting(WANTED, existing) == []
    assert list_surplus(WANTED, Existing(GRAPH)) == []


def test_references_are_known_as_far_as_they_exist() -> None:
    assert set(references_of(replace(MADE, principal_id=""))) == {"\0APPLICATION\0", CLIENT}
    assert references_of(None) == {}
