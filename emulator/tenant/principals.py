"""Service principals and their custom claims policies, and the properties of applications that preflight reads. Quirks:
deleting a principal takes its role assignments, links and custom claims along, and the extensions of its application
are usable by nobody until there is a new one, which has another object id (A); a principal carries copies of its
application's identifierUris (among servicePrincipalNames) and signInAudience (A). There is one custom claims policy per
principal, which the portal's claims page writes too, made by PUT and never deleted (A); what a read answers before it
was ever set is written nowhere (dial `absent_claims_policy`); the reference pages name 201 and 204 for the same write,
the emulator answers 204 (D)."""

from collections.abc import Mapping
from dataclasses import replace

from emulator.errors import invalid_body, not_found, refusal
from emulator.tenant.access import list_assignments_to, list_roles_of
from emulator.tenant.identities import find_owner
from emulator.tenant.policies import list_links
from emulator.tenant.records import (
    NEW_PRINCIPAL,
    ApplicationRecord,
    PlainRecord,
    PrincipalRecord,
    Record,
    check_changes,
)
from emulator.tenant.store import Store
from emulator.types import Attributes


def find_by_name(store: Store, name: str) -> PrincipalRecord | None:
    principals = store.service_principals.values()
    return next((item for item in principals if name in (item.attributes.get("servicePrincipalNames") or ())), None)


def patch_principal(store: Store, principal: PrincipalRecord, body: Attributes) -> None:
    store.commit(put=[_changed(principal, check_changes(body, "ServicePrincipal"))])


def change_application(store: Store, app: ApplicationRecord, changes: Attributes) -> None:
    """The changes are checked already; the principal's copies follow."""
    put = [_changed(app, changes)]
    principal = store.service_principals.get(store.principal_app_ids.get(app.app_id, ""))
    if principal is not None:
        after, old_uris = {**app.attributes, **changes}, app.attributes.get("identifierUris", ())
        names = [name for name in principal.attributes.get("servicePrincipalNames", ()) if name not in old_uris]
        copies = {
            "servicePrincipalNames": [*after.get("identifierUris", ()), *names],
            "signInAudience": after.get("signInAudience"),
        }
        put.append(_changed(principal, copies))
    store.commit(put=put)


def _changed(app: ApplicationRecord, changes: Attributes) -> tuple[str, Record]:
    kind = "servicePrincipals" if isinstance(app, PrincipalRecord) else "applications"
    return kind, replace(app, attributes={**app.attributes, **changes})


def create_principal(store: Store, body: Attributes) -> PrincipalRecord:
    """The principal of an application that has none; it starts without signing key and without SAML."""
    app_id = body.get("appId")
    given = check_changes({name: value for name, value in body.items() if name != "appId"}, "ServicePrincipal")
    app = store.applications.get(store.app_ids.get(app_id.lower(), "")) if isinstance(app_id, str) else None
    if app is None:
        raise refusal("no_application", app_id)
    if app.app_id in store.principal_app_ids:
        raise refusal("principal_exists", app.app_id)
    principal_id = store.new_id("servicePrincipals")
    attributes = {
        **NEW_PRINCIPAL, **{"id": principal_id, "appId": app.app_id, "displayName": app.display_name},
        **{"appDisplayName": app.display_name, "appOwnerOrganizationId": store.tenant_id},
        "appRoles": app.attributes.get("appRoles", []),
        "replyUrls": (app.attributes.get("web") or {}).get("redirectUris", []),
        "servicePrincipalNames": [*app.attributes.get("identifierUris", ()), app.app_id],
        "signInAudience": app.attributes.get("signInAudience"), **given,
    }  # fmt: skip
    principal = PrincipalRecord(principal_id, attributes, app.owners | find_bound_owners(store, body))
    store.commit(put=[("servicePrincipals", principal)])
    store.unindexed[principal.id] = store.dials.index_lag
    return principal


def find_bound_owners(store: Store, body: Attributes) -> frozenset[str]:
    """The clients and users in `owners@odata.bind`, by their object ids at the end of each url."""
    urls = body.get("owners@odata.bind", [])
    if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
        raise invalid_body()
    return frozenset(find_owner(store, url.rpartition("/")[2]) for url in urls)


def delete_principal(store: Store, principal: PrincipalRecord) -> None:
    store.commit(put=list_without_owner(store, principal.app_id), remove=list_removals(store, principal))


def list_without_owner(store: Store, owner: str) -> list[tuple[str, Record]]:
    """What the client or the user owned, as it is once that is deleted: kind and record."""
    tables: dict[str, Mapping[str, ApplicationRecord]] = {
        "applications": store.applications, "servicePrincipals": store.service_principals,
    }  # fmt: skip
    return [
        (kind, item.with_owners(item.owners - {owner}))
        for kind, table in tables.items()
        for item in table.values()
        if owner in item.owners and item.app_id != owner
    ]


def list_removals(store: Store, principal: PrincipalRecord) -> list[tuple[str, str]]:
    """The principal and what goes with it: kind and id."""
    return [
        ("servicePrincipals", principal.id),
        *(("appRoleAssignments", row["id"]) for row in list_assignments_to(store, principal)),
        *(("appRoleAssignments", row["id"]) for row in list_roles_of(store, principal)),
        *(("oauth2PermissionGrants", row.id) for row in _list_grants_around(store, principal)),
        *(("assignments", link.id) for link in list_links(store, principal)),
        *(("claimsPolicies", key) for key in store.claims_policies if key == principal.id),
    ]


def _list_grants_around(store: Store, principal: PrincipalRecord) -> list[PlainRecord]:
    rows = store.permission_grants.values()
    return [row for row in rows if principal.id in (row.attributes["clientId"], row.attributes["resourceId"])]


def find_custom_claims(store: Store, principal: PrincipalRecord) -> Attributes:
    policy = store.claims_policies.get(principal.id)
    if policy is None and store.dials.absent_claims_policy == "not_found":
        raise not_found(principal.id)
    return policy.attributes if policy else _empty_claims(principal)


def write_custom_claims(store: Store, principal: PrincipalRecord, body: Attributes, *, keep_others: bool) -> None:
    """Change the policy, or create or replace it; where absence is a 404, there is nothing to change."""
    before = find_custom_claims(store, principal) if keep_others else _empty_claims(principal)
    row = {**before, **check_changes(body, "CustomClaimsPolicy")}
    store.commit(put=[("claimsPolicies", PlainRecord.from_row(row))])


def _empty_claims(principal: PrincipalRecord) -> Attributes:
    return {"id": principal.id, "includeBasicClaimSet": False, "claims": []}
