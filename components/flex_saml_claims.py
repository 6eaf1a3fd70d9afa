"""FlexSamlClaims: the whole of Twilio's guide as one component.

    tenant baseline -> extension properties -> value baselines -> user values
                       extension properties -> policy -> assignment

Order is wired through outputs, and on destroy it runs backwards: unassign, delete the policy, restore
the values, delete the properties, restore what was displaced. Children are named by what a person
wrote (extension, user in lower case), so a change of case or order changes nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import pulumi

import providers
from flexsaml.graph import Directory
from providers import engine, lifting

from .args import FlexSamlClaimsArgs, as_keys
from .facts import Facts
from .inspection import find_facts

_T = TypeVar("_T")


@dataclass(frozen=True)
class _Extension:
    """One extension as the rest of the stack needs it: the id and the full name wait for the property."""

    id: pulumi.Input[str]
    full_name: pulumi.Input[str]


_Extensions = Mapping[str, _Extension]
"""By the name that claims and values use: short for those made here, full for those that exist."""


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
        """`args` may also be a mapping with these arguments, or with the keys of the stack configuration
        (`read_config`). An argument that names an object or holds a value may be an Output. `directory` gives the calls
        to Graph; by default they go to the tenant of the stack configuration."""
        engine.watch()
        super().__init__("flexsaml:index:FlexSamlClaims", name, {}, opts)
        self._name = name
        keys = as_keys(args)
        # Children and their names follow from this declaration; the facts may have to wait for other resources.
        self._declaration, self._facts = find_facts(self, name, keys, directory)
        # Whether an Output is secret is not known here, so values that are Outputs are treated as secret.
        self._hides_values = lifting.contains_output(keys.get("users")) or not self._declaration.secret_keys.isdisjoint(
            ("users", "usersFile")
        )
        baseline = self._baseline()
        extensions = self._extensions(baseline)
        self._values(baseline, extensions)
        policy = self._policy(baseline, extensions)
        self._assignment(baseline, policy)
        principal_id = self._from_facts(lambda facts: facts.preflight.principal.id)
        self.service_principal_id = pulumi.Output.from_input(principal_id)  # a preview knows it
        self.policy_id = policy.id
        self.extensions = pulumi.Output.all(*(extension.full_name for extension in extensions.values())).apply(
            lambda names: dict(zip(extensions, names, strict=True))
        )
        names = ("service_principal_id", "policy_id", "extensions")
        self.register_outputs({name: getattr(self, name) for name in names})

    def _child(self, *secret_outputs: str, depends_on: pulumi.Resource | None = None) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self, additional_secret_outputs=list(secret_outputs) or None, depends_on=depends_on
        )

    def _seal(self, value: _T, *keys: str) -> _T:
        """What comes from a key with a secret in it is a secret for the engine too, which encrypts it in state."""
        if not self._declaration.secret_keys & set(keys):
            return value
        sealed: _T = pulumi.Output.secret(value)  # type: ignore[assignment]  # every property takes an Output
        return sealed

    def _from_facts(self, function: Callable[[Facts], Any]) -> Any:
        return lifting.lift(function, self._facts)

    def _by_full_name(self, values: Mapping[str, Any]) -> Any:
        """The same, with full names of extensions for keys."""
        facts = self._facts
        if isinstance(facts, Facts):
            return {facts.full_name(key): value for key, value in values.items()}
        return pulumi.Output.all(facts, dict(values)).apply(
            lambda both: {both[0].full_name(key): value for key, value in both[1].items()}
        )

    def _baseline(self) -> providers.TenantBaseline:
        declaration, from_facts = self._declaration, self._from_facts
        return providers.TenantBaseline(
            f"{self._name}-tenant", service_principal_id=from_facts(lambda facts: facts.preflight.principal.id),
            application_id=from_facts(lambda facts: facts.application_id),
            app_id=from_facts(lambda facts: facts.app_id),
            properties=from_facts(lambda facts: list(facts.declaration.full_names(facts.app_id).values())),
            policy_name=self._seal(from_facts(lambda facts: facts.declaration.policy_name), "policyName"),
            replace_existing=self._seal(declaration.replace_existing, "replaceExisting"),
            seen_properties=from_facts(
                lambda facts: {name: existing.id for name, existing in facts.preflight.properties.items()}
            ),
            seen_policies=from_facts(lambda facts: facts.preflight.policies),
            seen_signed=from_facts(lambda facts: facts.preflight.signed),
            opts=self._child(*(["__policy_names"] if "policyName" in declaration.secret_keys else [])),
        )  # fmt: skip

    def _extensions(self, baseline: providers.TenantBaseline) -> dict[str, _Extension]:
        extensions, from_facts = {}, self._from_facts
        for short, data_type in self._declaration.extensions.items():
            made = providers.ExtensionProperty(
                f"{self._name}-{short}", application_id=from_facts(lambda facts: facts.application_id),
                app_id=from_facts(lambda facts: facts.app_id), name=short, data_type=data_type.name,
                multi_valued=data_type.multi_valued, baseline=baseline.id,
                recorded=baseline.record(baseline.properties), opts=self._child(),
            )  # fmt: skip
            extensions[short] = _Extension(made.id, made.full_name)
        for full_name in self._declaration.existing_extensions:
            extensions[full_name] = _Extension(from_facts(partial(Facts.existing_id, full_name=full_name)), full_name)
        return extensions

    def _policy(self, baseline: providers.TenantBaseline, extensions: _Extensions) -> providers.ClaimsMappingPolicy:
        declaration, from_facts = self._declaration, self._from_facts
        content = ("claims", "definition")  # a refresh may move the content of one to the other
        return providers.ClaimsMappingPolicy(
            f"{self._name}-policy",
            display_name=self._seal(from_facts(lambda facts: facts.declaration.policy_name), "policyName"),
            claims=self._seal(from_facts(Facts.short_claims), *content),
            include_basic_claim_set=self._seal(declaration.include_basic_claim_set, "includeBasicClaimSet"),
            definition=self._seal(declaration.definition, *content),
            extensions={key: extensions[key].full_name for key in declaration.extensions},
            baseline=baseline.id, recorded=baseline.record(baseline.policy_name.apply(lambda name: [name])),
            opts=self._child(),
        )  # fmt: skip

    def _assignment(self, baseline: providers.TenantBaseline, policy: providers.ClaimsMappingPolicy) -> None:
        replaces = self._declaration.replace_existing
        providers.PolicyAssignment(
            f"{self._name}-assignment", service_principal_id=baseline.id, policy_id=policy.id,
            displaces=baseline.displaced if replaces else [], replace_existing=self._seal(replaces, "replaceExisting"),
            seen_assigned=self._from_facts(lambda facts: facts.preflight.assigned), opts=self._child(),
        )  # fmt: skip

    def _values(self, baseline: providers.TenantBaseline, extensions: _Extensions) -> None:
        baselines = {key: self._value_baseline(key, extension, baseline) for key, extension in extensions.items()}
        if self._declaration.users_file:
            self._roster(baselines)
        for user, row in self._declaration.users.items():
            if row:
                self._user(user, {key: baselines[key] for key in row})

    def _value_baseline(
        self, key: str, extension: _Extension, baseline: providers.TenantBaseline
    ) -> providers.UserValueBaseline:
        """Also without cells: the last ones leave through its update. An extension that exists does not wait for the
        tenant baseline by itself, which may refuse the run."""
        from_facts = self._from_facts
        return providers.UserValueBaseline(
            f"{self._name}-{key}-before", extension=extension.id, full_name=extension.full_name,
            data_type=from_facts(lambda facts: facts.data_type(key).name),
            multi_valued=from_facts(lambda facts: facts.data_type(key).multi_valued),
            cells=from_facts(lambda facts: facts.cells(key)), ids=from_facts(lambda facts: facts.given_ids),
            hidden=self._hides_values, allow_removal=self._declaration.allow_removal,
            seen_missing=from_facts(lambda facts: facts.describe_missing(facts.columns.get(key, {}))),
            seen_values=from_facts(lambda facts: facts.differing_values(key)),
            opts=self._child(depends_on=baseline),
        )  # fmt: skip

    def _user(self, user: str, baselines: Mapping[str, providers.UserValueBaseline]) -> None:
        """The ids of extensions come by way of the baselines, so that every value waits for its own."""
        from_facts, keys = self._from_facts, list(baselines)
        providers.UserExtensionValue(
            f"{self._name}-{user.lower()}", user=from_facts(lambda facts: facts.preflight.user_ids[user]),
            values=self._by_full_name(
                {key: self._seal(from_facts(partial(_value_of, user=user, key=key)), "users") for key in keys}
            ),
            types=from_facts(lambda facts: {facts.full_name(key): str(facts.data_type(key)) for key in keys}),
            extensions=self._by_full_name({key: baseline.extension for key, baseline in baselines.items()}),
            baselined=True,
            recorded=self._by_full_name({key: baseline.record_user(user) for key, baseline in baselines.items()}),
            seen_missing=from_facts(lambda facts: facts.describe_missing([user])),
            seen_drift=from_facts(lambda facts: dict.fromkeys(facts.drifted.get(user, ()), user)), opts=self._child(),
        )  # fmt: skip

    def _roster(self, baselines: Mapping[str, providers.UserValueBaseline]) -> None:
        """Everybody in the roster file, in one resource."""
        declaration, from_facts = self._declaration, self._from_facts
        used = [key for key in baselines if any(key in row for row in declaration.roster.values())]
        providers.UserExtensionValues(
            f"{self._name}-roster", service_principal_id=from_facts(lambda facts: facts.preflight.principal.id),
            roster=self._seal(declaration.users_file, "usersFile"), cells=from_facts(lambda facts: facts.roster_cells),
            types=from_facts(lambda facts: {facts.full_name(key): str(facts.data_type(key)) for key in used}),
            extensions=self._by_full_name({key: baselines[key].extension for key in used}),
            ids=from_facts(lambda facts: facts.given_ids), baselined=True,
            hidden="usersFile" in declaration.secret_keys,
            recorded=self._by_full_name({key: baselines[key].record(declaration.roster) for key in used}),
            seen_missing=from_facts(lambda facts: facts.describe_missing(facts.declaration.roster)),
            seen_writes=from_facts(Facts.count_differing_users),
            seen_drift=from_facts(lambda facts: facts.roster_drift), opts=self._child(),
        )  # fmt: skip


def _value_of(facts: Facts, user: str, key: str) -> str:
    return facts.columns[key][user]
