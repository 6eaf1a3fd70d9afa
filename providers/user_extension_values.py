"""UserExtensionValues as a dynamic resource; `providers.kinds.user_extension_values` says what it is and does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from .dynamic import DynamicProvider, DynamicResource
from .kinds.user_extension_values import UserExtensionValuesKind


class UserExtensionValuesProvider(DynamicProvider):
    kind = UserExtensionValuesKind()


class UserExtensionValues(DynamicResource, module="flexsaml", name="UserExtensionValues"):
    """The extension values of a roster."""

    def __init__(
        self,
        resource_name: str,
        *,
        service_principal_id: pulumi.Input[str],
        roster: str,
        cells: Mapping[str, Mapping[str, str]],
        types: Mapping[str, str],
        extensions: Mapping[str, pulumi.Input[str]],
        ids: Mapping[str, str] | None = None,
        baselined: bool | None = None,
        seen_missing: Sequence[str] | None = None,
        seen_writes: int | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`roster` names the file in messages. `cells`: user (UPN or object id) to full name to canonical value;
        `types` and `extensions` have the extension's full name as key, and the data type ("String", "Integer[]", ...)
        and the property's id as value. `ids` maps users to object ids, where they are known. `baselined`:
        `UserValueBaseline`s stand in front. `seen_missing` (users) and `seen_writes` (users whose live values differ)
        are what preflight saw; they are judged in `check` and dropped."""
        super().__init__(UserExtensionValuesProvider(), locals())
