"""The arguments of `FlexSamlClaims`: as a person writes them in Python, and as the stack configuration holds them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env, is_config_secret

from flexsaml.declaration import KEYS, Secret

from .inspection import as_run_error

_NAMESPACE = "flexsaml:"


@dataclass
class FlexSamlClaimsArgs:
    """The arguments of `FlexSamlClaims`. Wrap what must stay encrypted in state in a `Secret`, anywhere in them. What
    names an object or holds a value may be an Output of another resource; values of users that are Outputs are treated
    as secret."""

    service_principal: pulumi.Input[str] | Secret
    """Exact display name, appId or object id of the enterprise application; `/servicePrincipals/{id}` too."""
    claims: Mapping[str, Any] = field(default_factory=dict)
    """Claim name to source: `user.mail`, `extension.languages`, `{"value": "vienna"}`, …"""
    extensions: Mapping[str, Any] = field(default_factory=dict)
    """Extension name to data type, or to `{"dataType": …, "multiValued": …}`."""
    users: Mapping[str, Any] = field(default_factory=dict)
    """User (UPN or object id) to extension to value; `None` writes null."""
    users_file: str | Secret = ""
    """A roster (CSV): first column the user, one column per extension; beside the program, or an absolute path."""
    application: pulumi.Input[str] = ""
    """Where the extensions live (appId or object id, `/applications/{id}` too); default: the service principal's own
    application."""
    policy_name: pulumi.Input[str] | Secret = ""
    """Display name of the policy; default `<project>-<stack> <component> SAML claims`."""
    include_basic_claim_set: bool = False
    definition: str | Mapping[str, Any] | Secret = ""
    """A raw policy definition instead of claims."""
    replace_existing: bool = False
    """Replace a policy that is assigned already; a destroy assigns it again."""
    allow_removal: int = 0
    """How many users may lose a value in one update, if they are more than 10 and more than a fifth."""
    preflight: bool = True
    """False: preview asks the tenant only which service principal and application are meant."""
    rules: Mapping[str, str] = field(default_factory=dict)
    """Rule of lint or preflight to error, warning, info or off."""

    def to_keys(self) -> dict[str, object]:
        """The arguments under the names that the keys have in the stack configuration."""
        return {key.name: getattr(self, key.argument) for key in KEYS.values() if key.argument}


def as_keys(args: FlexSamlClaimsArgs | Mapping[str, object]) -> dict[str, object]:
    """The arguments, or a mapping with their names or with those of the keys, under the names of the keys; with the
    keys of the stack configuration that say where the tenant is."""
    names = {key.argument: key.name for key in KEYS.values() if key.argument}
    given = args.to_keys() if isinstance(args, FlexSamlClaimsArgs) else args
    return {**read_connection(), **{names.get(name, name): value for name, value in given.items()}}


def read_config() -> dict[str, object]:
    """The keys of the stack configuration. The policy's default name does not include the only component's name."""
    keys = _read_namespace()
    if misplaced := _find_misplaced_keys(keys):
        lines = [f"{name}: belongs to flexsaml: write flexsaml:{name.partition(':')[2]}" for name in misplaced]
        raise as_run_error(lines)
    if keys.get("policyName", "") == "":
        keys["policyName"] = f"{pulumi.get_project()}-{pulumi.get_stack()} Flex SAML claims"
    return keys


def read_connection() -> dict[str, object]:
    """The keys that say where the tenant is; a Python program sets them in the stack configuration too. Unknown keys of
    the namespace stay, so that one that is misspelt is reported."""
    return {name: value for name, value in _read_namespace().items() if name not in KEYS or not KEYS[name].argument}


def _find_misplaced_keys(keys: Mapping[str, object]) -> list[str]:
    """Keys of this program in the project's own namespace, as `pulumi config set servicePrincipal …` writes them."""
    project = pulumi.get_project()
    misplaced = [f"{project}:{name}" for name in KEYS if name not in keys]
    written = _read_all() if project != "flexsaml" else {}
    return [name for name in misplaced if name in written]


def _read_all() -> dict[str, str]:
    """The configuration of all namespaces, as the engine hands it over."""
    return {**get_config_env(), **CONFIG.get()}


def _read_namespace() -> dict[str, object]:
    """The `flexsaml:` keys as the engine hands them over: text, and JSON text for maps. The engine does not say which
    entry of a map is secret, so a key with a secret entry is a `Secret` as a whole."""
    written = _read_all()
    names = sorted(key.removeprefix(_NAMESPACE) for key in written if key.startswith(_NAMESPACE))
    keys: dict[str, object] = {}
    for name in names:
        value = written[_NAMESPACE + name]
        keys[name] = Secret(value) if is_config_secret(_NAMESPACE + name) else value
    return keys
