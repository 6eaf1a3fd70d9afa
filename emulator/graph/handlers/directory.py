"""Users with their extension values, groups with their members, role assignments.

Quirks: /users/$count answers plain text and wants `ConsistencyLevel: eventual` (A); a row of a collection of directory
objects names its type (A); who may read the membership but not the members' type gets rows with id and type,
everything else null (A), which means "unknown", not "empty".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from emulator.errors import bad_request
from emulator.graph import render
from emulator.graph.call import GraphCall
from emulator.graph.query import Filter, parse_filter
from emulator.graph.routing import held_alternatives
from emulator.messages import Reply
from emulator.tenant import users
from emulator.tenant.records import PlainRecord, UserRecord
from emulator.tenant.store import Store, get_existing
from emulator.tenant.values import READ_ONLY, WRITABLE
from emulator.types import Attributes

T = TypeVar("T")
_BY_NAME = ("userPrincipalName", "startswith")
_FILTERABLE = WRITABLE["User"].keys() | set(READ_ONLY["User"])
_INDEXED = frozenset({"id", "userPrincipalName"})


def _list_matching(call: GraphCall) -> Iterable[UserRecord]:
    rule = parse_filter(call.query, lambda path: path in _FILTERABLE or path.startswith("extension_"), "User")
    if (rule.any_of or len(rule.clauses) == 1) and {(c.path, c.operator) for c in rule.clauses} == {_BY_NAME}:
        named = call.store.users_starting_with([str(clause.values[0]) for clause in rule.clauses])
        return call.store.user_view.read_all(lambda user: rule(user.attributes), among=named)
    listed = call.store.user_view.read_all(among=_candidates(call, rule))
    return (user for user in listed if rule(_comparable(call, user, rule))) if rule.clauses else listed


def _candidates(call: GraphCall, rule: Filter) -> list[UserRecord]:
    """All users, or those the index names when the filter is a single comparison by key."""
    clause = rule.clauses[0] if len(rule.clauses) == 1 else None
    if clause is None or clause.path not in _INDEXED or clause.operator not in ("eq", "in"):
        return list(call.store.users.values())
    named = (users.locate(call.store, str(value)) for value in clause.values)
    return list({user.id: user for user in named if user is not None}.values())


def _comparable(call: GraphCall, user: UserRecord, rule: Filter) -> Attributes:
    """The attributes with the extension values under the names that the filter uses, whatever their case."""
    paths = [clause.path for clause in rule.clauses if clause.path.startswith("extension_")]
    if not paths:
        return user.attributes
    folded = {name.casefold(): value for name, value in users.read_visible_values(call.store, user).items()}
    return {**user.attributes, **{path: folded.get(path.casefold()) for path in paths}}


def list_users(call: GraphCall) -> Reply:
    return render.page(call, "users", _list_matching(call), render.user, {"$filter"})


def count_users(call: GraphCall) -> Reply:
    if not call.query.eventual:
        raise bad_request("$count is not currently supported.")
    call.query.refuse_unless({"$filter"})
    return Reply(200, str(sum(1 for _ in _list_matching(call))), content_type="text/plain")


def user_of(call: GraphCall) -> UserRecord:
    return users.find(call.store, call.key("user"))


def list_groups(call: GraphCall) -> Reply:
    rule = parse_filter(call.query, {"displayName", "id", "securityEnabled"}.__contains__, "Group")
    listed = [group for group in call.store.groups.values() if rule(group.attributes)]
    return render.page(call, "groups", listed, render.group, {"$filter"})


def group_of(call: GraphCall) -> PlainRecord:
    return get_existing(call.store.groups, call.guid("group"))


def page_of_objects(
    call: GraphCall, holder: T, read: Callable[[Store, T], Iterable[UserRecord | PlainRecord]]
) -> Reply:
    return render.page(call, "directoryObjects", read(call.store, holder), _typed_row)


def _typed_row(call: GraphCall, item: UserRecord | PlainRecord) -> Attributes:
    name = "user" if isinstance(item, UserRecord) else "group"
    kind = {"@odata.type": f"#microsoft.graph.{name}"}
    if held_alternatives(f"GET /{name}s/{{{name}}}", call.token.roles):
        return {**kind, **(render.user(call, item) if isinstance(item, UserRecord) else render.group(call, item))}
    names = call.select or (render.DEFAULT_USER if name == "user" else item.attributes.keys() - {"members"})
    return {**kind, **dict.fromkeys(sorted(names)), "id": item.id}


def page_of_roles(call: GraphCall, holder: T, read: Callable[[Store, T], list[Attributes]]) -> Reply:
    return render.page(call, "appRoleAssignments", read(call.store, holder), render.selected)
