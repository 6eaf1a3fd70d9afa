"""The seeded tenant as a prediction sees it, from the seed file alone; a case's setup is put into it. A helper."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flexsaml.prediction.subject import Agent, Place
from tests.emulator.process import SEED

Json = dict[str, Any]
EXPECTED = Path(__file__).parent / "expected"
CORPUS = Path(__file__).parents[1] / "corpus" / "policies"
CASES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(EXPECTED.glob("*.json"))}
_SEED: Json = json.loads(SEED.read_text("utf-8"))
_FLEX: Json = _SEED["servicePrincipals"][0]
USERS = {one["userPrincipalName"]: one for one in _SEED["users"]}


def definition(case: Json) -> str:
    text = (CORPUS / case["policy"]).read_text("utf-8")
    for old, new in case.get("setup", {}).get("replace", {}).items():
        assert old in text
        text = text.replace(old, new)
    return text


def place(**changes: Any) -> Place:
    """Twilio Flex of the seed."""
    tenant = _SEED["organization"][0]
    known = {
        "principal_id": _FLEX["id"],
        "app_id": _FLEX["appId"],
        "display_name": _FLEX["displayName"],
        "tenant_id": tenant["id"],
        "assignment_required": _FLEX["appRoleAssignmentRequired"],
        "tags": tuple(_FLEX["tags"]),
        "domains": tuple(one["name"] for one in tenant["verifiedDomains"]),
        "country": tenant["countryLetterCode"],
    }
    return Place(**{**known, **changes})


def agent(upn: str, **changes: Any) -> Agent:
    """A seeded user with the roles of the seed."""
    user = USERS[upn]
    own = {user["id"], *(one["id"] for one in _SEED["groups"] if user["id"] in one["members"])}
    held = [row["appRoleId"] for row in _SEED["appRoleAssignments"] if row["principalId"] in own and _is_flex(row)]
    texts = {role["id"]: role["value"] for role in _FLEX["appRoles"]}
    roles = {str(texts[one]) for one in held if texts.get(one)}
    known: Json = {
        "id": user["id"],
        "upn": upn,
        "properties": user,
        "roles": tuple(sorted(roles)),
        "assigned": bool(held),
    }
    return Agent(**{**known, **changes})


def prepared(case: Json) -> tuple[Place, Agent]:
    """The place and the user of a case of tests/prediction/expected."""
    setup = case.get("setup", {})
    types, values = {}, {}
    for one in setup.get("extensions", ()):
        name = f"extension_{_FLEX['appId'].replace('-', '')}_{one['name']}"
        types[name], values[name] = one["dataType"], one["value"]
    usual = agent(case["user"])
    roles = {*usual.roles, *(one for one in setup.get("roles", ()) if one)}
    properties = {**USERS[case["user"]], **setup.get("user", {})}
    return place(extensions=types), agent(
        case["user"], properties=properties, values=values, roles=tuple(sorted(roles)), assigned=True
    )


def _is_flex(row: Json) -> bool:
    return bool(row["resourceId"] == _FLEX["id"])
