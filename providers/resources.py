"""The typed resource classes of a program, one for each kind; `providers.kinds` says what each is and does. These
arguments mean the same everywhere:

    baseline    id of the `TenantBaseline` in front, a service principal's object id; without one, a create that fails
                or is killed after the object was made leaves it in the tenant
    baselined   `UserValueBaseline`s stand in front; their `extension` output is what `extensions` then holds
    types       full name to data type ("String", "Integer[]", ...); `extensions` of values: full name to property id
    ids         user (UPN or object id) to object id, where it is known
    recorded    what the baseline in front records in state (its method `record`); of values: by full name
    seen_*      what preflight saw; judged in `check`, as `recorded` is, then dropped"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pulumi

from flexsaml.values import ID_PREFIX_LENGTH, pack

from .dynamic import DynamicResource
from .kinds.record import find_recorded_ids, find_unrecorded_users

Record = Mapping[str, Any]
"""What a baseline in state records: see `providers.kinds.record`."""


class ClaimsMappingPolicy(DynamicResource):
    """A claims mapping policy."""

    display_name: pulumi.Output[str]

    def __init__(
        self, resource_name: str, *, display_name: pulumi.Input[str], claims: Mapping[str, Any] | None = None,
        include_basic_claim_set: bool | None = None, definition: str | Mapping[str, Any] | None = None,
        extensions: Mapping[str, pulumi.Input[str]] | None = None, baseline: pulumi.Input[str] | None = None,
        recorded: pulumi.Input[Record] | None = None, opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        """`claims` maps claim name to source (see `flexsaml.claims`), `extensions` short name to full name."""
        super().__init__(locals())


class ExtensionProperty(DynamicResource):
    """A directory extension of an application."""

    full_name: pulumi.Output[str]
    data_type: pulumi.Output[str]
    multi_valued: pulumi.Output[bool]

    def __init__(
        self, resource_name: str, *, application_id: pulumi.Input[str], app_id: pulumi.Input[str], name: str,
        data_type: str | None = None, multi_valued: bool | None = None, target_objects: Sequence[str] | None = None,
        baseline: pulumi.Input[str] | None = None, recorded: pulumi.Input[Record] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        """`application_id` is the application's object id, `app_id` its appId (client id), `name` the short name."""
        super().__init__(locals())


class PolicyAssignment(DynamicResource):
    """The assignment of a claims mapping policy to a service principal."""

    service_principal_id: pulumi.Output[str]
    policy_id: pulumi.Output[str]

    def __init__(
        self, resource_name: str, *, service_principal_id: pulumi.Input[str], policy_id: pulumi.Input[str],
        displaces: pulumi.Input[Sequence[str]] | None = None, replace_existing: bool | None = None,
        seen_assigned: Mapping[str, str] | None = None, opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        """`displaces`: ids of policies that may be unassigned, as a `TenantBaseline` recorded them; none without one.
        `seen_assigned`: id to name."""
        super().__init__(locals())


class TenantBaseline(DynamicResource):
    """What was there before; stands in front of every other write of a stack."""

    displaced: pulumi.Output[list[str]]
    properties: pulumi.Output[list[str]]
    policy_name: pulumi.Output[str]

    def __init__(
        self, resource_name: str, *, service_principal_id: str, application_id: str, app_id: str,
        properties: Sequence[str], policy_name: str, replace_existing: bool | None = None,
        seen_properties: Mapping[str, str] | None = None, seen_policies: Mapping[str, str] | None = None,
        seen_signed: Mapping[str, str] | None = None, opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        """`application_id` (object id) and `app_id` are of the application that holds the extensions; `properties` are
        full names. `seen_properties`: full name to id; `seen_policies`: id to name, of those with the policy's name;
        `seen_signed`: the same, of those that are assigned and that flexsaml made."""
        super().__init__(locals())

    def record(self, names: pulumi.Output[list[str]]) -> pulumi.Output[Record]:
        """These names, from outputs of this resource, as `recorded` of a property and of a policy takes them."""
        return names.apply(lambda recorded: {"baseline": self.pulumi_resource_name, "names": recorded})


class UserExtensionValue(DynamicResource):
    """The extension values of one user."""

    user_id: pulumi.Output[str]

    def __init__(
        self, resource_name: str, *, user: pulumi.Input[str], values: Mapping[str, pulumi.Input[object]],
        types: Mapping[str, str], extensions: Mapping[str, pulumi.Input[str]], baselined: bool | None = None,
        recorded: Mapping[str, pulumi.Input[Record]] | None = None, seen_missing: Mapping[str, str] | None = None,
        seen_drift: Mapping[str, str] | None = None, opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        """`user` is an object id or a UPN; `values` maps full name to the value to write. `seen_drift`: full name whose
        live value is not the declared one, to the user as messages name them."""
        super().__init__(locals())


class UserExtensionValues(DynamicResource):
    """The extension values of a roster."""

    def __init__(
        self, resource_name: str, *, service_principal_id: pulumi.Input[str], roster: str, cells: Mapping[str,
        Mapping[str, str]], types: Mapping[str, str], extensions: Mapping[str, pulumi.Input[str]],
        ids: Mapping[str, str] | None = None, baselined: bool | None = None, hidden: bool | None = None,
        seen_missing: Mapping[str, str] | None = None, seen_writes: int | None = None,
        seen_drift: Mapping[str, Sequence[str]] | None = None,
        recorded: Mapping[str, pulumi.Input[Record]] | None = None, opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        """`roster` names the file in messages. `cells`: user (UPN or object id) to full name to canonical value; with
        `hidden` they are secret, and no digest of them is in state.
        `seen_writes`: how many users hold other values; `seen_drift`: user to the full names of these values."""
        super().__init__(locals())


class UserValueBaseline(DynamicResource):
    """The way back for all values this stack writes to one extension."""

    extension: pulumi.Output[str]

    def __init__(
        self, resource_name: str, *, extension: pulumi.Input[str], full_name: pulumi.Input[str],
        data_type: str | None = None, multi_valued: bool | None = None, cells: pulumi.Input[Mapping[str, str]],
        ids: Mapping[str, str] | None = None, hidden: bool | None = None, allow_removal: int | None = None,
        seen_missing: Mapping[str, str] | None = None, seen_values: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        """`extension` is `{applicationObjectId}/{extensionPropertyId}`; `cells` maps user (UPN or object id) to the
        canonical value that is about to be written; it may be secret, and `hidden` then keeps its digest out of state,
        from which a short value could be guessed. `seen_values`: user to canonical live value."""
        # A replacement that a person asks for (`--replace`, `state taint`) does not ask `diff`, which else says this.
        opts = pulumi.ResourceOptions.merge(pulumi.ResourceOptions(delete_before_replace=True), opts)
        super().__init__(locals())
        self._given_ids: Any = {} if ids is None else ids  # an Output where the principal is one
        # State's table is an output that no program names; its own may be one, if a value comes from another resource.
        given, recorded, memory = self._given["__cells"], getattr(self, "__cells"), getattr(self, "__memory")
        self._unrecorded = pulumi.Output.all(given, recorded).apply(lambda packed: find_unrecorded_users(*packed))
        self._ids: pulumi.Output[Mapping[str, str]] = pulumi.Output.from_input({})
        if not ids or isinstance(ids, pulumi.Output):  # else preflight is on, and the table has the ids
            self._ids = pulumi.Output.all(given, recorded, memory).apply(lambda packed: find_recorded_ids(*packed))

    def record_user(self, user: str) -> pulumi.Output[Record]:
        """What state records of this user's cell and of who the user is, as `recorded` of a writer takes it."""
        ids = self._given_ids
        is_later = isinstance(ids, pulumi.Output)
        return self._record([user], ids.apply(lambda known: known.get(user, "")) if is_later else ids.get(user, ""))

    def record(self, users: Iterable[str]) -> pulumi.Output[Record]:
        """The same of these users, as written, for the writer of a roster, whose own table has the ids that preflight
        knows."""
        return self._record(users, "")

    def _record(self, users: Iterable[str], object_id: pulumi.Input[str]) -> pulumi.Output[Record]:
        def record(unrecorded: frozenset[str], ids: Mapping[str, str], object_id: str) -> Record:
            names = {user.lower() for user in users} if unrecorded or ids or object_id else set()
            id_prefixes = {user: id_ for user in names if (id_ := ids.get(user) or object_id[:ID_PREFIX_LENGTH])}
            return {
                "baseline": self.pulumi_resource_name, "unrecorded": sorted(names & unrecorded),
                "ids": pack(id_prefixes) if id_prefixes else "",
            }  # fmt: skip

        return pulumi.Output.all(self._unrecorded, self._ids, object_id).apply(lambda arguments: record(*arguments))
