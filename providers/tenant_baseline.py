"""TenantBaseline as a dynamic resource; `providers.kinds.tenant_baseline` says what it is and does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from .dynamic import DynamicProvider, DynamicResource
from .kinds.tenant_baseline import TenantBaselineKind


class TenantBaselineProvider(DynamicProvider):
    kind = TenantBaselineKind()


class TenantBaseline(DynamicResource, module="flexsaml", name="TenantBaseline"):
    """What was there before; stands in front of every other write of a stack."""

    displaced: pulumi.Output[list[str]]

    def __init__(
        self,
        resource_name: str,
        *,
        service_principal_id: str,
        application_id: str,
        app_id: str,
        properties: Sequence[str],
        policy_name: str,
        replace_existing: bool | None = None,
        seen_properties: Mapping[str, str] | None = None,
        seen_policies: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`application_id` (object id) and `app_id` are of the application that holds the extensions;
        `properties` are full names. `seen_*` map full name to id and id to name, as preflight saw them; they
        are judged in `check` and dropped."""
        super().__init__(TenantBaselineProvider(), locals())
