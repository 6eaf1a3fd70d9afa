"""UserExtensionValue: the extension values of one user, written forward.

GET and PATCH /users/{id} (v1.0; User.ReadWrite.All). PATCH answers 204, null clears a value, one
unavailable extension in the body fails the whole PATCH (grade A, C); reads need $select (A).

* A writer reads, compares and writes differences, always in place. With `UserValueBaseline`s in front
  it never takes back: its delete does nothing, so changing a configuration key, moving a user or
  losing the resource can never clear anything.
* Alone it remembers what its own create found and its delete sets that back where the live value is
  still ours. A create that failed half-way is covered by a baseline only.
* A value changed behind the stack's back is reported without the value: what a tenant holds about a
  person does not belong in state in clear.
* A fresh property is refused for a while (C); the refused write was certainly not carried out, so it
  is repeated until the property is usable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import Resource

from flexsaml.graph import NotFound, User
from flexsaml.values import NULL, Cell, DataType, InvalidValue, pack, take_back, unpack

from . import engine
from .base import Failures, Props, Provider, differs, known, text

if TYPE_CHECKING:
    from flexsaml.graph import Directory

CHANGED = "(changed in the tenant)"
CLEARED = "(not set in the tenant)"


class UserExtensionValueProvider(Provider):
    kind = "UserExtensionValue"
    inputs = ("user", "values", "types", "extensions", "baselined")
    required = ("user",)

    def label(self, props: Props) -> str:
        return f"of '{text(props.get('user'))}'"

    def normalise(self, olds: Props, news: Props) -> tuple[Props, Failures]:
        failures: Failures = {}
        if news.get("seen_missing"):
            if olds:  # managed, and gone or renamed since: left as it is
                return olds, failures
            failures[""] = f"no such user: {text(news.get('user'))}"
        types = {name: str(kind) for name, kind in (news.get("types") or {}).items()}
        values: dict[str, object] = {}
        for name, value in (news.get("values") or {}).items():
            values[name] = value
            if known(value):
                try:
                    values[name] = DataType.parse(types.get(name, "String")).canonical(value)
                except InvalidValue as problem:
                    failures[""] = f"the value of {name} {problem}"
        return {
            "user": news.get("user"),
            "values": values,
            "types": types,
            "extensions": news.get("extensions") or {},
            "baselined": bool(news.get("baselined")),
        }, failures

    def differing(self, olds: Props, news: Props) -> set[str]:
        changed = {key for key in ("values", "types", "extensions") if differs(olds.get(key), news.get(key))}
        return changed | ({"user"} if _other_user(olds, news) else set())

    # A person who was re-created under the same name is another user: only then is the object another.
    replaced_by = frozenset({"user"})

    def make(self, directory: Directory, props: Props) -> tuple[str, Props]:
        person = directory.read_user(props["user"], list(props["values"]))
        live = _canonical(person, props)
        memory = {} if props["baselined"] else {n: Cell.first(live[n], v) for n, v in props["values"].items()}
        _write(directory, person.id, live, props)
        return person.id, _memory(person.id, memory)

    def alter(self, directory: Directory, id_: str, olds: Props, news: Props) -> Props:
        person = directory.read_user(id_, sorted({*news["values"], *_remembered(olds)}))
        live = _canonical(person, {**news, "types": {**olds["types"], **news["types"]}})
        memory = _remembered(olds)
        _write(directory, id_, live, news)
        if news["baselined"]:
            return _memory(id_, {})
        _restore(directory, id_, {n: c for n, c in memory.items() if n not in news["values"]}, live, olds)
        kept = {
            n: memory[n].again(live[n], v) if n in memory else Cell.first(live[n], v) for n, v in news["values"].items()
        }
        return _memory(id_, kept)

    def look(self, directory: Directory, id_: str, props: Props) -> Props | None:
        people = directory.read_users([id_], list(props["values"]))
        person = people[id_]
        if person is None:
            try:  # one answer of "not found" may be a stale replica's
                person = directory.read_user(id_, list(props["values"]))
            except NotFound:
                return None
        live = _canonical(person, props)
        shown = {
            name: value if live[name] == value else CLEARED if live[name] == NULL else CHANGED
            for name, value in props["values"].items()
        }
        return {**props, "values": shown}

    def adopt(self, directory: Directory, props: Props) -> tuple[str, Props] | None:
        if not all("/" in text(extension) for extension in props["extensions"].values()):
            return None
        id_ = directory.read_user(props["user"]).id
        live = self.look(directory, id_, {**props, **_memory(id_, {})})
        return (id_, live) if live else None

    def remove(self, directory: Directory, id_: str, props: Props) -> None:
        memory = _remembered(props)
        if not memory:
            return
        try:
            person = directory.read_user(id_, list(memory))
        except NotFound:
            return
        _restore(directory, id_, memory, _canonical(person, props), props)


def _other_user(olds: Props, news: Props) -> bool:
    """Whether the reference means another user: not when it is the object id, or the same name in other case."""
    reference = news.get("user")
    if not known(reference):
        return True
    return text(reference).lower() not in (text(olds.get("user")).lower(), text(olds.get("user_id")).lower())


def _canonical(person: User, props: Props) -> dict[str, str]:
    return {
        name: DataType.parse(props["types"].get(name, "String")).from_wire(person.values.get(name))
        for name in person.values
    }


def _write(directory: Directory, user_id: str, live: Mapping[str, str], props: Props) -> None:
    """PATCH what differs, wait until the property takes it, and read it back."""
    types = props["types"]
    different = {
        name: DataType.parse(types.get(name, "String")).wire(value)
        for name, value in props["values"].items()
        if live[name] != value
    }
    if different:
        directory.patch_user_when_usable(user_id, different)
        directory.confirm_users({user_id: different})


def _restore(
    directory: Directory, user_id: str, memory: Mapping[str, Cell], live: Mapping[str, str], props: Props
) -> None:
    back: dict[str, object] = {}
    for name, cell in memory.items():
        found = take_back({user_id: cell}, {user_id: live.get(name, NULL)})
        if found.strangers:
            engine.say(f"{name}: the value of {text(props.get('user'))} was changed by others and stays")
        for prior in found.restore.values():
            back[name] = DataType.parse(props["types"].get(name, "String")).wire(prior)
    if back:
        directory.patch_user(user_id, back)
        directory.confirm_users({user_id: back})


def _memory(user_id: str, cells: Mapping[str, Cell]) -> Props:
    return {"user_id": user_id, "__memory": pack({name: cell.to_json() for name, cell in cells.items()})}


def _remembered(props: Props) -> dict[str, Cell]:
    return {name: Cell.from_json(cell) for name, cell in unpack(props["__memory"]).items()}


class UserExtensionValue(Resource, module="flexsaml", name="UserExtensionValue"):
    """The extension values of one user."""

    user_id: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        user: pulumi.Input[str],
        values: Mapping[str, pulumi.Input[object]],
        types: Mapping[str, str],
        extensions: Mapping[str, pulumi.Input[str]],
        baselined: bool = False,
        seen_missing: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`user` is an object id or a UPN; `values`, `types` and `extensions` have the extension's full name as
        key, and the value to write, the data type ("String", "Integer[]", ...) and the property's id as value.
        `baselined`: `UserValueBaseline`s stand in front (their `extension` output is what `extensions` holds).
        `seen_missing`: preflight did not find the user; judged in `check` and dropped."""
        props = {
            "user": user,
            "values": dict(values),
            "types": dict(types),
            "extensions": dict(extensions),
            "baselined": baselined,
            "seen_missing": seen_missing,
            "user_id": None,
            "__memory": None,
        }
        opts = pulumi.ResourceOptions.merge(
            pulumi.ResourceOptions(additional_secret_outputs=["__memory"]), opts or pulumi.ResourceOptions()
        )
        super().__init__(UserExtensionValueProvider(), resource_name, props, opts)
