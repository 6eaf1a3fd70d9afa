"""What Twilio Flex stores from an attribute statement, and whether it lets the person in: rules F1 to F9 of
docs/sign-in.md, which no Flex account has confirmed. Pure. A value of the wrong type refuses the whole sign-in and
updates nothing (F4), so a `WorkerUpdate` with faults says what Flex would store without them."""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from flexsaml.claims import is_flex_role, is_surely_misfit, is_uri, load_table

_CHANNEL = re.compile(r"channel\.([^.]+)\.([^.]+)")
_INTEGER = re.compile(r"(-?)0*([0-9]{1,16})")
_LARGEST_INTEGER = 2**53 - 1
_WANTED = {"int": "an integer of at most 53 bits", "boolean": "true or false"}
_PLAIN_VALUES = {
    "email": re.compile(r"[!#$%&'*+/=?^_`{|}~A-Za-z0-9.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"),
    "full_name": re.compile(r".*[^\W_].*", re.DOTALL),
}
_KEPT_IN_URI = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")


@dataclass(frozen=True)
class SamlAttribute:
    """One attribute: its Name verbatim, its values in order, its NameFormat ("" for none)."""

    name: str
    values: tuple[str, ...]
    name_format: str = ""


@dataclass(frozen=True)
class SamlStatement:
    """What Flex reads of an assertion, whether predicted or received. `name_id`: who signs in."""

    name_id: str
    name_id_format: str
    attributes: tuple[SamlAttribute, ...]


@dataclass(frozen=True)
class AttributeFault:
    """Why Flex refuses the sign-in. `kind`: missing, empty or ill-typed; `name`: the attribute, as Flex needs it;
    `problem`: what is wrong with it. `rule`: that of docs/sign-in.md, as prediction's table of evidence has it; Twilio
    documents F1 and F4 (A), and what else its name says is our inference (D)."""

    kind: str
    name: str
    problem: str
    rule: str

    @property
    def message(self) -> str:
        """With the rule and its grade."""
        is_documented = self.rule in ("F1", "F4")
        return f"{self.describe(is_certain=is_documented)} ({self.rule[:2]}, {'A' if is_documented else 'D'})"

    def describe(self, *, is_certain: bool) -> str:
        """What Flex does. The message has no value: callers decide who may see it."""
        does = "refuses the sign-in (400 Error invalid attribute format)"
        if self.kind != "ill-typed":
            does = "answers with error 45050"
        return f"{self.problem}: Flex {'' if is_certain else 'probably '}{does}"


@dataclass(frozen=True)
class AttributeDoubt:
    """Why it is not known whether Flex takes the attributes. `name`: the worker attribute, "" for all of them. The
    message has no value: callers decide who may see it. `rule`: that of docs/sign-in.md, as prediction's table of
    evidence has it."""

    name: str
    rule: str
    message: str
    fix: str = "correct the value in Entra"

    @property
    def concerns_sign_in(self) -> bool:
        """Whether Flex may refuse the sign-in for it. Of several teams Twilio says that an error is logged (F13)."""
        return self.rule != "F13 several"

    @property
    def consequence(self) -> str:
        """What the sign-in does, as far as it is documented, with grades where it is."""
        if self.concerns_sign_in:
            return "it is not documented what the sign-in does then"
        return "Flex assigns none and logs an error (A), and the sign-in probably goes on (D)"


@dataclass(frozen=True)
class WorkerUpdate:
    """What a sign-in writes to the worker. `sources`: worker attribute to the Name of the attribute it comes from.
    `ignored`: Names that Flex ignores. `unknown`: worker attributes and channel settings of which it is not known which
    of several values Flex keeps (F8); `contested`: those that several attributes of the assertion set (F14);
    `substitutes`: a required attribute to the Name with a type suffix that is there in its place (F1)."""

    friendly_name: str
    attributes: Mapping[str, object] = field(default_factory=dict)
    channels: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    contested: tuple[str, ...] = ()
    substitutes: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[AttributeFault, ...] = ()

    @property
    def doubts(self) -> tuple[AttributeDoubt, ...]:
        """What the attributes have that Flex may refuse, or may not."""
        table, reasons = load_table("flex"), []
        roles = self.attributes.get("roles")
        if isinstance(roles, list) and not all(is_flex_role(role) for role in roles):
            known = ", ".join(table["roles"])
            words = f"a value of 'roles' is not one of Flex's roles, {known} and those of Flex Insights (F12)"
            reasons.append(("roles", "F12 other", words))
        team = self.attributes.get("team_member")
        is_several = len(team) > 1 if isinstance(team, list) else "," in str(team)
        if "team_member" in self.unknown or is_several:
            words = "'team_member' has several values, or one with a comma, and Flex takes one team (F13)"
            reasons.append(("team_member", "F13 several", words))
        if self.length > table["most_characters"]:
            words = (
                f"the attributes are {self.length:,} characters of JSON, more than {table['most_characters']:,} (F11)"
            )
            reasons.append(("", "F11 beyond", words))
        for name in self.unknown:
            written = self.sources.get(name, name)
            if parse_attribute_name(written)[1] != "string":
                words = f"'{written}' has several values, and it is not documented which of them Flex takes (F8)"
                reasons.append((name, "F8", words))
        doubts = [AttributeDoubt(*reason) for reason in reasons]
        for name in table["mandatory"]:
            if name in self.substitutes:
                message = f"'{self.substitutes[name]}' is there instead of '{name}', which Flex requires (F1)"
                doubts.append(AttributeDoubt(name, "F1 suffix", message, f"name the claim '{name}'"))
            elif name in self.contested:
                message = f"several attributes set '{name}', which Flex requires (F14)"
                doubts.append(AttributeDoubt(name, "F14", message, "keep only one of these claims"))
        return tuple(doubts)

    @property
    def length(self) -> int:
        """Characters of the attributes as JSON, without those that the worker keeps (F11)."""
        return len(json.dumps(self.attributes, ensure_ascii=False, separators=(",", ":")))

    @property
    def may_be_too_long(self) -> bool:
        """Whether it depends on how Flex writes JSON, with blanks and escapes or without, that they are not too many
        characters."""
        return self.length <= int(load_table("flex")["most_characters"]) < len(json.dumps(self.attributes))


class _IllTyped(ValueError):
    """What is wrong with a value, without the value. `rule`: by which it fails."""

    def __init__(self, problem: str, rule: str) -> None:
        super().__init__(problem)
        self.rule = rule


def compute_worker_update(statement: SamlStatement) -> WorkerUpdate:
    """What Flex makes of the statement."""
    attributes: dict[str, object] = {}
    channels: dict[str, dict[str, object]] = {}
    sources: dict[str, str] = {}
    has_several: dict[str, bool] = {}
    set_names: set[str] = set()
    contested: set[str] = set()
    substitutes = _find_substitutes(statement)
    faults = _find_absent(statement, substitutes)
    for attribute in statement.attributes:
        if is_ignored(attribute.name):
            continue
        name, kind = parse_attribute_name(attribute.name)
        if name in set_names:
            contested.add(name)
        set_names.add(name)  # also by a value that does not fit: that Flex refuses it may be an inference
        try:
            value = _parse_value(attribute, kind)
        except _IllTyped as problem:
            rule = "F6 channel" if _match_channel(attribute.name) else problem.rule
            faults.append(AttributeFault("ill-typed", attribute.name, f"'{attribute.name}' {problem}", rule))
            continue
        has_several[name] = not kind.endswith("array") and len(attribute.values) > 1
        channel = _match_channel(attribute.name)
        if channel:
            channels.setdefault(channel[1], {})[channel[2]] = value
            continue
        attributes[name] = value
        sources[name] = attribute.name
    attributes.setdefault("contact_uri", build_contact_uri(statement.name_id))
    ignored = tuple(attribute.name for attribute in statement.attributes if is_ignored(attribute.name))
    unknown = tuple(sorted(name for name in has_several if has_several[name]))
    return WorkerUpdate(
        statement.name_id, attributes, channels, sources, ignored, unknown, tuple(sorted(contested)), substitutes,
        tuple(faults),
    )  # fmt: skip


def is_ignored(name: str) -> bool:
    """Whether Flex ignores attributes of this Name, because it is a URI (F2)."""
    return is_uri(name)


def describe_loss(name: str, *, is_absent: bool) -> str:
    """What Flex does if this attribute is absent, or empty; with the rule and its grade."""
    worker_name, kind = parse_attribute_name(name)
    if is_ignored(name):
        return describe_uri(name)
    if worker_name in load_table("flex")["team"]:
        effect = "assigns the default team" if worker_name == "team_member" else "takes ownership of teams away"
        return f"Flex {effect} (F13, A)"
    if worker_name == "contact_uri":
        return "Flex sets its own (F9, A)" if is_absent else "it is not documented whether Flex then sets its own (F9)"
    if is_absent:
        return f"the worker keeps its old value (F7, {'D' if _match_channel(name) else 'A'})"
    return f"Flex clears the worker's attribute (F7, {'A' if kind == 'string' else 'D'})"


def describe_ignored(names: Sequence[str]) -> tuple[str, str]:
    """What Flex does with these attributes, and the grade: Twilio's example is an http address (A); that Flex
    ignores every Name with a colon is our inference (D)."""
    does, grade = _rate_ignoring(names)
    return f"Flex {does} {len(names)} attribute{'s' * (len(names) > 1)} whose name is a URI", grade


def describe_uri(name: str) -> str:
    """What Flex does with an attribute of this Name, which is a URI; with the rule and its grade."""
    does, grade = _rate_ignoring((name,))
    return f"Flex {does} Names that are URIs (F2, {grade})"


def _rate_ignoring(names: Sequence[str]) -> tuple[str, str]:
    is_documented = all("://" in name for name in names)
    return ("ignores", "A") if is_documented else ("probably ignores", "D")


def is_plain_value(name: str, value: str) -> bool:
    """Whether nobody would call the value of this required attribute invalid: a plain address, or a name with a letter
    or a digit. True for every other attribute."""
    return name not in _PLAIN_VALUES or _PLAIN_VALUES[name].fullmatch(value) is not None


def parse_attribute_name(name: str) -> tuple[str, str]:
    """The worker attribute that an attribute of this Name sets, and the type of its value (F3, F5, F6)."""
    channel = _match_channel(name)
    if channel:
        return name, str(load_table("flex")["channel"][channel[2]])
    if name == "roles":
        return name, "stringarray"
    base, _, suffix = name.rpartition(".")
    if base and suffix in load_table("flex")["typed_suffix"]:
        return base, suffix
    return name, "string"


def build_contact_uri(name_id: str) -> str:
    """The contact_uri that Flex sets unless the assertion sends one (F9)."""
    data = name_id.encode("utf-8", "surrogatepass")
    return "client:" + "".join(chr(byte) if byte in _KEPT_IN_URI else f"_{byte:02X}" for byte in data)


def _match_channel(name: str) -> re.Match[str] | None:
    """Groups: the channel and its setting. None for every other Name, and for a setting Flex does not know."""
    match = _CHANNEL.fullmatch(name)
    return match if match and match[2] in load_table("flex")["channel"] else None


def _find_substitutes(statement: SamlStatement) -> dict[str, str]:
    """Required attributes that have a value under a Name with a type suffix only. Twilio documents the plain names, and
    not whether `email.string` counts as `email` (F1)."""
    filled = [attribute.name for attribute in statement.attributes if _has_value(attribute)]
    required = {name for name in load_table("flex")["mandatory"] if name not in filled}
    bases = ((parse_attribute_name(name)[0], name) for name in filled if not is_ignored(name))
    return {base: name for base, name in bases if base in required}


def _has_value(attribute: SamlAttribute) -> bool:
    """Only blanks and separators count as empty (D)."""
    return any(value.strip(" ,") for value in attribute.values)


def _find_absent(statement: SamlStatement, substitutes: Mapping[str, str]) -> list[AttributeFault]:
    """email, full_name and roles that nothing gives (F1). Nobody documents that Flex distinguishes `Email` from
    `email`."""
    given = {attribute.name: attribute for attribute in statement.attributes}
    filled = (attribute.name.lower() for attribute in statement.attributes if _has_value(attribute))
    in_lower_case = {parse_attribute_name(name)[0] for name in filled}
    faults = []
    for name in load_table("flex")["mandatory"]:
        if name not in substitutes and not (name in given and _has_value(given[name])):
            rule = "F1 case" if name in in_lower_case else "F1 empty" if name in given else "F1"
            kind = "empty" if name in given else "missing"
            faults.append(AttributeFault(kind, name, f"'{name}' is {kind}", rule))
    return faults


def _parse_value(attribute: SamlAttribute, kind: str) -> object:
    """Of several values of an attribute that is no array, the first that fits (F8). Raises `_IllTyped`."""
    first = attribute.values[0] if attribute.values else ""
    if not kind.endswith("array"):
        return _parse_item(next((value for value in attribute.values if _fits(value, kind)), first), kind)
    items = attribute.values if len(attribute.values) > 1 else first.split(",") if first.strip() else ()
    return [_parse_item(item.strip(" "), kind.removesuffix("array")) for item in items]


def _fits(text: str, kind: str) -> bool:
    with suppress(_IllTyped):
        _parse_item(text, kind)
        return True
    return False


def _parse_item(text: str, kind: str) -> object:
    """The message has not the value: callers decide who may see it."""
    integer = _INTEGER.fullmatch(text)
    if kind == "int" and integer and int(integer[2]) <= _LARGEST_INTEGER:
        return int(integer[1] + integer[2])
    if kind == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind == "string":
        return text
    if not text:
        raise _IllTyped(f"is empty and must be {_WANTED[kind]}", "F7 typed")
    raise _IllTyped(f"is not {_WANTED[kind]}", "F4" if is_surely_misfit(text, kind) else "F4 spelling")
