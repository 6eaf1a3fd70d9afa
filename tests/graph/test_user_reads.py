"""If this goes red, a roster is read with hundreds of requests too many, or a user in it is taken for absent."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from flexsaml.graph.models import User

from .fakes import Answer, RecordedRequest, Stage, error, listing, missing, ok, stage

LANG = "extension_0_lang"
NAMES = [f"user{number:03}@contoso.example" for number in range(100)]


class FakeTenant:
    """Answers requests in any order: the users `NAMES` exist, those in `unlisted` are in no listing."""

    def __init__(self, size: int, *, unlisted: Collection[str] = (), counts: bool = True, lists: bool = True) -> None:
        self.size, self.unlisted, self.counts, self.lists = size, unlisted, counts, lists
        self.scene: Stage = stage(*[self.answer] * 200)

    def answer(self, request: RecordedRequest) -> Answer:
        if request.method == "POST":
            return ok({"responses": [self._item(item) for item in request.body["requests"]]})
        if "$count=true" in request.line:
            assert request.headers["ConsistencyLevel"] == "eventual"
            denied = error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
            return listing(**{"@odata.count": self.size}) if self.counts else denied
        if not self.lists:
            return error(400, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause.")
        prefixes = request.line.split("startswith(userPrincipalName,'")[1:]
        wanted = tuple(prefix.partition("'")[0] for prefix in prefixes) or ("",)
        return listing(*(_user(name) for name in NAMES if name.startswith(wanted) and name not in self.unlisted))

    def _item(self, item: dict[str, str]) -> dict[str, object]:
        name = item["url"].partition("?")[0].rpartition("/")[2].replace("%40", "@")
        answer = ok(_user(name)) if name in NAMES else missing()
        return {"id": item["id"], "status": answer.status, "body": answer.body}

    @property
    def kinds(self) -> tuple[int, int]:
        """How many listings and how many batches were asked for."""
        lines = self.scene.graph.lines
        return sum("$top=999" in line for line in lines), sum("$batch" in line for line in lines)


def _id(name: str) -> str:
    return f"id-{name.partition('@')[0]}"


def _user(name: str) -> dict[str, str]:
    return {"id": _id(name), "userPrincipalName": name, LANG: "en"}


def _read_user(name: str) -> User:
    return User(_id(name), name, {LANG: "en"})


def test_many_are_read_from_listings_side_by_side() -> None:
    tenant = FakeTenant(300)
    users = tenant.scene.directory.read_users([*NAMES[:99], NAMES[99].upper()], [LANG], ["mail"])
    assert users == {**{name: _read_user(name) for name in NAMES[:99]}, NAMES[99].upper(): _read_user(NAMES[99])}
    assert tenant.kinds == (4, 0)
    listed = [line for line in tenant.scene.graph.lines if "$top=999" in line]
    assert all(f"$select=id,userPrincipalName,mail,{LANG}" in line for line in listed)


def test_object_ids_are_found_too_with_the_names_as_a_hint() -> None:
    ids = [_id(name) for name in NAMES]
    for names, listings in ((NAMES, 4), ((), 1)):
        tenant = FakeTenant(300)
        assert tenant.scene.directory.read_users(ids, [LANG], names=names) == {
            _id(name): _read_user(name) for name in NAMES
        }
        assert tenant.kinds == (listings, 0)


def test_who_is_in_no_listing_is_asked_for_by_name() -> None:
    tenant = FakeTenant(300, unlisted={NAMES[3]})
    users = tenant.scene.directory.read_users([*NAMES, "nobody@contoso.example"], [LANG])
    assert users[NAMES[3]] == _read_user(NAMES[3]), "listings lag behind"
    assert users["nobody@contoso.example"] is None
    assert tenant.kinds == (4, 3), "who is absent is asked for three times"


@pytest.mark.parametrize(
    ("tenant", "asked", "kinds"),
    [
        (FakeTenant(300), 40, (0, 2)),  # counting would not pay
        (FakeTenant(1_000_000), 100, (0, 5)),  # 1,001 pages
        (FakeTenant(300, counts=False), 100, (0, 5)),
        (FakeTenant(300, lists=False), 100, (4, 5)),
    ],
)
def test_otherwise_in_batches(tenant: FakeTenant, asked: int, kinds: tuple[int, int]) -> None:
    users = tenant.scene.directory.read_users(NAMES[:asked], [LANG])
    assert users == {name: _read_user(name) for name in NAMES[:asked]}
    assert tenant.kinds[1] == kinds[1]
    assert tenant.kinds[0] <= kinds[0]
