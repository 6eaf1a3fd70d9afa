"""If this goes red, a roster of many users is lost half-way, written twice, or cannot be taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.emulator.big import big_seed, upn, user_id
from tests.emulator.process import Emulator
from tests.engine.kills import Moment, kill_at
from tests.engine.stack import UP, SavedStack, Stack
from tests.torture import is_whole_run

AGENTS = 220  # one write alone, then eleven batches
TENANT = 3 * AGENTS
ALL_NUMBERS = range(1, AGENTS + 1)

Value = Callable[[int], str]


@pytest.fixture(scope="module")
def saved_roster(
    saved_empty_stack: SavedStack, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> SavedStack:
    """A stack that declares the roster and has made nothing."""
    stack = saved_empty_stack.open(emulator, tmp_path_factory.mktemp("roster"))
    emulator.seed(big_seed(TENANT, groups=(AGENTS,)))
    stack.tenant_before = emulator.export()
    stack.config["users"] = {}
    stack.config["usersFile"] = "agents.csv"
    write_roster(stack)
    return SavedStack.save(stack, tmp_path_factory.mktemp("saved-roster"))


@pytest.fixture(scope="module")
def saved_written_roster(
    saved_roster: SavedStack, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> SavedStack:
    """The same after its first `up`."""
    stack = saved_roster.open(emulator, tmp_path_factory.mktemp("written"))
    stack.up()
    return SavedStack.save(stack, tmp_path_factory.mktemp("saved-written"))


@pytest.fixture
def stack(saved_roster: SavedStack, emulator: Emulator, tmp_path: Path) -> Stack:
    return saved_roster.open(emulator, tmp_path)


@pytest.fixture
def written(saved_written_roster: SavedStack, emulator: Emulator, tmp_path: Path) -> Stack:
    """A stack whose roster is written: "en,de" for everybody."""
    return saved_written_roster.open(emulator, tmp_path)


def write_roster(
    stack: Stack,
    value: Value = lambda _number: "en,de",
    numbers: Iterable[int] = ALL_NUMBERS,
    column: str = "languages",
) -> None:
    rows = "".join(f'{upn(number)},"{value(number)}"\n' for number in numbers)
    stack.checkout.write_roster(f"user,{column}\n{rows}")


def values(stack: Stack, extension: str = "languages") -> dict[str, object]:
    """Live values by object id, those that are set."""
    full = stack.tenant().full(extension)
    return {user["id"]: user["values"][full] for user in stack.emulator.export()["users"] if full in user["values"]}


def patched(stack: Stack) -> Counter[str]:
    """How often each user was written with success."""
    requests = stack.emulator.requests()
    return Counter(
        request["path"].rpartition("/")[2]
        for request in requests
        if request["method"] == "PATCH" and request["status"] == 204
    )


def everybody(value: str = "en,de") -> dict[str, str]:
    return {user_id(number): value for number in ALL_NUMBERS}


def test_a_roster_comes_changes_and_goes(stack: Stack) -> None:
    stack.emulator.clear()
    output = stack.up().output
    assert f"agents.csv: {AGENTS} writes" in output
    assert "__" not in output
    assert values(stack) == everybody()
    assert patched(stack) == Counter(dict.fromkeys(everybody(), 1))
    stack.assert_unchanged()

    write_roster(stack, lambda number: "fr" if number == 7 else "en,de", range(2, AGENTS + 2))
    change = f"agents.csv: 1 added ({upn(AGENTS + 1)}), 1 removed ({upn(1)}), 1 changed ({upn(7)})"
    assert change in stack.preview().output
    stack.emulator.clear()
    stack.up()
    assert patched(stack) == Counter([user_id(1), user_id(7), user_id(AGENTS + 1)])
    expected = everybody() | {user_id(7): "fr", user_id(AGENTS + 1): "en,de"}
    del expected[user_id(1)]
    assert values(stack) == expected
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


@pytest.fixture(scope="module")
def saved_team_roster(
    saved_roster: SavedStack, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> SavedStack:
    """A roster for the existing property `team`, in which every twentieth user holds a value; nothing is made yet."""
    stack = saved_roster.open(emulator, tmp_path_factory.mktemp("team"))
    tenant = stack.tenant()
    tenant.make_property("team")
    for number in range(1, AGENTS + 1, 20):
        tenant.do("PATCH", f"/users/{user_id(number)}", {tenant.full("team"): "old"})
    write_roster(stack, lambda _number: "blue", column=tenant.full("team"))
    stack.tenant_before = stack.emulator.export()
    return SavedStack.save(stack, tmp_path_factory.mktemp("saved-team"))


@pytest.fixture(scope="module")
def batches_of_reads(
    saved_team_roster: SavedStack, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> int:
    """Batches that the first `up` of the team roster sends before its first write."""
    stack = saved_team_roster.open(emulator, tmp_path_factory.mktemp("batches"))
    stack.up()
    requests = stack.emulator.requests()
    first_write = next(index for index, request in enumerate(requests) if request["method"] == "PATCH")
    assert not requests[first_write]["in_batch"], "the first write is one user alone"
    return sum(request["path"].endswith("/$batch") for request in requests[:first_write])


SHARE = [(0, "CLI"), (4, "CLI"), (10, "CLI"), (1, "provider"), (6, "provider")]
"""At which write who is killed, in `make full`."""
OTHERS = [(1, "CLI"), (7, "CLI"), (0, "provider"), (10, "provider")]


@pytest.mark.long
@pytest.mark.torture
@pytest.mark.parametrize(("write", "victim"), [*SHARE, *OTHERS] if is_whole_run() else SHARE)
def test_killed_anywhere_the_next_up_goes_on_and_destroy_restores(
    saved_team_roster: SavedStack, batches_of_reads: int, emulator: Emulator, tmp_path: Path, write: int, victim: str
) -> None:
    """The first write is one user alone, eleven batches follow."""
    stack = saved_team_roster.open(emulator, tmp_path)
    if write == 0:
        kill_at(stack, UP, Moment("PATCH", "/users/"), victim)
    else:
        kill_at(stack, UP, Moment("POST", r"^/\$batch$", batches_of_reads + write - 1), victim)
    stack.emulator.clear()
    stack.up()
    assert values(stack, "team") == everybody("blue")
    assert max(patched(stack).values(), default=1) == 1
    if write == 10:
        assert patched(stack).total() < AGENTS, "what was written before is not written again"
    stack.assert_destroy_restores_the_tenant()


def test_unknown_users_are_one_error_before_any_write(stack: Stack) -> None:
    with (stack.checkout.directory / "agents.csv").open("a") as file:
        file.write("nobody@contoso.example,en\nghost@contoso.example,en\nalso@contoso.example,en\n")
    last = len((stack.checkout.directory / "agents.csv").read_text().splitlines())
    names = ", ".join(
        f"{name}@contoso.example (line {line})"
        for name, line in (("also", last), ("ghost", last - 1), ("nobody", last - 2))
    )
    assert f"no such user: {names}" in stack.refused(*UP)
    assert not patched(stack)


@pytest.mark.long
def test_a_user_who_leaves_in_the_middle_is_named_and_the_rest_is_written(stack: Stack) -> None:
    path = f"/users/{user_id(9)}$"
    gone = {"status": 404, "code": "Request_ResourceNotFound", "message": "gone"}
    stack.emulator.fault("refuse", "PATCH", path, times=-1, **gone)
    result = stack.run(*UP)
    assert result.code != 0
    line = next(error for error in result.errors() if "UserExtensionValues" in error)
    assert f"1 of {AGENTS} users could not be written: {upn(9)}" in line
    assert set(values(stack)) == set(everybody()) - {user_id(9)}
    stack.emulator.clear_faults()
    stack.tenant().do("DELETE", f"/users/{user_id(9)}")
    assert f"no such user: {upn(9)} (line " in stack.refused("preview"), "never managed"
    write_roster(stack, numbers=(number for number in ALL_NUMBERS if number != 9))
    stack.up()
    stack.tenant().do("DELETE", f"/users/{user_id(10)}")
    assert "is no longer in the tenant under that name" in stack.up().output, "managed before"
    stack.destroy()
    assert values(stack) == {}


def test_a_token_that_ends_in_the_middle_is_fetched_anew(
    saved_team_roster: SavedStack, batches_of_reads: int, emulator: Emulator, tmp_path: Path
) -> None:
    stack = saved_team_roster.open(emulator, tmp_path)
    refusal = {"skip": batches_of_reads + 4, "status": 401, "code": "InvalidAuthenticationToken"}
    emulator.fault("refuse", "POST", r"^/\$batch$", **refusal)
    stack.up()
    assert [fault["fired"] for fault in emulator.faults()] == [1]
    assert patched(stack) == Counter(dict.fromkeys(everybody(), 1))


@pytest.mark.long
def test_a_renamed_user_is_the_same_and_a_user_made_anew_is_another(written: Stack) -> None:
    stack, tenant = written, written.tenant()
    tenant.do("PATCH", f"/users/{user_id(5)}", {"userPrincipalName": "five@contoso.example"})
    new_user = replace_user_six(stack)
    rows = "".join(f'{"five@contoso.example" if number == 5 else upn(number)},"en,de"\n' for number in ALL_NUMBERS)
    stack.checkout.write_roster(f"user,languages\n{rows}")
    stack.emulator.clear()
    assert f"agents.csv: 1 changed ({upn(6)})" in stack.up().output
    assert patched(stack) == Counter([new_user])
    stack.assert_unchanged()
    assert "were changed in the tenant" not in stack.refresh().output
    stack.destroy()
    assert values(stack) == {new_user: "before"}


def replace_user_six(stack: Stack) -> str:
    """Delete the user and make another under the same name, with a value; returns the new object id."""
    tenant = stack.tenant()
    tenant.do("DELETE", f"/users/{user_id(6)}")
    new_user = tenant.make_user(upn(6).partition("@")[0], "Another Six")
    tenant.do("PATCH", f"/users/{new_user}", {tenant.full("languages"): "before"})
    return new_user


def test_a_truncated_file_stops_in_preview(written: Stack) -> None:
    write_roster(written, numbers=range(1, 100))
    refused = written.refused("preview")
    assert f"{AGENTS - 99} of {AGENTS} users would lose their value" in refused
    assert f"set flexsaml:allowRemoval to {AGENTS - 99}" in refused
    written.config["allowRemoval"] = AGENTS - 99
    written.up()
    assert len(values(written)) == 99


def test_inline_users_and_the_roster_are_the_same_list_of_cells(stack: Stack) -> None:
    stack.config["extensions"] = {"languages": "String", "team": "String"}
    stack.config["users"] = {upn(1).upper(): {"team": "red"}, "ada@contoso.example": {"languages": "en"}}
    stack.up()
    assert (values(stack)[user_id(1)], values(stack, "team")[user_id(1)]) == ("en,de", "red")

    stack.config["users"] = {upn(1): {"team": "red", "languages": "xx"}}
    twice = f"agents.csv, line 2: languages of {upn(1)} is declared in users.{upn(1)} too; keep one of them"
    assert twice in stack.refused("preview")

    stack.config["users"] = {upn(1): {"team": "red"}, upn(2): {"languages": "en,de"}}
    write_roster(stack, numbers=(number for number in ALL_NUMBERS if number != 2))
    stack.emulator.clear()
    stack.up()
    assert patched(stack) == Counter([stack.tenant().user("ada")["id"]]), "who moves between the two is not written"
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


def test_drift_is_reported_per_user_and_mended(written: Stack) -> None:
    stack, tenant = written, written.tenant()
    tenant.do("PATCH", f"/users/{user_id(3)}", {tenant.full("languages"): "klingon"})
    tenant.do("PATCH", f"/users/{user_id(4)}", {tenant.full("languages"): None})
    assert f"the values of 2 users were changed in the tenant ({upn(3)}, {upn(4)})" in stack.refresh().output
    assert "klingon" not in str(stack.deployment())
    assert f"agents.csv: 2 changed ({upn(3)}, {upn(4)})" in stack.up().output
    assert values(stack) == everybody()


def test_without_preflight_the_same_users_are_the_same(written: Stack) -> None:
    """Preflight finds object ids, so it is turned off and on for a stack made with it, and for one made without."""
    stack = written
    stack.config["preflight"] = False
    stack.assert_unchanged()
    write_roster(stack, lambda number: "fr" if number == 7 else "en,de")
    stack.emulator.clear()
    stack.up()
    assert patched(stack) == Counter([user_id(7)])
    stack.assert_destroy_restores_the_tenant()
    write_roster(stack)
    stack.up()
    stack.config["preflight"] = True
    stack.emulator.clear()
    stack.up()
    assert not patched(stack)
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


@pytest.mark.long
def test_a_user_made_anew_while_preflight_was_off_is_noticed_when_it_is_on(stack: Stack) -> None:
    stack.config["preflight"] = False
    stack.up()
    new_user = replace_user_six(stack)
    stack.config["preflight"] = True
    stack.emulator.clear()
    stack.up()
    assert patched(stack) == Counter([new_user])
    stack.assert_unchanged()
    stack.destroy()
    assert values(stack) == {new_user: "before"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "usersFile: cannot read agents.csv: No such file or directory"),
        ("user,skills\n", "agents.csv, line 1: column 'skills' is not an extension that is declared"),
        ("user,languages\nada@contoso.example,en\nADA@contoso.example,de\n", "line 3: ADA@contoso.example is already on line 2"),
    ],
)  # fmt: skip
def test_a_roster_that_cannot_be_used_is_one_line(stack: Stack, text: str | None, words: str) -> None:
    if text is None:
        (stack.checkout.directory / "agents.csv").unlink()
    else:
        stack.checkout.write_roster(text)
    assert words in stack.refused("preview")
