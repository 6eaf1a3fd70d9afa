"""Role assignments, by application and by user."""

from __future__ import annotations

from emulator.graph import render
from emulator.graph.call import GraphCall
from emulator.graph.handlers.applications import principal_of
from emulator.messages import Reply
from emulator.tenant import access, users
from emulator.types import Attributes

_CONTEXT = "appRoleAssignments"


def list_assigned_to(call: GraphCall) -> Reply:
    return _page(call, access.list_assignments_to(call.store, principal_of(call)))


def list_roles_of(call: GraphCall) -> Reply:
    user = users.find(call.store, call.keys["user"].value)
    return _page(call, access.list_assignments_of(call.store, user.id))


def assign_role(call: GraphCall) -> Reply:
    row = access.assign_role(call.store, principal_of(call), call.body())
    return render.entity(call, f"{_CONTEXT}/$entity", row, 201)


def remove_role(call: GraphCall) -> None:
    access.remove_role(call.store, principal_of(call), call.keys["assignment"].value)


def _page(call: GraphCall, rows: list[Attributes]) -> Reply:
    return render.page(call, _CONTEXT, rows, lambda row: render.selected(row, call.query.select))
