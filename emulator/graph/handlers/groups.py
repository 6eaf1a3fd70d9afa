"""Groups and their members, direct and transitive.

Quirks: a row of a collection of directory objects names its type (A); who may read the membership but not the members'
type gets rows with id and type, everything else null (A), which means "unknown", not "empty".
"""

from __future__ import annotations

from collections.abc import Iterable

from emulator.graph import permissions, render
from emulator.graph.call import GraphCall
from emulator.graph.query import parse_filter
from emulator.messages import Reply
from emulator.tenant import groups, users
from emulator.tenant.records import PlainRecord, UserRecord
from emulator.tenant.store import get_existing
from emulator.types import Attributes

READ_USER, READ_GROUP = "GET users/{id|upn}", "GET groups, groups/{id}"


def list_groups(call: GraphCall) -> Reply:
    rule = parse_filter(call.query, {"displayName", "id", "securityEnabled"}.__contains__, "Group")
    listed = [group for group in call.store.groups.values() if rule is None or rule(group.attributes)]
    return render.page(call, "groups", listed, lambda group: render.group(group, call.query.select), served={"$filter"})


def get_group(call: GraphCall) -> Reply:
    return render.entity(call, "groups/$entity", render.group(_group_of(call), call.query.select))


def list_members(call: GraphCall) -> Reply:
    return _page(call, groups.list_direct_members(call.store, _group_of(call)))


def list_transitive_members(call: GraphCall) -> Reply:
    return _page(call, groups.list_transitive_members(call.store, _group_of(call)))


def list_groups_of(call: GraphCall) -> Reply:
    user = users.find(call.store, call.keys["user"].value)
    return _page(call, groups.list_transitive_groups(call.store, user.id))


def add_member(call: GraphCall) -> None:
    group = _group_of(call)
    groups.add_member(call.store, group, call.referenced_id("users", "groups"))


def remove_member(call: GraphCall) -> None:
    groups.remove_member(call.store, _group_of(call), call.guid("member"))


def _group_of(call: GraphCall) -> PlainRecord:
    return get_existing(call.store.groups, call.guid("group"))


def _page(call: GraphCall, objects: Iterable[UserRecord | PlainRecord]) -> Reply:
    return render.page(call, "directoryObjects", objects, lambda item: _typed_row(call, item))


def _typed_row(call: GraphCall, item: UserRecord | PlainRecord) -> Attributes:
    is_user = isinstance(item, UserRecord)
    kind = {"@odata.type": "#microsoft.graph.user" if is_user else "#microsoft.graph.group"}
    if permissions.covers(READ_USER if is_user else READ_GROUP, call.token.roles):
        body = render.user(call, item) if isinstance(item, UserRecord) else render.group(item, call.query.select)
        return {**kind, **body}
    names = call.query.select or (render.DEFAULT_USER if is_user else item.attributes.keys() - {"members"})
    return {**kind, **dict.fromkeys(sorted(names)), "id": item.id}
