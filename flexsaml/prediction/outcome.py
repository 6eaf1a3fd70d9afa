"""Whether a sign-in works: what decides about it, and how far that may be believed. Pure. A verdict follows from rules
like every other line. A failure that is documented makes it certain; one that follows from an inference alone makes it
probable; what nobody can know makes it unknown. That a sign-in works follows from all that could make it fail."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flexsaml import flex
from flexsaml.claims import is_entity_id, load_table, quote

from .evidence import EXACT, ORDER_RULES, PREDICTED, UNDOCUMENTED, UNKNOWN, Inference
from .policy import SignInPolicy
from .sources import EMAIL, Agent, PredictedNameId, SignInTarget, Sources
from .statement import AttributeLine
from .transformations import METHODS

WORKS, FAILS = "works", "fails"
OUTCOMES = (WORKS, FAILS, UNKNOWN)
_SPOILS_ALL = {"S24", "S26"}  # a character of one value decides about the signature of the assertion


@dataclass(frozen=True, kw_only=True)
class EntraRefusal(Inference):
    """Entra refuses the sign-in with this error code, or may do so if the confidence is unknown."""

    code: str
    message: str

    @property
    def text(self) -> str:
        return f"{self.code}: {self.message}"

    @property
    def question(self) -> str:
        """What is unknown if the confidence is."""
        return f"whether sign-in is refused with {self.code}"

    def to_json(self) -> dict[str, object]:
        return {"code": self.code, "message": self.message, **super().to_json(), "grade": self.grade or None}


@dataclass(frozen=True, kw_only=True)
class FlexRefusal(Inference):
    """Flex refuses the sign-in, or may do so if the confidence is unknown."""

    fault: flex.AttributeFault

    @property
    def text(self) -> str:
        return self.fault.describe(is_certain=self.confidence == EXACT)

    @property
    def question(self) -> str:
        """What is unknown if the confidence is."""
        return f"whether Flex refuses the sign-in, because {self.fault.problem},"

    def to_json(self) -> dict[str, object]:
        named = {"kind": self.fault.kind, "name": self.fault.name, "message": self.text}
        return {**named, **super().to_json(), "grade": self.grade or None}


Refusal = EntraRefusal | FlexRefusal


@dataclass(frozen=True, kw_only=True)
class SignInVerdict(Inference):
    """`outcome`: WORKS, FAILS or UNKNOWN; of the first two the confidence tells whether it is certain or probable.
    `problems`: why it fails, and `doubts`: what decides about it and is unknown, one sentence each."""

    outcome: str
    problems: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The outcome as a person reads it."""
        return f"probably {self.outcome}" if self.confidence == PREDICTED else self.outcome

    @property
    def sentence(self) -> str:
        """With the rules of what is only probable."""
        return f"{self.text} ({self.grounds})" if self.confidence == PREDICTED else self.text

    def to_json(self) -> dict[str, object]:
        return {"outcome": self.outcome, **super().to_json(), "grade": self.grade or None}


def judge_sign_in(
    refusals: Sequence[Refusal], doubts: Sequence[tuple[str, str]], works: tuple[str, ...]
) -> SignInVerdict:
    """The verdict. `doubts`: what is unknown and decides, with the reason; `works`: the rules by which the sign-in
    works unless something of that makes it fail."""
    certain, probable, unknown = (
        [item for item in refusals if item.confidence == level] for level in (EXACT, PREDICTED, UNKNOWN)
    )
    problems = tuple(f"{item.text} ({item.grounds})" for item in (*certain, *probable))
    reasons = [f"{subject} is unknown: {reason}" for subject, reason in doubts if reason]
    reasons += [f"{item.question} is unknown: {item.unknown}" for item in unknown]
    unique = tuple(dict.fromkeys(reasons))
    if problems:
        decisive = (certain or probable)[0]
        return SignInVerdict(outcome=FAILS, evidence=decisive.evidence, problems=problems, doubts=unique)
    if unique:
        return SignInVerdict(outcome=UNKNOWN, unknown="; ".join(unique), doubts=unique)
    return SignInVerdict(outcome=WORKS, evidence=works)


def decides(name: str) -> bool:
    """Whether Flex may refuse the sign-in for what an attribute of this Name holds (F1, F4)."""
    worker_name, kind = flex.parse_attribute_name(name.strip())  # it is not known whether Entra drops blanks
    return worker_name in load_table("flex")["mandatory"] or kind not in ("string", "stringarray")


def find_doubts(
    policy: SignInPolicy,
    target: SignInTarget,
    agent: Agent,
    lines: Sequence[AttributeLine],
    name_id: PredictedNameId,
    update: flex.WorkerUpdate,
) -> Iterator[tuple[str, str]]:
    """What decides about the sign-in and may be unknown, with the reason, "" if it is known (W6 to W8, W10, S27)."""
    deciding = [line for line in lines if decides(line.name) or _SPOILS_ALL & set(line.evidence)]
    yield from ((f"'{line.name}'", line.unknown) for line in deciding)
    yield "the NameID", name_id.unknown if _SPOILS_ALL & set(name_id.evidence) else ""
    mode, issues, takes = target.snapshot.sign_on_mode, "whether Entra issues an assertion", "whether Flex takes it"
    if mode.lower() not in ("", "saml"):
        yield issues, f"the application's single sign-on mode is {quote(mode, 40)}, which Entra uses to start it (W6)"
    if agent.properties.get("externalUserState") == "PendingAcceptance":
        yield issues, "the user has not accepted the invitation, which Entra asks for before the first sign-in (W8)"
    if target.snapshot.encrypts_tokens:
        yield takes, "Entra encrypts the assertion, and Twilio documents no way to give Flex the key (W7)"
    if target.snapshot.audiences and not any(map(is_entity_id, target.snapshot.audiences)):
        yield (
            takes,
            "none of the application's identifiers looks like the entity ID of Flex, which is its audience (W10)",
        )
    for key in policy.envelope_keys:
        yield takes, f"the policy has {key}, which changes the issuer or the audience (S27)"
    unsure = (doubt.message for doubt in update.doubts if doubt.concerns_sign_in)
    yield from (("what Flex does with the worker", message) for message in unsure)


def find_entra_refusals(target: SignInTarget, agent: Agent) -> Iterator[EntraRefusal]:
    """Why Entra refuses the sign-in (W1 to W5, W9)."""
    snapshot, name = target.snapshot, target.snapshot.principal.display_name
    not_assigned = f"neither the user nor a group they are a direct member of is assigned to '{name}'"
    is_disabled, has_key = agent.properties.get("accountEnabled") is False, target.has_key
    lacks_assignment = snapshot.assignment_required and not agent.assigned
    no_permission = "there is no permission to read whether the user is enabled (User.Read.All)"
    unreadable = "" if agent.is_readable else no_permission
    no_key = f"'{name}' has no active signing certificate, which a claims mapping policy requires"
    if target.is_key_unusable:
        no_key = f"the active signing certificate of '{name}' has no private key in Entra"
    key_rules = ("W4", "W9") if target.is_key_unusable else ("W4",)
    uncovered = snapshot.find_uncovered_audience()
    accepts = snapshot.accept_mapped_claims
    not_covered = f"acceptMappedClaims does not cover the audience {uncovered}"
    not_known = "it is not documented whether acceptMappedClaims takes the place of a certificate for SAML"
    undated = "the signing certificate has no dates, and it is not documented whether Entra signs with it"
    for is_refused, rules, code, message, unknown in (
        (not snapshot.enabled, ("W1",), "AADSTS7000112", f"the application '{name}' is disabled", ""),
        (is_disabled or unreadable, ("W2",), "AADSTS50057", "the user is disabled", unreadable),
        (lacks_assignment, ("W3",), "AADSTS50105", not_assigned, agent.roles_unreadable),
        (target.is_key_undated, ("W5 undated",), "AADSTS50146", undated, undated),
        (not has_key and not accepts, key_rules, "AADSTS50146", no_key, ""),
        (not has_key and accepts and uncovered, ("W4 audience",), "AADSTS501461", not_covered, ""),
        (not has_key and accepts and not uncovered, key_rules, "AADSTS50146", not_known, not_known),
    ):
        if is_refused:
            yield EntraRefusal(evidence=rules, code=code, message=message, unknown=unknown)


def find_flex_refusals(
    policy: SignInPolicy, lines: Sequence[AttributeLine], update: flex.WorkerUpdate
) -> Iterator[FlexRefusal]:
    """Why Flex refuses the sign-in (F1, F4, F7). What is missing because it could not be read is no reason."""
    for fault in update.faults:
        unknown = ""
        if fault.kind == "ill-typed":
            [line] = [line for line in lines if line.name == fault.name]
            has_several = len(line.values) > 1 and not flex.parse_attribute_name(line.name)[1].endswith("array")
            evidence = (*line.evidence, fault.rule, *(("F8",) if has_several else ()))
        else:
            setting = [line for line in lines if _sets(line, fault.name)]
            if any(line.unknown and _sets(line, fault.name, has_case=True) for line in setting):
                continue
            evidence = tuple(rule for line in setting for rule in line.evidence)
            if not setting:
                evidence = (*policy.caveats, *(("S25",) if policy.undocumented else ()))
                unknown = f"the policy has {policy.undocumented}, {UNDOCUMENTED}" if policy.undocumented else ""
            is_other_case = any(line.unknown for line in setting)
            evidence = (*evidence, fault.rule, *(("F1 case",) if is_other_case else ()))
        yield FlexRefusal(evidence=tuple(dict.fromkeys(evidence)), fault=fault, unknown=unknown)


def _sets(line: AttributeLine, name: str, *, has_case: bool = False) -> bool:
    """Whether the line may set this worker attribute, under whatever type, blanks and, unless `has_case`, case."""
    written = line.name.strip()
    return flex.parse_attribute_name(written if has_case else written.lower())[0] == name


_ODD_ENTRIES = {"S3 form", "S9 absent", "S9 source", "S10 other", "S10 none", "S10 extension", "S25"}
"""Rules about entries that no document describes."""


def cite_policy(sources: Sources, name_id: PredictedNameId) -> tuple[str, ...]:
    """Names of the undocumented rules on which a sign-in under the policy depends, whatever its claims decide. Entra
    issues an assertion although the policy has an entry that no document describes (`S10 issued`), or a transformation
    that is missing or has an unknown method (`T6`). Flex accepts another NameID than that of Twilio's guide, which is
    the UPN or the mail address, in the format that Entra gives these (`N3 request`): Twilio documents that a sign-in
    fails with InvalidNameIDPolicy if the NameID is not what the request asks for."""
    policy = sources.policy
    cited = {rule for entry in policy.entries for rule in sources.read(entry).evidence}
    are_known = "T6" not in cited and all(item.method in METHODS for item in policy.transformations)
    is_of_guide = [entry.name_id_format for entry in policy.name_ids] == [""] and name_id.format == EMAIL
    is_known = not name_id.unknown or bool(sources.agent.guest_doubt)
    return (
        *(() if is_of_guide and is_known else ("N3 request",)),
        *(("S10 issued",) if cited & _ODD_ENTRIES else ()),
        *(() if are_known else ("T6",)),
    )


def cite_success(
    target: SignInTarget,
    lines: Sequence[AttributeLine],
    worker_evidence: Sequence[str],
    update: flex.WorkerUpdate,
    policy_evidence: Sequence[str],
) -> tuple[str, ...]:
    """The rules by which a sign-in works that nothing makes fail: of everything that decides, also of what is left out.
    In which order values come decides nothing."""
    rules = ["F1", "W2", "W5", *(("W3",) if target.snapshot.assignment_required else ()), *worker_evidence]
    has_team = any(flex.parse_attribute_name(line.name)[0] in load_table("flex")["team"] for line in lines)
    rules += (*policy_evidence, *(("F13 goes on",) if has_team else ()))
    rules += ("F11 counted",) if update.may_be_too_long else ()
    roles = update.attributes.get("roles")
    has_role = isinstance(roles, list) and any(role in load_table("flex")["roles"] for role in roles)
    rules += () if has_role else ("F12 insights",)
    rules += (rule for line in lines if decides(line.name) for rule in line.evidence)
    are_plain = all(flex.is_plain_value(line.name, value) for line in lines for value in line.values)
    rules += () if are_plain else ("F1 form",)
    return tuple(rule for rule in dict.fromkeys(rules) if rule not in ORDER_RULES)
