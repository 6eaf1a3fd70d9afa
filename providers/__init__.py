"""The dynamic resources of a stack, one module each.

Their classes are part of users' state, by module and name (`tests/providers/test_persisted_names.py`
freezes them). Nothing here does anything when it is imported.
"""

from .base import Provider
from .claims_mapping_policy import ClaimsMappingPolicy, ClaimsMappingPolicyProvider
from .extension_property import ExtensionProperty, ExtensionPropertyProvider
from .policy_assignment import PolicyAssignment, PolicyAssignmentProvider
from .tenant import Connection
from .tenant_baseline import TenantBaseline, TenantBaselineProvider
from .user_extension_value import UserExtensionValue, UserExtensionValueProvider
from .user_extension_values import UserExtensionValues, UserExtensionValuesProvider
from .user_value_baseline import UserValueBaseline, UserValueBaselineProvider

PROVIDERS: dict[str, type[Provider]] = {
    one.kind: one
    for one in (
        ClaimsMappingPolicyProvider,
        ExtensionPropertyProvider,
        PolicyAssignmentProvider,
        TenantBaselineProvider,
        UserExtensionValueProvider,
        UserExtensionValuesProvider,
        UserValueBaselineProvider,
    )
}

__all__ = [
    "PROVIDERS",
    "ClaimsMappingPolicy",
    "Connection",
    "ExtensionProperty",
    "PolicyAssignment",
    "Provider",
    "TenantBaseline",
    "UserExtensionValue",
    "UserExtensionValues",
    "UserValueBaseline",
]
