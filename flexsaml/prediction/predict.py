"""What a sign-in will deliver, and what Flex makes of it: the rules of docs/sign-in.md over what was read. Pure. An
unknown value is left out of what Flex is predicted to store, and everything that depends on it is unknown too, never
missing."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from flexsaml import flex
from flexsaml.claims import NAME_ID, load_table, quote

from .evidence import UNKNOWN, Inference, SourceValues
from .policy import PolicyEntry, SignInPolicy
from .sources import UNREADABLE_USER, Agent, PredictedNameId, SignInTarget, Sources, cite_characters, predict_name_id

OUTCOMES = WORKS, FAILS, _ = "works", "fails", UNKNOWN
XMLSOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
_IDENTITY = "http://schemas.microsoft.com/identity/claims/"
_GROUPS = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"
_METHODS_REFERENCES = "http://schemas.microsoft.com/claims/authnmethodsreferences"
_NAME_FORMAT = "urn:oasis:names:tc:SAML:2.0:attrname-format:"
_BY_PASSWORD = "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password"  # noqa: S105


@dataclass(frozen=True, kw_only=True)
class AttributeLine(SourceValues):
    """One attribute of the statement; one without values is named by the policy and not sent, or unknown."""

    name: str
    name_format: str = ""


@dataclass(frozen=True, kw_only=True)
class WorkerLine(Inference):
    """One attribute or channel setting of the worker. `kept`: not sent, so the worker keeps its old value (F7)."""

    name: str
    value: object = None
    kept: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.unknown:
            object.__setattr__(self, "value", None)


@dataclass(frozen=True, kw_only=True)
class EntraRefusal(Inference):
    """Entra refuses the sign-in with this error code, or may do so if the confidence is unknown."""

    code: str
    message: str


@dataclass(frozen=True)
class Prediction:
    """One user at one principal under one policy. `faults`: why Flex refuses; `sign_in_doubts`: what else decides about
    the sign-in and is unknown, with the reason."""

    agent: Agent
    refusals: tuple[EntraRefusal, ...]
    name_id: PredictedNameId
    attributes: tuple[AttributeLine, ...]
    worker: tuple[WorkerLine, ...]
    update: flex.WorkerUpdate
    faults: tuple[flex.AttributeFault, ...]
    sign_in_doubts: tuple[tuple[str, str], ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the sign-in fails, one sentence each."""
        refusals = (f"{item.code}: {item.message}" for item in self.refusals if item.confidence != UNKNOWN)
        return (*refusals, *(fault.message for fault in self.faults))

    @property
    def doubts(self) -> tuple[str, ...]:
        """What decides about the sign-in and is unknown, one sentence each."""
        spoils_all = {"S24", "S26"}  # a character of one value decides about the signature of the assertion
        deciding = [line for line in self.attributes if _decides(line.name) or spoils_all & set(line.evidence)]
        doubts = [(f"'{line.name}'", line.unknown) for line in deciding]
        doubts += [("the NameID", self.name_id.unknown if spoils_all & set(self.name_id.evidence) else "")]
        doubts += self.sign_in_doubts
        doubts += [(f"whether sign-in is refused with {item.code}", item.unknown) for item in self.refusals]
        doubts += [("what Flex does with the worker", doubt.message) for doubt in self.update.doubts]
        return tuple(f"{subject} is unknown: {reason}" for subject, reason in doubts if reason)

    @property
    def outcome(self) -> str:
        """WORKS, FAILS or UNKNOWN."""
        return FAILS if self.problems else UNKNOWN if self.doubts else WORKS


def predict_sign_in(policy: SignInPolicy, target: SignInTarget, agent: Agent) -> Prediction:
    """The sign-in of one user, from what was read."""
    sources = Sources(policy, target, agent)
    name_id = predict_name_id(sources)
    lines = (*_fixed_lines(policy, target, agent), *_policy_lines(sources))
    sent = tuple(flex.SamlAttribute(line.name, line.values, line.name_format) for line in lines if line.values)
    update = flex.compute_worker_update(flex.SamlStatement(name_id.value, name_id.format, sent))
    unknown = {flex.parse_attribute_name(line.name)[0] for line in lines if line.unknown}
    return Prediction(
        agent=agent, refusals=tuple(_find_refusals(target, agent)), name_id=name_id, attributes=lines,
        worker=tuple(_worker_lines(lines, update, name_id)), update=update,
        faults=tuple(fault for fault in update.faults if not (fault.kind == "missing" and fault.name in unknown)),
        sign_in_doubts=tuple(_find_doubts(policy, target, agent)),
    )  # fmt: skip


def _find_doubts(policy: SignInPolicy, target: SignInTarget, agent: Agent) -> Iterator[tuple[str, str]]:
    """What decides about the sign-in besides refusals and attributes (W6 to W8, S27)."""
    mode, issues, takes = target.snapshot.sign_on_mode, "whether Entra issues an assertion", "whether Flex takes it"
    if mode.lower() not in ("", "saml"):
        yield issues, f"the application's single sign-on mode is {quote(mode, 40)}, which Entra uses to start it (W6)"
    if agent.properties.get("externalUserState") == "PendingAcceptance":
        yield issues, "the user has not accepted the invitation, which Entra asks for before the first sign-in (W8)"
    if target.snapshot.encrypts_tokens:
        yield takes, "Entra encrypts the assertion, and Twilio documents no way to give Flex the key (W7)"
    for key in policy.envelope_keys:
        yield takes, f"the policy has {key}, which changes the issuer or the audience (S27)"


def _decides(name: str) -> bool:
    """Whether Flex may refuse the sign-in for what an attribute of this Name holds (F1, F4, F13)."""
    worker_name, kind = flex.parse_attribute_name(name.strip())  # it is not known whether Entra drops blanks
    is_restricted = worker_name in load_table("flex")["mandatory"] or worker_name == "team_member"
    return is_restricted or kind not in ("string", "stringarray")


def _find_refusals(target: SignInTarget, agent: Agent) -> Iterator[EntraRefusal]:
    """Why Entra refuses the sign-in (W1 to W5)."""
    snapshot, name = target.snapshot, target.snapshot.principal.display_name
    not_assigned = f"neither the user nor a group they are a direct member of is assigned to '{name}'"
    is_disabled, has_key = agent.properties.get("accountEnabled") is False, target.has_key
    lacks_assignment = snapshot.assignment_required and not agent.assigned
    no_permission = "there is no permission to read whether the user is enabled (User.Read.All)"
    unreadable = "" if agent.is_readable else no_permission
    no_key = f"'{name}' has no active signing certificate, which a claims mapping policy requires"
    uncovered = snapshot.find_uncovered_audience()
    accepts = snapshot.accept_mapped_claims
    not_covered = f"acceptMappedClaims does not cover the audience {uncovered}"
    not_known = "it is not documented whether acceptMappedClaims takes the place of a certificate for SAML"
    undated = "the signing certificate has no dates, and it is not documented whether Entra signs with it"
    for is_refused, rule, code, message, unknown in (
        (not snapshot.enabled, "W1", "AADSTS7000112", f"the application '{name}' is disabled", ""),
        (is_disabled or unreadable, "W2", "AADSTS50057", "the user is disabled", unreadable),
        (lacks_assignment, "W3", "AADSTS50105", not_assigned, agent.roles_unreadable),
        (target.is_key_undated, "W5 undated", "AADSTS50146", undated, undated),
        (not has_key and not accepts, "W4", "AADSTS50146", no_key, ""),
        (not has_key and accepts and uncovered, "W4 audience", "AADSTS501461", not_covered, ""),
        (not has_key and accepts and not uncovered, "W4", "AADSTS50146", not_known, not_known),
    ):
        if is_refused:
            yield EntraRefusal(evidence=(rule,), code=code, message=unknown or message, unknown=unknown)


def _fixed_lines(policy: SignInPolicy, target: SignInTarget, agent: Agent) -> Iterator[AttributeLine]:
    """The core claims, which no policy changes (S19), and the basic ones, which an entry can replace (S20)."""
    tenant_id, replaced = target.snapshot.tenant_id, {entry.saml_type for entry in policy.entries}
    provider = f"https://sts.windows.net/{tenant_id}/" if tenant_id else ""
    for name, value in (
        (f"{_IDENTITY}tenantid", tenant_id),
        (f"{_IDENTITY}objectidentifier", agent.id),
        (f"{_IDENTITY}identityprovider", provider),
        (_METHODS_REFERENCES, _BY_PASSWORD),
    ):
        unknown = "" if value else "there is no permission to read the tenant's id (Organization.Read.All)"
        if value is provider:
            unknown = unknown or agent.guest_doubt
        yield AttributeLine(name=name, values=(value,) if value else (), evidence=("S19",), unknown=unknown)
    properties = (("givenname", "givenname"), ("surname", "surname"), ("emailaddress", "mail"))
    basic = {"name": agent.upn, **{name: agent.by_lower_name.get(property_) for name, property_ in properties}}
    for name, text in basic.items() if policy.includes_basic_claims else ():
        unknown = agent.guest_doubt if name == "name" else "" if agent.is_readable else UNREADABLE_USER
        if XMLSOAP + name not in replaced and (text is not None or unknown):
            source = cite_characters(SourceValues(values=(str(text),), evidence=("S20",), unknown=unknown))
            yield AttributeLine(**vars(source), name=XMLSOAP + name)


def _policy_lines(sources: Sources) -> Iterator[AttributeLine]:
    """One line for each claim type, in the order of the first entry that sends it (S22)."""
    lines: dict[str, AttributeLine] = {}
    for entry in sources.policy.entries:
        if entry.saml_type in ("", NAME_ID):
            continue
        line = _entry_line(entry, sources)
        earlier = lines.get(line.name)
        counts = line.values or line.unknown
        if earlier is None:
            lines[line.name] = line
        elif counts and not (earlier.values or earlier.unknown):
            lines.pop(line.name)
            lines[line.name] = replace(line, evidence=(*line.evidence, "S18 single"))
        elif counts:
            evidence = (*earlier.evidence, *line.evidence, "S18")
            unknown = earlier.unknown or line.unknown
            values = (*earlier.values, *line.values)
            lines[line.name] = replace(earlier, values=values, evidence=evidence, unknown=unknown, reason="")
        elif earlier.values or earlier.unknown:
            lines[line.name] = replace(earlier, evidence=(*earlier.evidence, "S18 single"))
    spellings = Counter(name.lower() for name in lines)
    for name, line in lines.items():
        yield line if spellings[name.lower()] == 1 else replace(line, evidence=(*line.evidence, "S18 case"))
    if sources.policy.has_group_filter:
        unknown = "the policy has a GroupFilter, and groups are not evaluated"
        yield AttributeLine(name=_GROUPS, evidence=("S21",), unknown=unknown)
    for name in sources.policy.ignored:
        if name not in lines and name != NAME_ID:
            yield AttributeLine(
                name=name, evidence=("S4", "S4 first"), reason="Entra reads only the first fifty entries"
            )


def _entry_line(entry: PolicyEntry, sources: Sources) -> AttributeLine:
    name, restricted = entry.saml_type, load_table("restricted_claims")
    if name in restricted["saml"]:
        return AttributeLine(name=name, evidence=("S7", "S7 left out"), reason="Entra restricts this claim type")
    source = cite_characters(sources.read(entry).citing("S3"), name)
    if name in restricted["saml_released_by_signing_key"]:
        if not sources.target.has_key:
            reason = "Entra restricts this claim type to principals with a signing certificate"
            return AttributeLine(name=name, evidence=("S7", "S7 left out"), reason=reason)
        source = source.citing("S7", "S17 issuance")
    name_format = entry.name_format
    if name_format:
        is_urn = name_format.startswith("urn:")
        is_documented = name_format.removeprefix(_NAME_FORMAT) in ("unspecified", "uri", "basic") and is_urn
        source = source.citing("S17") if is_documented else source.citing("S17", "S17 form")
        name_format = name_format if is_urn else f"{_NAME_FORMAT}{name_format}"
    return AttributeLine(**vars(source), name=name, name_format=name_format)


def _worker_lines(
    lines: tuple[AttributeLine, ...], update: flex.WorkerUpdate, name_id: PredictedNameId
) -> Iterator[WorkerLine]:
    by_name = {line.name: line for line in lines}
    doubtful = {doubt.name: doubt.rule for doubt in update.doubts}
    possible = {flex.parse_attribute_name(line.name)[0] for line in lines if line.unknown}
    for name, value in update.attributes.items():
        source = by_name.get(update.sources.get(name, ""))
        if source:
            evidence, unknown = (*source.evidence, *_flex_evidence(source, name)), ""
            evidence += (*_cite_doubts(update, name), *(("F14",) if name in possible else ()))
            evidence += tuple(doubtful[key] for key in ("", name) if key in doubtful)
        else:  # contact_uri, which Flex sets itself
            is_plain = name_id.value.isascii() and "_" not in name_id.value
            evidence = (*name_id.evidence, "F9", "F9 uri" if is_plain else "F9 other")
            unknown = "the NameID is unknown" if name_id.unknown else ""
        yield WorkerLine(name=name, value=value, evidence=evidence, unknown=unknown)
    for channel, settings in update.channels.items():
        for setting, value in settings.items():
            name = f"channel.{channel}.{setting}"
            evidence = (*by_name[name].evidence, "F6", "F4 spelling", *_cite_doubts(update, name))
            yield WorkerLine(name=name, value=value, evidence=evidence, reason="a setting of the channel")
    for line in lines:
        name = flex.parse_attribute_name(line.name)[0]
        if flex.is_ignored(line.name) or line.values or name in update.attributes:
            continue
        if name in possible:
            yield WorkerLine(name=name, evidence=line.evidence, unknown=line.explanation)
        else:
            reason = f"not sent ({line.reason}): the worker keeps its old value"
            yield WorkerLine(name=name, evidence=(*line.evidence, "F7"), reason=reason, kept=True)


def _cite_doubts(update: flex.WorkerUpdate, name: str) -> tuple[str, ...]:
    """The rules by which nobody knows what Flex keeps."""
    doubts = {"F8": update.unknown, "F14": update.contested}
    return tuple(rule for rule, names in doubts.items() if name in names)


def _flex_evidence(line: AttributeLine, name: str) -> tuple[str, ...]:
    kind = flex.parse_attribute_name(line.name)[1]
    place = ("F3 dotted",) if "." in name else ()
    if not any(line.values):
        return (*place, "F7") if kind == "string" else (*place, "F7", "F7 typed")
    if kind.endswith("array"):
        rule = "F5" if line.name == "roles" else "F3"
        items = [item for value in line.values for item in value.split(",")]
        has_odd_items = any(not item or item != item.strip() for item in items)
        is_split = len(items) > len(line.values)
        # Several AttributeValues are documented for roles only, and not whether these are split again.
        is_inferred = has_odd_items or (len(line.values) > 1 and (rule == "F3" or is_split))
        rules = (*place, rule, "F3 items") if is_inferred else (*place, rule)
        return rules if kind == "stringarray" else (*rules, "F4 spelling")
    if kind in ("int", "boolean"):
        return (*place, "F3", "F4 spelling")
    return (*place, "F3", "F3 items") if any(value != value.strip() for value in line.values) else (*place, "F3")
