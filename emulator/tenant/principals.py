"""Service principals that come, change and go, and the few properties of applications that preflight reads.

Quirks tamed: deleting a principal takes its role assignments, links and custom claims along, and the extensions of its
application are usable by nobody until there is a new one, which has another object id (A); a principal carries copies
of its application's identifierUris (among servicePrincipalNames) and signInAudience (A).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from emulator.errors import GraphError, bad_request, invalid_value
from emulator.tenant.access import assigned_to
from emulator.tenant.records import Application, ServicePrincipal
from emulator.tenant.store import Record, Store
from emulator.types import Attributes

_NONE = type(None)
_PRINCIPAL: dict[str, tuple[type, ...]] = {
    "accountEnabled": (bool,),
    "appRoleAssignmentRequired": (bool,),
    "displayName": (str,),
    "keyCredentials": (list,),
    "preferredSingleSignOnMode": (str, _NONE),
    "preferredTokenSigningKeyThumbprint": (str, _NONE),
}
_APPLICATION: dict[str, tuple[type, ...]] = {
    "api": (dict,),
    "displayName": (str,),
    "identifierUris": (list,),
    "signInAudience": (str,),
}


def patch_principal(store: Store, found: ServicePrincipal, body: Attributes) -> None:
    changes = _checked(body, _PRINCIPAL, "ServicePrincipal")
    store.commit(put=[("servicePrincipals", replace(found, attributes={**found.attributes, **changes}))])


def patch_application(store: Store, found: Application, body: Attributes) -> None:
    """`api` is merged, as its parts are patched one by one; the principal's copies follow."""
    changes = _checked(body, _APPLICATION, "Application")
    if "api" in changes:
        changes["api"] = {**(found.attributes.get("api") or {}), **changes["api"]}
    after = replace(found, attributes={**found.attributes, **changes})
    store.commit(put=[("applications", after), *_face(store, found, after)])


def _face(store: Store, before: Application, after: Application) -> list[tuple[str, Record]]:
    principal = store.service_principals.get(store.principal_app_ids.get(after.app_id, ""))
    if principal is None:
        return []
    old = before.attributes.get("identifierUris", ())
    names = [one for one in principal.attributes.get("servicePrincipalNames", ()) if one not in old]
    copies = {
        "servicePrincipalNames": [*after.attributes.get("identifierUris", ()), *names],
        "signInAudience": after.attributes.get("signInAudience"),
    }
    return [("servicePrincipals", replace(principal, attributes={**principal.attributes, **copies}))]


def _checked(body: Attributes, known: Mapping[str, tuple[type, ...]], resource: str) -> Attributes:
    changes = {name: value for name, value in body.items() if "@odata." not in name}
    for name, value in changes.items():
        if name not in known:
            raise bad_request(f"Invalid property '{name}'.")
        if type(value) not in known[name]:
            raise invalid_value(name, resource)
    return changes


def create_principal(store: Store, body: Attributes) -> ServicePrincipal:
    """The principal of an application that has none; it starts without signing key and without SAML."""
    app_id = body.get("appId")
    given = _checked({n: v for n, v in body.items() if n != "appId"}, _PRINCIPAL, "ServicePrincipal")
    app = store.applications.get(store.app_ids.get(app_id.lower(), "")) if isinstance(app_id, str) else None
    if app is None:
        raise bad_request(
            f"The appId '{app_id}' of the service principal does not reference a valid application object."
        )
    if app.app_id in store.principal_app_ids:
        raise GraphError(
            409,
            "Request_MultipleObjectsWithSameKeyValue",
            "The service principal cannot be created, updated, or restored because the service principal name "
            f"{app.app_id} is already in use.",
        )
    made_id = store.new_id("servicePrincipals")
    attributes = {
        "id": made_id,
        "appId": app.app_id,
        "displayName": app.display_name,
        "appDisplayName": app.display_name,
        "appOwnerOrganizationId": store.tenant_id,
        "accountEnabled": True,
        "appRoleAssignmentRequired": False,
        "appRoles": app.attributes.get("appRoles", []),
        "keyCredentials": [],
        "preferredSingleSignOnMode": None,
        "preferredTokenSigningKeyThumbprint": None,
        "replyUrls": (app.attributes.get("web") or {}).get("redirectUris", []),
        "servicePrincipalNames": [*app.attributes.get("identifierUris", ()), app.app_id],
        "servicePrincipalType": "Application",
        "signInAudience": app.attributes.get("signInAudience"),
        "tags": [],
        **given,
    }
    made = ServicePrincipal(made_id, attributes, app.owners)
    store.commit(put=[("servicePrincipals", made)])
    return made


def delete_principal(store: Store, found: ServicePrincipal) -> None:
    links = [link.id for link in store.links.values() if link.service_principal_id == found.id]
    store.commit(
        remove=[
            ("servicePrincipals", found.id),
            *(("appRoleAssignments", row["id"]) for row in assigned_to(store, found)),
            *(("assignments", link) for link in links),
            *(("claimsPolicies", one) for one in store.claims_policies if one == found.id),
        ]
    )
