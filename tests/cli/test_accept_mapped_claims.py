"""If this goes red, acceptMappedClaims is set where Entra refuses it, or cannot be set or taken back where it helps."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from flexsaml.cli.accept_mapped_claims import find_obstacle
from flexsaml.graph import SigningKey
from tests.cli.command import Ended, assert_refused, run, stack_file
from tests.cli.setup_command import answer_at_a_terminal
from tests.cli.test_certificate import NOW, in_days, snapshot, without_certificates
from tests.emulator import signin
from tests.emulator.process import PREVIEW, Emulator
from tests.emulator.tenant import ADA, FLEX, FLEX_APP, STAGING_APP, Tenant

APPLICATION = f"/applications/{FLEX_APP['id']}"
INACTIVE = {"preferredTokenSigningKeyThumbprint": None}


@pytest.fixture
def tenant(emulator: Emulator) -> Tenant:
    return Tenant(emulator)


def accept(tenant: Tenant, folder: Path, *arguments: str, client: str = "", **keys: str) -> Ended:
    environment = {"FLEXSAML_SANDBOX_CLIENT": client} if client else {}
    file = stack_file(folder, tenant.emulator, **keys)
    return run("accept-mapped-claims", "--file", file, *arguments, environment=environment)


def api_of(tenant: Tenant, application: str = APPLICATION) -> Any:
    return tenant.emulator.graph("GET", f"{application}?$select=api").json["api"]


def in_own_domain(tenant: Tenant) -> None:
    uris = {"identifierUris": ["https://flex.contoso.example/saml"]}
    assert tenant.emulator.graph("PATCH", APPLICATION, uris).status == 204


def test_from_a_refused_sign_in_to_one_and_back(tenant: Tenant, tmp_path: Path) -> None:
    """The emulator takes it for a certificate's place, which no document says of SAML (D)."""
    signin.assign(tenant, signin.claims({"Source": "user", "ID": "mail", "SamlClaimType": "email"}))
    signin.patch_principal(tenant, **INACTIVE)
    in_own_domain(tenant)
    assert signin.ask(tenant.emulator, ADA).json["error"]["code"] == "AADSTS50146"
    before = api_of(tenant)
    ended = accept(tenant, tmp_path)
    assert (ended.status, api_of(tenant)) == (1, before)
    assert "it is not documented whether this takes the place of a signing certificate for SAML" in ended.out
    assert accept(tenant, tmp_path, "--yes").status == 0
    assert api_of(tenant) == {**before, "acceptMappedClaims": True}
    assert signin.ask(tenant.emulator, ADA).status == 200
    assert "nothing to do" in accept(tenant, tmp_path).out
    ended = accept(tenant, tmp_path, "--undo", "--yes")
    assert (ended.status, api_of(tenant)) == (0, {**before, "acceptMappedClaims": False})
    assert "then probably fail with AADSTS50146 (D for SAML)" in ended.out
    assert signin.ask(tenant.emulator, ADA).json["error"]["code"] == "AADSTS50146"
    ended = accept(tenant, tmp_path, "--undo")
    assert (ended.status, "nothing to do" in ended.out) == (0, True)


def test_the_audience_of_flex_is_refused_before_entra_does(tenant: Tenant, tmp_path: Path) -> None:
    without_certificates(tenant)
    before = tenant.emulator.export()
    words = ("AADSTS501461 for the audience urn:flex:", "python -m flexsaml certificate --stack STACK --create")
    assert_refused(accept(tenant, tmp_path, "--yes"), "accept-mapped-claims", *words)
    assert tenant.emulator.export() == before


def test_the_application_that_is_signed_in_to_is_meant(tenant: Tenant, tmp_path: Path) -> None:
    """Not the one that holds the extensions."""
    signin.patch_principal(tenant, **INACTIVE)
    in_own_domain(tenant)
    assert accept(tenant, tmp_path, "--yes", application=STAGING_APP["appId"]).status == 0
    assert api_of(tenant)["acceptMappedClaims"] is True
    assert not api_of(tenant, f"/applications/{STAGING_APP['id']}")["acceptMappedClaims"]


def test_a_missing_permission_is_named(tenant: Tenant, tmp_path: Path) -> None:
    signin.patch_principal(tenant, **INACTIVE)
    in_own_domain(tenant)
    ended = accept(tenant, tmp_path, "--yes", client=PREVIEW)
    assert_refused(ended, "accept-mapped-claims", "Organization.Read.All")
    tenant.emulator.graph("PATCH", APPLICATION, {"api": {"acceptMappedClaims": True}})
    ended = accept(tenant, tmp_path, "--undo", "--yes", client=PREVIEW)
    assert_refused(ended, "accept-mapped-claims", "403", "Application.ReadWrite.OwnedBy")


DOMAIN = {"domains": ("contoso.example",), "audiences": (FLEX["appId"], "https://flex.contoso.example")}
VALID = {"active_key": "AA", "keys": (SigningKey("AA", in_days(90)),)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (DOMAIN, ""),
        ({**DOMAIN, "audiences": (FLEX["appId"], f"api://{FLEX['appId']}")}, ""),
        ({**DOMAIN, **VALID}, "it is not needed"),
        ({**DOMAIN, "active_key": "AA", "keys": (SigningKey("AA", in_days(-1)),)}, ""),
        ({**DOMAIN, "multi_tenant": True}, "must not be used on a multi-tenant application"),
        ({**DOMAIN, "domains": None}, "cannot be known without reading the tenant's verified domains"),
        ({**DOMAIN, "domains": ("other.example",)}, "AADSTS501461 for the audience https://flex.contoso.example"),
        ({**DOMAIN, "audiences": ("urn:flex:JQ",)}, "AADSTS501461 for the audience urn:flex:JQ"),
    ],
)
def test_what_stands_in_the_way(changes: dict[str, Any], words: str) -> None:
    obstacle = find_obstacle(snapshot(**changes), NOW)
    assert words in obstacle
    assert bool(obstacle) is bool(words)


def test_what_was_changed_while_the_question_waited_is_not_acted_on(tenant: Tenant, tmp_path: Path) -> None:
    """It could be set on an application that has become open to other tenants."""
    signin.patch_principal(tenant, **INACTIVE)
    in_own_domain(tenant)
    before = api_of(tenant)

    def open_to_others() -> None:
        audience = {"signInAudience": "AzureADMultipleOrgs"}
        assert tenant.emulator.graph("PATCH", APPLICATION, audience).status == 204

    arguments = ["accept-mapped-claims", "--file", stack_file(tmp_path, tenant.emulator)]
    status, shown = answer_at_a_terminal(arguments, {**os.environ, "COLUMNS": "200"}, "yes", open_to_others)
    assert status == 2, shown
    assert "was changed while the question waited; nothing was changed" in shown
    assert api_of(tenant) == before
