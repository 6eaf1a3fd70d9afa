"""If this goes red, a roster used without the component is not taken back, or the person at the terminal is left in
the dark while thousands of writes run."""

from __future__ import annotations

from itertools import pairwise

import pytest

from flexsaml.graph import Progress
from providers.kinds.cells import packed
from providers.progress import duration, line, some, teller
from tests.engine.stack import Tenant
from tests.providers.process import FakeEngine, Props, ProviderProcess, Refused

KIND = "UserExtensionValues"


def rows(tenant: Tenant, values: dict[str, str]) -> Props:
    full = tenant.full("languages")
    users = {f"{name}@contoso.example": tenant.user(name)["id"] for name in values}
    return {
        "service_principal_id": tenant.principal["id"],
        "roster": "agents.csv",
        "types": {full: "String"},
        "extensions": {full: "app/property"},
        "__cells": packed({f"{name}@contoso.example": {full: value} for name, value in values.items()}, users),
    }


def test_a_roster_alone_is_taken_back_where_it_is_still_ours(provider: ProviderProcess, tenant: Tenant) -> None:
    tenant.make_property("languages")
    tenant.write("grace", "old")
    inputs = provider.checked(KIND, rows(tenant, {"ada": "en", "grace": "de", "linus": "fr", "susan": "it"}))
    id_, outs = provider.create(KIND, inputs)
    assert id_ == tenant.principal["id"]
    assert [tenant.value(name) for name in ("ada", "grace", "linus", "susan")] == ["en", "de", "fr", "it"]
    news = provider.checked(KIND, rows(tenant, {"ada": "es", "grace": "de", "linus": "fr"}), inputs)
    outs = provider.update(KIND, id_, outs, news)
    assert (tenant.value("ada"), tenant.value("susan")) == ("es", None), "who left is set back"
    tenant.write("linus", "a stranger's")
    provider.delete(KIND, id_, outs)
    provider.delete(KIND, id_, outs)  # a retry after the answer was lost
    assert [tenant.value(name) for name in ("ada", "grace", "linus")] == [None, "old", "a stranger's"]


def test_a_column_that_leaves_is_set_back_for_everybody(provider: ProviderProcess, tenant: Tenant) -> None:
    for name in ("languages", "team"):
        tenant.make_property(name)
    tenant.write("ada", "old", "team")
    one, other = tenant.full("languages"), tenant.full("team")
    both = {**rows(tenant, {}), "types": {one: "String", other: "String"}, "extensions": {one: "a/p", other: "a/q"}}
    inputs = provider.checked(KIND, {**both, "__cells": packed({"ada@contoso.example": {one: "en", other: "red"}})})
    id_, outs = provider.create(KIND, inputs)
    assert (tenant.value("ada"), tenant.value("ada", "team")) == ("en", "red")
    news = provider.checked(KIND, {**rows(tenant, {"ada": "en"})}, inputs)
    outs = provider.update(KIND, id_, outs, news)
    assert (tenant.value("ada"), tenant.value("ada", "team")) == ("en", "old")
    provider.delete(KIND, id_, outs)
    assert (tenant.value("ada"), tenant.value("ada", "team")) == (None, "old")


def test_a_user_is_found_by_the_object_id_of_the_last_run(provider: ProviderProcess, tenant: Tenant) -> None:
    """Preflight was off at first, so the roster came with names; the user is renamed meanwhile."""
    tenant.make_property("languages")
    full, ada = tenant.full("languages"), tenant.user("ada")["id"]
    by_name = {**rows(tenant, {}), "__cells": packed({"Ada@contoso.example": {full: "en"}})}
    inputs = provider.checked(KIND, by_name)
    id_, outs = provider.create(KIND, inputs)
    tenant.do("PATCH", f"/users/{ada}", {"userPrincipalName": "ada.king@contoso.example"})
    changed = {**by_name, "__cells": packed({"Ada@contoso.example": {full: "de"}})}
    inputs = provider.checked(KIND, changed, inputs)
    outs = provider.update(KIND, id_, outs, inputs)
    assert tenant.user("ada.king")["values"] == {full: "de"}
    assert provider.read(KIND, id_, outs)[1] == outs, "no drift"
    tenant.do("DELETE", f"/users/{ada}")
    news = provider.checked(KIND, {**by_name, "__cells": packed({"Ada@contoso.example": {full: "fr"}})}, inputs)
    with pytest.raises(Refused, match=r"1 of 1 user could not be written.*\(no such user any more\)"):
        provider.update(KIND, id_, outs, news)


def test_what_changes_is_told_per_user_and_nothing_when_nothing_does(
    provider: ProviderProcess, tenant: Tenant, engine: FakeEngine
) -> None:
    inputs = provider.checked(KIND, rows(tenant, {"ada": "en", "grace": "de"}))
    engine.lines.clear()
    assert provider.checked(KIND, rows(tenant, {"ada": "en", "grace": "de"}), inputs) == inputs
    assert engine.lines == []
    provider.checked(KIND, rows(tenant, {"ada": "fr", "linus": "de"}), inputs)
    assert engine.lines == [
        "agents.csv: +1 -1 ~1 users (+ linus@contoso.example; - grace@contoso.example; ~ ada@contoso.example)",
        "agents.csv: 2 writes, at Graph's quota of 3,000 in 150 s at least 0 s",
    ]


def progress(done: int, **more: object) -> Progress:
    return Progress(**{"done": done, "total": 10_000, "failed": 0, "rate": 20.0, "refusals": 0, "left": 300.0, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (progress(4020), "5 min left, 4,020 of 10,000 users, 20 a second (agents.csv)"),
        (progress(0, rate=0.0, left=None), "0 of 10,000 users, 0 a second (agents.csv)"),
        (
            progress(9999, failed=3, refusals=2, left=1.0),
            "1 s left, 9,999 of 10,000 users, 20 a second, 3 failed, slowed down by Graph (2 times 429) (agents.csv)",
        ),
    ],
)
def test_a_line_of_progress(seen: Progress, said: str) -> None:
    assert line("agents.csv", seen) == said


def test_live_lines_every_second_and_one_that_stays_every_minute() -> None:
    clock, said = [0.0], list[tuple[float, bool]]()

    def say(_message: str, *, passing: bool = False) -> None:
        said.append((clock[0], passing))

    told = teller("agents.csv", say, lambda: clock[0])
    for tenth in range(1, 1300):
        clock[0] = tenth / 10
        told(progress(tenth))
    assert [moment for moment, passing in said if not passing] == [60.0, 120.0]
    live = [moment for moment, passing in said if passing]
    assert len(live) == 127
    assert all(later - sooner >= 0.99 for sooner, later in pairwise(live))


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (89.4, "89 s"), (350, "6 min"), (4850, "81 min"), (49_850, "13 h 51 min")]
)
def test_durations_as_a_person_says_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_the_first_names_stand_for_the_rest() -> None:
    assert some(["a", "b"]) == "a, b"
    assert some(["a", "b", "c", "d"]) == "a, b, c, …"
