"""If this goes red, a policy or its assignment is doubled, lost, or reported done before the tenant shows it."""

from __future__ import annotations

from typing import Any

import pytest

from flexsaml.graph.errors import Conflict, Malformed, NotFound, ServerError, StillPending
from flexsaml.graph.models import Policy

from .fakes import Step, error, late, listing, lost, missing, ok, stage

DEFINITION = '{"ClaimsMappingPolicy":{"Version":1,"IncludeBasicClaimSet":"true"}}'
POLICIES = "/v1.0/policies/claimsMappingPolicies"
LINKS = "/v1.0/servicePrincipals/sp/claimsMappingPolicies"
LINKED = error(
    400,
    "Request_BadRequest",
    "One or more added object references already exist for the following modified properties: 'policies'.",
)
UNLINKED = error(
    400,
    "Request_BadRequest",
    "One or more removed object references do not exist for the following modified properties: 'policies'.",
)
SECOND = error(409, "Request_Conflict", "A conflicting object is present.")


def wire(object_id: str = "pol", definition: str = DEFINITION, name: str = "Flex") -> dict[str, Any]:
    return {"id": object_id, "displayName": name, "definition": [definition]}


def test_create_is_one_post_and_one_read() -> None:
    scene = stage(ok(wire()), ok(wire()))
    made = scene.directory.create_policy(display_name="Flex", definition=DEFINITION)
    assert made == Policy("pol", "Flex", DEFINITION)
    assert scene.graph.lines == [f"POST {POLICIES}", f"GET {POLICIES}/pol"]
    assert scene.graph.requests[0].body == {
        "definition": [DEFINITION],
        "displayName": "Flex",
        "isOrganizationDefault": False,
    }


def test_create_waits_until_it_can_be_read() -> None:
    scene = stage(ok(wire()), missing(), missing(), ok(wire()))
    assert scene.directory.create_policy(display_name="Flex", definition=DEFINITION).id == "pol"
    with pytest.raises(StillPending, match=f"GET {POLICIES[5:]}/pol"):
        stage(ok(wire()), *[missing()] * 20).directory.create_policy(display_name="Flex", definition=DEFINITION)


def test_create_by_an_identity_that_may_not_read_keeps_the_id() -> None:
    made = stage(ok(wire()), error(403)).directory.create_policy(display_name="Flex", definition=DEFINITION)
    assert made.id == "pol"


def test_create_with_a_lost_answer_recognises_the_new_policy_only() -> None:
    others = [wire("other", "{}"), wire("named", name="flex")]
    scene = stage(lost(), listing(*others), listing(*others, wire()), ok(wire()))
    made = scene.directory.create_policy(display_name="Flex", definition=DEFINITION)
    assert made.id == "pol"
    assert [line.split()[0] for line in scene.graph.lines] == ["POST", "GET", "GET", "GET"]


def test_create_refused_is_told() -> None:
    with pytest.raises(Malformed, match="check the claims of the policy"):
        stage(error(400, "Request_BadRequest", "Property definition has an invalid value.")).directory.create_policy(
            display_name="Flex", definition="{}"
        )


def test_update_is_one_patch_and_one_read() -> None:
    scene = stage(ok(), ok(wire()))
    scene.directory.update_policy("pol", display_name="Flex", definition=DEFINITION)
    assert scene.graph.lines == [f"PATCH {POLICIES}/pol", f"GET {POLICIES}/pol"]
    assert scene.graph.requests[0].body == {"definition": [DEFINITION], "displayName": "Flex"}


def test_update_waits_out_stale_reads() -> None:
    scene = stage(ok(), ok(wire(definition="{}")), missing(), ok(wire(name="Old")), ok(wire()))
    scene.directory.update_policy("pol", display_name="Flex", definition=DEFINITION)
    assert len(scene.graph.requests) == 5


def test_update_accepts_equal_json_in_another_spelling() -> None:
    spelt = DEFINITION.replace(":", ": ")
    scene = stage(ok(), ok(wire(definition=spelt)))
    scene.directory.update_policy("pol", display_name="Flex", definition=DEFINITION)
    assert scene.graph.lines == [f"PATCH {POLICIES}/pol", f"GET {POLICIES}/pol"], "the first read back confirms it"


def test_update_is_repeated_as_patiently_as_a_read() -> None:
    scene = stage(error(503), lost(), error(502), error(504), ok(), ok(wire()))
    scene.directory.update_policy("pol", display_name="Flex", definition=DEFINITION)
    assert [line.split()[0] for line in scene.graph.lines] == ["PATCH"] * 5 + ["GET"]


def test_update_of_a_policy_that_is_gone() -> None:
    with pytest.raises(NotFound, match="check that it exists in this tenant"):
        stage(missing()).directory.update_policy("pol", display_name="Flex", definition=DEFINITION)


def test_policy_absence_is_confirmed() -> None:
    assert stage(missing(), missing(), missing()).directory.policy("pol") is None
    policy = stage(missing(), ok(wire())).directory.policy("pol")
    assert policy is not None
    assert policy.definition == DEFINITION


def test_policies_by_exact_name() -> None:
    scene = stage(listing(wire(), wire("p2", name="FLEX"), wire("p3")))
    assert [policy.id for policy in scene.directory.policies("Flex")] == ["pol", "p3"]
    assert scene.graph.lines == [f"GET {POLICIES}?$filter=displayName eq 'Flex'"]


@pytest.mark.parametrize(
    "steps", [[ok()], [missing()] * 3, [missing(), ok()]], ids=["there", "gone already", "a stale answer"]
)
def test_delete_policy(steps: list[Step]) -> None:
    scene = stage(*steps)
    scene.directory.delete_policy("pol")
    assert scene.graph.lines == [f"DELETE {POLICIES}/pol"] * len(steps)


def test_applies_to() -> None:
    scene = stage(listing({"id": "sp"}, {"id": "sp2"}))
    assert scene.directory.applies_to("pol") == ["sp", "sp2"]
    assert stage(listing()).directory.applies_to("pol") == []
    assert stage(missing(), missing(), missing()).directory.applies_to("pol") == []
    assert stage(missing(), listing({"id": "sp2"})).directory.applies_to("pol") == ["sp2"], "one 404 may be stale"


ASSIGNS: list[tuple[str, list[Step], list[str]]] = [
    ("fresh", [ok(), listing(wire())], ["POST", "GET"]),
    ("linked already", [LINKED, listing(wire())], ["POST", "GET"]),
    ("not replicated yet", [missing(), missing(), ok(), listing(wire())], ["POST", "POST", "POST", "GET"]),
    ("lost but carried out", [lost(), listing(wire()), listing(wire())], ["POST", "GET", "GET"]),
    ("list lags", [ok(), listing(), listing(wire())], ["POST", "GET", "GET"]),
]


@pytest.mark.parametrize(("steps", "wanted"), [case[1:] for case in ASSIGNS], ids=[case[0] for case in ASSIGNS])
def test_assign(steps: list[Step], wanted: list[str]) -> None:
    scene = stage(*steps)
    scene.directory.assign("sp", "pol")
    assert [line.split()[0] for line in scene.graph.lines] == wanted
    assert scene.graph.lines[0] == f"POST {LINKS}/$ref"
    assert scene.graph.requests[0].body == {
        "@odata.id": "https://graph.microsoft.com/v1.0/policies/claimsMappingPolicies/pol"
    }


@pytest.mark.parametrize("refusal", [SECOND, LINKED], ids=["409", "400"])
def test_assign_beside_another_policy_is_a_conflict(refusal: Step) -> None:
    with pytest.raises(Conflict, match="another policy is assigned, and a service principal has only one"):
        stage(refusal, listing(wire("other"))).directory.assign("sp", "pol")


def test_assign_to_what_never_comes_ends_with_the_refusal() -> None:
    scene = stage(*[missing()] * 30)
    with pytest.raises(NotFound, match=r"\$ref"):
        scene.directory.assign("sp", "pol")
    assert scene.clock.passed <= 60.0


UNASSIGNS: list[tuple[str, list[Step], list[str]]] = [
    ("linked", [ok(), listing()], ["DELETE", "GET"]),
    ("another stays", [ok(), listing(wire("other"))], ["DELETE", "GET"]),
    ("missing link, 404", [*[missing()] * 3, listing()], [*["DELETE"] * 3, "GET"]),
    ("missing link, 400", [*[UNLINKED] * 3, listing()], [*["DELETE"] * 3, "GET"]),
    ("a stale answer", [missing(), ok(), listing()], ["DELETE", "DELETE", "GET"]),
    ("list lags", [ok(), listing(wire()), listing()], ["DELETE", "GET", "GET"]),
    ("principal gone", [missing()] * 4, [*["DELETE"] * 3, "GET"]),
    ("no answer but carried out", [late(), *[missing()] * 3, listing()], [*["DELETE"] * 4, "GET"]),
    ("an outage of four answers", [*[error(503)] * 4, ok(), listing()], [*["DELETE"] * 5, "GET"]),
]


@pytest.mark.parametrize(("steps", "wanted"), [case[1:] for case in UNASSIGNS], ids=[case[0] for case in UNASSIGNS])
def test_unassign(steps: list[Step], wanted: list[str]) -> None:
    scene = stage(*steps)
    scene.directory.unassign("sp", "pol")
    assert [line.split()[0] for line in scene.graph.lines] == wanted
    assert scene.graph.lines[0] == f"DELETE {LINKS}/pol/$ref"


def test_unassign_that_never_shows_is_told() -> None:
    with pytest.raises(StillPending, match="after the removal of policy pol"):
        stage(ok(), *[listing(wire())] * 20).directory.unassign("sp", "pol")


def test_outage_while_unassigning_is_not_success() -> None:
    with pytest.raises(ServerError):
        stage(error(500), *[error(500)] * 6).directory.unassign("sp", "pol")


STAYS: list[tuple[list[Step], bool]] = [
    ([listing(wire())] * 3, True),
    ([listing(wire()), listing(wire("other"))], False),
    ([listing()], False),
]


@pytest.mark.parametrize(("steps", "stays"), STAYS)
def test_an_assignment_stays_that_three_lists_show(steps: list[Step], stays: bool) -> None:
    assert stage(*steps).directory.stays_assigned("sp", "pol") is stays
