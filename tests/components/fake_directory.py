"""A tenant in which every principal, application, user and property exists and nothing is wrong. A helper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast
from uuid import NAMESPACE_DNS, uuid5

from flexsaml.graph import (
    Application,
    Directory,
    ExtensionOwner,
    ExtensionProperty,
    PrincipalSnapshot,
    ServicePrincipal,
    User,
)

APP_ID = "8f665974-86ab-5399-83f9-7492e2e5acec"
EXISTING = f"extension_{'1' * 32}_region"
_APPLICATION = Application("a0000000-0000-4000-8000-000000000000", APP_ID, "Twilio Flex")


class FakeDirectory:
    """The calls of preflight. One that is missing here is a new one."""

    def application(self, _reference: str) -> Application:
        return _APPLICATION

    def read_principal_snapshot(self, _reference: str, **_asked: Any) -> PrincipalSnapshot:
        return PrincipalSnapshot(
            application=_APPLICATION,
            properties=(),
            assigned=(),
            policies=(),
            principal=ServicePrincipal("b0000000-0000-4000-8000-000000000000", APP_ID, "Twilio Flex"),
            enabled=True,
            audiences=(),
            active_key="",
            keys=(),
            accept_mapped_claims=False,
            multi_tenant=False,
            roles=(),
            domains=(),
            owner_has_principal=True,
        )

    def read_extension_owners(self, app_ids: Iterable[str]) -> dict[str, ExtensionOwner]:
        region = ExtensionProperty("c0", EXISTING, "String", False, ("User",))
        return {app_id: ExtensionOwner(Application(app_id, app_id, "HR"), (region,)) for app_id in app_ids}

    def custom_claims(self, _principal: str) -> bool:
        return False

    def identity(self) -> None:
        return None

    def read_users(self, users: Sequence[str], names: Sequence[str], *_asked: Any) -> dict[str, User]:
        return {user: User(str(uuid5(NAMESPACE_DNS, user)), user, dict.fromkeys(names), {}) for user in users}


def fake_directory() -> Directory:
    return cast(Directory, FakeDirectory())
