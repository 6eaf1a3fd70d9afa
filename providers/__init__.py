"""The resources of a stack, one kind each. What a kind is and does stands in `providers.kinds`, without Pulumi; the
module of the same name here makes it a dynamic resource (`providers.dynamic`).

Provider classes are part of users' state, by module and name (`tests/providers/test_persisted_names.py` freezes them).
A module is imported when its resource is first asked for: a provider process needs only the kinds it serves.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .claims_mapping_policy import ClaimsMappingPolicy
    from .dynamic import DynamicProvider
    from .extension_property import ExtensionProperty
    from .policy_assignment import PolicyAssignment
    from .tenant import Connection
    from .tenant_baseline import TenantBaseline
    from .user_extension_value import UserExtensionValue
    from .user_extension_values import UserExtensionValues
    from .user_value_baseline import UserValueBaseline

__all__ = [
    "KINDS",
    "ClaimsMappingPolicy",
    "Connection",
    "ExtensionProperty",
    "PolicyAssignment",
    "TenantBaseline",
    "UserExtensionValue",
    "UserExtensionValues",
    "UserValueBaseline",
    "provider_class",
]

KINDS = {
    "ClaimsMappingPolicy": "claims_mapping_policy",
    "ExtensionProperty": "extension_property",
    "PolicyAssignment": "policy_assignment",
    "TenantBaseline": "tenant_baseline",
    "UserExtensionValue": "user_extension_value",
    "UserExtensionValues": "user_extension_values",
    "UserValueBaseline": "user_value_baseline",
}
"""Name of a kind to its module."""


def provider_class(kind: str) -> "type[DynamicProvider]":
    """The class that state refers to."""
    provider: type[DynamicProvider] = getattr(import_module(f"{__name__}.{KINDS[kind]}"), f"{kind}Provider")
    return provider


def __getattr__(name: str) -> Any:
    if name not in (*KINDS, "Connection"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = getattr(import_module(f"{__name__}.{KINDS.get(name, 'tenant')}"), name)
    return globals()[name]
