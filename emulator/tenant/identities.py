"""Who may ask for a token and who owns objects: the seeded clients, and applications that were made with a credential.
Quirks: what an application may do is what its service principal was assigned on Microsoft Graph's, as of the moment its
token is issued (A); without a service principal in the tenant there is no token; the text of a password is answered
once, by addPassword (A), so it is kept apart from the application and never exported. Start and end of a password that
names none are fixed times, because exports carry no clock time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from emulator.errors import bad_request, invalid_body, not_found
from emulator.tenant.records import ApplicationRecord, PlainRecord, PrincipalRecord, check_changes
from emulator.tenant.store import Store
from emulator.types import Attributes

GRAPH = "00000003-0000-0000-c000-000000000000"
_PASSWORD_TIMES = {"startDateTime": "2026-01-05T09:00:00Z", "endDateTime": "2028-01-05T09:00:00Z"}


@dataclass(frozen=True)
class Identity:
    """A client as a token names it; `object_id` is that of its service principal."""

    client_id: str
    display_name: str
    object_id: str
    roles: frozenset[str]
    is_person: bool = False


def find_identity(store: Store, client_id: str) -> Identity | None:
    """None for an application without a service principal, too."""
    if client := store.clients.get(client_id):
        return Identity(client.id, client.display_name, client.object_id, client.roles, client.is_person)
    principal = find_principal(store, client_id)
    if principal is None or client_id not in store.app_ids:
        return None
    return Identity(client_id, principal.display_name, principal.id, list_granted_roles(store, principal))


def find_principal(store: Store, app_id: str) -> PrincipalRecord | None:
    return store.service_principals.get(store.principal_app_ids.get(app_id, ""))


def list_granted_roles(store: Store, principal: PrincipalRecord) -> frozenset[str]:
    """The application permissions on Microsoft Graph that were consented to."""
    graph = find_principal(store, GRAPH)
    if graph is None:
        return frozenset()
    values = {role["id"]: str(role["value"]) for role in graph.attributes["appRoles"]}
    rows = [row.attributes for row in store.role_assignments.values()]
    return frozenset(
        values[row["appRoleId"]]
        for row in rows
        if (row["principalId"], row["resourceId"]) == (principal.id, graph.id) and row["appRoleId"] in values
    )


def judge_secret(store: Store, client_id: str, secret: str, now: str) -> Literal["valid", "expired", "wrong"]:
    """`now`: in UTC, as the times of a password are written."""
    if client := store.clients.get(client_id):
        return "valid" if secret == client.secret else "wrong"
    application = store.applications[store.app_ids[client_id]]
    for password in list_passwords(application):
        kept = store.passwords.get(password["keyId"])
        if kept and kept.attributes["secretText"] == secret and password["startDateTime"] <= now:
            return "valid" if now < password["endDateTime"] else "expired"
    return "wrong"


def find_owner(store: Store, object_id: str) -> str:
    """The client id of the service principal with this object id, or the object id of the user. Raises Graph's 404."""
    if object_id.lower() in store.users:
        return object_id.lower()
    principal = store.service_principals.get(object_id.lower())
    if principal is not None:
        return principal.app_id
    client = next((client for client in store.clients.values() if client.object_id == object_id.lower()), None)
    if client is None:
        raise not_found(object_id)
    return client.id


def find_object_id(store: Store, owner: str) -> str:
    """Of the client's service principal, or the user; "" for one that is gone."""
    if owner in store.users:
        return owner
    if client := store.clients.get(owner):
        return client.object_id
    return store.principal_app_ids.get(owner, "")


def add_password(store: Store, application: ApplicationRecord, body: Attributes) -> Attributes:
    """The new password with its text, which no later answer shows."""
    given = body.get("passwordCredential") or {}
    if not isinstance(given, dict):
        raise invalid_body()
    given = check_changes(given, "PasswordCredential")
    key_id = store.new_id("passwords")
    text = f"emulated~{store.new_id('passwords').replace('-', '')}"
    password = {
        "customKeyIdentifier": None, "displayName": None, **_PASSWORD_TIMES, **given,
        "hint": text[:3], "keyId": key_id, "secretText": None,
    }  # fmt: skip
    _replace_passwords(store, application, [*list_passwords(application), password], added={key_id: text})
    return {**password, "secretText": text}


def remove_password(store: Store, application: ApplicationRecord, body: Attributes) -> None:
    key_id, kept = body.get("keyId"), list_passwords(application)
    if key_id not in [password["keyId"] for password in kept]:
        raise bad_request(f"No password credential found with keyId '{key_id}'.")  # wording D
    others = [password for password in kept if password["keyId"] != key_id]
    _replace_passwords(store, application, others, removed=str(key_id))


def list_passwords(application: ApplicationRecord) -> list[Attributes]:
    return list(application.attributes.get("passwordCredentials", ()))


def _replace_passwords(
    store: Store,
    application: ApplicationRecord,
    passwords: list[Attributes],
    added: Mapping[str, str] | None = None,
    removed: str = "",
) -> None:
    attributes = {**application.attributes, "passwordCredentials": passwords}
    texts = [PlainRecord(key_id, {"id": key_id, "secretText": text}) for key_id, text in (added or {}).items()]
    store.commit(
        put=[
            ("applications", ApplicationRecord(application.id, attributes, application.owners)),
            *(("passwords", text) for text in texts),
        ],
        remove=[("passwords", removed)] if removed in store.passwords else [],
    )


def list_credential_removals(store: Store, application: ApplicationRecord) -> list[tuple[str, str]]:
    """What is deleted with an application beside its own row: kind and id."""
    return [
        *(("passwords", item["keyId"]) for item in list_passwords(application) if item["keyId"] in store.passwords),
        *(("federatedIdentityCredentials", row.id) for row in list_federated(store, application)),
    ]


def list_federated(store: Store, application: ApplicationRecord) -> list[PlainRecord]:
    rows = store.federated_credentials.values()
    return [row for row in rows if row.attributes["applicationId"] == application.id]
