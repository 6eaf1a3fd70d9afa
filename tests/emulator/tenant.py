"""The seeded tenant seen through hand-written Graph calls: the ids a test needs, and the guide's five writes.

A helper, not a test. Bodies are those of Microsoft's reference pages.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from tests.emulator.process import SEED, Answer, Emulator

_SEED = json.loads(SEED.read_text(encoding="utf-8"))
FLEX_APP: dict[str, Any] = _SEED["applications"][0]
STAGING_APP: dict[str, Any] = _SEED["applications"][1]
FLEX: dict[str, Any] = _SEED["servicePrincipals"][0]
STAGING: dict[str, Any] = _SEED["servicePrincipals"][1]
GROUPS: list[dict[str, Any]] = _SEED["groups"]
USERS: dict[str, dict[str, Any]] = {user["userPrincipalName"]: user for user in _SEED["users"]}
ADA = "ada@contoso.example"
GUEST = "mary_fabrikam.example#EXT#@contoso.example"
ABSENT = "00000000-0000-0000-0000-000000000000"
EVENTUAL = {"ConsistencyLevel": "eventual"}
DEFINITION = '{"ClaimsMappingPolicy":{"Version":1,"IncludeBasicClaimSet":"true","ClaimsSchema":[]}}'


def full_name(name: str, app: dict[str, Any] = FLEX_APP) -> str:
    return f"extension_{app['appId'].replace('-', '')}_{name}"


def gone(identifier: str) -> tuple[int, str, str]:
    """Graph's refusal of an object that is not there."""
    words = f"Resource '{identifier}' does not exist or one of its queried reference-property objects are not present."
    return 404, "Request_ResourceNotFound", words


def bad(words: str) -> tuple[int, str, str]:
    return 400, "Request_BadRequest", words


def unavailable(*names: str) -> tuple[int, str, str]:
    return bad(f"The following extension properties are not available: {','.join(names)}.")


class Tenant:
    """Calls a test makes again and again; each returns the raw answer or asserts that it was the expected success."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator

    def post_property(self, name: str = "languages", app: str = FLEX_APP["id"], **more: Any) -> Answer:
        body = {"name": name, "dataType": "String", "targetObjects": ["User"], **more}
        return self.emulator.graph("POST", f"/applications/{app}/extensionProperties", body)

    def property(self, name: str = "languages", **more: Any) -> dict[str, Any]:
        answer = self.post_property(name, **more)
        assert answer.status == 201, answer.content
        made: dict[str, Any] = answer.json
        return made

    def delete_property(self, made: dict[str, Any]) -> None:
        path = f"/applications/{FLEX_APP['id']}/extensionProperties/{made['id']}"
        assert self.emulator.graph("DELETE", path).status == 204

    def patch(self, body: Any, user: str = ADA) -> Answer:
        return self.emulator.graph("PATCH", f"/users/{quote(user)}", body)

    def value(self, name: str, user: str = ADA) -> Any:
        """The value a read shows, or None where the answer does not have it."""
        answer = self.emulator.graph("GET", f"/users/{quote(user)}?$select=id,{name}")
        assert answer.status == 200, answer.content
        return answer.json.get(name)

    def post_policy(self, definition: Any = DEFINITION, **more: Any) -> Answer:
        listed = [definition] if isinstance(definition, str) else definition
        body = {"displayName": "Flex claims", "definition": listed, **more}
        return self.emulator.graph("POST", "/policies/claimsMappingPolicies", body)

    def policy(self) -> str:
        answer = self.post_policy()
        assert answer.status == 201, answer.content
        return str(answer.json["id"])

    def assign(self, policy: str, principal: str = FLEX["id"], url: str | None = None) -> Answer:
        body = {"@odata.id": url or f"{self.emulator.http}/v1.0/policies/claimsMappingPolicies/{policy}"}
        return self.emulator.graph("POST", f"/servicePrincipals/{principal}/claimsMappingPolicies/$ref", body)

    def unassign(self, policy: str, principal: str = FLEX["id"]) -> Answer:
        return self.emulator.graph("DELETE", f"/servicePrincipals/{principal}/claimsMappingPolicies/{policy}/$ref")

    def assigned(self, principal: str = FLEX["id"]) -> list[str]:
        answer = self.emulator.graph("GET", f"/servicePrincipals/{principal}/claimsMappingPolicies")
        assert answer.status == 200, answer.content
        return [policy["id"] for policy in answer.json["value"]]
