"""If this goes red, a kind deletes or takes over what is not this stack's, or forgets what an unfinished run left.

Kinds are plain: a fake directory stands for the tenant, without Pulumi, process or network. What the service itself
does with their requests is tested in test_lifecycle.py.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from flexsaml.claims import build_full_name
from flexsaml.graph import Conflict, ExistingObjects, ExtensionProperty, Policy, User, ValueHolders
from providers.kinds.base import UNKNOWN, Props, RefusedChange
from providers.kinds.claims_mapping_policy import ClaimsMappingPolicyKind
from providers.kinds.extension_property import ExtensionPropertyKind, describe_holders
from providers.kinds.policy_assignment import PolicyAssignmentKind
from providers.kinds.tenant_baseline import TenantBaselineKind
from tests.providers.process import PROJECT

APP = "8f665974-86ab-5399-83f9-7492e2e5acec"
FULL = build_full_name(APP, "languages")
PROPERTY: Props = {"application_id": "app", "app_id": APP, "name": "languages", "baseline": "sp"}
POLICY: Props = {"display_name": "Flex", "claims": {"email": "user.mail"}, "baseline": "sp"}
TENANT: Props = {
    "service_principal_id": "sp",
    "application_id": "app",
    "app_id": APP,
    "properties": [FULL],
    "policy_name": "Flex",
}
TERRAFORM = '{"ClaimsMappingPolicy":{"ClaimsSchema":[],"IncludeBasicClaimSet":"false","Version":1}}'
"""What `jsonencode` writes."""


@dataclass
class FakeDirectory:
    """One application, one principal, and the policies of a tenant."""

    properties: list[ExtensionProperty] = field(default_factory=list)
    tenant_policies: dict[str, Policy] = field(default_factory=dict)
    links: list[tuple[str, str]] = field(default_factory=list)
    """principal and policy"""
    holders: ValueHolders = ValueHolders(0)  # noqa: RUF009
    creates_in_upper_case: bool = False
    refuses_links: bool = False
    stale_links: list[tuple[str, str]] | None = None
    """what the next list of assigned policies shows"""

    def extension_properties(self, _application: str, name: str = "") -> list[ExtensionProperty]:
        return [prop for prop in self.properties if not name or prop.name.lower() == name.lower()]

    def create_extension_property(self, _application: str, *, name: str, **shape: Any) -> ExtensionProperty:
        full_name = build_full_name(APP, name)
        if self.extension_properties("app", full_name):
            raise Conflict("POST", status=409, code="", message="taken")
        full_name = full_name.upper() if self.creates_in_upper_case else full_name
        self.properties.append(ExtensionProperty(f"id-{len(self.properties)}", full_name, **shape))
        return self.properties[-1]

    def delete_extension_property(self, _application: str, property_id: str) -> None:
        self.properties = [prop for prop in self.properties if prop.id != property_id]

    def find_value_holders(self, _full_name: str) -> ValueHolders:
        return self.holders

    def policies(self, name: str) -> list[Policy]:
        return [policy for policy in self.tenant_policies.values() if policy.display_name == name]

    def create_policy(self, *, display_name: str, definition: str) -> Policy:
        id_ = f"policy-{len(self.tenant_policies)}"
        self.tenant_policies[id_] = Policy(id_, display_name, definition)
        return self.tenant_policies[id_]

    def update_policy(self, id_: str, *, display_name: str, definition: str) -> None:
        self.tenant_policies[id_] = Policy(id_, display_name, definition)

    def delete_policy(self, id_: str) -> None:
        del self.tenant_policies[id_]

    def applies_to(self, id_: str) -> list[str]:
        return [principal for principal, policy in self.links if policy == id_]

    def assigned_policies(self, principal: str) -> list[Policy]:
        links, self.stale_links = self.links if self.stale_links is None else self.stale_links, None
        return [self.tenant_policies[policy] for holder, policy in links if holder == principal]

    def stays_assigned(self, principal: str, id_: str) -> bool:
        return (principal, id_) in self.links

    def assign(self, principal: str, id_: str) -> None:
        if (principal, id_) in self.links:
            return
        if self.assigned_policies(principal) or self.refuses_links:
            raise Conflict("POST $ref", status=409, code="", message="taken")
        self.links.append((principal, id_))

    def unassign(self, principal: str, id_: str) -> None:
        self.links = [link for link in self.links if link != (principal, id_)]

    def read_existing_objects(self, *, service_principal_id: str, policy_name: str, **_more: str) -> ExistingObjects:
        assigned = tuple(self.assigned_policies(service_principal_id))
        return ExistingObjects(None, tuple(self.properties), assigned, tuple(self.policies(policy_name)))


def checked(kind: Any, news: Props, olds: Props | None = None) -> Props:
    inputs, failures = kind.check(olds or {}, news)
    assert failures == {}
    return dict(inputs)


def create(kind: Any, directory: FakeDirectory, news: Props) -> tuple[str, Props]:
    inputs = checked(kind, news)
    id_, computed = kind.create(directory, inputs)
    return id_, {**inputs, **computed}


# -- policies


NAMESAKES = [
    # what has this stack's policy name, whether it is the policy that this stack sends, principals it applies to
    ("left behind by an unfinished run", True, [], True),
    ("left behind after it was assigned", True, ["sp"], True),
    ("assigned to somebody else too", True, ["sp", "other"], False),
    ("assigned to somebody else", True, ["other"], False),
    ("made by Terraform", False, [], False),
    ("made by Terraform and assigned to this principal", False, ["sp"], False),
]


@pytest.mark.parametrize(("_case", "is_own", "applies_to", "is_taken"), NAMESAKES, ids=[case[0] for case in NAMESAKES])
def test_only_a_policy_of_this_stack_is_taken_over_and_deleted(
    _case: str, is_own: bool, applies_to: list[str], is_taken: bool
) -> None:
    directory, kind, baseline = FakeDirectory(), ClaimsMappingPolicyKind(), TenantBaselineKind()
    sp, recorded = create(baseline, directory, TENANT)
    namesake, _ = create(kind, directory, POLICY)  # and the run was killed: no state knows its id
    if not is_own:
        directory.tenant_policies[namesake] = replace(directory.tenant_policies[namesake], definition=TERRAFORM)
    directory.links = [(principal, namesake) for principal in applies_to]
    own, _ = create(kind, directory, POLICY)
    assert (own == namesake) is is_taken
    if own != namesake:
        directory.delete_policy(own)
    baseline.delete(directory, sp, recorded)  # type: ignore[arg-type]
    assert (namesake not in directory.tenant_policies) is is_taken
    assert directory.links == ([] if is_taken else [(principal, namesake) for principal in applies_to])


def test_a_displaced_policy_is_not_deleted_even_if_it_got_this_stack_s_name() -> None:
    """Another stack of this project made it, so it is signed; an earlier version of this project displaced such ones."""
    directory, baseline = FakeDirectory(), TenantBaselineKind()
    other, _ = create(ClaimsMappingPolicyKind(), directory, {**POLICY, "display_name": "Other"})
    sp, recorded = create(baseline, directory, {**TENANT, "replace_existing": True})
    recorded = {**recorded, "displaced": [other]}
    directory.update_policy(other, display_name="Flex", definition=directory.tenant_policies[other].definition)
    baseline.delete(directory, sp, recorded)  # type: ignore[arg-type]
    assert directory.links == [("sp", other)]


@pytest.mark.parametrize(
    ("stale", "live", "restored"),
    [
        ("older", "", "older"),
        ("own", "", "older"),
        ("", "older", "older"),
        ("older", "older", "older"),
        ("other", "other", "other"),
    ],
)
def test_a_stale_list_of_assignments_does_not_keep_the_displaced_policy_away(
    stale: str, live: str, restored: str
) -> None:
    directory, baseline = FakeDirectory(), TenantBaselineKind()
    directory.tenant_policies = {id_: Policy(id_, id_, TERRAFORM) for id_ in ("older", "own", "other")}
    directory.assign("sp", "older")
    sp, recorded = create(baseline, directory, {**TENANT, "replace_existing": True})
    directory.links = [("sp", live)] if live else []
    directory.stale_links = [("sp", stale)] if stale else []
    baseline.delete(directory, sp, recorded)  # type: ignore[arg-type]
    assert directory.links == [("sp", restored)]


def test_a_policy_is_compared_by_meaning_so_the_signature_is_no_drift() -> None:
    kind = ClaimsMappingPolicyKind()
    outputs = checked(kind, POLICY)

    @dataclass
    class FakeTenant:
        definition: str

        def policy(self, id_: str) -> Policy:
            return Policy(id_, "Flex", self.definition)

    entry = '{"Source":"user","ID":"mail","SamlClaimType":"email"}'
    unsigned = f'{{"ClaimsMappingPolicy":{{"Version":1,"ClaimsSchema":[{entry}]}}}}'
    assert kind.read(FakeTenant(unsigned), "id", outputs) == outputs  # type: ignore[arg-type]
    read = kind.read(FakeTenant(TERRAFORM), "id", outputs)  # type: ignore[arg-type]
    assert read is not None
    assert read["claims"] == {}


# -- properties


@pytest.mark.parametrize("name", ["languages", "extension_points", "extension_", "extension_8f66_points"])
def test_a_short_name_may_begin_like_a_full_one(name: str) -> None:
    directory, kind = FakeDirectory(), ExtensionPropertyKind()
    _, outputs = create(kind, directory, {**PROPERTY, "name": name})
    assert outputs["full_name"] == f"extension_{APP.replace('-', '')}_{name}"
    assert [prop.name for prop in directory.properties] == [outputs["full_name"]]


def test_a_full_name_is_refused() -> None:
    _, failures = ExtensionPropertyKind().check({}, {**PROPERTY, "name": FULL})
    assert "give a short name" in failures["name"]


def test_a_property_that_graph_names_otherwise_does_not_stay_behind() -> None:
    directory = FakeDirectory(creates_in_upper_case=True)
    with pytest.raises(RefusedChange, match="upper and lower case; it was deleted again"):
        create(ExtensionPropertyKind(), directory, PROPERTY)
    assert directory.properties == []


@pytest.mark.parametrize(
    ("baseline", "shape", "holders", "ends"),
    [
        ("sp", {}, 0, "reused"),
        ("sp", {}, 1, "reused"),
        ("sp", {"data_type": "Integer"}, 0, "created anew"),
        ("sp", {"data_type": "Integer"}, 1, "it exists as Integer and 1 user holds a value in it"),
        ("", {}, 0, "this stack did not create it"),
    ],
)
def test_a_property_of_that_name(baseline: str, shape: Props, holders: int, ends: str) -> None:
    existing = ExtensionProperty("before", FULL, **{"data_type": "String", **shape}, multi_valued=False, target_objects=("User",))  # fmt: skip
    directory = FakeDirectory(properties=[existing], holders=ValueHolders(holders))
    news = {**PROPERTY, "baseline": baseline}
    if ends in ("reused", "created anew"):
        id_, _ = create(ExtensionPropertyKind(), directory, news)
        assert (id_ == "app/before") is (ends == "reused")
    else:
        with pytest.raises(RefusedChange, match=ends):
            create(ExtensionPropertyKind(), directory, news)
        assert directory.properties == [existing]


def user(name: str) -> User:
    return User(name, name, {})


@pytest.mark.parametrize(
    ("holders", "words"),
    [
        (ValueHolders(0), ""),
        (ValueHolders(1, (user("ada"),)), "1 user holds a value in it (ada)"),
        (ValueHolders(3, (user("ada"), user("bob"), user("eve"))), "3 users hold values in it (ada, bob, eve)"),
        (ValueHolders(1200, (user("ada"),)), "1,200 users hold values in it (ada, …)"),
        (ValueHolders(25), "25 users hold values in it"),
    ],
)
def test_holders_in_words(holders: ValueHolders, words: str) -> None:
    assert describe_holders(FakeDirectory(holders=holders), FULL) == words  # type: ignore[arg-type]


# -- the baseline


def test_a_replacement_is_checked_twice_and_the_third_check_judges_again() -> None:
    """The engine leaves the old inputs out the second time, when this stack's own objects still exist."""
    kind = TenantBaselineKind()
    own = {**TENANT, "seen_properties": {FULL: "id-1"}, "seen_policies": {"id-2": "Flex"}}
    olds = checked(kind, TENANT)
    moved = {**own, "service_principal_id": "sp-2"}
    assert kind.check(olds, moved)[1] == {}
    assert kind.check({}, moved)[1] == {}
    assert "exists already" in kind.check({}, moved)[1][""], "nothing is remembered once the replacement was checked"
    assert "exists already" in kind.check({}, own)[1][""]


def test_an_update_judges_only_what_is_new() -> None:
    kind = TenantBaselineKind()
    olds = checked(kind, TENANT)
    other = build_full_name(APP, "team")
    own = {**TENANT, "seen_properties": {FULL: "id-1", other: "id-3"}, "seen_policies": {"id-2": "Flex"}}
    assert kind.check(olds, own)[1] == {}
    assert kind.check(olds, {**own, "properties": [FULL, UNKNOWN]})[1] == {}
    problem = kind.check(olds, {**own, "properties": [FULL, other]})[1][""]
    assert "extension property 'team' exists already" in problem
    assert "languages" not in problem
    assert "named 'Flux' exists already" in kind.check(olds, {**own, "policy_name": "Flux"})[1][""]


# -- the assignment


def test_only_a_recorded_policy_is_displaced() -> None:
    directory, kind = FakeDirectory(), PolicyAssignmentKind()
    for id_ in ("before", "ours"):
        directory.tenant_policies[id_] = Policy(id_, f"Policy {id_}", TERRAFORM)
    directory.assign("sp", "before")
    link = {"service_principal_id": "sp", "policy_id": "ours"}
    with pytest.raises(RefusedChange, match=r"'Policy before' \(before\) is assigned"):
        create(kind, directory, link)
    assert directory.links == [("sp", "before")]
    assert create(kind, directory, {**link, "displaces": ["before"]})[0] == "sp/ours"
    assert directory.links == [("sp", "ours")]
    assert create(kind, directory, link)[0] == "sp/ours", "assigned already: a success"


def test_a_refused_link_comes_with_what_to_do() -> None:
    """The list of assigned policies was older than another's assignment."""
    with pytest.raises(RefusedChange, match=r"409.*; or set flexsaml:replaceExisting to true"):
        create(
            PolicyAssignmentKind(), FakeDirectory(refuses_links=True), {"service_principal_id": "sp", "policy_id": "p"}
        )


def test_a_kind_needs_nothing_of_pulumi() -> None:
    """Another program may serve the kinds, without Pulumi's SDK."""
    kinds = [path.stem for path in (PROJECT / "providers" / "kinds").glob("*.py") if path.stem != "__init__"]
    imports = "; ".join(f"import providers.kinds.{name}" for name in kinds)
    check = f"import sys; {imports}; print({{'dill', 'grpc', 'pulumi', 'requests', 'azure'}} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", check], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
