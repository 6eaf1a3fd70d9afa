"""Warnings about values of users that may not arrive as they were meant (`flexsaml.fragile_text`), with their place."""

import json
from functools import cache
from itertools import chain

from flexsaml.claims import RULES
from flexsaml.findings import Finding
from flexsaml.fragile_text import describe_fragile_character, is_null_word
from flexsaml.json_values import load_json
from flexsaml.values import NULL

from .model import Declaration

LISTED = 20  # findings of one rule; the others are counted


def find_fragile_values(declaration: Declaration) -> list[Finding]:
    """Values that are text, of the users and of the roster."""
    findings: dict[str, list[Finding]] = {"fragile-value": [], "null-word": []}
    levels = {rule.name: rule.level for rules in RULES.values() for rule in rules}
    lines, problems_of = declaration.roster_lines, cache(_judge)
    inline = (f"users.{user}" for user in declaration.users)
    file = "the roster" if "usersFile" in declaration.secret_keys else declaration.users_file
    roster = (f"{file}, line {lines.get(user.lower(), 0)}" for user in declaration.roster)
    rows = chain(
        zip(inline, declaration.users.values(), strict=True), zip(roster, declaration.roster.values(), strict=True)
    )
    for where, cells in rows:
        for name, value in cells.items():
            text = value if isinstance(value, str) else json.dumps(value) if isinstance(value, list) else ""
            for rule, message, fix in problems_of(text):
                findings[rule].append(Finding(rule, levels[rule], where, f"{name} {message}", fix))
    return [finding for rule, each in findings.items() for finding in _cut(rule, levels[rule], each)]


def _judge(value: str) -> list[tuple[str, str, str]]:
    """Rule, message and fix for a value, which may be a JSON list."""
    problems = []
    for text in _items(value):
        if character := describe_fragile_character(text):
            message = f"has {character}, which is easily lost or changed on the way"
            problems.append(("fragile-value", message, "remove it if it is not meant"))
        if is_null_word(text):
            fix = f"write {NULL} if no value is meant"
            problems.append(("null-word", "is a word that is written as text, not as no value", fix))
    return problems


def _items(value: str) -> list[str]:
    """The texts in a value: those of a list, or itself."""
    if not value.startswith("["):
        return [value]
    try:
        items = load_json(value)
    except ValueError:
        return [value]
    return [item for item in items if isinstance(item, str)] if isinstance(items, list) else [value]


def _cut(rule: str, level: str, findings: list[Finding]) -> list[Finding]:
    if len(findings) <= LISTED:
        return findings
    message = f"{len(findings) - LISTED:,} more values have this finding"
    return [*findings[:LISTED], Finding(rule, level, "users", message)]
