"""Applications with their directory extensions, service principals with their custom claims (beta), the organization.

Quirk: an application's object id, its service principal's object id and their common appId are three ids (A); the
alternate key `(appId='…')` answers one entity or 404, never a list (A).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from emulator.errors import bad_request, invalid_body, not_found
from emulator.graph import render
from emulator.graph.call import GraphCall
from emulator.graph.query import parse_filter, parse_search
from emulator.messages import Reply
from emulator.tenant import custom_claims, extensions, principals
from emulator.tenant.records import ApplicationRecord, PrincipalRecord

A = TypeVar("A", bound=ApplicationRecord)
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


def list_applications(call: GraphCall) -> Reply:
    return _list(call, "applications", call.store.applications, "Application")


def list_principals(call: GraphCall) -> Reply:
    return _list(call, "servicePrincipals", call.store.service_principals, "ServicePrincipal")


def _list(call: GraphCall, fragment: str, table: Mapping[str, ApplicationRecord], resource: str) -> Reply:
    rules = [parse_filter(call.query, _FILTERABLE.__contains__, resource), parse_search(call.query)]
    apps = [app for app in table.values() if all(rule is None or rule(app.attributes) for rule in rules)]
    select = call.query.select
    return render.page(
        call, fragment, apps, lambda app: render.application(app, select, single=False), served={"$filter", "$search"}
    )


def get_application(call: GraphCall) -> Reply:
    body = render.application(application_of(call), call.query.select, single=True)
    return render.entity(call, "applications/$entity", body)


def get_principal(call: GraphCall) -> Reply:
    body = render.application(principal_of(call), call.query.select, single=True)
    return render.entity(call, "servicePrincipals/$entity", body)


def get_organization(call: GraphCall) -> Reply:
    records = [call.store.organization]
    return render.page(call, "organization", records, lambda record: render.organization(record, call.query.select))


def list_properties(call: GraphCall) -> Reply:
    app = application_of(call)
    rule = parse_filter(call.query, {"name"}.__contains__, "ExtensionProperty")
    properties = extensions.list_properties(call.store, app)
    return render.page(
        call,
        f"applications('{app.id}')/extensionProperties",
        [prop for prop in properties if rule is None or rule({"name": prop.name})],
        lambda prop: render.selected(render.extension_property(call.store, prop), call.query.select),
        served={"$filter"},
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
    fragment = f"applications('{app.id}')/extensionProperties/$entity"
    return render.entity(call, fragment, render.extension_property(call.store, prop), 201)


def get_property(call: GraphCall) -> Reply:
    app = application_of(call)
    prop = extensions.find(call.store, app, call.guid("property"))
    body = render.selected(render.extension_property(call.store, prop), call.query.select)
    return render.entity(call, f"applications('{app.id}')/extensionProperties/$entity", body)


def delete_property(call: GraphCall) -> None:
    extensions.delete(call.store, application_of(call), call.guid("property"))


def list_available_properties(call: GraphCall) -> Reply:
    is_synced = call.body(optional=True).get("isSyncedFromOnPremises")
    if is_synced not in (None, True, False):
        raise invalid_body()
    properties = [
        prop
        for prop in call.store.property_view.read_all(call.store.properties.values())
        if extensions.request_use(call.store, prop) and is_synced in (None, prop.is_synced_from_on_premises)
    ]
    kind = {"@odata.type": "#microsoft.graph.extensionProperty"}
    return render.page(
        call,
        "Collection(extensionProperty)",
        properties,
        lambda prop: {**kind, **render.extension_property(call.store, prop)},
    )


def patch_principal(call: GraphCall) -> None:
    principals.patch_principal(call.store, principal_of(call), call.body())


def patch_application(call: GraphCall) -> None:
    principals.patch_application(call.store, application_of(call), call.body())


def create_principal(call: GraphCall) -> Reply:
    principal = principals.create_principal(call.store, call.body())
    return render.entity(call, "servicePrincipals/$entity", render.application(principal, (), single=True), 201)


def delete_principal(call: GraphCall) -> None:
    principals.delete_principal(call.store, principal_of(call))


def get_custom_claims(call: GraphCall) -> Reply:
    principal = principal_of(call)
    body = custom_claims.find(call.store, principal)
    return render.entity(call, f"servicePrincipals('{principal.id}')/claimsPolicy/$entity", body)


def put_custom_claims(call: GraphCall) -> None:
    custom_claims.put(call.store, principal_of(call), call.body())


def patch_custom_claims(call: GraphCall) -> None:
    custom_claims.patch(call.store, principal_of(call), call.body())
