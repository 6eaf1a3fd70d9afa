"""What a sign-in will deliver, and what Flex makes of it: the rules of docs/sign-in.md over what was read. Pure. An
unknown value is left out of what Flex is predicted to store, and everything that depends on it is unknown too, never
missing."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flexsaml import flex
from flexsaml.claims import load_table

from .evidence import Inference
from .outcome import (
    EntraRefusal,
    FlexRefusal,
    SignInVerdict,
    cite_policy,
    cite_success,
    decides,
    find_doubts,
    find_entra_refusals,
    find_flex_refusals,
    judge_sign_in,
)
from .pattern_process import PatternProcess
from .policy import SignInPolicy
from .sources import Agent, PredictedNameId, SignInTarget, Sources, predict_name_id
from .statement import AttributeLine, build_lines

_PLAIN = re.compile(r"0|[1-9][0-9]{0,8}|true|false")


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


@dataclass(frozen=True)
class Prediction:
    """One user at one principal under one policy. `refusals`: why Entra refuses, `faults`: why Flex does; `verdict`:
    what that means for the sign-in."""

    agent: Agent
    refusals: tuple[EntraRefusal, ...]
    name_id: PredictedNameId
    attributes: tuple[AttributeLine, ...]
    worker: tuple[WorkerLine, ...]
    update: flex.WorkerUpdate
    faults: tuple[FlexRefusal, ...]
    verdict: SignInVerdict

    def describe_sign_in(self) -> dict[str, Any]:
        """The verdict and what it follows from, as JSON; each with its confidence, rules and grade."""
        refusals = [item.to_json() for item in self.refusals]
        faults = [item.to_json() for item in self.faults]
        return {**self.verdict.to_json(), "refusals": refusals, "faults": faults, "doubts": self.verdict.doubts}


def predict_sign_in(policy: SignInPolicy, target: SignInTarget, agent: Agent, patterns: PatternProcess) -> Prediction:
    """The sign-in of one user, from what was read. `patterns`: one for all users."""
    sources = Sources(policy, target, agent, patterns)
    name_id, lines = predict_name_id(sources), build_lines(sources)
    sent = tuple(flex.SamlAttribute(line.name, line.values, line.name_format) for line in lines if line.values)
    update = flex.compute_worker_update(flex.SamlStatement(name_id.value, name_id.format, sent))
    refusals, faults = tuple(find_entra_refusals(target, agent)), tuple(find_flex_refusals(policy, lines, update))
    doubts = tuple(find_doubts(policy, target, agent, lines, name_id, update))
    read_by_flex = [line for line in lines if line.values and decides(line.name)]
    reading = [rule for line in read_by_flex for rule in _flex_evidence(line)]
    works = cite_success(target, lines, reading, update, cite_policy(sources, name_id))
    verdict = judge_sign_in((*refusals, *faults), doubts, works)
    worker = tuple(_worker_lines(lines, update, name_id))
    return Prediction(agent, refusals, name_id, lines, worker, update, faults, verdict)


def _worker_lines(
    lines: tuple[AttributeLine, ...], update: flex.WorkerUpdate, name_id: PredictedNameId
) -> Iterator[WorkerLine]:
    by_name = {line.name: line for line in lines}
    doubtful = {doubt.name: doubt.rule for doubt in update.doubts}
    possible = {flex.parse_attribute_name(line.name)[0] for line in lines if line.unknown}
    for name, value in update.attributes.items():
        source = by_name.get(update.sources.get(name, ""))
        if source:
            evidence, unknown = (*source.evidence, *_flex_evidence(source)), ""
            evidence += (*_cite_doubts(update, name), *(("F14",) if name in possible else ()))
            evidence += tuple(doubtful[key] for key in ("", name) if key in doubtful)
            evidence += ("F11 counted",) if update.may_be_too_long else ()
        else:  # contact_uri, which Flex sets itself
            is_plain = name_id.value.isascii() and "_" not in name_id.value
            evidence = (*name_id.evidence, "F9", "F9 uri" if is_plain else "F9 other")
            unknown = "the NameID is unknown" if name_id.unknown else ""
        yield WorkerLine(name=name, value=value, evidence=evidence, unknown=unknown)
    for channel, settings in update.channels.items():
        for setting, value in settings.items():
            name = f"channel.{channel}.{setting}"
            line = by_name[name]
            evidence = (*line.evidence, "F6", "F6 channel", *_cite_spelling(line.values), *_cite_doubts(update, name))
            yield WorkerLine(name=name, value=value, evidence=evidence, reason="a setting of the channel")
    for line in lines:
        name = flex.parse_attribute_name(line.name)[0]
        if flex.is_ignored(line.name) or line.values or name in update.attributes:
            continue
        if name in possible:
            yield WorkerLine(name=name, evidence=line.evidence, unknown=line.explanation)
        elif name in load_table("flex")["team"]:
            yield WorkerLine(name=name, evidence=(*line.evidence, "F13 absent"))
        else:
            reason = f"not sent ({line.reason}): the worker keeps its old value"
            evidence = (*line.evidence, "F7", *(("F6 channel",) if name.startswith("channel.") else ()))
            evidence += ("F1 case",) if _is_near_special(name) else ()
            yield WorkerLine(name=name, evidence=evidence, reason=reason, kept=True)


def _cite_doubts(update: flex.WorkerUpdate, name: str) -> tuple[str, ...]:
    """The rules by which nobody knows what Flex keeps."""
    doubts = {"F8": update.unknown, "F14": update.contested}
    return tuple(rule for rule, names in doubts.items() if name in names)


def _is_near_special(name: str) -> bool:
    """Whether the worker attribute differs only in case from one that means something to Flex."""
    table = load_table("flex")
    return name.lower() != name and name.lower() in (*table["mandatory"], *table["team"], "contact_uri")


def _cite_spelling(items: Iterable[str]) -> tuple[str, ...]:
    """Whether one of these numbers or booleans is written otherwise than Twilio's examples are."""
    return () if all(map(_PLAIN.fullmatch, items)) else ("F4 spelling",)


def _flex_evidence(line: AttributeLine) -> tuple[str, ...]:
    name, kind = flex.parse_attribute_name(line.name)
    table = load_table("flex")
    is_dotted = "." in name or name == "routing"
    place = (*(("F3 dotted",) if is_dotted else ()), *(("F1 case",) if _is_near_special(name) else ()))
    place = (*place, *(("F2 form",) if "/" in name else ()))
    if name in table["team"]:
        place = (*place, "F13 stored" if any(line.values) else "F13 absent")
    if not any(line.values):
        return (*place, "F7") if kind == "string" else (*place, "F7", "F7 typed")
    if kind.endswith("array"):
        rule = "F5" if line.name == "roles" else "F3"
        items = [item for value in line.values for item in value.split(",")]
        # Whether quotes hold a comma, or the text may be JSON, is not documented.
        has_odd_items = any(not item or item != item.strip() or item[0] in "\"'[{" for item in items)
        is_split = len(items) > len(line.values)
        # Several AttributeValues are documented for roles only, and not whether these are split again.
        is_inferred = has_odd_items or (len(line.values) > 1 and (rule == "F3" or is_split))
        rules = (*place, rule, "F3 items") if is_inferred else (*place, rule)
        return rules if kind == "stringarray" else (*rules, *_cite_spelling(items))
    if kind in ("int", "boolean"):
        return (*place, "F3", *_cite_spelling(line.values))
    return (*place, "F3", "F3 items") if any(value != value.strip() for value in line.values) else (*place, "F3")
