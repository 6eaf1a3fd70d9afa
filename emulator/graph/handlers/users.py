"""Users and their extension values.

Quirk: /users/$count answers plain text and wants `ConsistencyLevel: eventual` (A).
"""

from __future__ import annotations

from collections.abc import Iterable

from emulator.errors import bad_request
from emulator.graph import render
from emulator.graph.call import GraphCall
from emulator.graph.query import Filter, parse_filter
from emulator.messages import Reply
from emulator.tenant import users
from emulator.tenant.records import UserRecord
from emulator.types import Attributes

_BY_NAME = ("userPrincipalName", "startswith")
_INDEXED = frozenset({"id", "userPrincipalName"})


def _is_filterable(path: str) -> bool:
    return path in users.KNOWN or path in users.READ_ONLY or path.startswith("extension_")


def _matching(call: GraphCall) -> Iterable[UserRecord]:
    rule = parse_filter(call.query, _is_filterable, "User")
    view = call.store.user_view
    if rule and (rule.any_of or len(rule.clauses) == 1) and {(c.path, c.operator) for c in rule.clauses} == {_BY_NAME}:
        named = call.store.users_starting_with([str(clause.values[0]) for clause in rule.clauses])
        return view.read_all(named, belongs=lambda user: rule(user.attributes))
    listed = view.read_all(_candidates(call, rule))
    return listed if rule is None else (user for user in listed if rule(_comparable(call, user, rule)))


def _candidates(call: GraphCall, rule: Filter | None) -> list[UserRecord]:
    """All users, or those the index names when the filter is a single comparison by key."""
    clause = rule.clauses[0] if rule and len(rule.clauses) == 1 else None
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
    return render.page(call, "users", _matching(call), lambda user: render.user(call, user), served={"$filter"})


def count_users(call: GraphCall) -> Reply:
    if not call.query.eventual:
        raise bad_request("$count is not currently supported.")
    call.query.refuse_unless({"$filter"})
    return Reply(200, str(sum(1 for _ in _matching(call))), content_type="text/plain")


def get_user(call: GraphCall) -> Reply:
    user = users.find(call.store, call.keys["user"].value)
    return render.entity(call, "users/$entity", render.user(call, user))


def patch_user(call: GraphCall) -> None:
    users.patch(call.store, call.keys["user"].value, call.body())


def create_user(call: GraphCall) -> Reply:
    user = users.create(call.store, call.body())
    return render.entity(call, "users/$entity", render.user(call, user), 201)


def delete_user(call: GraphCall) -> None:
    users.delete(call.store, call.keys["user"].value)
