"""The resources of a stack, one kind each: what a kind is and does stands in `providers.kinds`, without Pulumi; a typed
resource class (`providers.resources`) and a provider class (the module of the kind's name) make it a dynamic resource.
Provider classes are part of users' state, by module and name (`tests/providers/test_persisted_names.py` freezes them).
A module is imported when its resource is first asked for: a provider process needs only the kinds it serves."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .dynamic import DynamicProvider
    from .resources import *  # noqa: F403 - the class of every kind
    from .tenant import TENANT as TENANT
    from .tenant import Connection as Connection

KINDS = {
    "ClaimsMappingPolicy": "claims_mapping_policy", "ExtensionProperty": "extension_property",
    "PolicyAssignment": "policy_assignment", "TenantBaseline": "tenant_baseline",
    "UserExtensionValue": "user_extension_value", "UserExtensionValues": "user_extension_values",
    "UserValueBaseline": "user_value_baseline",
}  # fmt: skip
"""Name of a kind to its module."""


def provider_class(kind: str) -> "type[DynamicProvider]":
    """The class that state refers to."""
    provider: type[DynamicProvider] = getattr(import_module(f"{__name__}.{KINDS[kind]}"), f"{kind}Provider")
    return provider


def __getattr__(name: str) -> Any:
    if name not in (*KINDS, "Connection", "TENANT"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{'resources' if name in KINDS else 'tenant'}"), name)
