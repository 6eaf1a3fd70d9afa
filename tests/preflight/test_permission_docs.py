"""If this goes red, docs/permissions.md sends somebody to a tenant with a permission too many or too few."""

from __future__ import annotations

import json
import re
from itertools import takewhile
from pathlib import Path

import pytest

from flexsaml.graph import Requirement, requirements, requirements_of_stack
from flexsaml.preflight.permissions import AZURE_CLI
from tests.emulator.process import SEED

DOCUMENT = (Path(__file__).parents[2] / "docs" / "permissions.md").read_text(encoding="utf-8")
MEASURED = next(
    frozenset(client["roles"]) for client in json.loads(SEED.read_text())["clients"] if client["id"] == AZURE_CLI
)
NEEDS = {need.purpose: need for need in requirements()}
READING = (
    "find the application and its properties",
    "find the service principal",
    "read policies",
    "read users and their values",
    "see who is assigned",
)
ALL = tuple(need.purpose for need in requirements_of_stack(extensions=True, users=True) if need.is_essential)
REGISTRATION = (
    "consent to application permissions",
    "make and change the registration",
    "make the service principal, and change owners",
)
STEPS: dict[str, tuple[str, ...]] = {
    "`setup`": REGISTRATION,
    "`pulumi preview`": READING,
    "`pulumi up`": ALL,
    "`pulumi destroy`": ALL,
    "`pulumi refresh`, drift": (*READING, "assign the policy"),
    "`adopt`": ALL,
    "`predict`, `worker`": READING,
    "`doctor`": READING,
    "`verify`": ("find the service principal",),
    "`certificate`": ("find the service principal", "make and activate a signing certificate"),
    "`accept-mapped-claims`": ("set acceptMappedClaims", "see verified domains and the tenant's country"),
}
"""Step to what its calls are for."""
PARTLY = ("`pulumi preview`", "`predict`, `worker`", "`doctor`")
"""They read what they may and say what they may not."""


def list_rows(heading: str) -> list[list[str]]:
    """Cells of the first table under a heading."""
    lines = DOCUMENT[DOCUMENT.index(f"## {heading}") :].splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("|---"))
    table = takewhile(lambda line: line.startswith("|"), lines[start + 1 :])
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table]


def least_permissions(purposes: tuple[str, ...], *, is_person: bool) -> list[str]:
    """The fewest that allow all of it; one to write includes the one to read."""
    needs = [NEEDS[purpose] for purpose in purposes]
    names: list[str] = []
    for need in sorted(needs, key=lambda need: not need.writes):
        names += need.lacking(names, is_person=is_person)
    superfluous = {name for name in names if all(need.is_met({*names} - {name}) for need in needs)}
    return sorted({*names} - superfluous)


@pytest.mark.parametrize("row", list_rows("Each step"), ids=lambda row: row[0])
def test_a_step_names_the_permissions_of_its_calls(row: list[str]) -> None:
    step, application, delegated, after_login = row
    purposes = STEPS[step]
    assert re.findall(r"`([\w.]+)`", application) == least_permissions(purposes, is_person=False)
    assert re.findall(r"`([\w.]+)`", delegated) == least_permissions(purposes, is_person=True)
    can = [NEEDS[purpose].is_met(MEASURED) for purpose in purposes]
    assert after_login.partition(":")[0] == ("yes" if all(can) else "partly" if step in PARTLY else "no")


def test_every_step_is_in_the_table() -> None:
    assert [row[0] for row in list_rows("Each step")] == list(STEPS)


def test_the_calls_are_those_of_the_one_table() -> None:
    assert list_rows("Each call") == [describe(need) for need in requirements()]


def describe(need: Requirement) -> list[str]:
    call, without = need.call.replace("|", "\\|"), need.without.removeprefix("without it ")
    can = "yes" if need.is_met(MEASURED) else "no"
    return [need.purpose, f"`{call}`", need.describe(), need.least_delegated, can, without]
