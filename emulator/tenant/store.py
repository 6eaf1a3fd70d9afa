"""The tenant in memory, written through to the journal: tables, indexes, ids, seeding and the export.

Every change goes through `commit`, which writes the journal first and memory after it, so that what was answered is
durable and what failed changed nothing. The rules about what may change are in the modules beside this one (extensions,
users, policies). Ids of new objects are uuid5 over the seed and a persisted counter: the same seed and the same calls
give the same ids, across restarts.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from emulator.dials import Dials
from emulator.errors import not_found
from emulator.tenant.journal import Journal, Row
from emulator.tenant.lag import Countdown, LaggingView
from emulator.tenant.records import (
    ApplicationRecord,
    ClientRecord,
    LinkRecord,
    PlainRecord,
    PolicyRecord,
    PrincipalRecord,
    PropertyRecord,
    Record,
    TokenRecord,
    UserRecord,
)
from emulator.types import Attributes, Json

T = TypeVar("T")

KINDS: dict[str, Any] = {  # the class of each kind's records
    "organization": PlainRecord,
    "applications": ApplicationRecord,
    "servicePrincipals": PrincipalRecord,
    "users": UserRecord,
    "extensionProperties": PropertyRecord,
    "claimsMappingPolicies": PolicyRecord,
    "assignments": LinkRecord,
    "appRoleAssignments": PlainRecord,
    "groups": PlainRecord,
    "claimsPolicies": PlainRecord,
    "workers": PlainRecord,
    "signingKeys": PlainRecord,
    "usedAssertions": PlainRecord,
    "clients": ClientRecord,
    "tokens": TokenRecord,
}
_NOT_SEEDED = frozenset({"tokens", "usedAssertions"})
_NOT_EXPORTED = frozenset({"clients", "signingKeys", *_NOT_SEEDED})


class SeedError(ValueError):
    """A seed that cannot be used; the message is one line."""


class Store:
    """All state of one tenant. Not thread-safe: one event loop owns it, and no method waits."""

    def __init__(self, journal: Journal, seed: Json, dials: Dials) -> None:
        """`seed` is used when the journal is fresh; otherwise the journal's own seed stays in force."""
        self._journal = journal
        self._tables: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
        self.organizations: dict[str, PlainRecord] = self._tables["organization"]
        self.applications: dict[str, ApplicationRecord] = self._tables["applications"]
        self.service_principals: dict[str, PrincipalRecord] = self._tables["servicePrincipals"]
        self.users: dict[str, UserRecord] = self._tables["users"]
        self.properties: dict[str, PropertyRecord] = self._tables["extensionProperties"]
        self.policies: dict[str, PolicyRecord] = self._tables["claimsMappingPolicies"]
        self.links: dict[str, LinkRecord] = self._tables["assignments"]
        self.role_assignments: dict[str, PlainRecord] = self._tables["appRoleAssignments"]
        self.groups: dict[str, PlainRecord] = self._tables["groups"]
        self.claims_policies: dict[str, PlainRecord] = self._tables["claimsPolicies"]  # by service principal id
        self.workers: dict[str, PlainRecord] = self._tables["workers"]  # Flex's, by sid
        self.signing_keys: dict[str, PlainRecord] = self._tables["signingKeys"]  # by certificate thumbprint
        self.used_assertions: dict[str, PlainRecord] = self._tables["usedAssertions"]  # those Flex has accepted
        self.clients: dict[str, ClientRecord] = self._tables["clients"]
        self.tokens: dict[str, TokenRecord] = self._tables["tokens"]
        self.upns: dict[str, str] = {}  # casefolded UPN -> user id
        self._sorted_upns: list[str] | None = None  # rebuilt when it is asked for after a UPN came or went
        self.names: dict[str, PropertyRecord] = {}  # casefolded full name -> property
        self.app_ids: dict[str, str] = {}  # appId -> application object id
        self.principal_app_ids: dict[str, str] = {}  # appId -> service principal object id
        self.dials = dials
        self.user_view: LaggingView[UserRecord] = LaggingView(dials)
        self.property_view: LaggingView[PropertyRecord] = LaggingView(dials)
        self.policy_view: LaggingView[PolicyRecord] = LaggingView(dials)
        self.link_view: LaggingView[LinkRecord] = LaggingView(dials)
        self.unavailable = Countdown()  # extension properties that cannot be used yet
        self.unlinkable = Countdown()  # policies that cannot be assigned yet
        self.lost_properties = 0  # property POSTs swallowed since the dials were last changed
        self._counters: dict[str, int] = {}
        stored = journal.meta("seed")
        if stored is None:
            self.plant(seed)
        else:
            self._load(json.loads(stored))

    # -- identity ------------------------------------------------------------------------------------------------

    @property
    def organization(self) -> PlainRecord:
        return next(iter(self.organizations.values()))

    @property
    def tenant_id(self) -> str:
        return self.organization.id

    @property
    def domains(self) -> frozenset[str]:
        return frozenset(domain["name"] for domain in self.organization.attributes["verifiedDomains"])

    def new_id(self, kind: str) -> str:
        """The next id of this kind; the counter is made durable by the `commit` that uses it."""
        self._counters[kind] = self._counters.get(kind, 0) + 1
        return str(uuid.uuid5(self._namespace, f"{kind}/{self._counters[kind]}"))

    def users_starting_with(self, prefixes: list[str]) -> list[UserRecord]:
        """Users by the beginning of their UPN, without case, each once; from an index, for tenants of any size."""
        if self._sorted_upns is None:
            self._sorted_upns = sorted(self.upns)
        upns, positions = self._sorted_upns, set[int]()
        for prefix in map(str.casefold, prefixes):
            start = bisect_left(upns, prefix)
            positions.update(range(start, bisect_left(upns, prefix + "\U0010ffff", start)))
        return [self.users[self.upns[upns[position]]] for position in sorted(positions)]

    # -- change --------------------------------------------------------------------------------------------------

    def commit(self, put: Iterable[tuple[str, Record]] = (), remove: Iterable[tuple[str, str]] = ()) -> None:
        """Make the change durable, then visible."""
        put, remove = list(put), list(remove)
        rows: list[Row] = [(kind, record.id, record.to_row()) for kind, record in put]
        rows += [(kind, record_id, None) for kind, record_id in remove]
        self._journal.write(rows, [("counters", json.dumps(self._counters, sort_keys=True))])
        for kind, record_id in remove:
            self._unindex(self._tables[kind].pop(record_id))
        for kind, record in put:
            before = self._tables[kind].get(record.id)
            if before is not None and not (isinstance(record, UserRecord) and before.upn == record.upn):
                self._unindex(before)
            self._tables[kind][record.id] = record
            self._index(record)

    def plant(self, seed: Json) -> None:
        """Replace the tenant by `seed`. Raises SeedError and changes nothing when the seed is unusable."""
        records = list(_seed_records(seed))
        self._journal.write(
            [(kind, record.id, record.to_row()) for kind, record in records],
            [("seed", json.dumps(seed, sort_keys=True)), ("counters", "{}")],
            clear=True,
        )
        self._load(seed)

    def reset(self) -> None:
        """Back to the seed in force."""
        self.plant(json.loads(self._journal.meta("seed") or "null"))

    def _load(self, seed: Json) -> None:
        self._namespace = _namespace(seed)
        self._counters = json.loads(self._journal.meta("counters") or "{}")
        for container in (*self._tables.values(), self.upns, self.names, self.app_ids, self.principal_app_ids):
            container.clear()
        for view in (self.user_view, self.property_view, self.policy_view, self.link_view):
            view.clear()
        self.unavailable.clear()
        self.unlinkable.clear()
        self.lost_properties = 0
        for kind, row_id, row in self._journal.rows():
            record = KINDS[kind].from_row(row)
            self._tables[kind][row_id] = record
            self._index(record)

    def _index(self, record: Record) -> None:
        if isinstance(record, UserRecord):
            if record.upn.casefold() not in self.upns:
                self._sorted_upns = None
            self.upns[record.upn.casefold()] = record.id
        elif isinstance(record, PropertyRecord):
            self.names[record.name.casefold()] = record
        elif isinstance(record, PrincipalRecord):
            self.principal_app_ids[record.app_id] = record.id
        elif isinstance(record, ApplicationRecord):
            self.app_ids[record.app_id] = record.id

    def _unindex(self, record: Record) -> None:
        if isinstance(record, UserRecord):
            self.upns.pop(record.upn.casefold(), None)
            self._sorted_upns = None
        elif isinstance(record, PropertyRecord):
            self.names.pop(record.name.casefold(), None)
        elif isinstance(record, PrincipalRecord):
            self.principal_app_ids.pop(record.app_id, None)

    # -- export --------------------------------------------------------------------------------------------------

    def export(self) -> dict[str, list[Json]]:
        """Everything a human would call the tenant's state; equal exports mean equal tenants.

        Lists of rows in the seed's form, sorted by id; values of deleted properties stand apart as orphanedValues.
        No clock time, token, client, key, dial or counter.
        """
        lists: dict[str, list[Json]] = {
            kind: [table[key].to_row() for key in sorted(table)]
            for kind, table in self._tables.items()
            if kind not in _NOT_EXPORTED
        }
        lists["orphanedValues"] = []
        for index, row in enumerate(lists["users"]):
            live = {name: value for name, value in row["values"].items() if name.casefold() in self.names}
            orphans = {name: value for name, value in row["values"].items() if name not in live}
            lists["users"][index] = {**row, "values": live}
            lists["orphanedValues"] += [
                {"userId": row["id"], "name": name, "value": orphans[name]} for name in sorted(orphans)
            ]
        return lists


def get_existing(table: Mapping[str, T], key: str) -> T:
    """The record with this id. Raises Graph's 404 without one."""
    record = table.get(key)
    if record is None:
        raise not_found(key)
    return record


def _namespace(seed: Json) -> uuid.UUID:
    digest = hashlib.sha256(json.dumps(seed, sort_keys=True).encode()).hexdigest()
    return uuid.uuid5(uuid.NAMESPACE_URL, f"urn:entra-emulator:{digest}")


def _seed_records(seed: Json) -> Iterable[tuple[str, Record]]:
    """The records of a seed: the export's form, plus `clients` and `signingKeys`; an object without id gets one."""
    if not isinstance(seed, dict):
        raise SeedError("a seed is a JSON object in the form of /admin/export, with the clients beside it")
    unknown = sorted(seed.keys() - KINDS.keys() - {"orphanedValues"} | seed.keys() & _NOT_SEEDED)
    if unknown:
        raise SeedError(f"a seed has no part '{unknown[0]}'; known are {', '.join(sorted(KINDS.keys() - _NOT_SEEDED))}")
    organizations = seed.get("organization")
    if not isinstance(organizations, list) or len(organizations) != 1:
        raise SeedError("a seed has exactly one organization")
    namespace = _namespace(seed)
    orphans: dict[str, Attributes] = {}
    try:
        for orphan in seed.get("orphanedValues", ()):
            orphans.setdefault(orphan["userId"], {})[orphan["name"]] = orphan["value"]
        for kind in KINDS:
            for number, row in enumerate(seed.get(kind, ())):
                record: Record = KINDS[kind].from_row(
                    {"id": str(uuid.uuid5(namespace, f"seed/{kind}/{number}")), **row}
                )
                if isinstance(record, UserRecord) and record.id in orphans:
                    record = replace(record, values={**record.values, **orphans[record.id]})
                _ = record.upn if isinstance(record, UserRecord) else None
                _ = record.app_id if isinstance(record, ApplicationRecord) else None
                yield kind, record
    except (KeyError, TypeError, AttributeError) as error:
        raise SeedError(f"seed part '{kind}', entry {number}: {type(error).__name__} {error}") from error
