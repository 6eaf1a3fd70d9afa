"""If this goes red, a roster of many users is lost half-way, written twice, or cannot be taken back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.emulator.big import big_seed, upn, user_id
from tests.emulator.process import Emulator
from tests.engine.stack import Stack, new_stack

UP = ("up", "--yes", "--skip-preview")
AGENTS = 220  # eleven batches
TENANT = 3 * AGENTS

Value = Callable[[int], str]


@pytest.fixture
def stack(emulator: Emulator, tmp_path: Path) -> Iterator[Stack]:
    with new_stack(emulator, tmp_path) as made:
        emulator.seed(big_seed(TENANT, groups=(AGENTS,)))
        made.config["users"] = {}
        made.config["usersFile"] = "agents.csv"
        roster(made)
        yield made


def roster(
    stack: Stack, value: Value = lambda _number: "en,de", numbers: Iterator[int] | range = range(1, AGENTS + 1)
) -> None:
    rows = "".join(f'{upn(number)},"{value(number)}"\n' for number in numbers)
    (stack.checkout.directory / "agents.csv").write_text(f"user,languages\n{rows}", encoding="utf-8")


def values(stack: Stack) -> dict[str, object]:
    """Live values of `languages` by object id, those that are set."""
    full = stack.tenant().full("languages")
    return {one["id"]: one["values"][full] for one in stack.emulator.export()["users"] if full in one["values"]}


def patched(stack: Stack) -> Counter[str]:
    """How often each user was written with success."""
    done = (one for one in stack.emulator.requests() if one["method"] == "PATCH" and one["status"] == 204)
    return Counter(one["path"].rpartition("/")[2] for one in done)


def everybody(value: str = "en,de") -> dict[str, str]:
    return {user_id(number): value for number in range(1, AGENTS + 1)}


def test_a_roster_comes_changes_and_goes(stack: Stack) -> None:
    before = stack.emulator.export()
    told = stack.preview().output
    assert f"agents.csv: {AGENTS} writes" in told
    assert "__" not in told
    stack.emulator.clear()
    stack.up()
    assert values(stack) == everybody()
    assert patched(stack) == Counter(dict.fromkeys(everybody(), 1))
    stack.unchanged()

    roster(stack, lambda number: "fr" if number == 7 else "en,de", range(2, AGENTS + 2))
    told = stack.preview().output
    assert f"agents.csv: 1 added ({upn(AGENTS + 1)}), 1 removed ({upn(1)}), 1 changed ({upn(7)})" in told
    stack.emulator.clear()
    stack.up()
    assert patched(stack) == Counter([user_id(1), user_id(7), user_id(AGENTS + 1)])
    assert values(stack) == {
        **{one: value for one, value in everybody().items() if one != user_id(1)},
        user_id(7): "fr",
        user_id(AGENTS + 1): "en,de",
    }
    stack.unchanged()
    stack.destroy()
    assert stack.emulator.export() == before


@pytest.mark.parametrize("victim", ["cli", "provider"])
@pytest.mark.parametrize("point", range(10))
def test_killed_anywhere_the_next_up_goes_on_and_destroy_takes_all_back(stack: Stack, point: int, victim: str) -> None:
    """Ten points over the writes, the first and the last among them; half of the users held something before."""
    tenant = stack.tenant()
    tenant.make_property("team")
    for number in range(1, AGENTS + 1, 20):
        tenant.do("PATCH", f"/users/{user_id(number)}", {tenant.full("team"): "old"})
    rows = "".join(f"{upn(number)},blue\n" for number in range(1, AGENTS + 1))
    (stack.checkout.directory / "agents.csv").write_text(f"user,{tenant.full('team')}\n{rows}")
    before = stack.emulator.export()

    # The first write is one user alone, ten batches of writes follow; the batches before them are reads.
    if point == 0:
        stack.kill_at(UP, method="PATCH", path="/users/", victim=victim)
    else:
        skip = count_batches_of_reads(stack) + point - 1 + (point == 9)
        stack.kill_at(UP, method="POST", path=r"^/\$batch$", skip=skip, victim=victim)
    stack.run("cancel", "--yes")
    stack.emulator.clear()
    stack.up()
    live = {one["id"]: one["values"].get(tenant.full("team")) for one in stack.emulator.export()["users"]}
    assert [live[user_id(number)] for number in range(1, AGENTS + 1)] == ["blue"] * AGENTS
    assert max(patched(stack).values(), default=1) == 1
    if point == 9:
        assert patched(stack).total() < AGENTS, "what was written before is not written again"
    stack.destroy()
    assert stack.emulator.export() == before


def count_batches_of_reads(stack: Stack) -> int:
    """Batches that an `up` sends before its first batch of writes."""
    stack.emulator.clear()
    stack.emulator.fault("refuse", "PATCH", "/users/", times=-1, status=403, code="Authorization_RequestDenied")
    assert stack.run(*UP).code != 0
    stack.emulator.clear_faults()
    requests = stack.emulator.requests()
    first_write = next(number for number, request in enumerate(requests) if request["method"] == "PATCH")
    batches = sum(request["path"].endswith("/$batch") for request in requests[:first_write])
    stack.destroy()
    return batches


def test_unknown_users_are_one_error_before_any_write(stack: Stack) -> None:
    with (stack.checkout.directory / "agents.csv").open("a") as file:
        file.write("nobody@contoso.example,en\nghost@contoso.example,en\nalso@contoso.example,en\n")
    stack.emulator.clear()
    refused = stack.run("up", "--yes")
    assert refused.code != 0
    assert "no such user: also@contoso.example, ghost@contoso.example, nobody@contoso.example" in refused.output
    assert not patched(stack)


def test_a_user_who_leaves_in_the_middle_is_named_and_the_rest_is_written(stack: Stack) -> None:
    stack.emulator.fault(
        "refuse",
        "PATCH",
        f"/users/{user_id(9)}$",
        times=-1,
        status=404,
        code="Request_ResourceNotFound",
        message="gone",
    )
    refused = stack.run(*UP)
    assert refused.code != 0
    line = next(one for one in refused.errors() if "UserExtensionValues" in one)
    assert f"1 of {AGENTS} users could not be written, all others were: {upn(9)}" in line
    assert set(values(stack)) == set(everybody()) - {user_id(9)}
    stack.emulator.clear_faults()
    stack.tenant().do("DELETE", f"/users/{user_id(9)}")
    refused = stack.run("preview")
    assert refused.code != 0
    assert f"no such user: {upn(9)}" in refused.output, "never managed"
    roster(stack, numbers=(number for number in range(1, AGENTS + 1) if number != 9))
    stack.up()
    stack.tenant().do("DELETE", f"/users/{user_id(10)}")
    stack.up()
    assert "is no longer in the tenant under that name" in stack.preview().output, "managed before"
    stack.destroy()
    assert values(stack) == {}


def test_a_token_that_ends_in_the_middle_is_fetched_anew(stack: Stack) -> None:
    skip = count_batches_of_reads(stack) + 4
    stack.emulator.clear()
    stack.emulator.fault("refuse", "POST", r"^/\$batch$", skip=skip, status=401, code="InvalidAuthenticationToken")
    stack.up()
    assert [fault["fired"] for fault in stack.emulator.faults()] == [1]
    assert patched(stack) == Counter(dict.fromkeys(everybody(), 1))


def test_a_renamed_user_is_the_same_and_one_made_anew_is_another(stack: Stack) -> None:
    stack.up()
    tenant, full = stack.tenant(), stack.tenant().full("languages")
    tenant.do("PATCH", f"/users/{user_id(5)}", {"userPrincipalName": "five@contoso.example"})
    tenant.do("DELETE", f"/users/{user_id(6)}")
    body = {"userPrincipalName": upn(6), "displayName": "Another Six", "mailNickname": "six", "accountEnabled": True}
    new = tenant.do("POST", "/users", {**body, "passwordProfile": {"password": "not a real one"}})["id"]
    tenant.do("PATCH", f"/users/{new}", {full: "before"})
    rows = "".join(f'{"five@contoso.example" if n == 5 else upn(n)},"en,de"\n' for n in range(1, AGENTS + 1))
    (stack.checkout.directory / "agents.csv").write_text(f"user,languages\n{rows}", encoding="utf-8")
    assert f"agents.csv: 1 changed ({upn(6)})" in stack.preview().output
    stack.emulator.clear()
    stack.up()
    assert patched(stack) == Counter([new])
    stack.unchanged()
    assert "were changed in the tenant" not in stack.refresh().output
    stack.destroy()
    assert values(stack) == {new: "before"}


def test_a_truncated_file_stops_in_preview(stack: Stack) -> None:
    stack.up()
    roster(stack, numbers=range(1, 100))
    refused = stack.run("preview")
    assert refused.code != 0
    assert f"{AGENTS - 99} of {AGENTS} users would lose their value" in refused.output
    assert f"set flexsaml:allowRemoval to {AGENTS - 99}" in refused.output
    stack.config["allowRemoval"] = AGENTS - 99
    stack.up()
    assert len(values(stack)) == 99
    stack.destroy()


def test_inline_and_roster_are_one_list_of_cells(stack: Stack) -> None:
    before = stack.emulator.export()
    stack.config["extensions"] = {"languages": "String", "team": "String"}
    stack.config["users"] = {upn(1).upper(): {"team": "red"}, "ada@contoso.example": {"languages": "en"}}
    stack.up()
    full = stack.tenant().full("team")
    held = next(one for one in stack.emulator.export()["users"] if one["id"] == user_id(1))["values"]
    assert held == {stack.tenant().full("languages"): "en,de", full: "red"}

    stack.config["users"] = {upn(1): {"team": "red", "languages": "xx"}}
    refused = stack.run("preview")
    assert f"agents.csv, line 2: languages of {upn(1)} stands in users.{upn(1)} too; keep one" in refused.output

    stack.config["users"] = {upn(1): {"team": "red"}, upn(2): {"languages": "en,de"}}
    roster(stack, numbers=(number for number in range(1, AGENTS + 1) if number != 2))
    stack.emulator.clear()
    stack.up()
    assert patched(stack) == Counter([stack.tenant().user("ada")["id"]]), "who moves between the two is not written"
    stack.unchanged()
    stack.destroy()
    assert stack.emulator.export() == before


def test_drift_is_told_per_user_and_mended(stack: Stack) -> None:
    stack.up()
    full = stack.tenant().full("languages")
    stack.tenant().do("PATCH", f"/users/{user_id(3)}", {full: "klingon"})
    stack.tenant().do("PATCH", f"/users/{user_id(4)}", {full: None})
    stack.emulator.clear()
    told = stack.refresh().output
    assert f"the values of 2 users were changed in the tenant ({upn(3)}, {upn(4)})" in told
    assert "klingon" not in str(stack.state())
    assert f"agents.csv: 2 changed ({upn(3)}, {upn(4)})" in stack.preview().output
    stack.up()
    assert values(stack) == everybody()
    stack.destroy()


def test_without_preflight_the_same_users_are_the_same(stack: Stack) -> None:
    before = stack.emulator.export()
    stack.up()
    stack.config["preflight"] = False
    stack.unchanged()
    roster(stack, lambda number: "fr" if number == 7 else "en,de")
    stack.emulator.clear()
    stack.up()
    assert patched(stack) == Counter([user_id(7)])
    stack.destroy()
    assert stack.emulator.export() == before
    roster(stack)
    stack.up()
    stack.config["preflight"] = True
    stack.emulator.clear()
    stack.up()
    assert not patched(stack)
    stack.unchanged()
    stack.destroy()
    assert stack.emulator.export() == before


def test_a_user_made_anew_while_preflight_was_off_is_noticed_when_it_is_on(stack: Stack) -> None:
    stack.config["preflight"] = False
    stack.up()
    tenant, full = stack.tenant(), stack.tenant().full("languages")
    tenant.do("DELETE", f"/users/{user_id(6)}")
    body = {"userPrincipalName": upn(6), "displayName": "Another Six", "mailNickname": "six", "accountEnabled": True}
    new = tenant.do("POST", "/users", {**body, "passwordProfile": {"password": "not a real one"}})["id"]
    tenant.do("PATCH", f"/users/{new}", {full: "before"})
    stack.config["preflight"] = True
    stack.emulator.clear()
    stack.up()
    assert patched(stack) == Counter([new])
    stack.unchanged()
    stack.destroy()
    assert values(stack) == {new: "before"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "usersFile: cannot read agents.csv: No such file or directory"),
        ("user,skills\n", "agents.csv, line 1: column 'skills' is no extension that is declared (there are: languages)"),
        ("user,languages\nada@contoso.example,en\nADA@contoso.example,de\n", "line 3: ADA@contoso.example is already on line 2"),
    ],
)  # fmt: skip
def test_a_roster_that_cannot_be_used_is_told_in_one_line_each(stack: Stack, text: str | None, words: str) -> None:
    file = stack.checkout.directory / "agents.csv"
    file.unlink() if text is None else file.write_text(text)
    refused = stack.run("preview")
    assert refused.code != 0
    assert words in refused.output
    assert not re.search("Traceback", refused.output)
