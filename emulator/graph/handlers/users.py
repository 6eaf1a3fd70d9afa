"""Users and their extension values.

Quirk tamed: /users/$count answers plain text and wants `ConsistencyLevel: eventual` (A).
"""

from __future__ import annotations

from collections.abc import Iterable

from emulator.errors import bad_request
from emulator.graph import render
from emulator.graph.call import Call
from emulator.graph.query import Clause, Filter, parse_filter
from emulator.messages import Reply
from emulator.tenant import users
from emulator.tenant.records import User
from emulator.types import Attributes

_BY_NAME = ("userPrincipalName", "startswith")
_INDEXED = frozenset({"id", "userPrincipalName"})


def _filterable(path: str) -> bool:
    return path in users.KNOWN or path in users.READ_ONLY or path.startswith("extension_")


def _matching(call: Call) -> Iterable[User]:
    keep = parse_filter(call.query, _filterable, "User")
    if keep and (keep.any_of or len(keep.clauses) == 1) and {(c.path, c.operator) for c in keep.clauses} == {_BY_NAME}:
        named = call.store.users_starting_with([str(clause.values[0]) for clause in keep.clauses])
        return call.store.seen_users.see_all(named, belongs=lambda user: keep(user.attributes))
    found = call.store.seen_users.see_all(_candidates(call, keep))
    return found if keep is None else (user for user in found if keep(_comparable(call, user, keep)))


def _candidates(call: Call, keep: Filter | None) -> list[User]:
    """All users, or those the index names when the whole filter is one comparison by key."""
    clause = keep.clauses[0] if keep and len(keep.clauses) == 1 else None
    if clause is None or clause.path not in _INDEXED or clause.operator not in ("eq", "in"):
        return list(call.store.users.values())
    named = (users.locate(call.store, str(value)) for value in clause.values)
    return list({user.id: user for user in named if user is not None}.values())


def _comparable(call: Call, user: User, keep: Filter) -> Attributes:
    if not any(clause.path.startswith("extension_") for clause in keep.clauses):
        return user.attributes
    # A filter may spell an extension in another case than its exact name.
    folded = {n.casefold(): v for n, v in users.visible_values(call.store, user).items()}
    return {**user.attributes, **{c.path: folded.get(c.path.casefold()) for c in _extensions(keep)}}


def _extensions(keep: Filter) -> list[Clause]:
    return [clause for clause in keep.clauses if clause.path.startswith("extension_")]


def list_users(call: Call) -> Reply:
    return render.page(call, "users", _matching(call), lambda user: render.user(call, user), served={"$filter"})


def count_users(call: Call) -> Reply:
    if not call.query.eventual:
        raise bad_request("$count is not currently supported.")
    call.query.refuse_unless({"$filter"})
    return Reply(200, str(sum(1 for _ in _matching(call))), content_type="text/plain")


def get_user(call: Call) -> Reply:
    found = users.find(call.store, call.keys["user"].value)
    return render.entity(call, "users/$entity", render.user(call, found))


def patch_user(call: Call) -> Reply:
    users.patch(call.store, call.keys["user"].value, call.body())
    return render.no_content()


def create_user(call: Call) -> Reply:
    made = users.create(call.store, call.body())
    return render.entity(call, "users/$entity", render.user(call, made), 201)


def delete_user(call: Call) -> Reply:
    users.delete(call.store, call.keys["user"].value)
    return render.no_content()
