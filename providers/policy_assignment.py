"""The provider of `providers.kinds.policy_assignment`, under the name by which state refers to it."""

from .dynamic import DynamicProvider
from .kinds.policy_assignment import PolicyAssignmentKind


class PolicyAssignmentProvider(DynamicProvider):
    kind = PolicyAssignmentKind()
