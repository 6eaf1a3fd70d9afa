"""What a stack declares whose program gives the arguments itself, as its state has it. The program cannot be asked, and
its stack file says only where the tenant is. Read from `pulumi stack export`, so what was deployed last counts; what is
secret there stays unknown."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flexsaml.declaration import Secret
from flexsaml.errors import UserError
from flexsaml.pulumi_command import DYNAMIC, export_resources
from flexsaml.values import DataType, RosterTable

_SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 - the key by which the engine marks one
Resource = Mapping[str, Any]


def read_deployed_keys(folder: Path, stack: str, principal: str) -> tuple[str, dict[str, object]]:
    """Name of the component, and the keys that say what it declares. `principal`: object id, appId or display name, ""
    if there is one component. Of a stack that has none, the principal alone is known, and the name is "". Raises
    `UserError` if that is not given either, or if there are several components and none of that principal."""
    try:
        return select_component(export_resources(stack, "--cwd", str(folder)), principal)
    except (ValueError, LookupError, TypeError, AttributeError, zlib.error) as problem:
        words = f"the state does not have the shape that this version writes ({type(problem).__name__})"
        raise UserError(f"{words}; use the version that wrote it") from None


def select_component(resources: Iterable[Resource], principal: str) -> tuple[str, dict[str, object]]:
    """The same, of the resources of a deployment."""
    components: dict[str, list[Resource]] = {}
    for resource in resources:
        if str(resource.get("type")).startswith(DYNAMIC):
            components.setdefault(str(resource.get("parent")).rpartition("::")[2], []).append(resource)
    declared = {name: _read_component(children) for name, children in components.items()}
    if principal:
        if not declared:
            return "", {"servicePrincipal": principal, "claims": Secret.unknown(), "users": Secret.unknown()}
        chosen = {name: keys for name, keys in declared.items() if principal in (keys["servicePrincipal"], name)}
    else:
        chosen = declared
    if len(chosen) != 1:
        known = ", ".join(f"{name} ({keys['servicePrincipal']})" for name, keys in sorted(declared.items()))
        if not known:
            raise UserError("the state has no component of flexsaml: run `pulumi up` first, or give --principal")
        raise UserError(f"which component is meant? give --principal with the name or the id of one: {known}")
    return next(iter(chosen.items()))


def _read_component(children: list[Resource]) -> dict[str, object]:
    inputs = [(str(child["type"]).removeprefix(DYNAMIC), child.get("inputs") or {}) for child in children]
    keys: dict[str, object] = {"servicePrincipal": ""}
    extensions: dict[str, object] = {}
    for kind, given in inputs:
        if kind == "TenantBaseline":
            keys |= {"servicePrincipal": given["service_principal_id"], "application": given["app_id"]}
            keys["policyName"] = _read(given["policy_name"])
        elif kind == "ClaimsMappingPolicy":
            keys["includeBasicClaimSet"] = given.get("include_basic_claim_set", False)
            keys |= {key: _read(given[key]) for key in ("claims", "definition") if given.get(key)}
        elif kind == "ExtensionProperty":
            is_multiple = bool(given.get("multi_valued"))
            extensions[given["name"]] = {"dataType": given["data_type"], "multiValued": is_multiple}
    keys["extensions"] = extensions
    short_names = {given["full_name"]: given["name"] for kind, given in inputs if kind == "ExtensionProperty"}
    users: dict[str, dict[str, object]] = {}
    for kind, given in inputs:
        if kind == "UserValueBaseline":
            key = short_names.get(given["full_name"], given["full_name"])
            data_type = DataType(given["data_type"], bool(given.get("multi_valued")))
            if isinstance(given["__cells"], dict):
                return {**keys, "users": Secret.unknown()}
            for user, (_, value) in RosterTable.unpack(given["__cells"], str).rows.items():
                users.setdefault(user, {})[key] = data_type.to_wire(value)
    return {**keys, "users": users}


def _read(value: object) -> object:
    """An input as state has it without decryption."""
    return Secret.unknown() if isinstance(value, dict) and _SECRET in value else value
