"""Applications with their directory extensions, service principals and their claims policies, the organization.

Quirks: an application's object id, its service principal's object id and their common appId are three ids (A); the
alternate key `(appId='…')` answers one entity or 404, never a list (A); the link of a policy is written through `/$ref`
with an absolute `@odata.id` (A), of which two path forms are accepted (B).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from emulator.errors import bad_request, invalid_body, not_found, write_not_contained
from emulator.graph import render
from emulator.graph.call import GraphCall
from emulator.graph.query import parse_filter, parse_search
from emulator.messages import Reply
from emulator.tenant import access, extensions, policies, principals
from emulator.tenant.records import ApplicationRecord, PolicyRecord, PrincipalRecord
from emulator.types import Attributes

A = TypeVar("A", bound=ApplicationRecord)
POLICIES = "policies/claimsMappingPolicies"
_FILTERABLE = frozenset({"appId", "displayName", "id"})
_PROPERTY_BODY = frozenset({"name", "dataType", "targetObjects", "isMultiValued"})


def application_of(call: GraphCall) -> ApplicationRecord:
    return _addressed(call, "application", call.store.applications, call.store.app_ids)


def principal_of(call: GraphCall) -> PrincipalRecord:
    return _addressed(call, "principal", call.store.service_principals, call.store.principal_app_ids)


def _addressed(call: GraphCall, name: str, table: Mapping[str, A], by_app_id: Mapping[str, str]) -> A:
    key = call.keys[name]
    app = table.get(by_app_id.get(key.value.lower(), "") if key.name else call.guid(name))
    if app is None:
        raise not_found(key.value)
    return app


def policy_of(call: GraphCall) -> PolicyRecord:
    return call.store.policy_view.read(call.guid("policy"))


def list_applications(call: GraphCall) -> Reply:
    return _list_matching(call, "applications", call.store.applications, "Application")


def list_principals(call: GraphCall) -> Reply:
    return _list_matching(call, "servicePrincipals", call.store.service_principals, "ServicePrincipal")


def _list_matching(call: GraphCall, fragment: str, table: Mapping[str, ApplicationRecord], resource: str) -> Reply:
    matches, is_searched = parse_filter(call.query, _FILTERABLE.__contains__, resource), parse_search(call.query)
    apps = [app for app in table.values() if matches(app.attributes) and is_searched(app.attributes)]
    return render.page(call, fragment, apps, render.application, {"$filter", "$search"})


def list_properties(call: GraphCall) -> Reply:
    app = application_of(call)
    rule = parse_filter(call.query, {"name"}.__contains__, "ExtensionProperty")
    listed = call.store.property_view.read_all(lambda prop: prop.application_id == app.id)
    properties = [prop for prop in listed if rule({"name": prop.name})]
    return render.page(
        call, f"applications('{app.id}')/extensionProperties", properties, render.extension_property, {"$filter"}
    )


def create_property(call: GraphCall) -> Reply:
    app, body = application_of(call), call.body()
    unknown = sorted(name for name in body if name not in _PROPERTY_BODY and "@odata." not in name)
    if unknown:
        raise bad_request(f"Invalid property '{unknown[0]}'.")
    name, targets, is_multi_valued = body.get("name"), body.get("targetObjects"), body.get("isMultiValued", False)
    if not isinstance(name, str) or not name or not isinstance(is_multi_valued, bool):
        raise invalid_body()
    if not isinstance(targets, list) or not all(isinstance(target, str) for target in targets):
        raise invalid_body()
    prop = extensions.create(call.store, app, name, str(body.get("dataType")), is_multi_valued, targets)
    return render.entity(
        call, f"applications('{app.id}')/extensionProperties", render.extension_property(call, prop), 201
    )


def get_property(call: GraphCall) -> Reply:
    app = application_of(call)
    prop = extensions.find(call.store, app, call.guid("property"))
    return render.entity(call, f"applications('{app.id}')/extensionProperties", render.extension_property(call, prop))


def list_available_properties(call: GraphCall) -> Reply:
    is_synced = call.body(optional=True).get("isSyncedFromOnPremises")
    if is_synced not in (None, True, False):
        raise invalid_body()
    rows = [
        {"@odata.type": "#microsoft.graph.extensionProperty", **render.extension_property(call, prop)}
        for prop in call.store.property_view.read_all()
        if extensions.request_use(call.store, prop) and is_synced in (None, prop.is_synced_from_on_premises)
    ]
    return render.page(call, "Collection(extensionProperty)", rows, render.selected)


def get_custom_claims(call: GraphCall) -> Reply:
    principal = principal_of(call)
    body = principals.find_custom_claims(call.store, principal)
    return render.entity(call, f"servicePrincipals('{principal.id}')/claimsPolicy", body)


def list_policies(call: GraphCall) -> Reply:
    rule = parse_filter(call.query, {"displayName", "id"}.__contains__, "Policy")
    listed = call.store.policy_view.read_all()
    matching = [policy for policy in listed if rule({"displayName": policy.display_name, "id": policy.id})]
    return render.page(call, POLICIES, matching, render.policy, {"$filter"})


def list_principals_of(call: GraphCall) -> Reply:
    policy = policy_of(call)
    links = call.store.link_view.read_all(lambda link: link.policy_id == policy.id)
    kind = {"@odata.type": "#microsoft.graph.servicePrincipal"}
    rows = [{**kind, "id": link.service_principal_id, "deletedDateTime": None} for link in links]
    return render.page(call, "directoryObjects", rows, render.selected)


def list_assigned_policies(call: GraphCall) -> Reply:
    assigned = policies.list_assigned(call.store, principal_of(call))
    return render.page(call, "Collection(microsoft.graph.claimsMappingPolicy)", assigned, _assigned_row)


def _assigned_row(call: GraphCall, policy: PolicyRecord) -> Attributes:
    directory_object = f"{call.request.origin}/v2/{call.store.tenant_id}/directoryObjects/{policy.id}"
    odata_id = f"{directory_object}/Microsoft.DirectoryServices.ClaimsMappingPolicy"
    return {"@odata.id": odata_id, **render.policy(call, policy)}


def refuse_without_ref(_call: GraphCall) -> None:
    """Without `/$ref` the gateway refuses to write the link (A)."""
    raise write_not_contained()


def assign_role(call: GraphCall) -> Reply:
    row = access.assign_role(call.store, principal_of(call), call.body())
    return render.entity(call, "appRoleAssignments", row, 201)


def get_organization(call: GraphCall) -> Reply:
    return render.page(call, "organization", [call.store.organization], render.organization)
