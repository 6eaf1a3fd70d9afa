"""Lint: what is wrong in a claims mapping policy, or will not do what it seems to. Graph accepts almost any definition,
and answers a broken one with one sentence that names nothing; the rest shows at sign-in, as an absent claim or a
refused login. `lint` reports it before. The rules have two profiles: `entra` holds for any policy, `flex` adds what
Twilio Flex needs. What the service is known to have accepted is a warning at most. No tenant has confirmed any rule;
each has the grade of its evidence. No network is used."""

import re
from itertools import chain

from flexsaml.findings import Finding

from . import rules_claims, rules_document, rules_flex, rules_sources, rules_transformations
from .reading import read_policies
from .rules import PROFILES, RULES, Context, Violation

MAX_FINDINGS = 50
"""Findings of one rule about one policy; more are reported in one."""
_ENTRA = (rules_document, rules_sources, rules_claims, rules_transformations)
_PLACE = re.compile(r"(?:value\[\d+\] )?(ClaimsSchema|ClaimsTransformations?)\[(\d+)\]")


def lint(text: str | bytes, *, profile: str = "entra", context: Context | None = None) -> list[Finding]:
    """The findings on a definition, with their default levels, in the order of the document. `text` is a definition,
    the same as a JSON string, or a request body or answer with one. Never raises for any text; raises ValueError for an
    unknown profile."""
    if profile not in PROFILES:
        raise ValueError(f"profile '{profile}' is none of {', '.join(PROFILES)}")
    rules = RULES["entra"] if profile == "entra" else RULES["entra"] + RULES[profile]
    findings: list[Finding] = []
    for policy in read_policies(text):
        violations: dict[str, list[Violation]] = {rule.name: [] for rule in rules}
        modules = _ENTRA if profile == "entra" else (*_ENTRA, rules_flex)
        for violation in chain(policy.problems, *(module.check(policy, context or Context()) for module in modules)):
            violations[violation.rule].append(violation)
        cut = ((rule, violation) for rule in rules for violation in _cut(violations[rule.name]))
        findings += sorted((Finding(rule.name, rule.level, *violation[1:]) for rule, violation in cut), key=_position)
    return findings


def _cut(violations: list[Violation]) -> list[Violation]:
    if len(violations) <= MAX_FINDINGS:
        return violations
    message = f"there are more than {MAX_FINDINGS} of these; the others are not listed"
    return [*violations[:MAX_FINDINGS], Violation(violations[0].rule, "definition", message)]


def _position(finding: Finding) -> tuple[int, int]:
    """The document comes first, then the entries, then the transformations."""
    match = _PLACE.match(finding.where)
    return (0, 0) if not match else (1 if match[1] == "ClaimsSchema" else 2, int(match[2]))
