"""Applications, service principals, the organization, and the directory extensions of an application.

Quirk tamed: an application's object id, its service principal's object id and their common appId are three ids (A);
the alternate key `(appId='…')` answers one entity or 404, never a list (A).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from emulator.errors import bad_request, not_found
from emulator.graph import render
from emulator.graph.call import Call
from emulator.graph.query import parse_filter, parse_search
from emulator.messages import Reply
from emulator.tenant import extensions
from emulator.tenant.records import Application, ServicePrincipal

A = TypeVar("A", bound=Application)
_FILTERABLE = frozenset({"appId", "displayName", "id"})


def application_of(call: Call) -> Application:
    return _resolve(call, "application", call.store.applications, call.store.app_ids)


def principal_of(call: Call) -> ServicePrincipal:
    return _resolve(call, "principal", call.store.service_principals, call.store.principal_app_ids)


def _resolve(call: Call, name: str, table: Mapping[str, A], by_app_id: Mapping[str, str]) -> A:
    key = call.keys[name]
    found = table.get(by_app_id.get(key.value.lower(), "") if key.name else call.guid(name))
    if found is None:
        raise not_found(key.value)
    return found


def list_applications(call: Call) -> Reply:
    return _list(call, "applications", call.store.applications, "Application")


def list_principals(call: Call) -> Reply:
    return _list(call, "servicePrincipals", call.store.service_principals, "ServicePrincipal")


def _list(call: Call, fragment: str, table: Mapping[str, Application], resource: str) -> Reply:
    keep = [parse_filter(call.query, _FILTERABLE.__contains__, resource), parse_search(call.query)]
    found = [a for a in table.values() if all(rule is None or rule(a.attributes) for rule in keep)]
    return render.page(
        call,
        fragment,
        found,
        lambda a: render.application(a, call.query.select, single=False),
        served={"$filter", "$search"},
    )


def get_application(call: Call) -> Reply:
    found = application_of(call)
    return render.entity(call, "applications/$entity", render.application(found, call.query.select, single=True))


def get_principal(call: Call) -> Reply:
    found = principal_of(call)
    return render.entity(call, "servicePrincipals/$entity", render.application(found, call.query.select, single=True))


def get_organization(call: Call) -> Reply:
    select = call.query.select
    return render.page(call, "organization", [call.store.organization], lambda o: render.selected(o.attributes, select))


def list_properties(call: Call) -> Reply:
    app = application_of(call)
    keep = parse_filter(call.query, {"name"}.__contains__, "ExtensionProperty")
    found = [p for p in extensions.of_application(call.store, app) if keep is None or keep({"name": p.name})]
    return render.page(
        call,
        f"applications('{app.id}')/extensionProperties",
        found,
        lambda p: render.selected(render.extension_property(call.store, p), call.query.select),
        served={"$filter"},
    )


def create_property(call: Call) -> Reply:
    app, body = application_of(call), call.body()
    name, targets = body.get("name"), body.get("targetObjects")
    known = {"name", "dataType", "targetObjects", "isMultiValued"}
    for unknown in sorted(n for n in body if n not in known and "@odata." not in n):
        raise bad_request(f"Invalid property '{unknown}'.")
    shaped = isinstance(name, str) and name and isinstance(body.get("isMultiValued", False), bool)
    if not shaped or not isinstance(targets, list) or not all(isinstance(t, str) for t in targets):
        raise bad_request("One or more properties contains invalid values.")
    made = extensions.create(
        call.store, app, str(name), str(body.get("dataType")), body.get("isMultiValued", False), targets
    )
    return render.entity(
        call,
        f"applications('{app.id}')/extensionProperties/$entity",
        render.extension_property(call.store, made),
        201,
    )


def get_property(call: Call) -> Reply:
    app = application_of(call)
    found = extensions.find(call.store, app, call.guid("property"))
    return render.entity(
        call,
        f"applications('{app.id}')/extensionProperties/$entity",
        render.selected(render.extension_property(call.store, found), call.query.select),
    )


def delete_property(call: Call) -> Reply:
    extensions.delete(call.store, application_of(call), call.guid("property"))
    return render.no_content()


def available_properties(call: Call) -> Reply:
    synced = call.body(optional=True).get("isSyncedFromOnPremises")
    if synced not in (None, True, False):
        raise bad_request("One or more properties contains invalid values.")
    listed = call.store.seen_properties.see_all(call.store.properties.values())
    found = [p for p in listed if extensions.ask_usable(call.store, p) and synced in (None, p.is_synced)]
    return render.page(
        call,
        "Collection(extensionProperty)",
        found,
        lambda p: {
            "@odata.type": "#microsoft.graph.extensionProperty",
            **render.extension_property(call.store, p),
        },
    )
