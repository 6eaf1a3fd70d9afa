"""What a sign-in will deliver, and what Flex makes of it: the rules of docs/sign-in.md over what was read. Pure.

Every line says how far it may be believed (grounds.py). A value nobody can know stays out of what Flex is predicted to
store, and whatever hangs on it is told as unknown too, never as missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flexsaml.claims import NAME_ID, load_table
from flexsaml.flex import (
    AttributeFault,
    NameId,
    SamlAttribute,
    SamlStatement,
    WorkerUpdate,
    compute_worker_update,
    is_ignored,
    parse_attribute_name,
)

from .confidence import EXACT, UNKNOWN, mark, rules
from .name_id import NamedBy, named_by
from .policy import Entry, SignInPolicy
from .sources import Sources
from .subject import Agent, Found, Place

XMLSOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
_IDENTITY = "http://schemas.microsoft.com/identity/claims/"
_NAME_FORM = "urn:oasis:names:tc:SAML:2.0:attrname-format:"
_BY_PASSWORD = "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password"  # noqa: S105


@dataclass(frozen=True)
class Line:
    """One attribute of the statement, or one that an entry names and no sign-in sends.

    Sent if it has values. `why` tells why not, or why nobody can know.
    """

    name: str
    values: tuple[str, ...]
    mark: str
    rules: tuple[str, ...]
    why: str = ""
    name_form: str = ""

    @property
    def sent(self) -> bool:
        return bool(self.values)


@dataclass(frozen=True)
class WorkerLine:
    """One attribute or channel setting of the worker. `kept`: not sent, so what the worker had stays (F7)."""

    name: str
    value: object
    mark: str
    rules: tuple[str, ...]
    why: str = ""
    kept: bool = False


@dataclass(frozen=True)
class RefusedChange:
    """Entra lets nobody, or not this person, in; `mark` tells how far that is known."""

    code: str
    message: str
    mark: str
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Prediction:
    """One user at one principal under one policy."""

    agent: Agent
    refusals: tuple[RefusedChange, ...]
    name_id: NamedBy
    lines: tuple[Line, ...]
    worker: tuple[WorkerLine, ...]
    stored: WorkerUpdate
    faults: tuple[AttributeFault, ...]
    doubts: tuple[str, ...]
    """What decides about the sign-in and cannot be known, one sentence each."""

    @property
    def statement(self) -> SamlStatement:
        return _statement(self.name_id, self.lines)

    @property
    def findings(self) -> tuple[str, ...]:
        """Why the sign-in fails, one sentence each; nothing if it works as far as can be known."""
        refused = tuple(f"{one.code}: {one.message}" for one in self.refusals if one.mark != UNKNOWN)
        return (*refused, *(one.message for one in self.faults))


def predict(policy: SignInPolicy, place: Place, agent: Agent) -> Prediction:
    """The sign-in of one user, from what was read."""
    sources = Sources(policy, place, agent)
    name_id = named_by(policy, sources)
    lines = (*_core(place, agent), *_basic(policy, agent), *_of_the_policy(policy, place, sources))
    kept = compute_worker_update(_statement(name_id, lines))
    unsure = {parse_attribute_name(one.name)[0] for one in lines if one.mark == UNKNOWN and not is_ignored(one.name)}
    unnamed = {one.name for one in lines if one.mark == UNKNOWN}
    faults = tuple(one for one in kept.faults if not (one.kind == "missing" and one.name in unnamed))
    doubts = [f"'{one.name}' cannot be known: {one.why}" for one in lines if one.name in _needed() & unnamed]
    doubts += [f"{one.code} cannot be known: {one.message}" for one in refused(place, agent) if one.mark == UNKNOWN]
    return Prediction(
        agent=agent,
        refusals=tuple(refused(place, agent)),
        name_id=name_id,
        lines=lines,
        worker=tuple(_worker(lines, kept, name_id, unsure)),
        stored=kept,
        faults=faults,
        doubts=tuple(doubts),
    )


def refused(place: Place, agent: Agent) -> Iterator[RefusedChange]:
    """Why Entra refuses the sign-in (W1 to W4), the first reason first."""
    name = place.display_name
    if not place.enabled:
        yield _refusal("AADSTS7000112", f"the application '{name}' is disabled", ("W1",))
    if agent.properties.get("accountEnabled") is False:
        yield _refusal("AADSTS50057", "the user is disabled", ("W2",))
    elif not agent.legible:
        yield _refusal("AADSTS50057", "whether the user is enabled may not be read", ("W2",), unknown=True)
    if place.assignment_required and not agent.assigned:
        if agent.blind:
            yield _refusal("AADSTS50105", agent.blind, ("W3",), unknown=True)
        else:
            yield _refusal("AADSTS50105", f"the user is not assigned to '{name}', nor a group they are in", ("W3",))
    if not place.has_key and not place.accept_mapped_claims:
        message = f"'{name}' has no active signing certificate, and a claims mapping policy wants one"
        yield _refusal("AADSTS50146", message, ("W4",))


def _refusal(code: str, message: str, grounds: tuple[str, ...], *, unknown: bool = False) -> RefusedChange:
    return RefusedChange(code, message, mark(grounds, message if unknown else ""), rules(grounds))


def _core(place: Place, agent: Agent) -> Iterator[Line]:
    unread = "" if place.tenant_id else "the tenant's id may not be read (Organization.Read.All)"
    yield _line(f"{_IDENTITY}tenantid", Found((place.tenant_id,), ("S19",), unknown=unread))
    yield _line(f"{_IDENTITY}objectidentifier", Found((agent.id,), ("S19",)))
    provider = f"https://sts.windows.net/{place.tenant_id}/"
    yield _line(f"{_IDENTITY}identityprovider", Found((provider,), ("S19",), unknown=unread))
    yield _line("http://schemas.microsoft.com/claims/authnmethodsreferences", Found((_BY_PASSWORD,), ("S19",)))


def _basic(policy: SignInPolicy, agent: Agent) -> Iterator[Line]:
    if not policy.basic:
        return
    replaced = {one.saml_type for one in policy.entries}
    for name, source in (("name", "userprincipalname"), ("givenname",) * 2, ("surname",) * 2, ("emailaddress", "mail")):
        if XMLSOAP + name in replaced:
            continue
        value = agent.upn if name == "name" else agent.lowered.get(source)
        unread = "" if agent.legible or name == "name" else "the user's properties may not be read (User.Read.All)"
        if value is not None or unread:
            yield _line(XMLSOAP + name, Found((str(value),), ("S20",), unknown=unread))


def _of_the_policy(policy: SignInPolicy, place: Place, sources: Sources) -> Iterator[Line]:
    """One line for each claim type, in the order of the first entry that sends it (S22)."""
    lines: dict[str, Line] = {}
    for entry in policy.entries:
        if entry.saml_type in ("", NAME_ID):
            continue
        one = _entry_line(entry, place, sources)
        before = lines.get(one.name)
        if before is None or not before.sent:
            if before is None or one.sent or one.mark == UNKNOWN:
                lines.pop(one.name, None)
                lines[one.name] = one
        elif one.sent or one.mark == UNKNOWN:
            lines[one.name] = _merged(before, one)
    yield from lines.values()
    for name in policy.cut:
        if name not in lines and name != NAME_ID:
            yield _line(name, Found(grounds=("S4",), why="its entry is behind the fiftieth"))


def _merged(before: Line, one: Line) -> Line:
    why = before.why if before.mark == UNKNOWN else one.why if one.mark == UNKNOWN else ""
    found = Found(before.values + one.values, (*before.rules, *one.rules, "S18"), unknown=why)
    return Line(
        before.name, () if why else found.values, mark(("S18",), why), rules(found.grounds), why, before.name_form
    )


def _entry_line(entry: Entry, place: Place, sources: Sources) -> Line:
    restricted = load_table("restricted_claims")
    if entry.saml_type in restricted["saml"]:
        return _line(entry.saml_type, Found(grounds=("S7",), why="Entra restricts this claim type"))
    found = sources.of(entry)
    if entry.saml_type in restricted["saml_released_by_signing_key"]:
        if not place.has_key:
            why = "Entra restricts this claim type to principals with a signing certificate"
            return _line(entry.saml_type, Found(grounds=("S7",), why=why))
        found = Found(found.values, (*found.grounds, "S7"), found.why, found.unknown)
    form = entry.name_form
    if form:
        form = form if form.startswith("urn:") else f"{_NAME_FORM}{form}"
        found = Found(found.values, (*found.grounds, "S17"), found.why, found.unknown)
    return _line(entry.saml_type, Found(found.values, ("S3", *found.grounds), found.why, found.unknown), form)


def _line(name: str, found: Found, name_form: str = "") -> Line:
    values = () if found.unknown else found.values
    marked = mark(found.grounds, found.unknown)
    return Line(name, values, marked, rules(found.grounds), found.unknown or found.why, name_form)


def _statement(name_id: NamedBy, lines: tuple[Line, ...]) -> SamlStatement:
    sent = tuple(SamlAttribute(one.name, one.values, one.name_form) for one in lines if one.sent)
    return SamlStatement(NameId(name_id.value, name_id.format), sent)


def _worker(lines: tuple[Line, ...], kept: WorkerUpdate, name_id: NamedBy, unsure: set[str]) -> Iterator[WorkerLine]:
    by_name = {one.name: one for one in lines}
    for name, value in kept.attributes.items():
        source = by_name.get(kept.sources.get(name, ""))
        if source is None:  # contact_uri, which Flex sets itself
            unknown = "the NameID cannot be known" if name_id.mark == UNKNOWN else ""
            of_flex = ("F9", "F9 uri")
            yield WorkerLine(name, None if unknown else value, mark(of_flex, unknown), rules(of_flex), unknown)
            continue
        grounds = _flex_grounds(source, name)
        why = "several values of a text: Flex documents nothing" if name in kept.unknown else ""
        marked = mark(grounds, why) if why or source.mark == EXACT else source.mark
        yield WorkerLine(name, None if why else value, marked, rules((*source.rules, *grounds)), why)
    for channel, settings in kept.channels.items():
        for setting, value in settings.items():
            full = f"channel.{channel}.{setting}"
            source = by_name[full]
            yield WorkerLine(full, value, source.mark, rules((*source.rules, "F6")), "the channel's, no attribute")
    for one in lines:
        name = parse_attribute_name(one.name)[0]
        if is_ignored(one.name) or one.sent or name in kept.attributes:
            continue
        if name in unsure:
            yield WorkerLine(name, None, UNKNOWN, one.rules, one.why)
        else:
            why = f"not sent ({one.why}): the worker keeps what it had"
            yield WorkerLine(name, None, one.mark, rules((*one.rules, "F7")), why, kept=True)


def _flex_grounds(line: Line, name: str) -> tuple[str, ...]:
    kind = parse_attribute_name(line.name)[1]
    if not any(line.values):
        return ("F7",)
    if kind.endswith("array"):
        blanks = any(item != item.strip() for value in line.values for item in value.split(","))
        return (*(("F5",) if name == "roles" else ("F3",)), *(("F3 blanks",) if blanks else ()))
    return ("F3", "F4 spelling") if kind in ("int", "boolean") else ("F3",)


def _needed() -> frozenset[str]:
    return frozenset(load_table("flex")["mandatory"])
