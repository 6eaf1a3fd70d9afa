"""The dynamic resources of a stack, one module each.

Their classes are part of users' state, by module and name (`tests/providers/test_persisted_names.py`
freezes them). Nothing here does anything when it is imported.
"""

from .claims_mapping_policy import ClaimsMappingPolicy
from .extension_property import ExtensionProperty, full_name
from .policy_assignment import PolicyAssignment
from .tenant import Connection
from .tenant_baseline import TenantBaseline
from .user_extension_value import UserExtensionValue
from .user_value_baseline import UserValueBaseline

__all__ = [
    "ClaimsMappingPolicy",
    "Connection",
    "ExtensionProperty",
    "PolicyAssignment",
    "TenantBaseline",
    "UserExtensionValue",
    "UserValueBaseline",
    "full_name",
]
