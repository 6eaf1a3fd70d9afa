"""If this goes red, a change made by hand in the tenant is not seen by `refresh`, not repaired by `up`, or makes
`destroy` leave something behind or overwrite a stranger's value."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.stack import Stack, Tenant

Deed = Callable[[Tenant], None]


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


DEEDS: list[tuple[Deed, str]] = [
    # what was done, what refresh says of it
    (_delete_policy, "flexsaml:ClaimsMappingPolicy flex-policy deleted"),
    (_rewrite_policy, "flexsaml:ClaimsMappingPolicy flex-policy updated"),
    (_rename_policy, "flexsaml:ClaimsMappingPolicy flex-policy updated"),
    (_transform_policy, "flexsaml:ClaimsMappingPolicy flex-policy updated"),
    (_unassign, "flexsaml:PolicyAssignment flex-assignment deleted"),
    (_clear_value, "flexsaml:UserExtensionValue flex-ada@contoso.example updated"),
    (_change_value, "flexsaml:UserExtensionValue flex-ada@contoso.example updated"),
    (_delete_property, "flexsaml:ExtensionProperty flex-languages deleted"),
    (_change_property, "flexsaml:ExtensionProperty flex-languages deleted"),
]


@pytest.mark.parametrize(("deed", "reported"), DEEDS, ids=lambda item: getattr(item, "__name__", ""))
def test_refresh_reports_it_up_repairs_it_destroy_ends_as_before(stack: Stack, deed: Deed, reported: str) -> None:
    before = stack.emulator.export()
    stack.up()
    repaired = stack.emulator.export()
    deed(stack.tenant())
    assert reported in " ".join(stack.refresh().output.split())
    stack.up()
    assert without_ids(stack.emulator.export()) == without_ids(repaired)
    stack.unchanged()
    stack.destroy()
    assert stack.emulator.export() == before


def without_ids(export: dict[str, list[dict[str, object]]]) -> object:
    """What must be the same after a repair: objects that were made anew have new ids."""
    return (
        [one["values"] for one in export["users"] if one["values"]],
        [(one["name"], one["dataType"]) for one in export["extensionProperties"]],
        [(one["displayName"], one["definition"]) for one in export["claimsMappingPolicies"]],
        len(export["assignments"]),
        export["orphanedValues"],
    )


def test_a_property_made_anew_by_hand_with_values_in_it_is_left_alone(stack: Stack) -> None:
    """Others rely on it: `up` says what stands in the way, and `destroy` leaves it."""
    stack.up()
    tenant = stack.tenant()
    _change_property(tenant)
    tenant.write("grace", 7)
    theirs = tenant.properties()
    stack.refresh()
    result = stack.run("up", "--yes", "--skip-preview")
    assert result.code != 0
    assert "it exists as Integer and 1 user holds a value in it (grace@contoso.example)" in result.output
    stack.destroy()
    assert tenant.properties() == theirs
    assert tenant.value("grace") == 7
    assert tenant.policies() == []


@pytest.mark.parametrize("hidden", [False, True])
def test_after_the_property_was_deleted_priors_are_still_the_true_ones(stack: Stack, hidden: bool) -> None:
    """Made anew, it shows the values that were hidden with it: ours must not be taken for the prior ones."""
    tenant = stack.tenant()
    stack.config["extensions"]["team"] = "String"
    stack.config["users"]["ada@contoso.example"]["team"] = "blue"
    stack.up()
    before_ours = tenant.value("grace")
    tenant.write("grace", "cs")  # a stranger's value, in a user this stack does not manage
    stack.emulator.dials(availability_delay=2 if hidden else 0)
    tenant.delete_property("languages")
    stack.refresh()
    stack.up()
    assert tenant.value("ada") == "en,de"
    assert tenant.value("grace") == "cs"
    tenant.write("grace", None)
    stack.destroy()
    assert tenant.value("ada") is None
    assert before_ours is None
    assert stack.emulator.export()["orphanedValues"] == []
    assert tenant.properties() == {}


def test_without_refresh_destroy_still_leaves_nothing(stack: Stack) -> None:
    before = stack.emulator.export()
    stack.up()
    _delete_policy(stack.tenant())
    stack.destroy()
    assert stack.emulator.export() == before


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


def test_a_policy_that_applies_elsewhere_is_kept(stack: Stack) -> None:
    stack.up()
    tenant = stack.tenant()
    (policy,) = tenant.assigned()
    staging = next(
        one for one in stack.emulator.export()["servicePrincipals"] if one["displayName"] == "Twilio Flex Staging"
    )
    url = f"{stack.emulator.http}/v1.0/policies/claimsMappingPolicies/{policy}"
    tenant.do("POST", f"/servicePrincipals/{staging['id']}/claimsMappingPolicies/$ref", {"@odata.id": url})
    output = stack.destroy().output
    assert [one["id"] for one in tenant.policies()] == [policy]
    assert tenant.assigned() == []
    assert "is kept: it applies to" in output


def test_a_displaced_policy_comes_back(stack: Stack) -> None:
    tenant = stack.tenant()
    policy = tenant.make_policy("by hand")
    tenant.assign(policy)
    before = stack.emulator.export()
    refused = stack.run("preview")
    assert refused.code != 0
    assert "'by hand'" in refused.output
    assert "flexsaml:replaceExisting" in refused.output
    refused = stack.run("up", "--yes", "--skip-preview")
    assert refused.code != 0
    assert stack.emulator.export() == before, "refused before the first write"
    stack.config["replaceExisting"] = True
    seen = stack.preview().output
    assert "will be displaced; destroy assigns it again. Sign-ins may miss claims for minutes meanwhile" in seen
    stack.up()
    assert tenant.assigned() != [policy]
    assert len(tenant.assigned()) == 1
    stack.unchanged()
    stack.destroy()
    assert stack.emulator.export() == before


def test_a_gone_policy_says_what_to_do(stack: Stack) -> None:
    stack.up()
    _delete_policy(stack.tenant())
    stack.config["claims"]["email"] = "user.othermail"
    result = stack.run("up", "--yes", "--skip-preview")
    assert result.code != 0
    assert "is gone: run `pulumi refresh`, then `pulumi up`" in result.output
    stack.refresh()
    stack.up()
    stack.unchanged()
