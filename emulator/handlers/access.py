"""Role assignments, groups, custom claims (beta), and service principals and applications that change.

Quirks tamed: a row of a collection of directory objects names its type (A); the custom claims policy exists in beta
only, asked for in v1.0 the gateway does not know the method (A).
"""

from __future__ import annotations

from emulator import render
from emulator.call import Call, Reply
from emulator.errors import method_not_allowed
from emulator.handlers.applications import application_of, principal_of
from emulator.tenant import access
from emulator.tenant.records import Plain, User
from emulator.types import Attributes


def list_assigned_to(call: Call) -> Reply:
    rows = access.assigned_to(call.store, principal_of(call))
    return render.page(call, "appRoleAssignments", rows, lambda row: render.selected(row, call.query.select))


def assign_role(call: Call) -> Reply:
    made = access.assign_role(call.store, principal_of(call), call.body())
    return render.entity(call, "appRoleAssignments/$entity", made, 201)


def take_role(call: Call) -> Reply:
    access.take_role(call.store, principal_of(call), call.keys["assignment"].value)
    return render.no_content()


def list_roles_of_user(call: Call) -> Reply:
    rows = access.roles_of_user(call.store, call.keys["user"].value)
    return render.page(call, "appRoleAssignments", rows, lambda row: render.selected(row, call.query.select))


def get_group(call: Call) -> Reply:
    found = access.group(call.store, call.guid("group"))
    return render.entity(call, "groups/$entity", _group(found, call))


def list_members(call: Call) -> Reply:
    found = access.members(call.store, access.group(call.store, call.guid("group")))
    return render.page(call, "directoryObjects", found, lambda one: _member(call, one))


def _group(found: Plain, call: Call) -> Attributes:
    return render.selected({k: v for k, v in found.attributes.items() if k != "members"}, call.query.select)


def _member(call: Call, one: User | Plain) -> Attributes:
    if isinstance(one, User):
        return {"@odata.type": "#microsoft.graph.user", **render.user(call, one)}
    return {"@odata.type": "#microsoft.graph.group", **_group(one, call)}


def patch_principal(call: Call) -> Reply:
    access.patch_principal(call.store, principal_of(call), call.body())
    return render.no_content()


def patch_application(call: Call) -> Reply:
    access.patch_application(call.store, application_of(call), call.body())
    return render.no_content()


def create_principal(call: Call) -> Reply:
    made = access.create_principal(call.store, call.body())
    body = render.application(made, (), single=True)
    return render.entity(call, "servicePrincipals/$entity", body, 201)


def delete_principal(call: Call) -> Reply:
    access.delete_principal(call.store, principal_of(call))
    return render.no_content()


def get_custom_claims(call: Call) -> Reply:
    if not call.is_beta:
        raise method_not_allowed()
    found = access.custom_claims(call.store, principal_of(call))
    return render.entity(call, "servicePrincipals('')/claimsPolicy/$entity", found)


def put_custom_claims(call: Call) -> Reply:
    if not call.is_beta:
        raise method_not_allowed()
    access.put_custom_claims(call.store, principal_of(call), call.body())
    return render.no_content()
