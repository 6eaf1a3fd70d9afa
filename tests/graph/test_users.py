"""If this goes red, a user's value is lost, written to somebody else, or reported written when it was not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flexsaml.graph.errors import Forbidden, NotAvailable, NotFound, NotSent, StillPending, Unanswered, Unauthorized
from flexsaml.graph.models import User

from .fakes import (
    Answer,
    RecordedRequest,
    Step,
    asked,
    batch,
    error,
    listing,
    lost,
    missing,
    ok,
    stage,
    throttled,
    unreachable,
)

LANG, AGE = "extension_0_lang", "extension_0_age"
DENIED = error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
UNAVAILABLE = error(400, "Request_BadRequest", f"The following extension properties are not available: {LANG}.")


def user(object_id: str, **values: object) -> Answer:
    return ok({"id": object_id, "userPrincipalName": f"{object_id}@contoso.example", **values})


def test_users_in_batches_with_select() -> None:
    scene = stage(batch(user("ada", **{LANG: "en"}), missing()), batch(missing()), batch(missing()))
    users = scene.directory.read_users(["ada@x", "g#EXT#@x", "ada@x"], [LANG, AGE])
    assert users == {"ada@x": User("ada", "ada@contoso.example", {LANG: "en", AGE: None}), "g#EXT#@x": None}
    select = f"?$select=id,userPrincipalName,{LANG},{AGE}"
    assert asked(scene.graph.requests[0]) == [f"GET /users/ada@x{select}", f"GET /users/g#EXT#@x{select}"]
    assert "%23EXT%23" in scene.graph.requests[0].body["requests"][1]["url"]


def test_a_user_whom_a_stale_replica_does_not_know_is_not_an_absent_one() -> None:
    scene = stage(batch(user("ada"), missing(), missing()), batch(missing(), user("eve")), batch(user("bob")))
    users = scene.directory.read_users(["ada", "bob", "eve"])
    assert [person and person.id for person in users.values()] == ["ada", "bob", "eve"]
    assert scene.clock.slept == [1.0, 2.0]
    assert stage(batch(missing())).directory.read_users(["bob"], confirms_absence=False) == {"bob": None}


def test_find_user_believes_absence_after_three_reads() -> None:
    assert stage(missing(), missing(), missing()).directory.find_user("ada") is None
    assert stage(missing(), user("ada")).directory.find_user("ada") == User("ada", "ada@contoso.example", {})


def test_unreadable_user_is_not_an_absent_one() -> None:
    with pytest.raises(Forbidden, match=r"User\.Read\.All"):
        stage(batch(DENIED)).directory.read_users(["ada@x"])


def test_falsy_values_are_values() -> None:
    scene = stage(user("ada", **{LANG: "", AGE: 0}))
    assert scene.directory.read_user("ada", [LANG, AGE]).values == {LANG: "", AGE: 0}


def test_value_is_found_under_the_tenants_spelling() -> None:
    scene = stage(user("ada", extension_0_LANG="en"))
    assert scene.directory.read_user("ada", [LANG]).values == {LANG: "en"}


def test_user_not_found() -> None:
    with pytest.raises(NotFound, match="GET /users/nobody@x"):
        stage(missing()).directory.read_user("nobody@x")


def test_patch_user_is_one_request() -> None:
    scene = stage(ok())
    scene.directory.patch_user("ada", {LANG: "en", AGE: None})
    assert scene.graph.lines == ["PATCH /v1.0/users/ada"]
    assert scene.graph.requests[0].body == {LANG: "en", AGE: None}


def test_patch_user_is_repeated_as_patiently_as_a_read() -> None:
    scene = stage(lost(), *[error(503)] * 4, ok())
    scene.directory.patch_user("ada", {LANG: "en"})
    assert scene.graph.lines == ["PATCH /v1.0/users/ada"] * 6


def test_not_available_passes_through() -> None:
    with pytest.raises(NotAvailable, match=LANG):
        stage(UNAVAILABLE).directory.patch_user("ada", {LANG: "en"})


def test_patch_when_usable_repeats_what_was_refused_as_not_available() -> None:
    scene = stage(*[UNAVAILABLE] * 5, ok())
    scene.directory.patch_user_when_usable("ada", {LANG: "en"})
    assert len(scene.graph.requests) == 6
    assert scene.progress_lines


def test_patch_when_usable_ends_with_the_reason() -> None:
    scene = stage(*[UNAVAILABLE] * 70)
    with pytest.raises(StillPending, match=rf"not available: {LANG}.*needs a service principal"):
        scene.directory.patch_user_when_usable("ada", {LANG: "en"})
    assert 290.0 < scene.clock.passed <= 300.0


def test_patch_when_usable_does_not_repeat_other_refusals() -> None:
    with pytest.raises(Forbidden):
        stage(DENIED).directory.patch_user_when_usable("ada", {LANG: "en"})


CHANGES: dict[str, dict[str, object]] = {"ada": {LANG: "en"}, "bob": {LANG: "de"}, "eve": {LANG: None}}


def test_patch_users_returns_the_failures_only() -> None:
    scene = stage(batch(ok(), DENIED, ok()))
    failures = scene.directory.patch_users(CHANGES)
    assert list(failures) == ["bob"]
    assert "PATCH /users/bob: 403" in str(failures["bob"])
    assert [item["body"] for item in scene.graph.requests[0].body["requests"]] == list(CHANGES.values())


def test_patch_users_repeats_throttled_ones_only() -> None:
    scene = stage(batch(ok(), throttled("3"), ok()), batch(ok()))
    assert scene.directory.patch_users(CHANGES) == {}
    assert asked(scene.graph.requests[1]) == ["PATCH /users/bob"]


def test_patch_users_repeats_those_of_unknown_outcome() -> None:
    scene = stage(batch(ok(), error(503), error(504)), lost(), batch(error(503), ok()), batch(ok()))
    assert scene.directory.patch_users(CHANGES) == {}
    assert asked(scene.graph.requests[1]) == ["PATCH /users/bob", "PATCH /users/eve"]
    assert asked(scene.graph.requests[-1]) == ["PATCH /users/bob"]


def test_patch_users_reports_what_stays_unknown() -> None:
    scene = stage(*[lost()] * 6)
    failures = scene.directory.patch_users(CHANGES)
    assert set(failures) == set(CHANGES)
    assert all(isinstance(failure, Unanswered) for failure in failures.values())


def test_patch_users_does_not_repeat_what_is_refused_after_an_outage() -> None:
    scene = stage(lost(), batch(DENIED, ok(), ok()))
    assert {user: type(failure) for user, failure in scene.directory.patch_users(CHANGES).items()} == {"ada": Forbidden}


def test_an_error_object_with_status_200_is_no_success_of_a_write() -> None:
    failed = ok({"error": {"code": "x", "message": "y"}})
    scene = stage(failed, ok())
    scene.directory.patch_user("ada", {LANG: "en"})
    assert scene.graph.lines == ["PATCH /v1.0/users/ada"] * 2
    scene = stage(batch(failed, ok(), ok()), batch(ok()))
    assert scene.directory.patch_users(CHANGES) == {}
    assert asked(scene.graph.requests[1]) == ["PATCH /users/ada"]


def test_patch_users_when_nothing_can_be_sent() -> None:
    scene = stage(*[unreachable()] * 4)
    assert set(scene.directory.patch_users(CHANGES)) == set(CHANGES)


def test_confirm_users_reads_again_only_who_lags() -> None:
    scene = stage(
        batch(user("ada", **{LANG: "en"}), user("bob", **{LANG: "old"}), user("eve")),
        batch(user("bob", **{LANG: "de"})),
    )
    scene.directory.confirm_users(CHANGES)
    assert [item.partition("?")[0] for item in asked(scene.graph.requests[1])] == ["GET /users/bob"]


def test_confirm_users_names_who_does_not_show() -> None:
    scene = stage(*[batch(user("ada", **{LANG: "old"}))] * 20)
    with pytest.raises(StillPending, match=r"1 user does not show what was written \(ada\)"):
        scene.directory.confirm_users({"ada": {LANG: "en"}})
    assert scene.clock.passed <= 30.0


def test_confirm_nobody_asks_nothing() -> None:
    scene = stage()
    scene.directory.confirm_users({})
    assert scene.graph.requests == []


REFUSALS = [
    error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
    missing(),
    error(409, "Request_Conflict", "A conflicting object is present."),
    error(423, "Locked", "The resource is locked."),
    error(400, "Request_BadRequest", "Unable to update the specified properties for on-premises mastered objects."),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=[str(refusal.status) for refusal in REFUSALS])
def test_a_first_user_that_is_refused_stops_nobody(refusal: Answer) -> None:
    scene = stage(refusal, ok(), batch(ok()))
    assert list(scene.directory.patch_users_when_usable(CHANGES)) == ["ada"]
    assert scene.graph.lines[:2] == ["PATCH /v1.0/users/ada", "PATCH /v1.0/users/bob"]
    assert asked(scene.graph.requests[2]) == ["PATCH /users/eve"]


def test_many_refused_users_in_front_stop_nobody() -> None:
    changes = {f"user{number}": {LANG: "en"} for number in range(40)}

    def by_user(request: RecordedRequest) -> Answer:  # two workers: either chunk may be the first to arrive
        numbers = [int(item["url"].removeprefix("/users/user")) for item in request.body["requests"]]
        return batch(*[DENIED if number < 25 else ok() for number in numbers])(request)

    scene = stage(*[DENIED] * 5, by_user, by_user)
    assert list(scene.directory.patch_users_when_usable(changes)) == [f"user{number}" for number in range(25)]


@pytest.mark.parametrize("answer", [error(401, "InvalidAuthenticationToken"), unreachable()])
def test_an_identity_or_network_that_fails_stops_everybody(answer: Answer) -> None:
    scene = stage(*[answer] * 4)
    with pytest.raises((Unauthorized, NotSent)):
        scene.directory.patch_users_when_usable(CHANGES)
    assert {line.split()[1] for line in scene.graph.lines} == {"/v1.0/users/ada"}


def test_a_first_user_of_unknown_outcome_stops_nobody() -> None:
    scene = stage(*[error(503)] * 6, batch(ok(), ok()))
    assert list(scene.directory.patch_users_when_usable(CHANGES)) == ["ada"]


def test_only_one_user_waits_for_an_extension_to_be_usable() -> None:
    scene = stage(*[UNAVAILABLE] * 3, ok(), batch(ok(), ok()))
    assert scene.directory.patch_users_when_usable(CHANGES) == {}
    assert scene.graph.lines.count("PATCH /v1.0/users/ada") == 4


def test_the_time_of_writing_does_not_count_as_waiting() -> None:
    def slow(request: RecordedRequest) -> Answer:
        return replace(batch(UNAVAILABLE, ok())(request), takes=310.0)

    scene = stage(ok(), slow, ok())
    assert scene.directory.patch_users_when_usable(CHANGES) == {}
    assert scene.graph.lines[-1] == "PATCH /v1.0/users/bob"


def test_users_whose_extensions_never_become_usable_fail_alone() -> None:
    scene = stage(ok(), batch(UNAVAILABLE, ok()), *[UNAVAILABLE] * 100)
    failures = scene.directory.patch_users_when_usable(CHANGES)
    assert isinstance(failures.pop("bob"), StillPending)
    assert failures == {}
    assert sum(scene.clock.slept) <= 300.0


def indexed(*names: str, count: int | None = None) -> Answer:
    """What the filter on values answers."""
    bodies = [{"id": name, "userPrincipalName": f"{name}@x", LANG: "en"} for name in names]
    return listing(*bodies, **{"@odata.count": len(names) if count is None else count})


def test_holders_are_read_directly() -> None:
    scene = stage(indexed("ada", "bob", count=120), batch(user("ada", **{LANG: "en"}), user("bob")))
    held = scene.directory.find_value_holders(LANG, 2)
    assert (held.count, [holder.id for holder in held.users]) == (120, ["ada"])
    assert scene.graph.lines[0] == (
        f"GET /v1.0/users?$filter={LANG} ne null&$count=true&$top=2&$select=id,userPrincipalName,{LANG}"
    )
    assert scene.graph.requests[0].headers["ConsistencyLevel"] == "eventual"


@pytest.mark.parametrize(
    ("steps", "count", "waits"),
    [
        ([indexed()] * 3, 0, 2),
        ([indexed("ada"), batch(user("ada")), indexed(), indexed()], 0, 2),
        ([indexed(), indexed("ada"), batch(user("ada", **{LANG: "de"}))], 1, 1),
        (
            [indexed("ada"), batch(missing()), indexed("ada", "bob"), batch(user("ada"), user("bob", **{LANG: "de"}))],
            2,
            1,
        ),
        ([*[indexed("ada"), batch(user("ada"))] * 3], 0, 2),
        ([*[indexed("ada", count=3), batch(user("ada"))] * 3], 2, 2),
    ],
    ids=[
        "nobody",
        "index late",
        "a stale empty list",
        "index late and somebody else",
        "index very late",
        "more than were read",
    ],
)
def test_an_index_that_lags_is_read_again(steps: list[Step], count: int, waits: int) -> None:
    scene = stage(*steps)
    assert scene.directory.find_value_holders(LANG).count == count
    assert len(scene.clock.slept) == waits
