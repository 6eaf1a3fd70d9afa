"""FlexSamlClaims: the whole of Twilio's guide as one component.

    tenant baseline -> extension properties -> value baselines -> user values
                       extension properties -> policy -> assignment

Order is wired through outputs, and on destroy it runs backwards: unassign, delete the policy, restore
the values, delete the properties, restore what was displaced. Children are named by what a person
wrote (extension, user in lower case), so a change of case or order changes nothing."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import pulumi

import providers
from flexsaml.claims import build_full_name
from flexsaml.declaration import Declaration
from flexsaml.graph import Directory
from flexsaml.preflight import PreflightResult, data_type_of
from flexsaml.values import NULL, DataType
from providers import engine

from .args import FlexSamlClaimsArgs, read_connection
from .inspection import default_policy_name, inspect, refuse_renamed_component

Columns = dict[str, dict[str, str]]
"""Extension (short name of this stack's, full name of an existing one) to user as written to canonical value."""
_T = TypeVar("_T")


@dataclass(frozen=True)
class _Extension:
    """One extension as the rest of the stack needs it; `name` is its full name, known before it is made."""

    id: pulumi.Input[str]
    full_name: pulumi.Input[str]
    name: str
    type: DataType


_Extensions = Mapping[str, _Extension]
_Types = Mapping[str, DataType]


class FlexSamlClaims(pulumi.ComponentResource):
    """Custom Entra attributes as SAML claims of one enterprise application. Outputs: `service_principal_id`,
    `policy_id`, `extensions` (short name to full name). Raises `pulumi.RunError` with all findings before the first
    child is registered."""

    service_principal_id: pulumi.Output[str]
    policy_id: pulumi.Output[str]
    extensions: pulumi.Output[dict[str, str]]

    def __init__(
        self, name: str, args: FlexSamlClaimsArgs | Mapping[str, object], opts: pulumi.ResourceOptions | None = None, *,
        directory: Callable[[], Directory] | None = None,
    ) -> None:  # fmt: skip
        """`args` may also be the keys of the stack configuration (`read_config`). `directory` gives the calls to Graph;
        by default they go to the tenant of the stack configuration."""
        engine.watch()
        super().__init__("flexsaml:index:FlexSamlClaims", name, {}, opts)
        self._name = name
        self._declaration, self._preflight, findings = inspect(
            {**read_connection(), **args.to_keys()} if isinstance(args, FlexSamlClaimsArgs) else args,
            default_policy_name(name),
            directory,
        )
        if not (opts and opts.aliases):
            refuse_renamed_component(name, self._declaration.policy_name, self._preflight.assigned)
        for finding in findings:
            (pulumi.log.warn if finding.level == "warning" else pulumi.log.info)(str(finding), resource=self)
        baseline = self._baseline()
        extensions = self._extensions(baseline)
        self._values(extensions)
        policy = self._policy(baseline, extensions)
        self._assignment(baseline, policy)
        self.service_principal_id = baseline.id
        self.policy_id = policy.id
        self.extensions = pulumi.Output.all(*(extension.full_name for extension in extensions.values())).apply(
            lambda names: dict(zip(extensions, names, strict=True))
        )
        names = ("service_principal_id", "policy_id", "extensions")
        self.register_outputs({name: getattr(self, name) for name in names})

    def _child(self, *secret_outputs: str) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, additional_secret_outputs=list(secret_outputs) or None)

    def _seal(self, value: _T, *keys: str) -> _T:
        """What comes from a key with a secret in it is a secret for the engine too, which encrypts it in state."""
        if not self._declaration.secret_keys & set(keys):
            return value
        sealed: _T = pulumi.Output.secret(value)  # type: ignore[assignment]  # every property takes an Output
        return sealed

    def _baseline(self) -> providers.TenantBaseline:
        declaration, preflight = self._declaration, self._preflight
        return providers.TenantBaseline(
            f"{self._name}-tenant", service_principal_id=preflight.principal.id,
            application_id=preflight.application.id, app_id=preflight.application.app_id,
            properties=list(declaration.full_names(preflight.application.app_id).values()),
            policy_name=self._seal(declaration.policy_name, "policyName"),
            replace_existing=self._seal(declaration.replace_existing, "replaceExisting"),
            seen_properties={name: existing.id for name, existing in preflight.properties.items()},
            seen_policies=preflight.policies,
            opts=self._child(*(["__policy_names"] if "policyName" in declaration.secret_keys else [])),
        )  # fmt: skip

    def _extensions(self, baseline: providers.TenantBaseline) -> dict[str, _Extension]:
        """By the name that claims and values use: short for those made here, full for those that exist."""
        preflight, extensions = self._preflight, {}
        for short, data_type in self._declaration.extensions.items():
            made = providers.ExtensionProperty(
                f"{self._name}-{short}", application_id=preflight.application.id, app_id=preflight.application.app_id,
                name=short, data_type=data_type.name, multi_valued=data_type.multi_valued, baseline=baseline.id,
                recorded=baseline.record(baseline.properties), opts=self._child(),
            )  # fmt: skip
            full_name = build_full_name(preflight.application.app_id, short)
            extensions[short] = _Extension(made.id, made.full_name, full_name, data_type)
        for full_name in self._declaration.existing_extensions:
            existing = preflight.properties[full_name]
            id_ = f"{preflight.owners[full_name]}/{existing.id}"
            extensions[full_name] = _Extension(id_, full_name, full_name, data_type_of(existing))
        return extensions

    def _policy(self, baseline: providers.TenantBaseline, extensions: _Extensions) -> providers.ClaimsMappingPolicy:
        declaration = self._declaration
        content = ("claims", "definition")  # a refresh may move the content of one to the other
        return providers.ClaimsMappingPolicy(
            f"{self._name}-policy", display_name=self._seal(declaration.policy_name, "policyName"),
            claims=self._seal(declaration.policy.to_short() if declaration.policy else {}, *content),
            include_basic_claim_set=self._seal(declaration.include_basic_claim_set, "includeBasicClaimSet"),
            definition=self._seal(declaration.definition, *content),
            extensions={key: extension.full_name for key, extension in extensions.items() if key != extension.name},
            baseline=baseline.id, recorded=baseline.record(baseline.policy_name.apply(lambda name: [name])),
            opts=self._child(),
        )  # fmt: skip

    def _assignment(self, baseline: providers.TenantBaseline, policy: providers.ClaimsMappingPolicy) -> None:
        replaces = self._declaration.replace_existing
        providers.PolicyAssignment(
            f"{self._name}-assignment", service_principal_id=baseline.id, policy_id=policy.id,
            displaces=baseline.displaced if replaces else [], replace_existing=self._seal(replaces, "replaceExisting"),
            seen_assigned=self._preflight.assigned, opts=self._child(),
        )  # fmt: skip

    def _values(self, extensions: _Extensions) -> None:
        declaration, preflight = self._declaration, self._preflight
        columns = _columns(declaration, extensions)
        present = {user: id_ for user, id_ in preflight.user_ids.items() if user not in preflight.missing_users}
        baselines = {}
        for key, extension in extensions.items():
            cells = {user: value for user, value in columns[key].items() if user in present}
            live = preflight.live_values.get(extension.name, {})
            held = {user: live.get(present[user], NULL) for user in (cells if live else ())}
            # Also without cells: the last ones leave through its update.
            baselines[key] = providers.UserValueBaseline(
                f"{self._name}-{key}-before", extension=extension.id, full_name=extension.full_name,
                data_type=extension.type.name, multi_valued=extension.type.multi_valued, cells=cells,
                ids=present if declaration.preflight else {},
                hidden=not declaration.secret_keys.isdisjoint(("users", "usersFile")),
                allow_removal=declaration.allow_removal,
                seen_missing=self._describe_missing(columns[key]),
                seen_values={
                    user: value
                    for user, value in held.items()
                    if value != NULL and not extension.type.means_same(value, cells[user])
                },
                opts=self._child(),
            )  # fmt: skip
        # The id by way of the baseline, so that every value waits for it.
        extensions = {key: replace(extensions[key], id=baseline.extension) for key, baseline in baselines.items()}
        drifted = _find_drift(preflight, extensions, columns)
        if declaration.users_file:
            self._roster(extensions, columns, baselines, drifted)
        for user, row in declaration.users.items():
            if row:
                providers.UserExtensionValue(
                    f"{self._name}-{user.lower()}", user=preflight.user_ids[user],
                    values={extensions[key].name: self._seal(columns[key][user], "users") for key in row},
                    types={extensions[key].name: str(extensions[key].type) for key in row},
                    extensions={extensions[key].name: extensions[key].id for key in row}, baselined=True,
                    recorded={extensions[key].name: baselines[key].record([user]) for key in row},
                    seen_missing=self._describe_missing([user]),
                    seen_drift=dict.fromkeys(drifted.get(user, ()), user), opts=self._child(),
                )  # fmt: skip

    def _describe_missing(self, users: Collection[str]) -> dict[str, str]:
        """Those of the users who are not in the tenant, to where they stand and who may be meant."""
        hints = {}
        for user, namesake in sorted(self._preflight.missing_users.items()):
            if user in users:
                line = self._declaration.roster_lines.get(user.lower())
                mail = f"{namesake} has this mail address" if namesake else ""
                hints[user] = ", ".join(filter(None, (f"line {line}" if line else "", mail)))
        return hints

    def _roster(
        self, extensions: _Extensions, columns: Columns, baselines: Mapping[str, providers.UserValueBaseline],
        drifted: Mapping[str, list[str]],
    ) -> None:  # fmt: skip
        """Everybody in the roster file, in one resource."""
        declaration, preflight = self._declaration, self._preflight
        cells = {
            user: {extensions[key].name: columns[key][user] for key in row}
            for user, row in declaration.roster.items()
            if user not in preflight.missing_users
        }
        used = [key for key in extensions if any(key in row for row in declaration.roster.values())]
        types = {extensions[key].name: extensions[key].type for key in used}
        providers.UserExtensionValues(
            f"{self._name}-roster", service_principal_id=preflight.principal.id,
            roster=self._seal(declaration.users_file, "usersFile"), cells=cells,
            types={name: str(data_type) for name, data_type in types.items()},
            extensions={extensions[key].name: extensions[key].id for key in used},
            ids=preflight.user_ids if declaration.preflight else {}, baselined=True,
            hidden="usersFile" in declaration.secret_keys,
            recorded={extensions[key].name: baselines[key].record(cells) for key in used},
            seen_missing=self._describe_missing(declaration.roster),
            seen_writes=_count_differing(cells, preflight, types) if declaration.preflight else None,
            seen_drift={user: names for user, names in drifted.items() if user in cells},
            opts=self._child(),
        )  # fmt: skip


def _columns(declaration: Declaration, extensions: _Extensions) -> Columns:
    """The values of all users by extension. Those of this stack's extensions are canonical since they were parsed."""
    columns: Columns = {key: {} for key in extensions}
    for user, row in declaration.all_users.items():
        for key, value in row.items():
            columns[key][user] = str(value) if key in declaration.extensions else extensions[key].type.canonical(value)
    return columns


def _find_drift(preflight: PreflightResult, extensions: _Extensions, columns: Columns) -> dict[str, list[str]]:
    """User as written to the full names of extensions whose live value is not the declared one. Values that were not
    read, and those of a property that will be made anew with another type, are left out."""
    drifted: dict[str, list[str]] = defaultdict(list)
    for key, extension in extensions.items():
        live = preflight.live_values.get(extension.name)
        if live is None or data_type_of(preflight.properties[extension.name]) != extension.type:
            continue
        for user, value in columns[key].items():
            if user in preflight.missing_users:
                continue
            if not extension.type.means_same(live.get(preflight.user_ids[user], NULL), value):
                drifted[user].append(extension.name)
    return drifted


def _count_differing(cells: Mapping[str, Mapping[str, str]], preflight: PreflightResult, types: _Types) -> int:
    """How many users do not hold what the roster says. `types`: by full name."""

    def differs(user: str, name: str, value: str) -> bool:
        live = preflight.live_values.get(name, {})
        return not types[name].means_same(live.get(preflight.user_ids[user], NULL), value)

    return sum(any(differs(user, *cell) for cell in row.items()) for user, row in cells.items())
