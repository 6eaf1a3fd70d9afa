"""ExtensionProperty as a dynamic resource; `providers.kinds.extension_property` says what it is and does."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from .dynamic import DynamicProvider, DynamicResource
from .kinds.extension_property import ExtensionPropertyKind


class ExtensionPropertyProvider(DynamicProvider):
    kind = ExtensionPropertyKind()


class ExtensionProperty(DynamicResource, module="flexsaml", name="ExtensionProperty"):
    """A directory extension of an application.

    Without a `TenantBaseline`, a create that fails or is killed after the property was made leaves it in the tenant.
    """

    full_name: pulumi.Output[str]
    data_type: pulumi.Output[str]
    multi_valued: pulumi.Output[bool]

    def __init__(
        self,
        resource_name: str,
        *,
        application_id: pulumi.Input[str],
        app_id: pulumi.Input[str],
        name: str,
        data_type: str | None = None,
        multi_valued: bool | None = None,
        target_objects: Sequence[str] | None = None,
        baseline: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`application_id` is the application's object id, `app_id` its appId (client id), `name` the short name."""
        super().__init__(ExtensionPropertyProvider(), locals())
