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
from typing import TYPE_CHECKING, ClassVar

from flexsaml.graph import NotFound, User
from flexsaml.values import NULL, Cell, DataType, InvalidValue, pack, take_back, unpack

from .. import engine
from .base import Argument, Failures, Kind, Props, differs, known, text

if TYPE_CHECKING:
    from flexsaml.graph import Directory

CHANGED = "(changed in the tenant)"
CLEARED = "(not set in the tenant)"


class UserExtensionValueKind(Kind):
    name = "UserExtensionValue"
    arguments: ClassVar = {
        # A person who was re-created under the same name is another user: only then is the object another.
        "user": Argument(required=True, replaces=True),
        "values": Argument({}),
        "types": Argument({}),
        "extensions": Argument({}),
        "baselined": Argument(False),
        "seen_missing": Argument(False, transient=True),
    }
    outputs = ("user_id", "__memory")
    secret_outputs = ("__memory",)

    def describe(self, props: Props) -> str:
        return f"of '{text(props.get('user'))}'"

    def check(self, olds: Props, news: Props) -> tuple[Props, Failures]:
        inputs, failures = super().check(olds, news)
        if news.get("seen_missing"):
            if olds:  # managed, and gone or renamed since: left as it is
                return olds, failures
            failures[""] = f"no such user: {text(news.get('user'))}"
        types, values = inputs["types"], dict(inputs["values"])
        for name, value in values.items():
            if known(value):
                try:
                    values[name] = DataType.parse(types.get(name, "String")).canonical(value)
                except InvalidValue as problem:
                    failures[""] = f"the value of {name} {problem}"
        return {**inputs, "values": values}, failures

    def diff(self, olds: Props, news: Props) -> set[str]:
        changed = {key for key in ("values", "types", "extensions") if differs(olds.get(key), news.get(key))}
        return changed | ({"user"} if _other_user(olds, news) else set())

    def create(self, directory: Directory, props: Props) -> tuple[str, Props]:
        person = directory.read_user(props["user"], list(props["values"]))
        live = _canonical(person, props)
        memory = {} if props["baselined"] else {n: Cell.first(live[n], v) for n, v in props["values"].items()}
        _write(directory, person.id, live, props)
        return person.id, _memory(person.id, memory)

    def update(self, directory: Directory, id_: str, olds: Props, news: Props) -> Props:
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

    def read(self, directory: Directory, id_: str, props: Props) -> Props | None:
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
        live = self.read(directory, id_, {**props, **_memory(id_, {})})
        return (id_, live) if live else None

    def delete(self, directory: Directory, id_: str, props: Props) -> None:
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
