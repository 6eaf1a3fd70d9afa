"""If this goes red, one resource used alone creates twice, loses a value, hides what went wrong, or outlives its engine."""

from __future__ import annotations

import os

import pytest

from tests.emulator.process import LEAST, PREVIEW, SECRET
from tests.engine.stack import Tenant
from tests.providers.conftest import config
from tests.providers.process import FakeEngine, Props, ProviderProcess, Refused, packed

TERRAFORM = '{"ClaimsMappingPolicy":{"ClaimsSchema":[],"IncludeBasicClaimSet":"false","Version":1}}'
"""What Terraform's `jsonencode` writes: compact, keys sorted."""


def property_inputs(provider: ProviderProcess, tenant: Tenant, **more: object) -> Props:
    news = {"application_id": tenant.application["id"], "app_id": tenant.application["appId"], "name": "languages"}
    return provider.checked("ExtensionProperty", {**news, **more})


def baseline_inputs(provider: ProviderProcess, tenant: Tenant) -> Props:
    news = {
        "service_principal_id": tenant.principal["id"],
        "application_id": tenant.application["id"],
        "app_id": tenant.application["appId"],
        "properties": [tenant.full("languages")],
        "policy_name": "alone",
    }
    return provider.checked("TenantBaseline", news)


def policy_inputs(provider: ProviderProcess) -> Props:
    return provider.checked("ClaimsMappingPolicy", {"display_name": "alone", "claims": {"email": "user.mail"}})


def value_inputs(provider: ProviderProcess, tenant: Tenant, value: str) -> Props:
    full = tenant.full("languages")
    news = {
        "user": "ada@contoso.example",
        "values": {full: value},
        "types": {full: "String"},
        "extensions": {full: "a/p"},
    }
    return provider.checked("UserExtensionValue", news)


def test_a_property_alone(provider: ProviderProcess, tenant: Tenant) -> None:
    inputs = property_inputs(provider, tenant)
    id_, outs = provider.create("ExtensionProperty", inputs)
    assert id_ == f"{tenant.application['id']}/{tenant.properties()[tenant.full('languages')]['id']}"
    assert provider.read("ExtensionProperty", id_, outs) == (id_, outs, inputs)
    with pytest.raises(Refused, match="exists already"):
        provider.create("ExtensionProperty", inputs)
    provider.delete("ExtensionProperty", id_, outs)
    provider.delete("ExtensionProperty", id_, outs)  # a retry after the answer was lost
    assert tenant.properties() == {}
    assert provider.read("ExtensionProperty", id_, outs)[0] == "", "gone, after the 404 was confirmed"


def test_a_policy_alone(provider: ProviderProcess, tenant: Tenant) -> None:
    inputs = policy_inputs(provider)
    id_, outs = provider.create("ClaimsMappingPolicy", inputs)
    assert provider.read("ClaimsMappingPolicy", id_, outs) == (id_, outs, inputs)
    news = {**inputs, "claims": {"email": "user.othermail"}}
    outs = provider.update("ClaimsMappingPolicy", id_, outs, news)
    assert outs == news, "an update returns every output"
    provider.delete("ClaimsMappingPolicy", id_, outs)
    provider.delete("ClaimsMappingPolicy", id_, outs)
    assert tenant.policies() == []
    with pytest.raises(Refused, match="run `pulumi refresh`, then `pulumi up`"):
        provider.update("ClaimsMappingPolicy", id_, outs, inputs)


def test_an_assignment_alone(provider: ProviderProcess, tenant: Tenant) -> None:
    policy = tenant.make_policy("by hand")
    inputs = provider.checked("PolicyAssignment", {"service_principal_id": tenant.principal["id"], "policy_id": policy})
    id_, outs = provider.create("PolicyAssignment", inputs)
    assert provider.create("PolicyAssignment", inputs)[0] == id_, "assigned already: a success"
    other = {**inputs, "policy_id": tenant.make_policy("another")}
    with pytest.raises(Refused, match="'by hand'"):
        provider.create("PolicyAssignment", other)
    provider.delete("PolicyAssignment", id_, outs)
    provider.delete("PolicyAssignment", id_, outs)
    assert tenant.assigned() == []


@pytest.mark.parametrize(("stranger", "end"), [(None, "before"), ("theirs", "theirs")])
def test_a_value_alone_is_set_back_unless_somebody_changed_it(
    provider: ProviderProcess, tenant: Tenant, stranger: str | None, end: str
) -> None:
    tenant.make_property("languages")
    tenant.write("ada", "before")
    id_, outs = provider.create("UserExtensionValue", value_inputs(provider, tenant, "en"))
    assert tenant.value("ada") == "en"
    outs = provider.update("UserExtensionValue", id_, outs, value_inputs(provider, tenant, "fr"))
    assert tenant.value("ada") == "fr"
    if stranger:
        tenant.write("ada", stranger)
    assert (provider.read("UserExtensionValue", id_, outs)[1]["values"] == outs["values"]) is (stranger is None)
    provider.delete("UserExtensionValue", id_, outs)
    assert tenant.value("ada") == end


def test_with_a_baseline_in_front_a_value_never_takes_back(provider: ProviderProcess, tenant: Tenant) -> None:
    tenant.make_property("languages")
    inputs = {**value_inputs(provider, tenant, "en"), "baselined": True}
    id_, outs = provider.create("UserExtensionValue", inputs)
    provider.delete("UserExtensionValue", id_, outs)
    assert tenant.value("ada") == "en"


def test_a_baseline_takes_back_and_another_process_can(
    provider: ProviderProcess, tenant: Tenant, engine: FakeEngine
) -> None:
    property_id = tenant.make_property("languages")
    tenant.write("ada", "before")
    cells = {tenant.user("ada")["id"]: "en", tenant.user("grace")["id"]: "cs"}
    news = {
        "extension": f"{tenant.application['id']}/{property_id}",
        "full_name": tenant.full("languages"),
        "__cells": packed(cells),
    }
    id_, outs = provider.create("UserValueBaseline", provider.checked("UserValueBaseline", news))
    assert id_ == property_id
    tenant.write("ada", "en")
    tenant.write("grace", "theirs")
    assert "before" not in str({key: value for key, value in outs.items() if key != "__memory"})
    other = ProviderProcess(config(tenant.emulator), engine.address)
    other.delete("UserValueBaseline", id_, outs)
    other.stop()
    assert tenant.value("ada") == "before"
    assert tenant.value("grace") == "theirs"
    assert any("changed by others and is left as it is" in line for line in engine.lines)


@pytest.mark.parametrize("prior", ["<null>", "before\x0bafter", "\ufffe"])
def test_a_prior_value_that_no_declaration_could_hold_comes_back(
    provider: ProviderProcess, tenant: Tenant, prior: str
) -> None:
    property_id = tenant.make_property("languages")
    tenant.write("ada", prior)
    news = {
        "extension": f"{tenant.application['id']}/{property_id}",
        "full_name": tenant.full("languages"),
        "__cells": packed({tenant.user("ada")["id"]: "en"}),
    }
    id_, outs = provider.create("UserValueBaseline", provider.checked("UserValueBaseline", news))
    tenant.write("ada", "en")
    provider.delete("UserValueBaseline", id_, outs)
    assert tenant.value("ada") == prior


def test_users_whose_restoration_is_refused_are_named_and_all_others_are_restored(
    provider: ProviderProcess, tenant: Tenant
) -> None:
    property_id = tenant.make_property("languages")
    users = [str(tenant.user(name)["userPrincipalName"]) for name in ("ada", "grace")]
    ada = tenant.user("ada")["id"]
    tenant.write("ada", "before")
    news = {
        "extension": f"{tenant.application['id']}/{property_id}",
        "full_name": tenant.full("languages"),
        "__cells": packed(dict.fromkeys(users, "en")),
    }
    id_, outs = provider.create("UserValueBaseline", provider.checked("UserValueBaseline", news))
    for name in ("ada", "grace"):
        tenant.write(name, "en")
    tenant.emulator.fault("refuse", "PATCH", f"/users/{ada}", status=403, times=-1)
    refusal = rf"1 of 2 users could not get back .*: {users[0]} \(PATCH /users/{ada}: 403 .*All others were restored"
    with pytest.raises(Refused, match=refusal):
        provider.delete("UserValueBaseline", id_, outs)
    assert (tenant.value("ada"), tenant.value("grace")) == ("en", None)


@pytest.mark.parametrize(
    ("kind", "path"),
    [("ExtensionProperty", "/extensionProperties$"), ("ClaimsMappingPolicy", "/claimsMappingPolicies$")],
)
def test_a_lost_answer_makes_one_object(provider: ProviderProcess, tenant: Tenant, kind: str, path: str) -> None:
    inputs = property_inputs(provider, tenant) if kind == "ExtensionProperty" else policy_inputs(provider)
    tenant.emulator.fault("lose", "POST", path)
    id_, _ = provider.create(kind, inputs)
    objects = tenant.properties().values() if kind == "ExtensionProperty" else tenant.policies()
    assert [made["id"] for made in objects] == [id_.rsplit("/", 1)[-1]]


DIALS: list[Props] = [
    {"availability_delay": 2},
    {"read_lag": 2},
    {"stale_reads": 1},
    {"ref_lag": 2},
    {"delete_lag": 1},
    {"duplicate_extension_status": 409, "second_policy_status": 409, "missing_link_delete": 400},
    {"unset_extension": "null", "is_multi_valued_field": False, "batch_order": "reversed"},
]


@pytest.mark.parametrize("dials", DIALS, ids=lambda dials: ",".join(dials))
def test_the_guide_ends_right_whatever_the_service_does(
    provider: ProviderProcess, tenant: Tenant, dials: Props
) -> None:
    before = tenant.emulator.export()
    tenant.emulator.dials(**dials)
    property_id, prop = provider.create("ExtensionProperty", property_inputs(provider, tenant))
    value_id, value = provider.create("UserExtensionValue", value_inputs(provider, tenant, "en,de"))
    policy_id, policy = provider.create("ClaimsMappingPolicy", policy_inputs(provider))
    policy = provider.update("ClaimsMappingPolicy", policy_id, policy, {**policy, "claims": {"x": "user.mail"}})
    link = {"service_principal_id": tenant.principal["id"], "policy_id": policy_id}
    link_id, link = provider.create("PolicyAssignment", provider.checked("PolicyAssignment", link))
    assert tenant.value("ada") == "en,de"
    assert tenant.assigned() == [policy_id]
    provider.delete("PolicyAssignment", link_id, link)
    provider.delete("ClaimsMappingPolicy", policy_id, policy)
    provider.delete("UserExtensionValue", value_id, value)
    provider.delete("ExtensionProperty", property_id, prop)
    assert tenant.emulator.export() == before


def with_identity(client: str) -> dict[str, str]:
    return {**os.environ, "FLEXSAML_SANDBOX_CLIENT": client, "FLEXSAML_SANDBOX_SECRET": SECRET}


@pytest.mark.parametrize(
    ("client", "kind", "permission"),
    [
        (PREVIEW, "ExtensionProperty", "Application.ReadWrite"),
        (PREVIEW, "ClaimsMappingPolicy", "Policy.ReadWrite.ApplicationConfiguration"),
        (PREVIEW, "UserExtensionValue", "User.ReadWrite.All"),
    ],
)
def test_a_refusal_is_one_line_with_the_missing_permission(
    tenant: Tenant, engine: FakeEngine, client: str, kind: str, permission: str
) -> None:
    tenant.make_property("team")
    process = ProviderProcess(config(tenant.emulator), engine.address, env=with_identity(client))
    full = tenant.full("team")
    inputs = {
        "ExtensionProperty": lambda: property_inputs(process, tenant),
        "ClaimsMappingPolicy": lambda: policy_inputs(process),
        "UserExtensionValue": lambda: process.checked(
            kind, {"user": "ada@contoso.example", "values": {full: "x"}, "extensions": {full: "a/p"}}
        ),
    }[kind]()
    with pytest.raises(Refused) as refused:
        process.create(kind, inputs)
    written = process.stop()
    (line,) = str(refused.value).strip().splitlines()
    assert line.startswith(f"flexsaml: create {kind}")
    assert "403 Authorization_RequestDenied" in line
    assert permission in line
    for secret in (SECRET, "eyJ"):
        assert secret not in line + written + "".join(engine.lines)


def test_the_least_privileged_identity_waits_for_a_property_without_asking(tenant: Tenant, engine: FakeEngine) -> None:
    """It may not call getAvailableExtensionProperties; the refused write is repeated instead."""
    process = ProviderProcess(config(tenant.emulator), engine.address, env=with_identity(LEAST))
    tenant.emulator.dials(availability_delay=2)
    process.create("ExtensionProperty", property_inputs(process, tenant))
    process.create("UserExtensionValue", value_inputs(process, tenant, "en"))
    process.stop()
    assert tenant.value("ada") == "en"


# -- more of each kind alone


def test_an_assignment_whose_answer_was_lost_is_there_once(provider: ProviderProcess, tenant: Tenant) -> None:
    link = {"service_principal_id": tenant.principal["id"], "policy_id": tenant.make_policy("by hand")}
    tenant.emulator.fault("lose", "POST", r"/claimsMappingPolicies/\$ref$")
    provider.create("PolicyAssignment", provider.checked("PolicyAssignment", link))
    assert tenant.assigned() == [link["policy_id"]]


def test_a_value_whose_answer_was_lost_is_written_again(provider: ProviderProcess, tenant: Tenant) -> None:
    """It is the same value, so nothing is read in between."""
    tenant.make_property("languages")
    tenant.emulator.fault("lose", "PATCH", "/users/")
    tenant.emulator.clear()
    provider.create("UserExtensionValue", value_inputs(provider, tenant, "en"))
    assert tenant.value("ada") == "en"
    assert [call["method"] for call in tenant.emulator.requests()].count("PATCH") == 2


def test_a_user_who_is_gone_is_named_with_what_to_do(provider: ProviderProcess, tenant: Tenant) -> None:
    tenant.make_property("languages")
    id_, outs = provider.create("UserExtensionValue", value_inputs(provider, tenant, "en"))
    tenant.do("DELETE", f"/users/{id_}")
    with pytest.raises(Refused) as refused:
        provider.update("UserExtensionValue", id_, outs, value_inputs(provider, tenant, "fr"))
    (line,) = str(refused.value).strip().splitlines()
    assert "run `pulumi refresh`, then `pulumi up`" in line
    assert provider.read("UserExtensionValue", id_, outs)[0] == ""
    provider.delete("UserExtensionValue", id_, outs)


def test_a_tenant_baseline_alone_removes_what_a_failed_run_left(
    provider: ProviderProcess, tenant: Tenant, engine: FakeEngine
) -> None:
    """The half-made property and policy are in no state; a property others fill and a stranger's policy stay."""
    before = tenant.emulator.export()
    id_, outs = provider.create("TenantBaseline", baseline_inputs(provider, tenant))
    provider.create("ExtensionProperty", property_inputs(provider, tenant, baseline=id_))
    provider.create("ClaimsMappingPolicy", {**policy_inputs(provider), "baseline": id_})
    assert tenant.emulator.export() != before
    stranger = tenant.make_policy("alone", TERRAFORM)
    provider.delete("TenantBaseline", id_, outs)
    provider.delete("TenantBaseline", id_, outs)
    assert [policy["id"] for policy in tenant.policies()] == [stranger]
    assert any(f"({stranger}) is kept: it has this stack's policy name" in line for line in engine.lines)
    deleted = f"{tenant.full('languages')} ("
    assert [line.partition(") ")[2][:38] for line in engine.lines if line.startswith(deleted)] == [
        "is deleted although it is not in state"
    ]
    tenant.do("DELETE", f"/policies/claimsMappingPolicies/{stranger}")
    assert tenant.emulator.export() == before


def test_a_tenant_baseline_refuses_what_exists_before_the_first_write(
    provider: ProviderProcess, tenant: Tenant
) -> None:
    tenant.make_property("languages")
    tenant.make_policy("alone")
    before = tenant.emulator.export()
    with pytest.raises(Refused) as refused:
        provider.create("TenantBaseline", baseline_inputs(provider, tenant))
    (line,) = str(refused.value).strip().splitlines()
    assert "extension property 'languages' exists already" in line
    assert "policy named 'alone' exists already" in line
    assert tenant.emulator.export() == before


def test_a_property_others_fill_is_kept_and_said(provider: ProviderProcess, tenant: Tenant, engine: FakeEngine) -> None:
    id_, outs = provider.create("ExtensionProperty", property_inputs(provider, tenant))
    tenant.write("grace", "theirs")
    provider.delete("ExtensionProperty", id_, outs)
    assert list(tenant.properties()) == [tenant.full("languages")]
    assert any("is kept: 1 user holds a value in it (grace@" in line for line in engine.lines)


def test_a_policy_others_sign_in_with_is_kept_and_said(
    provider: ProviderProcess, tenant: Tenant, engine: FakeEngine
) -> None:
    id_, outs = provider.create("ClaimsMappingPolicy", policy_inputs(provider))
    tenant.assign(id_)
    provider.delete("ClaimsMappingPolicy", id_, outs)
    assert [policy["id"] for policy in tenant.policies()] == [id_]
    assert any(f"({id_}) is kept: it applies to {tenant.principal['id']}" in line for line in engine.lines)


def test_a_policy_changed_behind_its_back_is_read_as_what_it_is(provider: ProviderProcess, tenant: Tenant) -> None:
    id_, outs = provider.create("ClaimsMappingPolicy", policy_inputs(provider))
    other = (
        '{"ClaimsMappingPolicy":{"Version":1,"ClaimsSchema":[{"Source":"user","ID":"mail","SamlClaimType":"other"}]}}'
    )
    tenant.do("PATCH", f"/policies/claimsMappingPolicies/{id_}", {"definition": [other]})
    _, live, inputs = provider.read("ClaimsMappingPolicy", id_, outs)
    assert live["claims"] == inputs["claims"] == {"other": "user.mail"}
    assert provider.diff("ClaimsMappingPolicy", id_, live, outs)[0] is True
