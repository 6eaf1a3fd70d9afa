"""A tenant of any size, the same each time: the built-in seed with many more users. A helper, not a test."""

from __future__ import annotations

import json
import uuid
from typing import Any

from tests.emulator.process import SEED

Json = dict[str, Any]


def upn(number: int) -> str:
    return f"user{number:06}@contoso.example"


def user_id(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:flexsaml:test-user/{number}"))


def big_seed(users: int, agents: int = 0, groups: tuple[int, ...] = ()) -> Json:
    """`users` more users; the first `agents` of them have the agent role themselves.

    `groups` gives the sizes of groups with the agent role; their members are the users that follow.
    """
    seed: Json = json.loads(SEED.read_text(encoding="utf-8"))
    flex = next(item for item in seed["servicePrincipals"] if item["displayName"] == "Twilio Flex")
    role = next(item["id"] for item in flex["appRoles"] if item["value"] == "agent")
    seed["users"] += [_user(number) for number in range(1, users + 1)]
    seed["appRoleAssignments"] += [_assigned(role, flex, user_id(n), "User", upn(n)) for n in range(1, agents + 1)]
    taken = agents
    for index, size in enumerate(groups):
        name, id_ = f"agents {index + 1}", str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:flexsaml:test-group/{index}"))
        seed["groups"].append(
            {
                "id": id_,
                "deletedDateTime": None,
                "displayName": name,
                "mailEnabled": False,
                "mailNickname": name.replace(" ", "-"),
                "securityEnabled": True,
                "members": [user_id(number) for number in range(taken + 1, taken + size + 1)],
            }
        )
        seed["appRoleAssignments"].append(_assigned(role, flex, id_, "Group", name))
        taken += size
    return seed


def _user(number: int) -> Json:
    return {
        "id": user_id(number),
        "userPrincipalName": upn(number),
        "displayName": f"User {number}",
        "givenName": "User",
        "surname": str(number),
        "mail": upn(number),
        "mailNickname": f"user{number:06}",
        "department": "Support",
        "employeeId": str(number),
        "accountEnabled": True,
        "userType": "Member",
        "onPremisesSyncEnabled": None,
        "values": {},
    }


def _assigned(role: str, flex: Json, principal: str, kind: str, name: str) -> Json:
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:flexsaml:test-assignment/{principal}")),
        "appRoleId": role,
        "createdDateTime": "2026-01-05T09:00:00Z",
        "deletedDateTime": None,
        "principalDisplayName": name,
        "principalId": principal,
        "principalType": kind,
        "resourceDisplayName": flex["displayName"],
        "resourceId": flex["id"],
    }
