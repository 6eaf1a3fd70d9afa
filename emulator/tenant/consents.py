"""Delegated permissions that were consented to, and federated credentials. Quirks: there is one consent of a client and
a resource for all users (`AllPrincipals`, no principalId) and one for each user (`Principal`); a second one is refused
(B for the words); the scope is one text, names between blanks (A). Names of federated credentials are unique in an
application, and so are issuer and subject together (A); an application has at most 20 (A)."""

import re

from emulator.errors import bad_request, conflict, invalid_body, not_found
from emulator.tenant.identities import list_federated
from emulator.tenant.records import ApplicationRecord, PlainRecord, PrincipalRecord, check_changes
from emulator.tenant.store import Store, get_existing
from emulator.types import Attributes

_MOST_FEDERATED = 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,119}")
_EMPTY_GRANT: Attributes = {"consentType": None, "principalId": None, "scope": None}


def grant(store: Store, body: Attributes) -> Attributes:
    given = {**_EMPTY_GRANT, **check_changes(body, "OAuth2PermissionGrant")}
    who = {"AllPrincipals": given["principalId"] is None, "Principal": given["principalId"] in store.users}
    if not who.get(given["consentType"]):
        raise invalid_body()
    for name in ("clientId", "resourceId"):
        if given.get(name) not in store.service_principals:
            raise not_found(str(given.get(name)))
    key = ("clientId", "resourceId", "principalId")
    if any(all(row.attributes[name] == given[name] for name in key) for row in store.permission_grants.values()):
        raise conflict(409, message="Permission entry already exists.")
    row = {"id": store.new_id("oauth2PermissionGrants"), **given}
    store.commit(put=[("oauth2PermissionGrants", PlainRecord.from_row(row))])
    return row


def find_grant(store: Store, grant_id: str) -> PlainRecord:
    return get_existing(store.permission_grants, grant_id)


def change_grant(store: Store, grant_id: str, body: Attributes) -> None:
    """Only the scope can be changed (A)."""
    changes, row = check_changes(body, "OAuth2PermissionGrant"), find_grant(store, grant_id)
    if not changes.keys() <= {"scope"}:
        raise invalid_body()
    changed = PlainRecord.from_row({**row.attributes, **changes, "id": row.id})
    store.commit(put=[("oauth2PermissionGrants", changed)])


def remove_grant(store: Store, grant_id: str) -> None:
    store.commit(remove=[("oauth2PermissionGrants", find_grant(store, grant_id).id)])


def list_grants(store: Store, client_id: str | None = None) -> list[Attributes]:
    rows = [row.to_row() for row in store.permission_grants.values()]
    return [row for row in rows if client_id in (None, row["clientId"])]


def list_grants_of(store: Store, principal: PrincipalRecord) -> list[Attributes]:
    return list_grants(store, principal.id)


def add_federated(store: Store, application: ApplicationRecord, body: Attributes) -> Attributes:
    given = {"description": None, **check_changes(body, "FederatedIdentityCredential")}
    if not all(given.get(name) for name in ("name", "issuer", "subject")) or len(given.get("audiences", ())) != 1:
        raise invalid_body()
    if not _NAME.fullmatch(given["name"]):
        raise bad_request(f"FederatedIdentityCredential name '{given['name']}' is invalid.")  # wording D
    existing = [row.attributes for row in list_federated(store, application)]
    if given["name"] in [row["name"] for row in existing]:
        words = f"FederatedIdentityCredential with name {given['name']} already exists."
        raise conflict(409, message=words)
    pairs = [(row["issuer"], row["subject"]) for row in existing]
    if (given["issuer"], given["subject"]) in pairs or len(existing) >= _MOST_FEDERATED:
        raise bad_request("Federated Identity Credential with this issuer and subject exists.")  # wording D
    row = {"id": store.new_id("federatedIdentityCredentials"), "applicationId": application.id, **given}
    store.commit(put=[("federatedIdentityCredentials", PlainRecord.from_row(row))])
    return show_federated(PlainRecord.from_row(row))


def show_federated(row: PlainRecord) -> Attributes:
    return {name: value for name, value in row.to_row().items() if name != "applicationId"}


def find_federated(store: Store, application: ApplicationRecord, key: str) -> PlainRecord:
    """By id or name."""
    for row in list_federated(store, application):
        if key in (row.id, row.attributes["name"]):
            return row
    raise not_found(key)


def remove_federated(store: Store, application: ApplicationRecord, key: str) -> None:
    store.commit(remove=[("federatedIdentityCredentials", find_federated(store, application, key).id)])
