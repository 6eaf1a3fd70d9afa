"""If this goes red, the emulator stores what makes a later answer fail, or answers what Microsoft's schema does not allow.

Requests are generated from the schema, with ids and names of the tenant and mostly valid bodies; each exchange is judged
by the contract. A failure prints the seed that repeats it (FLEXSAML_SEED).
"""

from __future__ import annotations

import base64
import json
import os
import random
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from emulator.tenant.shapes import TYPES, find_misfit
from tests.emulator.contract import derive_types
from tests.emulator.process import Emulator
from tests.emulator.tenant import USERS, Tenant
from tests.torture import add_figures, is_whole_run

CASES = 10_000 if is_whole_run() else 300
TABLE = Path(__file__).parents[2] / "emulator" / "tenant" / "types.json"
Dice = random.Random
NORA = USERS["nora@contoso.example"]
_TEXTS = (
    "",
    "x",
    "Ada Lovelace",
    "größe",
    "a" * 300,
    "\u202e",
    "https://x.example/",
    "ada@contoso.example",
    "null",
    "{}",
)
_JUNK: tuple[Any, ...] = (None, 5, -1.5, True, "x", [], [None], [5], {}, {"a": 1}, [[]], "\0", 2**70, [{"id": 5}])


def test_the_types_are_those_of_the_schema() -> None:
    types = {
        name: row for name, row in json.loads(TABLE.read_text("utf-8"))["types"].items() if name != "CustomClaimsPolicy"
    }
    assert types == derive_types()


@pytest.mark.parametrize(
    ("name", "value"),
    [("businessPhones", None), ("otherMails", [5]), ("employeeHireDate", "2026-13-01T00:00:00Z"), ("mail", 5)],
)
def test_a_value_of_a_user_that_does_not_fit_is_refused(tenant: Tenant, name: str, value: object) -> None:
    answer = tenant.emulator.graph("PATCH", f"/users/{NORA['id']}", {name: value})
    words = f"Invalid value specified for property '{name}' of resource 'User'."
    assert answer.error == (400, "Request_BadRequest", words)


def make_guid(dice: Dice) -> str:
    digits = f"{dice.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


_VALUES: dict[str, Callable[[Dice], Any]] = {
    "Binary": lambda dice: base64.b64encode(dice.randbytes(dice.randint(0, 40))).decode(),
    "Boolean": lambda dice: dice.random() < 0.5,
    "DateTimeOffset": lambda dice: dice.choice(("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.1234567+01:00")),
    "Guid": make_guid,
    "Int32": lambda dice: dice.choice((0, -1, 2**31 - 1)),
    "Object": lambda _: {},
    "String": lambda dice: dice.choice(_TEXTS),
}


def make_value(type_: str, dice: Dice) -> Any:
    """A value that fits, and in one case of twelve one that probably does not."""
    if dice.random() < 0.08:
        return dice.choice(_JUNK)
    if type_.endswith("[]"):
        return [make_value(type_[:-2], dice) for _ in range(dice.randint(0, 3))]
    if type_.endswith("?") and dice.random() < 0.2:
        return None
    name = type_.removesuffix("?")
    if name in _VALUES:
        return _VALUES[name](dice)
    return {key: make_value(kind, dice) for key, kind in TYPES[name].items() if dice.random() < 0.7}


def make_body(resource: str, dice: Dice) -> dict[str, Any]:
    names = dice.sample(sorted(TYPES[resource]), dice.randint(0, 3))
    return {name: make_value(TYPES[resource][name], dice) for name in names}


class Requests:
    """Generates requests about a tenant; ids of what was made join those of the seed."""

    def __init__(self, tenant: Tenant, dice: Dice) -> None:
        self.dice = dice
        self.ids: dict[str, list[str]] = {
            key: [row["id"] for row in rows] for key, rows in tenant.emulator.export().items() if _has_ids(rows)
        }

    def pick(self, kind: str) -> str:
        known = self.ids.get(kind) or [""]
        return self.dice.choice((*known, *known, make_guid(self.dice), "x", "a'b"))

    def make(self) -> tuple[str, str, Any]:
        dice = self.dice
        user, application = quote(self.pick("users")), quote(self.pick("applications"))
        principal, policy = quote(self.pick("servicePrincipals")), quote(self.pick("claimsMappingPolicies"))
        property_, group = quote(self.pick("extensionProperties")), quote(self.pick("groups"))
        select = "" if dice.random() < 0.7 else f"?$select={','.join(dice.sample(sorted(TYPES['User']), 3))}"
        filter_ = (
            f"?$filter={quote(dice.choice(('displayName', 'mail', 'id', 'x')))}%20eq%20'{quote(dice.choice(_TEXTS))}'"
        )
        person = {"displayName": "N", "mailNickname": "n", "passwordProfile": {"password": "x"}, "accountEnabled": True}
        upn = {"userPrincipalName": f"n{dice.getrandbits(40)}@contoso.example"}
        definition = dice.choice(('{"ClaimsMappingPolicy":{"Version":1,"ClaimsSchema":[]}}', "{", "", 5, None))
        named = {"displayName": dice.choice(_TEXTS), "definition": dice.choice(([definition], definition, []))}
        made = {"name": dice.choice(("a", "b", "x y", "", 5)), "dataType": dice.choice(("String", "Integer", "x", None)),
                "targetObjects": dice.choice((["User"], [], ["x"], "User", [5])), "isMultiValued": dice.choice((True, False))}  # fmt: skip
        reference = {
            "@odata.id": dice.choice(
                (f"https://graph.microsoft.com/v1.0/policies/claimsMappingPolicies/{policy}", "x", 5)
            )
        }
        requests: tuple[tuple[str, str, Any], ...] = (
            ("GET", f"/users{dice.choice((select, filter_, '?$top=2', '?$top=x'))}", None),
            ("GET", f"/users/{user}{select}", None),
            ("PATCH", f"/users/{user}", make_body("User", dice)),
            ("POST", "/users", {**person, **upn, **make_body("User", dice)}),
            ("DELETE", f"/users/{user}", None) if dice.random() < 0.1 else ("GET", f"/users/{user}/appRoleAssignments", None),
            ("GET", f"/applications{filter_ if dice.random() < 0.3 else ''}", None),
            ("GET", f"/applications/{application}", None),
            ("POST", "/applications", {"displayName": "n", **make_body("Application", dice)}),
            ("GET", f"/applications/{application}/owners", None),
            ("DELETE", f"/applications/{application}", None) if dice.random() < 0.05 else ("GET", "/groups", None),
            ("POST", f"/users/{user}/getMemberGroups", {"securityEnabledOnly": dice.choice((True, False, 5))}),
            ("PATCH", f"/applications/{application}", make_body("Application", dice)),
            ("GET", f"/applications/{application}/extensionProperties", None),
            ("POST", f"/applications/{application}/extensionProperties", made),
            ("DELETE", f"/applications/{application}/extensionProperties/{property_}", None),
            ("GET", f"/servicePrincipals{filter_ if dice.random() < 0.3 else ''}", None),
            ("GET", f"/servicePrincipals/{principal}", None),
            ("PATCH", f"/servicePrincipals/{principal}", make_body("ServicePrincipal", dice)),
            ("GET", f"/servicePrincipals/{principal}/claimsMappingPolicies", None),
            ("POST", f"/servicePrincipals/{principal}/claimsMappingPolicies/$ref", reference),
            ("DELETE", f"/servicePrincipals/{principal}/claimsMappingPolicies/{policy}/$ref", None),
            ("GET", f"/servicePrincipals/{principal}/appRoleAssignedTo", None),
            ("GET", "/policies/claimsMappingPolicies", None),
            ("POST", "/policies/claimsMappingPolicies", named),
            ("PATCH", f"/policies/claimsMappingPolicies/{policy}", dice.choice((named, {}, {"x": 1}))),
            ("DELETE", f"/policies/claimsMappingPolicies/{policy}", None),
            ("GET", f"/groups/{group}/members", None),
            ("GET", "/organization", None),
        )  # fmt: skip
        return dice.choice(requests)


def _has_ids(rows: Any) -> bool:
    return isinstance(rows, list) and bool(rows) and isinstance(rows[0], dict) and "id" in rows[0]


def generate(tenant: Tenant, seed: int) -> Iterator[tuple[str, str, Any]]:
    requests = Requests(tenant, random.Random(seed))  # noqa: S311 - a seed repeats it
    for number in range(CASES):
        if number % 200 == 199:
            requests = Requests(tenant, requests.dice)
        yield requests.make()


@pytest.mark.torture
def test_no_request_breaks_the_emulator_or_the_schema(emulator: Emulator) -> None:
    """Every exchange is judged by `conftest.py`; a status of 500 and more, and a list that fails, are judged here."""
    seed = int(os.environ.get("FLEXSAML_SEED") or secrets.randbits(32))
    tenant, statuses = Tenant(emulator), Counter[int]()
    for method, path, body in generate(tenant, seed):
        where = f"{method} {path} {body!r}, FLEXSAML_SEED={seed}"
        try:
            answer = emulator.graph(method, path, body)
        except AssertionError as broken:
            raise AssertionError(f"{where}: {broken}") from broken
        statuses[answer.status] += 1
        assert answer.status < 500, where
    assert sum(count for status, count in statuses.items() if status < 300) > CASES / 4, statuses
    for path in ("/users", "/applications", "/servicePrincipals", "/policies/claimsMappingPolicies", "/groups"):
        assert emulator.graph("GET", f"{path}?$top=999").status == 200, f"{path}, FLEXSAML_SEED={seed}"
    add_figures("contract", requests=CASES, refused=sum(n for s, n in statuses.items() if s >= 400), failures=0)


def test_what_fits_is_what_is_generated_without_junk() -> None:
    dice = random.Random(1)  # noqa: S311 - always the same
    values = [(type_, make_value(type_, dice)) for row in TYPES.values() for type_ in row.values() for _ in range(20)]
    misfits = sum(bool(find_misfit(type_, value, "x")) for type_, value in values)
    assert 0 < misfits < len(values) / 3
