"""Applications are made, change, and go. Quirks: a deleted application takes its service principal and its extension
properties along, whose values stay (A for what is gone, D for how soon); its creator owns it (A); two applications of
a tenant have no identifier URI in common (A, recorded in go-autorest#308); on a tenant a deleted one could be restored
for 30 days (A)."""

import uuid

from emulator.errors import bad_request, invalid_body, invalid_value, reference_exists, reference_missing
from emulator.tenant.identities import find_object_id, find_owner, list_credential_removals
from emulator.tenant.principals import change_application, find_bound_owners, list_removals, list_without_owner
from emulator.tenant.records import ApplicationRecord, PrincipalRecord, check_changes
from emulator.tenant.store import Store
from emulator.types import Attributes

_MERGED = frozenset({"api", "info", "publicClient", "spa", "web"})  # their members are patched one by one


def create(store: Store, body: Attributes, owner: str) -> ApplicationRecord:
    """`owner`: the client that makes it."""
    given = _check(store, body)
    if not given.get("displayName"):
        raise invalid_body()
    application_id = store.new_id("applications")
    attributes = {
        "id": application_id, "appId": str(uuid.uuid5(uuid.NAMESPACE_URL, application_id)),
        "signInAudience": "AzureADMyOrg", "publisherDomain": next(iter(store.domains), None), **given,
    }  # fmt: skip
    application = ApplicationRecord(application_id, attributes, find_bound_owners(store, body) | {owner})
    store.commit(put=[("applications", application)])
    store.unindexed[application.id] = store.dials.index_lag
    return application


def patch(store: Store, application: ApplicationRecord, body: Attributes) -> None:
    """Objects are merged; the principal's copies follow."""
    changes = _check(store, body, application.id)
    for name in sorted(_MERGED & changes.keys()):
        if changes[name] is None:
            raise invalid_value(name, "Application")
        changes[name] = {**(application.attributes.get(name) or {}), **changes[name]}
    for credential in changes.get("keyCredentials", ()):
        credential.setdefault("keyId", store.new_id("keyCredentials"))
    change_application(store, application, changes)


def delete(store: Store, application: ApplicationRecord) -> None:
    principal = store.service_principals.get(store.principal_app_ids.get(application.app_id, ""))
    properties = [prop.id for prop in store.properties.values() if prop.application_id == application.id]
    store.commit(
        put=list_without_owner(store, principal.app_id) if principal else (),
        remove=[
            *(("extensionProperties", property_id) for property_id in properties),
            *(list_removals(store, principal) if principal else ()),
            *list_credential_removals(store, application),
            ("applications", application.id),
        ],
    )


def list_owners(store: Store, application: ApplicationRecord) -> list[str]:
    """Object ids of the owners: service principals and users."""
    return sorted(filter(None, (find_object_id(store, owner) for owner in application.owners)))


def add_owner(store: Store, application: ApplicationRecord, object_id: str) -> None:
    owner = find_owner(store, object_id)
    if owner in application.owners:
        raise reference_exists("owners")
    _change_owners(store, application, application.owners | {owner})


def remove_owner(store: Store, application: ApplicationRecord, object_id: str) -> None:
    owner = find_owner(store, object_id)
    if owner not in application.owners:
        raise reference_missing("owners")
    _change_owners(store, application, application.owners - {owner})


def _change_owners(store: Store, application: ApplicationRecord, owners: frozenset[str]) -> None:
    kind = "servicePrincipals" if isinstance(application, PrincipalRecord) else "applications"
    store.commit(put=[(kind, application.with_owners(owners))])


def _check(store: Store, body: Attributes, application_id: str = "") -> Attributes:
    changes = check_changes(body, "Application")
    uris = changes.get("identifierUris", ())
    if any(uri.endswith("/") for uri in uris):
        raise bad_request("IdentifierUrisEndsWithSlash")
    others = (
        item.attributes.get("identifierUris", ()) for item in store.applications.values() if item.id != application_id
    )
    if any(not set(uris).isdisjoint(taken) for taken in others):
        raise bad_request("Another object with the same value for property identifierUris already exists.")
    return changes
