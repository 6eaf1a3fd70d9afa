"""PolicyAssignment as a dynamic resource; `providers.kinds.policy_assignment` says what it is and does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from .dynamic import DynamicProvider, DynamicResource
from .kinds.policy_assignment import PolicyAssignmentKind


class PolicyAssignmentProvider(DynamicProvider):
    kind = PolicyAssignmentKind()


class PolicyAssignment(DynamicResource, module="flexsaml", name="PolicyAssignment"):
    """The assignment of a claims mapping policy to a service principal."""

    service_principal_id: pulumi.Output[str]
    policy_id: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        service_principal_id: pulumi.Input[str],
        policy_id: pulumi.Input[str],
        displaces: pulumi.Input[Sequence[str]] | None = None,
        replace_existing: bool | None = None,
        seen_assigned: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`displaces`: ids of policies that may be unassigned, as a `TenantBaseline` recorded them; none without one.
        `seen_assigned`: id to name of what preflight saw assigned; judged in `check`, then dropped."""
        super().__init__(PolicyAssignmentProvider(), locals())
