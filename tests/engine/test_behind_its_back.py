"""If this goes red, a change made by hand in the tenant is not reported by `refresh`, not repaired by `up`, or makes
`destroy` leave something behind or overwrite a stranger's value."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.stack import UP, Stack, Tenant

pytestmark = pytest.mark.long

Change = Callable[[Tenant], None]


def _delete_policy(tenant: Tenant) -> None:
    (policy,) = tenant.assigned()
    tenant.unassign(policy)
    tenant.do("DELETE", f"/policies/claimsMappingPolicies/{policy}")


def _rewrite_policy(tenant: Tenant) -> None:
    (policy,) = tenant.assigned()
    definition = tenant.policies()[0]["definition"][0].replace('"mail"', '"othermail"')
    tenant.do("PATCH", f"/policies/claimsMappingPolicies/{policy}", {"definition": [definition]})


def _rename_policy(tenant: Tenant) -> None:
    tenant.do("PATCH", f"/policies/claimsMappingPolicies/{tenant.assigned()[0]}", {"displayName": "by hand"})


def _transform_policy(tenant: Tenant) -> None:
    """Into something that has no typed form."""
    definition = '{"ClaimsMappingPolicy":{"Version":1,"ClaimsTransformation":[{"ID":"a"}]}}'
    tenant.do("PATCH", f"/policies/claimsMappingPolicies/{tenant.assigned()[0]}", {"definition": [definition]})


def _unassign(tenant: Tenant) -> None:
    tenant.unassign(tenant.assigned()[0])


def _clear_value(tenant: Tenant) -> None:
    tenant.write("ada", None)


def _change_value(tenant: Tenant) -> None:
    tenant.write("ada", "fr")


def _delete_property(tenant: Tenant) -> None:
    tenant.delete_property("languages")


def _change_property(tenant: Tenant) -> None:
    """A property cannot be changed, only made anew under its name: here with another data type."""
    tenant.write("ada", None)
    tenant.delete_property("languages")
    tenant.make_property("languages", "Integer")


POLICY = "flexsaml:ClaimsMappingPolicy flex-policy"
ASSIGNMENT = "flexsaml:PolicyAssignment flex-assignment"
VALUE = "flexsaml:UserExtensionValue flex-ada@contoso.example"
PROPERTY = "flexsaml:ExtensionProperty flex-languages"

CHANGES: list[dict[Change, str]] = [
    # what was done by hand, what refresh says about it
    {_delete_policy: f"{POLICY} deleted"},
    {_rewrite_policy: f"{POLICY} updated", _clear_value: f"{VALUE} updated"},
    {_rename_policy: f"{POLICY} updated", _change_value: f"{VALUE} updated"},
    {_transform_policy: f"{POLICY} updated", _unassign: f"{ASSIGNMENT} deleted"},
    {_delete_property: f"{PROPERTY} deleted"},
    {_change_property: f"{PROPERTY} deleted"},
]


@pytest.mark.parametrize("changes", CHANGES, ids=lambda changes: "".join(change.__name__ for change in changes))
def test_refresh_reports_it_up_repairs_it_destroy_ends_as_before(base_stack: Stack, changes: dict[Change, str]) -> None:
    stack = base_stack
    made = stack.emulator.export()
    for change in changes:
        change(stack.tenant())
    reported = " ".join(stack.refresh().output.split())
    assert [words for words in changes.values() if words not in reported] == []
    stack.up()
    assert without_ids(stack.emulator.export()) == without_ids(made)
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


def without_ids(export: dict[str, list[dict[str, object]]]) -> object:
    """What must be the same after a repair: objects that were made anew have new ids."""
    return (
        [user["values"] for user in export["users"] if user["values"]],
        [(row["name"], row["dataType"]) for row in export["extensionProperties"]],
        [(policy["displayName"], policy["definition"]) for policy in export["claimsMappingPolicies"]],
        len(export["assignments"]),
        export["orphanedValues"],
    )


def test_a_property_made_anew_by_hand_with_values_in_it_is_left_alone(base_stack: Stack) -> None:
    """Others rely on it: `up` says what stands in the way, and `destroy` leaves it."""
    stack, tenant = base_stack, base_stack.tenant()
    _change_property(tenant)
    tenant.write("grace", 7)
    properties = tenant.properties()
    stack.refresh()
    assert "it exists as Integer and 1 user holds a value in it (grace@contoso.example)" in stack.refused(*UP)
    stack.destroy()
    assert tenant.properties() == properties
    assert tenant.value("grace") == 7
    assert tenant.policies() == []


@pytest.mark.parametrize("hidden", [False, True])
def test_after_the_property_was_deleted_prior_values_are_still_the_true_ones(stack: Stack, hidden: bool) -> None:
    """Made anew, it shows the values that were hidden with it: this stack's must not be taken for the prior ones."""
    tenant = stack.tenant()
    stack.config["extensions"]["team"] = "String"
    stack.config["users"]["ada@contoso.example"]["team"] = "blue"
    stack.up()
    tenant.write("grace", "cs")  # a stranger's value, in a user this stack does not manage
    stack.emulator.dials(availability_delay=2 if hidden else 0)
    tenant.delete_property("languages")
    stack.refresh()
    stack.up()
    assert tenant.value("ada") == "en,de"
    assert tenant.value("grace") == "cs"
    tenant.write("grace", None)
    stack.assert_destroy_restores_the_tenant()


def test_without_refresh_destroy_still_leaves_nothing(base_stack: Stack) -> None:
    _delete_policy(base_stack.tenant())
    base_stack.assert_destroy_restores_the_tenant()


def test_a_strangers_later_value_stays_and_so_does_its_property(stack: Stack) -> None:
    stack.config["users"]["grace@contoso.example"] = {"languages": "cs"}
    stack.up()
    tenant = stack.tenant()
    tenant.write("ada", "fr")
    output = stack.destroy().output
    assert tenant.value("ada") == "fr"
    assert tenant.value("grace") is None
    assert list(tenant.properties()) == [tenant.full("languages")]
    assert f"{tenant.full('languages')} is kept: 1 user holds a value in it (ada@contoso.example)" in output


def test_a_policy_that_applies_elsewhere_is_kept(base_stack: Stack) -> None:
    stack, tenant = base_stack, base_stack.tenant()
    (policy,) = tenant.assigned()
    principals = stack.emulator.export()["servicePrincipals"]
    staging = next(row["id"] for row in principals if row["displayName"] == "Twilio Flex Staging")
    url = f"{stack.emulator.http}/v1.0/policies/claimsMappingPolicies/{policy}"
    tenant.do("POST", f"/servicePrincipals/{staging}/claimsMappingPolicies/$ref", {"@odata.id": url})
    output = stack.destroy().output
    assert [row["id"] for row in tenant.policies()] == [policy]
    assert tenant.assigned() == []
    assert "is kept: it applies to" in output


def test_a_displaced_policy_comes_back(stack: Stack) -> None:
    tenant = stack.tenant()
    policy = tenant.make_policy("by hand")
    tenant.assign(policy)
    before = stack.emulator.export()
    refused = stack.refused(*UP)
    assert "'by hand'" in refused
    assert "flexsaml:replaceExisting" in refused
    assert stack.emulator.export() == before, "refused before the first write"
    stack.config["replaceExisting"] = True
    warning = "will be displaced; destroy assigns it again. Sign-ins may miss claims for minutes meanwhile"
    assert warning in stack.up().output
    assert tenant.assigned() != [policy]
    assert len(tenant.assigned()) == 1
    stack.assert_unchanged()
    stack.destroy()
    assert stack.emulator.export() == before


def test_a_gone_policy_says_what_to_do(base_stack: Stack) -> None:
    stack = base_stack
    _delete_policy(stack.tenant())
    stack.config["claims"]["email"] = "user.othermail"
    assert "is gone: run `pulumi refresh`, then `pulumi up`" in stack.refused(*UP)
    stack.refresh()
    stack.up()
    assert len(stack.tenant().assigned()) == 1
