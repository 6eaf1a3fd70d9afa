"""Role assignments, from the side of the application and of the user.

No quirk lives here: who has a role through a group is told in the tenant.
"""

from __future__ import annotations

from emulator.graph import render
from emulator.graph.call import Call
from emulator.graph.handlers.applications import principal_of
from emulator.messages import Reply
from emulator.tenant import access
from emulator.types import Attributes

_CONTEXT = "appRoleAssignments"


def list_assigned_to(call: Call) -> Reply:
    return _page(call, access.assigned_to(call.store, principal_of(call)))


def list_roles_of_user(call: Call) -> Reply:
    return _page(call, access.roles_of_user(call.store, call.keys["user"].value))


def assign_role(call: Call) -> Reply:
    made = access.assign_role(call.store, principal_of(call), call.body())
    return render.entity(call, f"{_CONTEXT}/$entity", made, 201)


def take_role(call: Call) -> Reply:
    access.take_role(call.store, principal_of(call), call.keys["assignment"].value)
    return render.no_content()


def _page(call: Call, rows: list[Attributes]) -> Reply:
    return render.page(call, _CONTEXT, rows, lambda row: render.selected(row, call.query.select))
