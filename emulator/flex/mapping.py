"""From the attributes of an assertion to the attributes of a Flex worker. Pure. The rules are F1 to F9 of
docs/sign-in.md. Quirks: names that are URIs are ignored (A); a typed suffix makes numbers, booleans and arrays, and a
single value that does not fit refuses the sign-in (A); an absent attribute keeps its old value, an empty one clears it
(A); channel settings look like suffixes but set no attribute (A)."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from emulator.types import Attributes, Json

REQUIRED = ("email", "full_name", "roles")
ROLES = frozenset({
    "admin", "supervisor", "agent", "flex.readonlyadmin", "flex.readteams", "wfo.full_access", "wfo.team_leader",
    "wfo.data_analyst", "wfo.data_auditor", "wfo.quality_manager", "wfo.quality_process_manager",
    "wfo.dashboard_viewer",
})  # fmt: skip
MAX_CHARACTERS = 4096
_INTEGER = re.compile(r"-?[0-9]+")
_LARGEST = 2**53 - 1
_CHANNEL = re.compile(r"channel\.([^.]+)\.(capacity|availability)")


class RefusedAttributes(ValueError):
    """Attributes that Flex does not accept: its message, and a hint that says why."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message} {hint}")
        self.message, self.hint = message, hint


class MissingAttributes(RefusedAttributes):
    def __init__(self, names: Sequence[str]) -> None:
        hint = f"Missing or empty: {', '.join(names)}. Flex wants email, full_name and roles in every assertion."
        super().__init__("45050: Authentication error - Missing User Attributes", hint)
        self.names = tuple(names)


class InvalidFormat(RefusedAttributes):
    def __init__(self, name: str, value: str, expected: str) -> None:
        hint = f"{name}: {value!r} is not {expected}. Nothing was updated."
        super().__init__("400 Error invalid attribute format", hint)


@dataclass
class MappedAttributes:
    """What a sign-in sets, and what became of each attribute of the assertion, in its order."""

    attributes: Attributes = field(default_factory=dict)
    channels: dict[str, Attributes] = field(default_factory=dict)
    effects: list[str] = field(default_factory=list)


def map_attributes(attributes: Sequence[tuple[str, Sequence[str]]], name_id: str) -> MappedAttributes:
    """Raises MissingAttributes or, with all required attributes present, InvalidFormat."""
    given = dict(attributes)
    missing = [name for name in REQUIRED if not any(value.strip(" ,") for value in given.get(name, ()))]
    if missing:
        raise MissingAttributes(missing)
    mapped = MappedAttributes({"contact_uri": contact_uri(name_id)})
    for name, values in attributes:
        mapped.effects.append(_set(mapped, name, list(values) or [""]))
    return mapped


def refuse_doubtful(mapped: MappedAttributes) -> None:
    """Raises RefusedAttributes for what Twilio documents as wrong without saying what a sign-in does (D)."""
    roles, team = mapped.attributes.get("roles"), mapped.attributes.get("team_member")
    length = len(json.dumps(mapped.attributes, ensure_ascii=False, separators=(",", ":")))
    for is_wrong, hint in (
        (not ROLES.issuperset(roles or ()), "A role is none of Flex's."),
        (isinstance(team, list) and len(team) > 1, "team_member has several teams."),
        (length > MAX_CHARACTERS, f"The attributes are {length} characters of JSON; {MAX_CHARACTERS} are allowed."),
    ):
        if is_wrong:
            raise RefusedAttributes("The sign-in was refused", hint)


def contact_uri(name_id: str) -> str:
    """`client:` and the name, every byte but letters, digits and _ escaped (D)."""
    escaped = re.sub(rb"[^0-9A-Za-z_]", lambda match: b"_%02X" % match[0][0], name_id.encode())
    return f"client:{escaped.decode()}"


def _set(mapped: MappedAttributes, name: str, values: list[str]) -> str:
    """Set what an attribute of the assertion asks for; returns its effect in words."""
    if ":" in name:
        return "ignored: its name is a URI"
    if channel := _CHANNEL.fullmatch(name):
        kind = "int" if channel[2] == "capacity" else "boolean"
        mapped.channels.setdefault(channel[1], {})[channel[2]] = _CONVERT[kind](name, values[0])
        return f"sets the {channel[2]} of channel {channel[1]} ({kind}); not kept as an attribute"
    bare, dot, suffix = name.rpartition(".")
    if not (dot and bare and suffix.removesuffix("array") in _CONVERT):
        bare, suffix = name, "stringarray" if name == "roles" else "string"
    convert = _CONVERT[suffix.removesuffix("array")]
    if not suffix.endswith("array"):
        mapped.attributes[bare] = convert(name, values[0])
        return f"kept as {bare} ({suffix})" if len(values) == 1 else f"kept as {bare}: the first value"
    items = values if len(values) > 1 else values[0].split(",") if values[0].strip() else []
    mapped.attributes[bare] = [convert(name, item.strip(" ")) for item in items]
    return f"kept as {bare} ({suffix})"


def _integer(name: str, value: str) -> int:
    if not _INTEGER.fullmatch(value) or len(value) > 17 or abs(int(value)) > _LARGEST:
        raise InvalidFormat(name, value, "an integer")
    return int(value)


def _boolean(name: str, value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise InvalidFormat(name, value, "true or false")
    return value.lower() == "true"


_CONVERT: dict[str, Callable[[str, str], Json]] = {
    "string": lambda _, value: value,
    "int": _integer,
    "boolean": _boolean,
}
