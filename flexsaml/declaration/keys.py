"""The keys of a declaration: the one list of their names, types and defaults.

`Pulumi.yaml` (what the engine checks and people read) and the README's table must agree with it:
tests/declaration/test_keys.py.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """One key of the namespace `flexsaml`.

    `type` is the engine's name for it: string, boolean, integer or object. `default` is None for a required key.
    `argument` is the name of the same thing in Python (`FlexSamlClaimsArgs`), "" where Python has no such argument:
    which tenant is meant stands in the configuration of the stack only, since providers read it there.
    """

    name: str
    type: str
    default: object
    argument: str = ""


KEYS = {
    key.name: key
    for key in (
        Key("servicePrincipal", "string", None, "service_principal"),
        Key("application", "string", "", "application"),
        Key("policyName", "string", "", "policy_name"),
        Key("includeBasicClaimSet", "boolean", False, "include_basic_claim_set"),
        Key("claims", "object", {}, "claims"),
        Key("extensions", "object", {}, "extensions"),
        Key("users", "object", {}, "users"),
        Key("usersFile", "string", "", "users_file"),
        Key("definition", "string", "", "definition"),
        Key("replaceExisting", "boolean", False, "replace_existing"),
        Key("allowRemoval", "integer", 0, "allow_removal"),
        Key("preflight", "boolean", True, "preflight"),
        Key("rules", "object", {}, "rules"),
        Key("cloud", "string", "public"),
        Key("tenantId", "string", ""),
        Key("graphEndpoint", "string", ""),
        Key("loginEndpoint", "string", ""),
    )
}
