"""`review`: what a reviewer wants to read out of a preview, as Markdown for a comment on a pull request. Reads what
`pulumi preview --json` printed, and nothing else. What the engine shows as secret stays so. Text of the tenant stands
in escaped code spans, so that it is neither markup nor a mention. Exit status: 0 the preview succeeded, 1 it failed, or
a finding is an error, 2 it is no preview."""

from __future__ import annotations

import argparse
import difflib
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flexsaml.claims import is_full_name, short_name
from flexsaml.errors import UserError
from flexsaml.json_values import load_json
from flexsaml.pulumi_command import DYNAMIC
from flexsaml.terminal_text import escape_controls, print_json, print_lines
from flexsaml.values import RosterTable

from .terminal import read_file

MAX_BYTES = 400_000_000  # a preview of 100,000 users has some 15 MB for each copy of their table
SECRET = "[secret]"  # noqa: S105 - as the engine shows one
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # the engine's stand-in for a value that another resource will give
MIN_LENGTH = 200  # enough for a heading and the number of lines that are left out
_SETTLED = ("same", "read", "refresh", "create-replacement", "delete-replaced", "read-replacement", "read-discard")
"""Operations that change nothing, or are parts of a replacement."""
_SHOWN_BY_VALUES = ("UserValueBaseline", "UserExtensionValue", "UserExtensionValues")
_LEVELS = {"error": 0, "warning": 1, "info": 2}
_NOT_SET, _RESTORED = "not managed", "what was there before this stack"
_MARKUP = re.compile(r"[^\w\s.,:;/()=+'\"-]|:(?=//)|(?<=www)\.", re.ASCII | re.IGNORECASE)
"""Also what makes a link of bare text: a code span of HTML, unlike one of backticks, does not prevent that."""
_FENCE = "```"
_UNHANDLED = "an unhandled error occurred"


@dataclass(frozen=True)
class Step:
    """One step of the preview; `kind` is "" for a resource of others, which has `type` only; `before` and `after` are
    inputs, {} where there are none."""

    operation: str
    type: str
    kind: str
    name: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    @classmethod
    def read(cls, step: Mapping[str, Any]) -> Step:
        old, new = step.get("oldState") or {}, step.get("newState") or {}
        type_ = str(new.get("type") or old.get("type") or "")
        kind = type_.removeprefix(DYNAMIC) if type_.startswith(DYNAMIC) else ""
        operation, name = str(step["op"]), str(step["urn"]).rpartition("::")[2]
        before, after = old.get("inputs") or {}, new.get("inputs") or {}
        if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
            raise TypeError("inputs are no mapping")
        return cls(operation, type_, kind, name, before, {} if operation.startswith("delete") else after)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="what `pulumi preview --json` printed; - for standard input")
    limit = "the most characters of the comment (default: 60000; GitHub takes 65,536)"
    parser.add_argument("--max-length", type=int, default=60_000, metavar="N", help=limit)
    parser.add_argument("--json", action="store_true", help="print the text and its counts as JSON")


def run(given: argparse.Namespace) -> int:
    if given.max_length < MIN_LENGTH:
        raise UserError(f"--max-length {given.max_length}: too short for a comment; give at least {MIN_LENGTH}")
    steps, findings = read_preview(read_file(given.file, MAX_BYTES, "give the output of `pulumi preview --json`"))
    has_failed = any(level == "error" for level, _ in findings)
    lines = shorten(list(render(steps, findings)), given.max_length)
    if given.json:
        print_json({"markdown": "\n".join(lines), "failed": has_failed, "changes": len(list(_changes(steps)))})
    else:
        print_lines(lines)
    return int(has_failed)


def read_preview(raw: bytes) -> tuple[list[Step], list[tuple[str, str]]]:
    """The steps, and the findings as (severity, text). Raises `UserError` if this is not a preview."""
    try:
        preview = load_json(raw)
        steps = [Step.read(step) for step in preview["steps"]]
        diagnostics = preview.get("diagnostics") or []
        findings = [(str(finding["severity"]), str(finding["message"])) for finding in diagnostics]
    except (ValueError, LookupError, TypeError, AttributeError):
        raise UserError("this is not what `pulumi preview --json` prints; give its whole output") from None
    reasons = [(level, text) for level, text in findings if _UNHANDLED not in text]
    # The engine repeats that the program failed. Without another error this is all that tells of the failure.
    return steps, reasons if any(level == "error" for level, _ in reasons) else findings


def render(steps: list[Step], findings: list[tuple[str, str]]) -> Iterator[str]:
    """The comment, line by line."""
    changes = list(_changes(steps))
    counts = Counter({"create": 0, "update": 0, "replace": 0, "delete": 0})
    counts.update(step.operation for step in changes)
    if any(level == "error" for level, _ in findings):
        yield "### flexsaml: the preview failed"
    else:
        summary = ", ".join(f"{count} to {word}" for word, count in counts.items() if count)
        yield f"### flexsaml: {summary or 'nothing to change'}"
    claims = [line for step in changes if step.kind == "ClaimsMappingPolicy" for line in _render_claims(step)]
    users: set[str] = set()
    values = [line for step in changes if step.kind == "UserValueBaseline" for line in _render_values(step, users)]
    if changes:
        yield from ("", _tell_who_is_affected(changes, users))
    # What is too long is cut at the end, so rows of users come last.
    if findings:
        yield from ("", "**Findings**", "")
        for level, text in sorted(set(findings), key=lambda finding: (_LEVELS.get(finding[0], 3), finding[1])):
            yield f"- {level}: {show(text.removeprefix(f'{level}: '))}"
    others = [step for step in steps if _is_change_of_others(step)]
    yield from _render_list("Resources", _without_shown(changes, has_values=bool(values)))
    yield from _render_list("Resources of others in this stack", others)
    yield from claims
    yield from values


def _changes(steps: Iterable[Step]) -> Iterator[Step]:
    return (step for step in steps if step.operation not in _SETTLED and step.kind)


def _is_change_of_others(step: Step) -> bool:
    is_own = bool(step.kind) or step.type.startswith(("pulumi:", "flexsaml:"))
    return not is_own and step.operation not in _SETTLED


def _tell_who_is_affected(changes: list[Step], users: set[str]) -> str:
    if any(step.kind in ("ClaimsMappingPolicy", "PolicyAssignment", "ExtensionProperty") for step in changes):
        return "Everybody who signs in to this application may get other claims, from the next sign-in on."
    if SECRET in users:
        return "Users get other values, from the next sign-in on; which ones is secret."
    if users:
        noun = "user gets" if len(users) == 1 else "users get"
        return f"{len(users):,} {noun} other values, from the next sign-in on."
    return "No sign-in gets other claims."


def _render_claims(step: Step) -> Iterator[str]:
    yield from (
        "",
        f"**Claims of policy {show(step.after.get('display_name') or step.before.get('display_name'))}**",
        "",
    )
    before, after = step.before.get("claims") or {}, step.after.get("claims") or {}
    for hidden, reason in ((SECRET, "secret"), (UNKNOWN, "not known before the update")):
        if hidden in (before, after):
            yield f"The claims are {reason}."
            return
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        yield "The claims are written in a way that this version does not know."
        return
    # Two secrets look the same, so the claim is named even where it may be unchanged.
    names = [
        name
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name) or SECRET in str(before.get(name))
    ]
    rows = [(show(name), show(before.get(name)), show(after.get(name))) for name in names]
    yield from _table(("claim", "before", "after"), rows)
    raw_before, raw_after = str(step.before.get("definition") or ""), str(step.after.get("definition") or "")
    if raw_before != raw_after:
        yield from ("", *_render_definitions(raw_before, raw_after))
    elif not rows:
        yield "No claim differs."


def _render_definitions(before: str, after: str) -> Iterator[str]:
    """What differs between two raw definitions, "" for none, as lines of indented JSON. No such line begins with a
    backtick, so no text ends the block."""
    if SECRET in (before, after):
        yield "The raw definition is secret."
        return
    try:
        old, new = (_indent_json(text) for text in (before, after))
    except ValueError:
        yield "The raw definition differs, and is not JSON."
        return
    yield from ("The raw definition:", "", f"{_FENCE}diff")
    yield from list(difflib.unified_diff(old, new, lineterm=""))[2:]  # the first two lines name files
    yield _FENCE


def _indent_json(text: str) -> list[str]:
    if not text:
        return []
    lines = json.dumps(load_json(text), indent=2, ensure_ascii=False).splitlines()
    return [escape_controls(line.replace(UNKNOWN, "(not known before the update)")) for line in lines]


def _render_values(step: Step, affected: set[str]) -> Iterator[str]:
    """Of one extension. Users whose value differs are added to `affected`."""
    name = str(step.after.get("full_name") or step.before.get("full_name"))
    name = short_name(name) if is_full_name(name) else step.name if name == UNKNOWN else name
    try:
        before, after = _values_of(step.before), _values_of(step.after)
    except (UserError, ValueError, zlib.error):
        affected.add(SECRET)
        counts = [_count_of(props) for props in (step.before, step.after)]
        yield from ("", f"**Values of {show(name)}**: secret; users before: {counts[0]}, after: {counts[1]}")
        return
    changed = {user for user in before.keys() & after.keys() if before[user] != after[user]}
    added, removed = after.keys() - before.keys(), before.keys() - after.keys()
    if not (changed or added or removed):
        return
    affected |= changed | added | removed
    counted = f"{len(added):,} added, {len(changed):,} changed, {len(removed):,} removed"
    yield from ("", f"**Values of {show(name)}**: {counted}", "")
    rows = [
        (
            show(user),
            show(before[user]) if user in before else _NOT_SET,
            show(after[user]) if user in after else _RESTORED,
        )
        for user in sorted(changed | added | removed)
    ]
    yield from _table(("user", "before", "after"), rows)


def _values_of(props: Mapping[str, Any]) -> dict[str, str]:
    """User to value. Raises ValueError if they are secret, `UserError` if another version packed them."""
    packed = props.get("__cells") or ""
    if not isinstance(packed, str) or packed == SECRET:
        raise ValueError("secret")
    return {user: cell for user, (_, cell) in RosterTable.unpack(packed, str).rows.items()}


def _count_of(props: Mapping[str, Any]) -> str:
    count = props.get("count", 0)
    return f"{count:,.0f}" if isinstance(count, int | float) else "not known"


def _without_shown(changes: list[Step], *, has_values: bool) -> list[Step]:
    """The steps that claims and values do not show already; what is lost is always named."""
    others = [step for step in changes if step.kind != "ClaimsMappingPolicy" or step.operation != "update"]
    return [step for step in others if _is_loss(step) or not (has_values and step.kind in _SHOWN_BY_VALUES)]


def _is_loss(step: Step) -> bool:
    return step.operation in ("delete", "replace")


def _render_list(title: str, steps: list[Step]) -> Iterator[str]:
    """One line for each resource, what is lost first; only names, never inputs."""
    if steps:
        yield from ("", f"**{title}**", "")
    for step in sorted(steps, key=lambda step: not _is_loss(step)):
        operation = f"**{step.operation}**" if _is_loss(step) else step.operation
        yield f"- {operation} {step.kind or show(step.type)} {show(step.name)}"


def _table(titles: tuple[str, str, str], rows: list[tuple[str, str, str]]) -> Iterator[str]:
    if rows:
        yield f"| {' | '.join(titles)} |"
        yield "|---|---|---|"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def show(value: object) -> str:
    """A value in a code span that no text ends; "" for an absent one."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        value = ", ".join(f"{key}: {item}" for key, item in sorted(value.items()))
    text = escape_controls(" ".join(str(value).replace(UNKNOWN, "(not known before the update)").split()))
    return f"<code>{_MARKUP.sub(lambda special: f'&#{ord(special[0])};', text).replace('_', '&#95;')}</code>"


def shorten(lines: list[str], limit: int) -> list[str]:
    """As many lines from the start as fit, and how many are left out."""
    length = 0
    for number, line in enumerate(lines):
        length += len(line) + 1
        if length > limit - 40:
            shown = lines[:number]
            is_in_block = sum(line.startswith(_FENCE) for line in shown) % 2
            return [*shown, *([_FENCE] if is_in_block else []), "", f"_{len(lines) - number:,} more lines_"]
    return lines
