"""Warnings about values of users that may not arrive as they were meant (`flexsaml.fragile_text`), with their place."""

import json
from collections.abc import Iterable, Mapping

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
    problems = _judge_distinct((*declaration.users.values(), *declaration.roster.values()))
    file = "the roster" if "usersFile" in declaration.secret_keys else declaration.users_file
    for users in (declaration.users, declaration.roster) if problems else ():
        for user, cells in users.items():
            for name, value in cells.items():
                for rule, message, fix in problems.get(_as_text(value), ()):
                    line = declaration.roster_lines.get(user.lower(), 0)
                    where = f"users.{user}" if users is declaration.users else f"{file}, line {line}"
                    findings[rule].append(Finding(rule, levels[rule], where, f"{name} {message}", fix))
    return [finding for rule, each in findings.items() for finding in _cut(rule, levels[rule], each)]


def _judge_distinct(rows: Iterable[Mapping[str, object]]) -> dict[str, list[tuple[str, str, str]]]:
    """Value to what is wrong with it. A large roster has few values with problems, and often few rows that differ:
    equal ones share their cells."""
    distinct_rows = {id(cells): cells for cells in rows}.values()
    texts = {_as_text(value) for cells in distinct_rows for value in cells.values()}
    return {text: problems for text in texts if (problems := _judge(text))}


def _as_text(value: object) -> str:
    """A list as JSON; "" for what is neither text nor a list."""
    return value if isinstance(value, str) else json.dumps(value) if isinstance(value, list) else ""


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
