"""Open points that Graph answers without a sign-in."""

from __future__ import annotations

from tests.live.experiment import Answer, Experiment, Outcome, Undecided, waited_answers
from tests.live.scratch import POLICIES
from tests.live.workbench import Workbench


def _links(bench: Workbench) -> str:
    return f"/servicePrincipals/{bench.scratch.principal_id}/claimsMappingPolicies"


def measure_usable(bench: Workbench) -> Outcome:
    name = str(bench.post_property("live_usable")["name"])
    user = f"/users/{bench.scratch.other_user.id}"
    return bench.measure(lambda: bench.accepts_value(user, {name: "a"})).outcome("availability_delay")


def measure_readable(bench: Workbench) -> Outcome:
    with bench.policy() as policy_id:
        return bench.measure(lambda: bench.is_readable(f"{POLICIES}/{policy_id}")).outcome("read_lag")


def measure_linkable(bench: Workbench) -> Outcome:
    with bench.policy() as policy_id:
        return bench.measure(lambda: bench.links(_links(bench), policy_id)).outcome("ref_lag")


def measure_changed(bench: Workbench) -> Outcome:
    with bench.policy() as policy_id:
        path, definition = f"{POLICIES}/{policy_id}", '{"ClaimsMappingPolicy":{"Version":1,"ClaimsSchema":[]}}'
        bench.measure(lambda: bench.is_readable(path))
        bench.client.write("PATCH", path, {"definition": [definition]})
        shows = bench.measure(lambda: bench.client.get(path)["definition"] == [definition])
    return shows.outcome("stale_reads")


def measure_listed(bench: Workbench) -> Outcome:
    user_id = bench.scratch.make_user(bench.domain).id
    query = {"$filter": f"displayName eq '{bench.scratch.mark}'", "$select": "id"}

    def is_listed() -> bool:
        return user_id in [body["id"] for body in bench.client.pages("/users", params=query)]

    return bench.measure(is_listed).outcome("index_lag")


def try_duplicate_property(bench: Workbench) -> Outcome:
    bench.post_property("live_twice")
    body = {"name": "live_twice", "dataType": "String", "targetObjects": ["User"]}
    return _read_status(bench, "POST", bench.properties, body)


def read_property_body(bench: Workbench) -> Outcome:
    body = bench.post_property("live_body")
    return Outcome("present" if "isMultiValued" in body else "absent")


def read_unset_value(bench: Workbench) -> Outcome:
    name = bench.make_extension("live_unset")
    body = bench.client.get(f"/users/{bench.scratch.other_user.id}", params={"$select": f"id,{name}"})
    return Outcome("null" if name in body else "absent")


def try_second_policy(bench: Workbench) -> Outcome:
    with bench.policy() as first, bench.policy() as second:
        bench.measure(lambda: bench.links(_links(bench), first))
        refused = bench.answer_to_link(_links(bench), second)
        if refused is None:
            return Outcome("accepted")
        return _describe(refused.status, refused.code, refused.message)


def delete_assigned_policy(bench: Workbench) -> Outcome:
    with bench.policy() as policy_id:
        bench.measure(lambda: bench.links(_links(bench), policy_id))
        refused = bench.refusal("DELETE", f"{POLICIES}/{policy_id}")
    if refused is None:
        return Outcome("allowed")
    return Outcome("refused", _describe(refused.status, refused.code, refused.message).observations)


def unlink_unlinked_policy(bench: Workbench) -> Outcome:
    with bench.policy() as policy_id:
        return _read_status(bench, "DELETE", f"{_links(bench)}/{policy_id}/$ref", None)


def read_unset_claims_policy(bench: Workbench) -> Outcome:
    path = f"/servicePrincipals/{bench.scratch.principal_id}/claimsPolicy"
    body = bench.read_beta(path)
    if body is None:
        return Outcome("404")
    if body.get("claims"):
        raise Undecided(f"it has {len(body['claims'])} claims, though none was ever set")
    return Outcome("empty", {"properties": sorted(name for name in body if not name.startswith("@"))})


def try_property_names(bench: Workbench) -> Outcome:
    names = {
        "hyphen": "live-hyphen",
        "dot": "live.dot",
        "space": "live space",
        "digit first": "1live",
        "umlaut": "livé",
    }
    verdicts = {}
    for kind, name in names.items():
        refused = bench.refusal(
            "POST", bench.properties, {"name": name, "dataType": "String", "targetObjects": ["User"]}
        )
        verdicts[kind] = "accepted" if refused is None else f"{refused.status} {refused.code} {refused.message}"
    refused_names = [kind for kind, verdict in verdicts.items() if verdict != "accepted"]
    return Outcome("some-refused" if refused_names else "all-accepted", verdicts)


def try_long_value(bench: Workbench) -> Outcome:
    name = bench.make_extension("live_long")
    user = f"/users/{bench.scratch.other_user.id}"
    refused = bench.refusal("PATCH", user, {name: "x" * 257})
    if refused is None:
        return Outcome("accepted")
    return Outcome("refused", _describe(refused.status, refused.code, refused.message).observations)


def _read_status(bench: Workbench, method: str, path: str, body: object) -> Outcome:
    refused = bench.refusal(method, path, body)
    if refused is None:
        raise Undecided("it was accepted")
    return _describe(refused.status, refused.code, refused.message)


def _describe(status: int, code: str, message: str) -> Outcome:
    return Outcome(str(status), {"status": status, "code": code, "message": message})


GRAPH_EXPERIMENTS = (
    Experiment(
        "property-usable-after",
        "makes an extension property and writes a value until it is accepted",
        waited_answers("the value is accepted", "availability_delay"),
        measure_usable,
        seconds=600,
    ),
    Experiment(
        "policy-readable-after",
        "makes a policy and reads it until it is there",
        waited_answers("the policy is there", "read_lag"),
        measure_readable,
    ),
    Experiment(
        "policy-linkable-after",
        "makes a policy and assigns it until that is accepted",
        waited_answers("the assignment is accepted", "ref_lag"),
        measure_linkable,
    ),
    Experiment(
        "change-visible-after",
        "changes a policy and reads it until the change shows",
        waited_answers("the change shows", "stale_reads"),
        measure_changed,
    ),
    Experiment(
        "user-listed-after",
        "makes a user and lists users by name until it is among them",
        waited_answers("the user is listed", "index_lag"),
        measure_listed,
    ),
    Experiment(
        "duplicate-property",
        "makes an extension property of a name that exists",
        {
            str(status): Answer(f"refused with {status}", dials={"duplicate_extension_status": status})
            for status in (400, 409)
        },
        try_duplicate_property,
    ),
    Experiment(
        "property-body",
        "reads the body of a new extension property",
        {
            "present": Answer("it has isMultiValued", dials={"is_multi_valued_field": True}),
            "absent": Answer("it has no isMultiValued", dials={"is_multi_valued_field": False}),
        },
        read_property_body,
    ),
    Experiment(
        "unset-value",
        "selects an extension of a user who has no value in it",
        {
            "absent": Answer("the answer does not have it", dials={"unset_extension": "absent"}),
            "null": Answer("the answer has null", dials={"unset_extension": "null"}),
        },
        read_unset_value,
        seconds=600,
    ),
    Experiment(
        "second-policy",
        "assigns a second policy to a principal",
        {
            "400": Answer("refused with 400", dials={"second_policy_status": 400}),
            "409": Answer("refused with 409", dials={"second_policy_status": 409}),
            "accepted": Answer("it is assigned beside the first", dials={"second_policy_status": 204}),
        },
        try_second_policy,
    ),
    Experiment(
        "delete-assigned-policy",
        "deletes a policy that is assigned",
        {
            "allowed": Answer("it is deleted", dials={"delete_assigned_policy": "allow"}),
            "refused": Answer("it is refused", dials={"delete_assigned_policy": "refuse"}),
        },
        delete_assigned_policy,
    ),
    Experiment(
        "unlink-unlinked",
        "takes away an assignment that does not exist",
        {str(status): Answer(f"refused with {status}", dials={"missing_link_delete": status}) for status in (404, 400)},
        unlink_unlinked_policy,
    ),
    Experiment(
        "unset-claims-policy",
        "reads the custom claims policy (beta) of a principal that never had one",
        {
            "404": Answer("404", dials={"absent_claims_policy": "not_found"}),
            "empty": Answer("a policy without claims", dials={"absent_claims_policy": "empty"}),
        },
        read_unset_claims_policy,
    ),
    Experiment(
        "property-names",
        "makes extension properties whose names have a hyphen, a dot, a space, a digit first, an umlaut",
        {"all-accepted": Answer("all are accepted"), "some-refused": Answer("the observations say which are refused")},
        try_property_names,
    ),
    Experiment(
        "long-value",
        "writes 257 characters to an extension of type String",
        {"accepted": Answer("accepted"), "refused": Answer("refused, with the words in the observations")},
        try_long_value,
        seconds=600,
    ),
)
