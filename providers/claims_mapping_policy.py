"""ClaimsMappingPolicy as a dynamic resource; `providers.kinds.claims_mapping_policy` says what it is and does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from .dynamic import DynamicProvider, DynamicResource
from .kinds.claims_mapping_policy import ClaimsMappingPolicyKind


class ClaimsMappingPolicyProvider(DynamicProvider):
    kind = ClaimsMappingPolicyKind()


class ClaimsMappingPolicy(DynamicResource, module="flexsaml", name="ClaimsMappingPolicy"):
    """A claims mapping policy.

    Without a `TenantBaseline`, a create that fails or is killed after the policy was made leaves it in the tenant.
    """

    display_name: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        display_name: pulumi.Input[str],
        claims: Mapping[str, Any] | None = None,
        include_basic_claim_set: bool | None = None,
        definition: str | Mapping[str, Any] | None = None,
        extensions: Mapping[str, pulumi.Input[str]] | None = None,
        baseline: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`claims` maps claim name to source (see `flexsaml.claims`), `extensions` short name to full name;
        `baseline` is the id of the `TenantBaseline` in front, a service principal's object id."""
        super().__init__(ClaimsMappingPolicyProvider(), locals())
