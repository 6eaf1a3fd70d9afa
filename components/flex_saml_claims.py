"""FlexSamlClaims: the whole of Twilio's guide as one component.

    tenant baseline -> extension properties -> value baselines -> user values
                       extension properties -> policy -> assignment

Order is wired through outputs, and on destroy it runs backwards: unassign, delete the policy, take the
values back, delete the properties, put back what was displaced. Children are named by what a person
wrote (extension, user in lower case), so a change of case or order changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import pulumi

from flexsaml.claims import RULE_NAMES, Context, build_full_name, encode, lint
from flexsaml.errors import UserError
from flexsaml.findings import LEVELS as FINDING_LEVELS
from flexsaml.findings import OFF, Finding, apply_levels
from flexsaml.graph import Directory
from flexsaml.preflight.inspect import InspectionEnded, Seen, data_type, look
from flexsaml.preflight.rules import FIXED, LEVELS
from flexsaml.values import NULL, DataType, InvalidValue
from providers import (
    ClaimsMappingPolicy,
    Connection,
    ExtensionProperty,
    PolicyAssignment,
    TenantBaseline,
    UserExtensionValue,
    UserExtensionValues,
    UserValueBaseline,
)

from .settings import Declaration, FlexSamlClaimsArgs, InvalidDeclaration, declare, near


@dataclass(frozen=True)
class _Extension:
    """One extension as the rest of the stack needs it."""

    id: pulumi.Input[str]
    full_name: pulumi.Input[str]
    whole: str
    type: DataType


class FlexSamlClaims(pulumi.ComponentResource):
    """Custom Entra attributes as SAML claims of one enterprise application.

    Outputs: `service_principal_id`, `policy_id`, `extensions` (short name to full name).
    Raises `pulumi.RunError` with all findings before the first child is registered.
    """

    service_principal_id: pulumi.Output[str]
    policy_id: pulumi.Output[str]
    extensions: pulumi.Output[dict[str, str]]

    def __init__(
        self,
        name: str,
        args: FlexSamlClaimsArgs,
        opts: pulumi.ResourceOptions | None = None,
        *,
        directory: Callable[[], Directory] | None = None,
    ) -> None:
        """`directory` gives the calls to Graph; by default those of the stack's configuration."""
        super().__init__("flexsaml:index:FlexSamlClaims", name, {}, opts)
        self._name = name
        wanted, seen, told = _checked(
            name, args, directory or Connection.from_config(pulumi.Config("flexsaml").get).directory
        )
        for one in told:
            (pulumi.log.warn if one.level == "warning" else pulumi.log.info)(str(one), resource=self)
        baseline = self._baseline(wanted, seen)
        extensions = self._extensions(wanted, seen, baseline)
        self._values(wanted, seen, extensions)
        policy = ClaimsMappingPolicy(
            f"{name}-policy",
            display_name=wanted.policy_name,
            claims=wanted.policy.to_short() if wanted.policy else None,
            include_basic_claim_set=wanted.include_basic_claim_set,
            definition=wanted.definition,
            extensions={short: one.full_name for short, one in extensions.items() if short != one.whole},
            baseline=baseline.id,
            opts=self._child(),
        )
        PolicyAssignment(
            f"{name}-assignment",
            service_principal_id=baseline.id,
            policy_id=policy.id,
            displaces=baseline.displaced if wanted.replace_existing else [],
            replace_existing=wanted.replace_existing,
            seen_assigned=None if seen.assigned is None else dict(seen.assigned),
            opts=self._child(),
        )
        self.service_principal_id = baseline.id
        self.policy_id = policy.id
        self.extensions = pulumi.Output.all(*(one.full_name for one in extensions.values())).apply(
            lambda names: dict(zip(extensions, names, strict=True))
        )
        self.register_outputs(
            {
                "service_principal_id": self.service_principal_id,
                "policy_id": self.policy_id,
                "extensions": self.extensions,
            }
        )

    def _child(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)

    def _baseline(self, wanted: Declaration, seen: Seen) -> TenantBaseline:
        return TenantBaseline(
            f"{self._name}-tenant",
            service_principal_id=seen.principal.id,
            application_id=seen.application.id,
            app_id=seen.application.app_id,
            properties=[build_full_name(seen.application.app_id, short) for short in wanted.extensions],
            policy_name=wanted.policy_name,
            replace_existing=wanted.replace_existing,
            seen_properties={whole: one.id for whole, one in seen.properties.items()},
            seen_policies=dict(seen.policies),
            opts=self._child(),
        )

    def _extensions(self, wanted: Declaration, seen: Seen, baseline: TenantBaseline) -> dict[str, _Extension]:
        """By the name claims and values use: short for those made here, full for those that exist."""
        extensions = {}
        for short, kind in wanted.extensions.items():
            made = ExtensionProperty(
                f"{self._name}-{short}",
                application_id=seen.application.id,
                app_id=seen.application.app_id,
                name=short,
                data_type=kind.name,
                multi_valued=kind.multi_valued,
                baseline=baseline.id,
                opts=self._child(),
            )
            whole = build_full_name(seen.application.app_id, short)
            extensions[short] = _Extension(made.id, made.full_name, whole, kind)
        for whole in wanted.foreign:
            found = seen.properties[whole]
            extensions[whole] = _Extension(f"{seen.owners[whole]}/{found.id}", whole, whole, data_type(found))
        return extensions

    def _values(self, wanted: Declaration, seen: Seen, extensions: Mapping[str, _Extension]) -> None:
        secret: Callable[[object], object] = pulumi.Output.secret if wanted.users_secret else lambda plain: plain
        there = {user: id_ for user, id_ in seen.users.items() if user not in seen.missing}
        ids = there if wanted.preflight else {}
        baselines = {}
        for key, one in extensions.items():
            cells = {user: value for user, value in _column(wanted, key, one.type).items() if user in there}
            live = seen.live.get(one.whole, {})
            held = {user: live.get(there[user], NULL) for user in (cells if live else ())}
            baselines[key] = UserValueBaseline(  # also without cells: the last ones leave through its update
                f"{self._name}-{key}-before",
                extension=one.id,
                full_name=one.full_name,
                data_type=one.type.name,
                multi_valued=one.type.multi_valued,
                cells=cells,
                ids=ids,
                hidden=wanted.users_secret,
                allow_removal=wanted.allow_removal,
                seen_missing=sorted(user for user in seen.missing if key in wanted.everyone[user]),
                seen_values={user: now for user, now in held.items() if now not in (NULL, cells[user])},
                opts=self._child(),
            )
        if wanted.users_file:
            self._roster(wanted, seen, extensions, {key: one.extension for key, one in baselines.items()})
        for user, values in wanted.users.items():
            if values:
                UserExtensionValue(
                    f"{self._name}-{user.lower()}",
                    user=seen.users[user],
                    values={extensions[k].whole: secret(extensions[k].type.canonical(v)) for k, v in values.items()},
                    types={extensions[key].whole: str(extensions[key].type) for key in values},
                    extensions={extensions[key].whole: baselines[key].extension for key in values},
                    baselined=True,
                    seen_missing=user in seen.missing,
                    opts=self._child(),
                )

    def _roster(
        self,
        wanted: Declaration,
        seen: Seen,
        extensions: Mapping[str, _Extension],
        baselined: Mapping[str, pulumi.Input[str]],
    ) -> None:
        """Everybody in the roster file, in one resource."""
        cells: dict[str, dict[str, str]] = {user: {} for user in wanted.roster if user not in seen.missing}
        used = {key: one for key, one in extensions.items() if any(key in row for row in wanted.roster.values())}
        for key, one in used.items():
            for user, row in wanted.roster.items():
                if key in row and user not in seen.missing:
                    value = row[key] if key in wanted.extensions else one.type.canonical(row[key])
                    cells[user][one.whole] = value
        UserExtensionValues(
            f"{self._name}-roster",
            service_principal_id=seen.principal.id,
            roster=wanted.users_file,
            cells=cells,
            types={one.whole: str(one.type) for one in used.values()},
            extensions={one.whole: baselined[key] for key, one in used.items()},
            ids=seen.users if wanted.preflight else {},
            baselined=True,
            seen_missing=sorted(user for user in seen.missing if user in wanted.roster),
            seen_writes=_differing(cells, seen) if wanted.preflight else None,
            opts=self._child(),
        )


def _column(wanted: Declaration, key: str, kind: DataType) -> dict[str, str]:
    """User as written to canonical value of one extension; a roster's values are canonical where their type is ours."""
    written = {user: kind.canonical(values[key]) for user, values in wanted.users.items() if key in values}
    ours = key in wanted.extensions
    roster = ((user, row[key]) for user, row in wanted.roster.items() if key in row)
    return {**written, **{user: value if ours else kind.canonical(value) for user, value in roster}}


def _differing(cells: Mapping[str, Mapping[str, str]], seen: Seen) -> int:
    """How many users do not hold what the roster says."""
    return sum(
        any(seen.live.get(name, {}).get(seen.users[user], NULL) != value for name, value in row.items())
        for user, row in cells.items()
    )


def _checked(
    name: str, args: FlexSamlClaimsArgs, directory: Callable[[], Directory]
) -> tuple[Declaration, Seen, list[Finding]]:
    """The declaration, the tenant as it is, and what is worth telling; or one RunError with all findings."""
    default = f"{pulumi.get_project()}-{pulumi.get_stack()} {name} SAML claims"
    seen: Seen | None = None
    try:
        wanted = declare(args, default)
        _check_rules(wanted.rules)
        seen = look(directory(), wanted)
        found = list(seen.findings)
    except InvalidDeclaration as invalid:
        raise report(invalid.problems) from None
    except InspectionEnded as end:
        found = [end.finding]
    except UserError as problem:
        raise report([str(problem)]) from None
    found = apply_levels([*found, *_lint(wanted, seen)], wanted.rules)
    if seen is None or any(one.level == "error" for one in found):
        raise report([str(one) if one.level == "error" else f"{one.level}: {one}" for one in found])
    return wanted, seen, found


def _check_rules(rules: Mapping[str, str]) -> None:
    problems = []
    for rule, level in rules.items():
        if rule not in LEVELS and rule not in RULE_NAMES:
            problems.append(f"rules.{rule}: there is no such rule{near(rule, (*LEVELS, *RULE_NAMES))}")
        elif rule in FIXED:
            problems.append(f"rules.{rule}: the level of this rule cannot be changed")
        elif level not in (*FINDING_LEVELS, OFF):
            problems.append(f"rules.{rule}: '{level}' is none of {', '.join((*FINDING_LEVELS, OFF))}")
    if problems:
        raise InvalidDeclaration(problems)


def _lint(wanted: Declaration, seen: Seen | None) -> list[Finding]:
    """What lint says of the definition, under the names it will have; before the principal is known, of its shape."""
    app_id = seen.application.app_id if seen else "f" * 32
    names = {short: build_full_name(app_id, short) for short in wanted.extensions}
    types = {names[short]: str(kind) for short, kind in wanted.extensions.items()}
    types |= {
        whole: str(data_type(one)) for whole, one in (seen.properties if seen else {}).items() if whole not in types
    }
    values: dict[str, list[str]] = {}
    if not wanted.users_secret:  # a finding repeats the value
        written: dict[str, dict[str, object]] = {}
        for held in wanted.everyone.values():
            for key, value in held.items():
                written.setdefault(names.get(key, key), {})[str(value)] = value  # each once, of however many users
        for whole, distinct in written.items():
            for value in distinct.values() if whole in types else ():
                with suppress(InvalidValue):  # said by preflight
                    values.setdefault(whole, []).append(DataType.parse(types[whole]).canonical(value))
    definition = encode(wanted.policy, names) if wanted.policy else wanted.definition
    return lint(
        definition,
        profile="flex",
        context=Context(extensions=types if seen else {}, values=values),
    )


def report(problems: list[str]) -> pulumi.RunError:
    """One error for the engine: all findings, errors first, none of them carried out."""
    if len(problems) == 1:
        return pulumi.RunError(f"flexsaml: {problems[0]}; nothing was changed")
    lines = "\n".join(f"  - {problem}" for problem in problems)
    return pulumi.RunError(f"flexsaml: {len(problems)} findings, nothing was changed:\n{lines}")
