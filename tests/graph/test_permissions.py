"""If this goes red, a hint, preflight or doctor asks for a permission that does not help, or for none."""

from __future__ import annotations

import re

import pytest

from flexsaml.graph.errors import refusal
from flexsaml.graph.permissions import requirements, requirements_of_stack

OWNED, ALL = "Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"
ASSIGN = f"{OWNED} with Policy.Read.All and ownership of the object, or {ALL} with Policy.Read.All"
HINTS = [
    ("POST", "/applications/1/extensionProperties", f"{OWNED} and ownership of the object, or {ALL}"),
    ("DELETE", "/applications/1/extensionProperties/2", f"{OWNED} and ownership of the object, or {ALL}"),
    ("GET", "/applications/1/extensionProperties/2", "Application.Read.All"),
    ("GET", "/applications(appId='1')", "Application.Read.All"),
    ("GET", "/servicePrincipals?$search=x", "Application.Read.All"),
    ("GET", "/servicePrincipals/1/appRoleAssignedTo", "Application.Read.All"),
    ("GET", "/servicePrincipals/1/claimsMappingPolicies", ASSIGN),
    ("POST", "/servicePrincipals/1/claimsMappingPolicies/$ref", ASSIGN),
    ("GET", "/servicePrincipals/1/claimsPolicy", "Policy.ReadWrite.ApplicationConfiguration"),
    ("GET", "/policies/claimsMappingPolicies/1", "Policy.Read.All"),
    ("GET", "/policies/claimsMappingPolicies/1/appliesTo", "Policy.Read.All"),
    ("PATCH", "/policies/claimsMappingPolicies/1", "Policy.ReadWrite.ApplicationConfiguration"),
    (
        "PATCH",
        "/users/1",
        "User.ReadWrite.All (and, if that user holds an administrator role, a role that may manage it)",
    ),
    ("GET", "/users/1", "User.Read.All"),
    ("GET", "/groups/1/members", "GroupMember.Read.All"),
    ("POST", "/servicePrincipals/1/addTokenSigningCertificate", f"{OWNED} and ownership of the object, or {ALL}"),
    ("PATCH", "/servicePrincipals/1", f"{OWNED} and ownership of the object, or {ALL}"),
    ("PATCH", "/applications/1", f"{OWNED} and ownership of the object, or {ALL}"),
    ("GET", "/organization", "Organization.Read.All"),
    ("POST", "/directoryObjects/getAvailableExtensionProperties", "Directory.Read.All"),
    ("GET", "/me/messages", "the permission for this call"),
    ("POST", "/users", "the permission for this call"),
]


@pytest.mark.parametrize(("method", "path", "permission"), HINTS)
def test_a_refused_call_names_the_least_permission(method: str, path: str, permission: str) -> None:
    error = refusal(method, path, 403, {"error": {"code": "Authorization_RequestDenied", "message": "words"}})
    assert str(error).endswith(f"; grant the identity in use {permission}")


@pytest.mark.parametrize(
    ("granted", "lacking"),
    [
        ({"Directory.ReadWrite.All"}, {"assign the policy", "write the policy", "read policies"}),
        ({OWNED}, {"write users' values", "read users and their values", "assign the policy", "write the policy", "read policies"}),
        ({OWNED, "User.ReadWrite.All", "Policy.Read.All", "Policy.ReadWrite.ApplicationConfiguration"}, set()),
        ({"Policy.ReadWrite.ApplicationConfiguration", ALL, "User.ReadWrite.All"}, {"read policies"}),
    ],
)  # fmt: skip
def test_what_a_stack_lacks(granted: set[str], lacking: set[str]) -> None:
    essential = [
        requirement for requirement in requirements_of_stack(extensions=True, users=True) if not requirement.without
    ]
    assert {requirement.purpose for requirement in essential if not requirement.is_met(granted)} == lacking


POLICY_READER, POLICY_WRITER = "Policy.Read.All", "Policy.ReadWrite.ApplicationConfiguration"


@pytest.mark.parametrize(
    ("granted", "is_person", "lacking"),
    [
        (set(), False, (OWNED, POLICY_READER)),
        (set(), True, (ALL, POLICY_READER)),  # a person cannot have the other
        ({ALL}, False, (POLICY_READER,)),
        ({POLICY_WRITER}, False, (OWNED,)),
        ({POLICY_WRITER}, True, (ALL,)),
        ({OWNED, POLICY_WRITER}, False, ()),
        ({ALL, POLICY_READER}, True, ()),
    ],
)
def test_the_fewest_permissions_are_added(granted: set[str], is_person: bool, lacking: tuple[str, ...]) -> None:
    (assign,) = (requirement for requirement in requirements() if requirement.purpose == "assign the policy")
    assert assign.lacking(granted, is_person=is_person) == lacking


def test_a_person_can_do_every_call_and_what_writes_is_known() -> None:
    assert all(requirement.least_delegated for requirement in requirements())
    of_stack = requirements_of_stack(extensions=True, users=True)
    assert [requirement.purpose for requirement in of_stack if requirement.writes] == [
        "make and delete extension properties",
        "assign the policy",
        "write the policy",
        "write users' values",
    ]


@pytest.mark.parametrize(("granted", "owned"), [({OWNED}, True), ({ALL}, False), ({OWNED, ALL}, False), (set(), False)])
def test_ownership_matters_where_nothing_else_is_granted(granted: set[str], owned: bool) -> None:
    (make,) = (requirement for requirement in requirements() if requirement.purpose.startswith("make and delete"))
    (find,) = (requirement for requirement in requirements() if requirement.purpose == "find the service principal")
    assert make.is_met_for_owned_objects_only(granted) is owned
    assert not find.is_met_for_owned_objects_only(granted), "it reads everything"


def test_patterns_are_valid_and_start_at_the_root() -> None:
    for requirement in requirements():
        assert requirement.path.startswith("/")
        assert re.compile(requirement.path)
        assert re.compile(requirement.methods)
