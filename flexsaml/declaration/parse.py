"""From keys as written to a `Declaration`: every mistake in one pass, each with its key and what to write instead. One
mistake is one finding: what is wrong in one place is not reported again where it is used."""

import json
from collections.abc import Callable, Collection, Mapping

from flexsaml.claims import (
    FULL_NAME,
    NAME_ID,
    RULE_NAMES,
    Claim,
    InvalidClaim,
    InvalidDefinition,
    build_full_name,
    is_full_name,
    normalise_definition,
    suggest,
)
from flexsaml.findings import LEVELS, OFF, Finding
from flexsaml.graph import InvalidCloud, cloud, is_guid
from flexsaml.values import DataType

from .cells import parse_extensions, parse_roster, parse_users
from .model import Declaration, InvalidDeclaration
from .reader import RULE, KeyReader, contains_unknown_secret

__all__ = ["RULE", "UNKNOWN_SOURCE", "parse_declaration", "read_declaration"]

UNKNOWN_SOURCE = f"extension.{build_full_name('e' * 32, 'unknown')}"
"""Stands for the source of a claim that is encrypted or has a finding: an extension of an unknown application."""
_MOST_FINDINGS = 100
_IN_CLEAR = "its content becomes part of names and ids in the state, which cannot be encrypted"


def parse_declaration(
    keys: Mapping[str, object], *, read_file: Callable[[str], bytes], rule_names: Collection[str] | None = None,
    fixed_rules: Collection[str] = (),
) -> Declaration:  # fmt: skip
    """A complete declaration. Raises `InvalidDeclaration` with all findings. The arguments are those of
    `read_declaration`. A secret of unknown content is a finding here."""
    declaration, findings = read_declaration(keys, read_file=read_file, rule_names=rule_names, fixed_rules=fixed_rules)
    findings += [
        Finding(RULE, "error", path, "is encrypted, and only the engine can read it") for path in declaration.encrypted
    ]
    if findings:
        raise InvalidDeclaration(findings, declaration)
    return declaration


def read_declaration(
    keys: Mapping[str, object], *, read_file: Callable[[str], bytes], rule_names: Collection[str] | None = None,
    fixed_rules: Collection[str] = (),
) -> tuple[Declaration, list[Finding]]:  # fmt: skip
    """What can be read of a declaration, and everything that is wrong with it. `read_file` gives the bytes of the
    roster file, or raises OSError. `rule_names` are the rules whose level `flexsaml:rules` may name (by default those
    of lint), `fixed_rules` those whose level cannot be changed."""
    reader = KeyReader(keys)
    reader.report_unknown_keys()
    principal = reader.read_text("servicePrincipal").removeprefix("/servicePrincipals/")
    application = reader.read_text("application").removeprefix("/applications/")
    if principal.startswith("/"):
        fix = "give the service principal's: its display name, appId, object id or /servicePrincipals/{id}"
        reader.report(
            "servicePrincipal", f"{reader.quote('servicePrincipal', principal)} is another object's path", fix
        )
    if not reader.has("servicePrincipal"):
        fix = "name the enterprise application (display name, appId or object id)"
        reader.report("servicePrincipal", "is missing", fix)
    extensions = parse_extensions(reader)
    definition, definition_text = _read_definition(reader)
    claims = {} if definition else _parse_claims(reader, extensions)
    users = parse_users(reader, extensions)
    users_file = reader.read_text("usersFile")
    columns, roster, lines = parse_roster(reader, users_file, read_file, extensions, users)
    named = {name for cells in users.values() for name in cells} | set(columns)
    named |= {_extension_of(claim) for claim in claims.values()} | set(FULL_NAME.findall(definition))
    declaration = Declaration(
        service_principal=principal, application=application, policy_name=reader.read_text("policyName"), claims=claims,
        include_basic_claim_set=reader.read_flag("includeBasicClaimSet"), definition=definition,
        definition_text=definition_text if definition else "", extensions=extensions,
        existing_extensions=tuple(sorted(name for name in named if is_full_name(name) and name not in extensions)),
        users=users, users_file=users_file, roster=roster, roster_lines=lines,
        replace_existing=reader.read_flag("replaceExisting"),
        allow_removal=reader.read_count("allowRemoval"), preflight=reader.read_flag("preflight"),
        rules=_parse_rules(reader, RULE_NAMES if rule_names is None else rule_names, fixed_rules),
        cloud=reader.read_text("cloud") or "public", tenant_id=reader.read_text("tenantId"),
        graph_endpoint=reader.read_text("graphEndpoint"), login_endpoint=reader.read_text("loginEndpoint"),
        secret_keys=frozenset(reader.secret_keys), encrypted=tuple(sorted(set(reader.encrypted))),
        secret_texts=frozenset(reader.secret_texts),
    )  # fmt: skip
    _check_cloud(reader, declaration)
    _check_secrets(reader, declaration)
    return declaration, declaration.mask_findings(_cut(reader.findings))


def _check_cloud(reader: KeyReader, declaration: Declaration) -> None:
    if reader.secret_keys & {"cloud", "graphEndpoint", "loginEndpoint"} and declaration.encrypted:
        return
    try:
        cloud(declaration.cloud, graph_endpoint=declaration.graph_endpoint, login_endpoint=declaration.login_endpoint)
    except InvalidCloud as problem:
        reader.report(problem.setting, problem.words)


def _check_secrets(reader: KeyReader, declaration: Declaration) -> None:
    """Some keys cannot be kept secret: it is better to say so than to store them in clear."""
    for key in ("application", "extensions"):
        if key in reader.secret_keys:
            reader.report(key, f"cannot be secret: {_IN_CLEAR}", "set it without --secret")
    if "servicePrincipal" in reader.secret_keys and is_guid(declaration.service_principal):
        fix = "set it without --secret, or give the display name"
        reader.report("servicePrincipal", f"cannot be a secret id: {_IN_CLEAR}", fix)


def _read_definition(reader: KeyReader) -> tuple[str, str]:
    """The raw definition in its one byte form, and as written; "" if there is none, or it cannot be read."""
    has_both = reader.has("definition") and reader.has("claims")
    if has_both and not reader.is_misnamed("definition") and not reader.is_misnamed("claims"):
        reader.report("definition", "there are claims and a definition", "keep one of them")
        return "", ""
    written = reader.read_definition()
    text = written if isinstance(written, str) else json.dumps(written, default=str)
    try:
        return (normalise_definition(written), text) if written else ("", "")
    except InvalidDefinition as problem:
        reader.report("definition", str(problem))
        return "", ""


def _parse_claims(reader: KeyReader, extensions: Mapping[str, DataType]) -> dict[str, Claim]:
    written = reader.read_map("claims")
    if not reader.has("claims") and not reader.has("definition"):
        example = "map at least one claim name to a source, for example email: user.mail"
        reader.report("claims", "there are none", example)
    claims: dict[str, Claim] = {}
    for name, source in written.items():
        where = f"claims.{name}"
        claim = _parse_claim(reader, where, name, source, extensions)
        if claim.name in claims:
            reader.report(where, f"is declared twice ('nameid' is {NAME_ID})", "keep one of them")
        claims[claim.name] = claim
    return dict(sorted(claims.items()))


def _parse_claim(reader: KeyReader, where: str, name: str, source: object, extensions: Mapping[str, DataType]) -> Claim:
    """The claim; one whose source is encrypted, or has a finding, keeps its name."""
    unknown = Claim.parse(name.strip() or "unnamed", UNKNOWN_SOURCE)
    if contains_unknown_secret(source):
        return unknown
    try:
        claim = Claim.parse(name, source)
    except InvalidClaim as problem:
        hidden = "is not a claim; its content is secret and not shown"
        reader.report(where, hidden if "claims" in reader.hidden_keys else str(problem))
        return unknown
    extension = _extension_of(claim)
    if not extension or is_full_name(extension) or extension in extensions:
        return claim
    if reader.is_readable("extensions"):
        fix = suggest(extension, extensions, "declare it in extensions")
        reader.report(where, f"extension {reader.quote('claims', extension)} is not declared", fix)
    return unknown


def _extension_of(claim: Claim) -> str:
    """The name of the extension a claim refers to, "" if it has another source or an unknown one."""
    source = str(claim.source)
    return source.removeprefix("extension.") if source.startswith("extension.") and source != UNKNOWN_SOURCE else ""


def _parse_rules(reader: KeyReader, names: Collection[str], fixed: Collection[str]) -> dict[str, str]:
    levels: dict[str, str] = {}
    for rule, level in reader.read_map("rules").items():
        where = f"rules.{rule}"
        if rule in fixed:
            reader.report(where, "the level of this rule cannot be changed")
        elif rule not in names:
            fix = suggest(rule, names, "see docs/lint.md and docs/preflight.md")
            reader.report(where, "there is no such rule", fix)
        elif level not in (*LEVELS, OFF):
            shown = reader.quote("rules", level)
            reader.report(where, f"{shown} is not a level", f"write one of {', '.join((*LEVELS, OFF))}")
        else:
            levels[rule] = str(level)
    return levels


def _cut(findings: list[Finding]) -> list[Finding]:
    """A declaration whose every row is wrong needs no finding for each of them."""
    more = len(findings) - _MOST_FINDINGS
    if more <= 0:
        return findings
    rest = Finding(RULE, "error", "declaration", f"has {more} more findings", "correct these first")
    return [*findings[:_MOST_FINDINGS], rest]
