"""The tenant in memory, written through to the journal: tables, indexes, ids, seeding and the export. Every change goes
through `commit`, which writes the journal first and memory after it, so that what was answered is durable and what
failed changed nothing. The rules about what may change are in the modules beside this one (extensions, users,
policies). Ids of new objects are uuid5 over the seed and a persisted counter: the same seed and the same calls give the
same ids, across restarts. Quirk: after a create, reads can answer 404 for a while; after a change they can show the old
value; after a delete the object can still be read (grade B: encoded in shipping Terraform providers). Lag is counted in
requests (dials read_lag, stale_reads, delete_lag, ref_lag, availability_delay) and kept in memory only: a restarted
emulator is consistent."""

import hashlib
import json
import uuid
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Generic, TypeVar

from emulator.dials import Dials
from emulator.errors import not_found
from emulator.tenant import records
from emulator.tenant.journal import Journal, Row
from emulator.tenant.records import PlainRecord, PropertyRecord, Record, UserRecord
from emulator.types import Attributes, Json

R = TypeVar("R", bound=Record)
_NOT_SEEDED = frozenset({"tokens", "usedAssertions"})
_NOT_EXPORTED = frozenset({"clients", "passwords", "signingKeys", *_NOT_SEEDED})


class LaggingView(Generic[R]):
    """What reads show of the objects in `table`."""

    def __init__(self, table: Mapping[str, R]) -> None:
        self._table = table
        self._shown: dict[str, tuple[int, R | None]] = {}  # id -> reads left, what they show (None: nothing)

    def show(self, item_id: str, item: R | None, *, reads: int) -> None:
        """Let the next so many reads show `item`: None for a new object, its state before a change or a deletion."""
        self._shown.pop(item_id, None)
        if reads:
            self._shown[item_id] = (reads, item)

    def clear(self) -> None:
        self._shown.clear()

    def read(self, item_id: str, key: str = "") -> R:
        """What a read of this object shows; the read is counted. Graph's 404 names `key`, or else the id."""
        item = self._read(item_id)
        if item is None:
            raise not_found(key or item_id)
        return item

    def _read(self, item_id: str) -> R | None:
        if item_id not in self._shown:
            return self._table.get(item_id)
        reads_left, old = self._shown.pop(item_id)
        if reads_left > 1:
            self._shown[item_id] = (reads_left - 1, old)
        return old

    def read_all(self, belongs: Callable[[R], bool] = lambda _: True, among: Iterable[R] | None = None) -> list[R]:
        """What a list shows: new objects are missing, changed ones are as they were, deleted ones are still listed.
        `among` names the objects where an index has chosen them; otherwise those that `belongs` accepts are listed."""
        current = [item for item in self._table.values() if belongs(item)] if among is None else list(among)
        if not self._shown:
            return current
        listed = {item.id: None for item in current}
        deleted = [old.id for _, old in self._shown.values() if old and old.id not in listed and belongs(old)]
        shown = [self._read(item_id) for item_id in (*listed, *deleted)]
        return [item for item in shown if item is not None]


def count_down(requests_left: Counter[str], item_id: str) -> bool:
    """Count a request that wants to use the object; True if it is still too early."""
    is_early = requests_left[item_id] > 0
    requests_left[item_id] -= is_early
    return is_early


class SeedError(ValueError):
    """A seed that cannot be used; the message is one line."""


class Store:
    """All state of one tenant. Not thread-safe: one event loop owns it, and no method waits."""

    def __init__(self, journal: Journal, seed: Json, dials: Dials) -> None:
        """`seed` is used when the journal is fresh; otherwise the journal's own seed stays in force."""
        self._journal = journal
        self._types: dict[str, type[Record]] = {}  # kind -> the class of its records
        self._tables: dict[str, dict[str, Any]] = {}  # kind -> id -> record
        self.organizations = self._table("organization", PlainRecord)
        self.applications = self._table("applications", records.ApplicationRecord)
        self.service_principals = self._table("servicePrincipals", records.PrincipalRecord)
        self.users = self._table("users", UserRecord)
        self.properties = self._table("extensionProperties", PropertyRecord)
        self.policies = self._table("claimsMappingPolicies", records.PolicyRecord)
        self.links = self._table("assignments", records.LinkRecord)
        self.role_assignments = self._table("appRoleAssignments", PlainRecord)
        self.permission_grants = self._table("oauth2PermissionGrants", PlainRecord)
        self.federated_credentials = self._table("federatedIdentityCredentials", PlainRecord)
        self.groups = self._table("groups", PlainRecord)
        self.claims_policies = self._table("claimsPolicies", PlainRecord)  # by service principal id
        self.workers = self._table("workers", PlainRecord)  # Flex's, by sid
        self.signing_keys = self._table("signingKeys", PlainRecord)  # by certificate thumbprint
        self.used_assertions = self._table("usedAssertions", PlainRecord)  # those Flex has accepted
        self.clients = self._table("clients", records.ClientRecord)
        self.passwords = self._table("passwords", PlainRecord)  # the texts of applications' secrets, by keyId
        self.tokens = self._table("tokens", records.TokenRecord)
        self.upns: dict[str, str] = {}  # casefolded UPN -> user id
        self._sorted_upns: list[str] | None = None  # rebuilt when it is asked for after a UPN came or went
        self.names: dict[str, PropertyRecord] = {}  # casefolded full name -> property
        self.app_ids: dict[str, str] = {}  # appId -> application object id
        self.principal_app_ids: dict[str, str] = {}  # appId -> service principal object id
        self._indexes: dict[str, tuple[dict[str, Any], Callable[[Any], str]]] = {  # kind -> index, its key
            "users": (self.upns, lambda user: user.upn.casefold()),
            "extensionProperties": (self.names, lambda prop: prop.name.casefold()),
            "applications": (self.app_ids, lambda app: app.app_id),
            "servicePrincipals": (self.principal_app_ids, lambda principal: principal.app_id),
        }
        self.dials = dials
        self.user_view = LaggingView(self.users)
        self.property_view = LaggingView(self.properties)
        self.policy_view = LaggingView(self.policies)
        self.link_view = LaggingView(self.links)
        self.sign_in_policies = LaggingView(self.policies)  # as sign-ins read them
        self.sign_in_links = LaggingView(self.links)
        self.unavailable: Counter[str] = Counter()  # extension property id -> requests that cannot use it yet
        self.unlinkable: Counter[str] = Counter()  # policy id -> requests that cannot assign it yet
        self.unindexed: Counter[str] = Counter()  # id -> filtered or searched lists that do not know it yet
        self.lost_properties = 0  # property POSTs swallowed since the dials were last changed
        self._counters: dict[str, int] = {}
        stored = journal.meta("seed")
        if stored is None:
            self.plant(seed)
        else:
            self._load(json.loads(stored))

    def _table(self, kind: str, record_type: type[R]) -> dict[str, R]:
        self._types[kind] = record_type
        return self._tables.setdefault(kind, {})

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

    def commit(self, put: Iterable[tuple[str, Record]] = (), remove: Iterable[tuple[str, str]] = ()) -> None:
        """Make the change durable, then visible."""
        put, remove = list(put), list(remove)
        rows: list[Row] = [(kind, record.id, record.to_row()) for kind, record in put]
        rows += [(kind, record_id, None) for kind, record_id in remove]
        self._journal.write(rows, [("counters", json.dumps(self._counters, sort_keys=True))])
        for kind, record_id in remove:
            self._index(kind, self._tables[kind].pop(record_id), None)
        for kind, record in put:
            self._index(kind, self._tables[kind].get(record.id), record)
            self._tables[kind][record.id] = record

    def plant(self, seed: Json) -> None:
        """Replace the tenant by `seed`. Raises SeedError and changes nothing when the seed is unusable."""
        rows = [(kind, record.id, record.to_row()) for kind, record in self._seed_records(seed)]
        self._journal.write(rows, [("seed", json.dumps(seed, sort_keys=True)), ("counters", "{}")], clear=True)
        self._load(seed)

    def reset(self) -> None:
        """Back to the seed in force."""
        self.plant(json.loads(self._journal.meta("seed") or "null"))

    def _load(self, seed: Json) -> None:
        self._namespace = _namespace(seed)
        self._counters = json.loads(self._journal.meta("counters") or "{}")
        for table in (*self._tables.values(), *(index for index, _ in self._indexes.values())):
            table.clear()
        views = (self.user_view, self.property_view, self.policy_view, self.link_view)
        counters = (self.unavailable, self.unlinkable, self.unindexed)
        for lagging in (*views, self.sign_in_policies, self.sign_in_links, *counters):
            lagging.clear()
        self.lost_properties = 0
        self._sorted_upns = None
        for kind, row_id, row in self._journal.rows():
            record = self._types[kind].from_row(row)
            self._tables[kind][row_id] = record
            self._index(kind, None, record)

    def _index(self, kind: str, before: Record | None, after: Record | None) -> None:
        if kind not in self._indexes:
            return
        index, key_of = self._indexes[kind]
        old_key, new_key = (None if record is None else key_of(record) for record in (before, after))
        if old_key is not None and old_key != new_key:
            index.pop(old_key, None)
        if kind == "users" and old_key != new_key:
            self._sorted_upns = None
        if after is not None and new_key is not None:
            index[new_key] = after if kind == "extensionProperties" else after.id

    def _seed_records(self, seed: Json) -> Iterator[tuple[str, Record]]:
        """The records of a seed: the export's form, plus `clients` and `signingKeys`; an object without id gets one."""
        if not isinstance(seed, dict):
            raise SeedError("a seed is a JSON object in the form of /admin/export, with the clients beside it")
        known = self._types.keys() - _NOT_SEEDED
        unknown = sorted(seed.keys() - known - {"orphanedValues"})
        if unknown:
            raise SeedError(f"a seed has no part '{unknown[0]}'; known are {', '.join(sorted(known))}")
        organizations = seed.get("organization")
        if not isinstance(organizations, list) or len(organizations) != 1:
            raise SeedError("a seed has exactly one organization")
        namespace = _namespace(seed)
        orphans: dict[str, Attributes] = {}
        try:
            for orphan in seed.get("orphanedValues", ()):
                orphans.setdefault(orphan["userId"], {})[orphan["name"]] = orphan["value"]
            for kind, record_type in self._types.items():
                for number, row in enumerate(seed.get(kind, ())):
                    row_id = str(uuid.uuid5(namespace, f"seed/{kind}/{number}"))
                    record = record_type.from_row({"id": row_id, **row})
                    if isinstance(record, UserRecord) and record.id in orphans:
                        record = replace(record, values={**record.values, **orphans[record.id]})
                    if kind in self._indexes:
                        self._indexes[kind][1](record)  # fails without the property that the index needs
                    yield kind, record
        except (KeyError, TypeError, AttributeError) as error:
            raise SeedError(f"seed part '{kind}', entry {number}: {type(error).__name__} {error}") from error

    def export(self) -> dict[str, list[Json]]:
        """Everything a human would call the tenant's state; equal exports mean equal tenants. Lists of rows in the
        seed's form, sorted by id; values of deleted properties stand apart as orphanedValues. No clock time, token,
        client, key, dial or counter."""
        exported = {kind: table for kind, table in self._tables.items() if kind not in _NOT_EXPORTED}
        lists = {kind: [table[key].to_row() for key in sorted(table)] for kind, table in exported.items()}
        lists["orphanedValues"] = []
        for index, row in enumerate(lists["users"]):
            live = {name: value for name, value in row["values"].items() if name.casefold() in self.names}
            orphans = {name: value for name, value in row["values"].items() if name not in live}
            lists["users"][index] = {**row, "values": live}
            entries = [{"userId": row["id"], "name": name, "value": orphans[name]} for name in sorted(orphans)]
            lists["orphanedValues"] += entries
        return lists


def get_existing(table: Mapping[str, R], key: str) -> R:
    """The record with this id. Raises Graph's 404 without one."""
    record = table.get(key)
    if record is None:
        raise not_found(key)
    return record


def _namespace(seed: Json) -> uuid.UUID:
    digest = hashlib.sha256(json.dumps(seed, sort_keys=True).encode()).hexdigest()
    return uuid.uuid5(uuid.NAMESPACE_URL, f"urn:entra-emulator:{digest}")
