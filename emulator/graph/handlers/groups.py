"""Groups and their members, direct and transitive.

Quirks tamed: a row of a collection of directory objects names its type (A); who may read the membership but not the
members' type gets rows with id and type, everything else null (A), which means "unknown", not "empty".
"""

from __future__ import annotations

from collections.abc import Iterable

from emulator.graph import permissions, render
from emulator.graph.call import Call
from emulator.graph.handlers.references import referred
from emulator.graph.query import parse_filter
from emulator.messages import Reply
from emulator.tenant import groups, users
from emulator.tenant.records import Plain, User
from emulator.types import Attributes

READ_USER, READ_GROUP = "GET users/{id|upn}", "GET groups, groups/{id}"


def list_groups(call: Call) -> Reply:
    keep = parse_filter(call.query, {"displayName", "id", "securityEnabled"}.__contains__, "Group")
    found = [one for one in call.store.groups.values() if keep is None or keep(one.attributes)]
    return render.page(call, "groups", found, lambda one: _group(call, one), served={"$filter"})


def get_group(call: Call) -> Reply:
    return render.entity(call, "groups/$entity", _group(call, groups.find(call.store, call.guid("group"))))


def list_members(call: Call) -> Reply:
    return _objects(call, groups.members(call.store, groups.find(call.store, call.guid("group"))))


def list_transitive_members(call: Call) -> Reply:
    return _objects(call, groups.transitive_members(call.store, groups.find(call.store, call.guid("group"))))


def list_groups_of_user(call: Call) -> Reply:
    member = users.find(call.store, call.keys["user"].value)
    return _objects(call, groups.transitive_groups_of(call.store, member.id))


def add_member(call: Call) -> Reply:
    group = groups.find(call.store, call.guid("group"))
    groups.add_member(call.store, group, referred(call.body().get("@odata.id"), ("users", "groups")))
    return render.no_content()


def remove_member(call: Call) -> Reply:
    groups.remove_member(call.store, groups.find(call.store, call.guid("group")), call.guid("member"))
    return render.no_content()


def _objects(call: Call, found: Iterable[User | Plain]) -> Reply:
    return render.page(call, "directoryObjects", found, lambda one: _row(call, one))


def _row(call: Call, one: User | Plain) -> Attributes:
    is_user = isinstance(one, User)
    typed = {"@odata.type": "#microsoft.graph.user" if is_user else "#microsoft.graph.group"}
    if permissions.covers(READ_USER if is_user else READ_GROUP, call.token.roles):
        return {**typed, **(render.user(call, one) if isinstance(one, User) else _group(call, one))}
    names = call.query.select or (render.DEFAULT_USER if is_user else one.attributes.keys() - {"members"})
    return {**typed, **dict.fromkeys(sorted(names)), "id": one.id}


def _group(call: Call, found: Plain) -> Attributes:
    body = {name: value for name, value in found.attributes.items() if name != "members"}
    return render.selected(body, call.query.select)
