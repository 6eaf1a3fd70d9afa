"""UserExtensionValue as a dynamic resource; `providers.kinds.user_extension_value` says what it is and does."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from .dynamic import DynamicProvider, DynamicResource
from .kinds.user_extension_value import UserExtensionValueKind


class UserExtensionValueProvider(DynamicProvider):
    kind = UserExtensionValueKind()


class UserExtensionValue(DynamicResource, module="flexsaml", name="UserExtensionValue"):
    """The extension values of one user."""

    user_id: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        user: pulumi.Input[str],
        values: Mapping[str, pulumi.Input[object]],
        types: Mapping[str, str],
        extensions: Mapping[str, pulumi.Input[str]],
        baselined: bool | None = None,
        seen_missing: bool | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`user` is an object id or a UPN; `values`, `types` and `extensions` have the extension's full name as
        key, and the value to write, the data type ("String", "Integer[]", ...) and the property's id as value.
        `baselined`: `UserValueBaseline`s stand in front (their `extension` output is what `extensions` holds).
        `seen_missing`: preflight did not find the user; judged in `check` and dropped."""
        super().__init__(UserExtensionValueProvider(), locals())
