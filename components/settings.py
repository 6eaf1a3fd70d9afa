"""What a stack declares: from stack configuration or Python arguments to one checked `Declaration`.

The engine checks types of the keys in `Pulumi.yaml` and lets misspelt keys pass, so this is the real
validator: every mistake is found in one pass, names its key, and says what to write instead.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env, get_config_secret_keys_env

from flexsaml.claims import FULL_NAME, ClaimsPolicy, InvalidClaim, InvalidDefinition, is_full_name, normalise_definition
from flexsaml.graph import CLOUDS
from flexsaml.values import DATA_TYPES, NO_USER, DataType, InvalidRoster, InvalidValue, is_user, read_roster

KEYS = (
    "servicePrincipal", "application", "policyName", "includeBasicClaimSet", "claims", "extensions", "users",
    "usersFile", "definition", "replaceExisting", "allowRemoval", "preflight", "cloud", "tenantId", "graphEndpoint",
    "loginEndpoint",
    "rules",
)  # fmt: skip
_SHORT_NAME = re.compile(r"[A-Za-z0-9_]+")


@dataclass
class FlexSamlClaimsArgs:
    """The arguments of `FlexSamlClaims`, as a person writes them in Python."""

    service_principal: str
    """Exact display name, appId or object id of the enterprise application."""
    claims: Mapping[str, Any] = field(default_factory=dict)
    """Claim name to source: `user.mail`, `extension.languages`, `{"value": "vienna"}`, …"""
    extensions: Mapping[str, Any] = field(default_factory=dict)
    """Extension name to data type, or to `{"dataType": …, "multiValued": …}`."""
    users: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """User (UPN or object id) to extension to value; `None` writes null."""
    users_file: str = ""
    """A roster (CSV): first column the user, one column per extension; beside the program, or an absolute path."""
    application: str = ""
    """Where the extensions live (appId or object id); default: the service principal's own application."""
    policy_name: str = ""
    """Display name of the policy; default `<project>-<stack> <component> SAML claims`."""
    include_basic_claim_set: bool = False
    definition: str | Mapping[str, Any] = ""
    """A raw policy definition instead of claims."""
    replace_existing: bool = False
    """Take over from a policy that is assigned already; it comes back on destroy."""
    allow_removal: int = 0
    """How many values may be taken back in one update, when it is more than a fifth of them."""
    preflight: bool = True
    """False: preview asks the tenant only which service principal and application are meant."""
    rules: Mapping[str, str] = field(default_factory=dict)
    """Rule of lint or preflight to error, warning, info or off."""
    users_secret: bool = False
    """The values in `users` are secret: they are encrypted in state and hidden in previews."""


@dataclass(frozen=True)
class Declaration:
    """A checked declaration; the shapes below are what the component builds from."""

    service_principal: str
    application: str
    policy_name: str
    policy: ClaimsPolicy | None
    definition: str
    extensions: Mapping[str, DataType]
    """Short name to data type: properties this stack makes."""
    foreign: tuple[str, ...]
    """Full names of properties that exist and are only referred to."""
    users: Mapping[str, Mapping[str, object]]
    """User as written to extension (short or full name) to value as written."""
    users_file: str
    roster: Mapping[str, Mapping[str, str]]
    """The same for the users of the roster file, spelt as in `users` where they stand there too."""
    include_basic_claim_set: bool
    replace_existing: bool
    allow_removal: int
    preflight: bool
    rules: Mapping[str, str]
    users_secret: bool

    @cached_property
    def everyone(self) -> Mapping[str, Mapping[str, object]]:
        """Users of both places, merged cell by cell."""
        both = {user: {**self.users[user], **self.roster[user]} for user in self.users if user in self.roster}
        return {**self.users, **self.roster, **both}


class InvalidDeclaration(Exception):
    """Everything that is wrong with a declaration; `problems` are lines `key: what, and what to do`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def from_config(config: pulumi.Config) -> FlexSamlClaimsArgs:
    """Arguments from the `flexsaml:` keys of the stack configuration. Raises `InvalidDeclaration`."""
    problems = _misspelt()
    claims = _object(config, "claims", problems)
    extensions = _object(config, "extensions", problems)
    users = _object(config, "users", problems)
    rules = _object(config, "rules", problems)
    wanted = config.get("servicePrincipal") or ""
    stack = f"{pulumi.get_project()}-{pulumi.get_stack()}"
    flags = {key: _flag(config, key, default, problems) for key, default in _FLAGS.items()}
    allowed = config.get("allowRemoval") or "0"
    if not re.fullmatch(r"\d+", allowed):
        problems.append(f"allowRemoval: '{allowed}' is no whole number")
        allowed = "0"
    cloud = config.get("cloud") or "public"
    if cloud not in CLOUDS:
        problems.append(f"cloud: '{cloud}' is none of {', '.join(CLOUDS)}")
    if problems:
        raise InvalidDeclaration(problems)
    return FlexSamlClaimsArgs(
        service_principal=wanted,
        claims=claims,
        extensions=extensions,
        users=users,
        users_file=config.get("usersFile") or "",
        application=config.get("application") or "",
        policy_name=config.get("policyName") or f"{stack} Flex SAML claims",
        include_basic_claim_set=flags["includeBasicClaimSet"],
        definition=config.get("definition") or "",
        replace_existing=flags["replaceExisting"],
        allow_removal=int(allowed),
        preflight=flags["preflight"],
        rules=rules,
        users_secret="flexsaml:users" in get_config_secret_keys_env(),
    )


_FLAGS = {"includeBasicClaimSet": False, "replaceExisting": False, "preflight": True}


def declare(args: FlexSamlClaimsArgs, policy_name: str) -> Declaration:
    """Check arguments; all problems at once. `policy_name` is the default. Raises `InvalidDeclaration`."""
    problems: list[str] = []
    if not args.service_principal:
        problems.append("servicePrincipal: name the enterprise application (display name, appId or object id)")
    extensions = _extensions(args.extensions, problems)
    policy, definition = _policy(args, problems)
    users = _users(args.users, extensions, problems)
    columns, roster = _roster(args.users_file, extensions, users, problems)
    named = {name for values in users.values() for name in values} | set(columns)
    named |= policy.extensions if policy else set(re.findall(FULL_NAME, definition))
    foreign = sorted(name for name in named if is_full_name(name) and name not in extensions)
    if policy:
        for name in sorted(policy.extensions - set(extensions) - set(foreign)):
            problems.append(f"claims: extension '{name}' is not declared{near(name, extensions)}")
    if problems:
        raise InvalidDeclaration(problems)
    return Declaration(
        service_principal=args.service_principal,
        application=args.application,
        policy_name=args.policy_name or policy_name,
        policy=policy,
        definition=definition,
        extensions=extensions,
        foreign=tuple(foreign),
        users=users,
        users_file=args.users_file,
        roster=roster,
        include_basic_claim_set=args.include_basic_claim_set,
        replace_existing=args.replace_existing,
        allow_removal=args.allow_removal,
        preflight=args.preflight,
        rules=args.rules,
        users_secret=args.users_secret,
    )


def _misspelt() -> list[str]:
    """Keys in the namespace that mean nothing: the engine lets them pass."""
    given = {**get_config_env(), **CONFIG.get()}
    names = sorted(key.partition(":")[2] for key in given if key.startswith("flexsaml:"))
    return [f"{name}: unknown key{near(name, KEYS)}" for name in names if name not in KEYS]


def near(name: str, among: Mapping[str, object] | tuple[str, ...]) -> str:
    """The end of a sentence about an unknown name: what may have been meant."""
    found = difflib.get_close_matches(name, list(among), n=1)
    return f", did you mean '{found[0]}'?" if found else f" (there are: {', '.join(among) or 'none'})"


def _object(config: pulumi.Config, key: str, problems: list[str]) -> dict[str, Any]:
    try:
        value = config.get_object(key)
    except pulumi.ConfigTypeError:
        value = config.get(key)
    if value in (None, ""):
        return {}
    if not isinstance(value, dict):
        problems.append(f"{key}: write a map, not {type(value).__name__}")
        return {}
    return value


def _flag(config: pulumi.Config, key: str, default: bool, problems: list[str]) -> bool:
    value = (config.get(key) or "").lower()
    if value not in ("", "true", "false"):
        problems.append(f"{key}: write true or false, not '{value}'")
    return default if value == "" else value == "true"


def _extensions(written: Mapping[str, Any], problems: list[str]) -> dict[str, DataType]:
    extensions: dict[str, DataType] = {}
    for name, form in written.items():
        where = f"extensions.{name}"
        spec = {"dataType": form} if isinstance(form, str) else form
        if not isinstance(spec, Mapping) or set(spec) - {"dataType", "multiValued"}:
            problems.append(f"{where}: write a data type ({', '.join(DATA_TYPES)}) or {{ dataType, multiValued }}")
            extensions[name] = DataType("String")  # declared, whatever is wrong with it: one mistake, one finding
            continue
        if str(spec.get("multiValued", "")).lower() not in ("", "true", "false"):
            problems.append(f"{where}: multiValued is true or false, not {spec['multiValued']!r}")
        if is_full_name(name):
            problems.append(f"{where}: a full name exists already; leave it out here and use it in users and claims")
        elif not _SHORT_NAME.fullmatch(name):
            problems.append(f"{where}: an extension name has letters, digits and underscores only")
        elif name.lower() in {other.lower() for other in extensions}:
            problems.append(f"{where}: is there twice; Graph takes names without regard to case")
        extensions[name] = DataType("String")
        try:
            extensions[name] = DataType(
                str(spec.get("dataType") or "String"), str(spec.get("multiValued")).lower() == "true"
            )
        except InvalidValue as problem:
            near = difflib.get_close_matches(str(spec.get("dataType")), DATA_TYPES, n=1, cutoff=0.4)
            problems.append(f"{where}: {problem}{f', did you mean {near[0]!r}?' if near else ''}")
    return extensions


def _policy(args: FlexSamlClaimsArgs, problems: list[str]) -> tuple[ClaimsPolicy | None, str]:
    if args.definition and args.claims:
        problems.append("definition: give either claims or a raw definition, not both")
    try:
        if args.definition:
            return None, normalise_definition(args.definition)
        if args.claims:
            return ClaimsPolicy.parse(args.claims, args.include_basic_claim_set), ""
    except (InvalidClaim, InvalidDefinition) as problem:
        problems.append(f"{'definition' if args.definition else 'claims'}: {problem}")
        return None, ""
    problems.append("claims: there are none; map at least one claim name to a source, for example email: user.mail")
    return None, ""


def _users(
    written: Mapping[str, Any], extensions: Mapping[str, DataType], problems: list[str]
) -> dict[str, dict[str, object]]:
    users: dict[str, dict[str, object]] = {}
    spelt: dict[str, str] = {}
    for user, values in written.items():
        if user.lower() in spelt:
            problems.append(f"users.{user}: is there twice, also as {spelt[user.lower()]}")
        spelt[user.lower()] = user
        if not is_user(user):
            problems.append(f"users.{user}: is {NO_USER}")
        if not isinstance(values, Mapping):
            problems.append(f"users.{user}: write a map of extension to value")
            continue
        users[user] = dict(values)
        for name, value in values.items():
            where = f"users.{user}.{name}"
            if is_full_name(name):
                continue  # its data type is the tenant's; the value is checked once that is known
            if name not in extensions:
                problems.append(f"{where}: extension '{name}' is not declared{near(name, extensions)}")
                continue
            try:
                extensions[name].canonical(value)
            except InvalidValue as problem:
                problems.append(f"{where}: {problem}")
    return users


def _roster(
    file: str, extensions: Mapping[str, DataType], users: Mapping[str, Mapping[str, object]], problems: list[str]
) -> tuple[tuple[str, ...], dict[str, Mapping[str, str]]]:
    """Columns and users of the roster file; a cell may stand there or in `users`, not in both."""
    if not file:
        return (), {}

    def type_of(column: str) -> DataType | None:
        if column not in extensions and not is_full_name(column):
            raise InvalidValue(f"is no extension that is declared{near(column, extensions)}")
        return extensions.get(column)

    try:
        found = read_roster(Path(file).read_bytes(), type_of)
    except OSError as problem:
        problems.append(f"usersFile: cannot read {file}: {problem.strerror}")
        return (), {}
    except InvalidRoster as bad:
        problems += [f"{file}, {problem}" for problem in bad.problems]
        return (), {}
    spelt = {user.lower(): user for user in users}
    for user, values in found.users.items() if spelt else ():
        inline = spelt.get(user.lower())
        for name in sorted(set(values) & set(users[inline])) if inline else ():
            line = found.lines[user.lower()]
            problems.append(f"{file}, line {line}: {name} of {user} stands in users.{inline} too; keep one")
    return found.columns, {spelt.get(user.lower(), user): values for user, values in found.users.items()}
