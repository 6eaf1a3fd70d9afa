"""UserValueBaseline as a dynamic resource; `providers.kinds.user_value_baseline` says what it is and does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from .dynamic import DynamicProvider, DynamicResource
from .kinds.user_value_baseline import UserValueBaselineKind


class UserValueBaselineProvider(DynamicProvider):
    kind = UserValueBaselineKind()


class UserValueBaseline(DynamicResource, module="flexsaml", name="UserValueBaseline"):
    """The way back for all values this stack writes to one extension."""

    extension: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        extension: pulumi.Input[str],
        full_name: pulumi.Input[str],
        data_type: str | None = None,
        multi_valued: bool | None = None,
        cells: pulumi.Input[Mapping[str, str]],
        ids: Mapping[str, str] | None = None,
        hidden: bool | None = None,
        allow_removal: int | None = None,
        seen_missing: Sequence[str] | None = None,
        seen_values: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`extension` is `{applicationObjectId}/{extensionPropertyId}`; `cells` maps user (UPN or object id) to the
        canonical value that is about to be written; it may be secret, and `hidden` then keeps its digest out of state,
        from which a short value could be guessed. `ids` maps users to object ids, where they are known.
        `seen_missing` (users) and `seen_values` (user to canonical live value) are what preflight saw; they are judged
        in `check` and dropped."""
        super().__init__(UserValueBaselineProvider(), locals())
