"""What Twilio Flex stores from an attribute statement, and whether it lets the person in: rules F1 to F9.

The rules and their grades stand in docs/sign-in.md. Nothing here was confirmed by a Flex account. An ill-typed
value refuses the whole sign-in and nothing is updated (F4), so `attributes` is what Flex would store were there no
faults. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flexsaml.claims import load_table

from .model import Attribute, Statement

_CHANNEL = re.compile(r"channel\.([^.]+)\.([^.]+)")
_INTEGER = re.compile(r"-?[0-9]+")
_LARGEST = 2**53 - 1


@dataclass(frozen=True)
class Fault:
    """Why Flex refuses the sign-in. `kind`: missing, empty or ill-typed; `name`: the attribute, as Flex needs it."""

    kind: str
    name: str
    message: str


@dataclass(frozen=True)
class Stored:
    """What a sign-in leaves on the worker.

    `sources` leads from a worker attribute to the attribute of the assertion it comes from; `ignored` names those
    Flex passes over; `unknown` names worker attributes of which the value cannot be known (F8).
    """

    friendly_name: str
    attributes: Mapping[str, object] = field(default_factory=dict)
    channels: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


class _IllTyped(ValueError):
    pass


def stored(statement: Statement) -> Stored:
    """What Flex makes of the statement."""
    attributes: dict[str, object] = {}
    channels: dict[str, dict[str, object]] = {}
    sources: dict[str, str] = {}
    ignored: list[str] = []
    unknown: set[str] = set()
    faults: list[Fault] = []
    for one in statement.attributes:
        if is_ignored(one.name):
            ignored.append(one.name)
            continue
        channel = _CHANNEL.fullmatch(one.name)
        base, kind = typed(one.name)
        try:
            value = _value(one, kind)
        except _IllTyped as problem:
            faults.append(Fault("ill-typed", one.name, str(problem)))
            continue
        if channel and channel[2] in load_table("flex")["channel"]:
            channels.setdefault(channel[1], {})[channel[2]] = value
            continue
        attributes[base] = value
        sources[base] = one.name
        unknown.discard(base)
        if kind == "string" and len(one.values) > 1:
            unknown.add(base)
    name_id = statement.name_id.value
    attributes.setdefault("contact_uri", contact_uri(name_id))
    return Stored(
        friendly_name=name_id,
        attributes=attributes,
        channels=channels,
        sources=sources,
        ignored=tuple(ignored),
        unknown=tuple(sorted(unknown)),
        faults=(*_required(statement), *faults),
    )


def is_ignored(name: str) -> bool:
    """Attributes whose Name is a URI leave no trace on the worker (F2)."""
    return ":" in name


def typed(name: str) -> tuple[str, str]:
    """The worker attribute an attribute's Name leads to, and the type it is read as (F3, F5, F6)."""
    channel = _CHANNEL.fullmatch(name)
    if channel and channel[2] in load_table("flex")["channel"]:
        return name, str(load_table("flex")["channel"][channel[2]])
    if name == "roles":
        return name, "stringarray"
    base, dot, suffix = name.rpartition(".")
    if dot and base and suffix in load_table("flex")["typed_suffix"]:
        return base, suffix
    return name, "string"


def contact_uri(name_id: str) -> str:
    """What Flex sets itself, unless the assertion sends it (F9)."""
    kept = re.compile(rb"[A-Za-z0-9_]")
    letters = (
        chr(byte) if kept.fullmatch(bytes((byte,))) else f"_{byte:02X}"
        for byte in name_id.encode("utf-8", "surrogatepass")
    )
    return "client:" + "".join(letters)


def _required(statement: Statement) -> list[Fault]:
    """email, full_name and roles, by exactly these names (F1); blanks alone are as good as nothing (D)."""
    given = {one.name: one.values for one in statement.attributes}
    faults = []
    for name in load_table("flex")["mandatory"]:
        if name not in given:
            faults.append(Fault("missing", name, f"'{name}' is missing: Flex answers with error 45050"))
        elif not any(value.strip(" ,") for value in given[name]):
            faults.append(Fault("empty", name, f"'{name}' is empty: Flex answers with error 45050"))
    return faults


def _value(one: Attribute, kind: str) -> object:
    if kind.endswith("array"):
        return _items(one, _ITEM[kind.removesuffix("array")])
    return _ITEM[kind](one.values[0] if one.values else "", one.name)


def _items(one: Attribute, item: Callable[[str, str], object]) -> list[object]:
    texts = list(one.values)
    if len(texts) <= 1:
        text = texts[0] if texts else ""
        texts = text.split(",") if text.strip() else []
    return [item(text.strip(), one.name) for text in texts]


def _integer(text: str, name: str) -> object:
    if not _INTEGER.fullmatch(text) or abs(int(text[:20])) > _LARGEST:
        raise _IllTyped(_words(name, text, "a whole number within 53 bits"))
    return int(text)


def _boolean(text: str, name: str) -> object:
    if text.lower() not in ("true", "false"):
        raise _IllTyped(_words(name, text, "true or false"))
    return text.lower() == "true"


_ITEM: Mapping[str, Callable[[str, str], object]] = {
    "string": lambda text, _name: text,
    "int": _integer,
    "boolean": _boolean,
}


def _words(name: str, text: str, wanted: str) -> str:
    """Without the value: callers decide whether a person may see it."""
    what = "is empty, where it takes" if not text else "does not hold"
    return f"'{name}' {what} {wanted}: Flex refuses the sign-in (400 Error invalid attribute format)"
