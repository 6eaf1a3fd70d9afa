"""Users and their extension values, v1.0: reading, writing, confirming. Every other property is left alone. Path:
/users/{object id or UPN}; PATCH 204, atomic: one bad extension fails all of it (C). NotAvailable (400): an extension is
unknown or not usable yet; nothing was written (A). Quirks: v1.0 shows extension values only on $select (A); null clears
a value (A); reads after a write may show the old value (B); `ne null` and $count need ConsistencyLevel and read an
index that lags behind writes (A); an unset value is absent or null (D). A PATCH of values is idempotent, so after an
unknown outcome it is repeated. A page holds at most 999 users
(C), and its link comes with the page before, so several listings, by the beginning of the name, are read side by side.
Users that no listing shows, and all users if Graph refuses to count or to list them, are read in batches."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from .batch import CHUNK, BatchRequest, BatchResponse, body_of, entity_of
from .bulk import OnProgress
from .directory_calls import ABSENCE_PAUSES, DirectoryCalls, Wait, do_nothing
from .errors import (
    OUTCOME_UNKNOWN,
    Forbidden,
    GraphError,
    Malformed,
    NotAvailable,
    NotFound,
    Refused,
    StillPending,
    Throttled,
    Unanswered,
    Unauthorized,
)
from .extensions import NOT_USABLE_HINT, USABLE_WITHIN
from .models import User, ValueHolders, same_value
from .shapes import check_count, check_items
from .urls import listings, literal, starting_with, user_path, with_query

Strings = Collection[str]
Values = Mapping[str, object]
Failures = dict[str, GraphError]

BASICS = ("id", "userPrincipalName")
FEW = 2 * CHUNK  # users for whom counting the tenant is not worth a request
PAGE = 999  # users on a page, at most (C)
SIDE_BY_SIDE = 4
PROBES = 5  # users written one by one, at most, to learn whether the extensions are usable; then all are written


class Users(DirectoryCalls):
    """Users and their extension values."""

    def read_user(self, reference: str, extensions: Sequence[str] = ()) -> User:
        """One user; raises NotFound."""
        return User.read(self._client.entity(select(reference, extensions)), extensions)

    def find_user(self, reference: str, extensions: Sequence[str] = ()) -> User | None:
        """One user; None only after a confirmed 404."""
        return self._unless_absent(lambda: self.read_user(reference, extensions))

    def read_users(
        self,
        references: Strings,
        extensions: Strings = (),
        profile: Strings = (),
        names: Strings = (),
        *,
        confirms_absence: bool = True,
    ) -> dict[str, User | None]:
        """Any number of users by UPN or object id; None for one that does not exist, which three answers in a row say.
        Read in batches, or, where that takes fewer requests, from listings of the tenant; users that no listing shows
        are read by name all the same. `profile`: other properties to read. `names`: UPNs those users are thought to
        have, when the references are object ids; they only make the listings shorter. `confirms_absence` False: one
        answer suffices, for a report or a read that is repeated anyway."""
        asked = list(dict.fromkeys(references))
        users: dict[str, User | None] = dict(self._from_listings(asked, extensions, profile, names))
        absent = [reference for reference in asked if reference not in users]
        paths = [select(reference, (*profile, *extensions)) for reference in absent]
        answers = self._in_batches(paths, self._read_confirmed if confirms_absence else self._client.read_batch)
        for reference, answer in zip(absent, answers, strict=True):
            is_absent = isinstance(answer.failure, NotFound)
            users[reference] = None if is_absent else User.read(entity_of(answer), extensions)
        return {reference: users[reference] for reference in asked}

    def find_names_by_mail(self, addresses: Strings) -> dict[str, str]:
        """Mail address to the UPN of the user who has it, for hints: one answer suffices, and what may not be read is
        left out."""
        paths = [
            with_query("/users", {"$filter": f"mail eq {literal(address)}", "$select": "id,userPrincipalName"})
            for address in addresses
        ]
        answers = self._client.read_batch(paths)
        readable = [(address, answer) for address, answer in zip(addresses, answers, strict=True) if not answer.failure]
        names = {address: check_items(answer.request.url, body_of(answer)) for address, answer in readable}
        return {address: str(rows[0]["userPrincipalName"]) for address, rows in names.items() if len(rows) == 1}

    def read_users_settled(
        self, references: Strings, extensions: Strings, is_settled: Callable[[User], bool], names: Strings = ()
    ) -> dict[str, User | None]:
        """Like `read_users`; those for whom `is_settled` is false are read up to twice more, with pauses. Their last
        answer counts, since one answer may come from a replica that has not heard of the last write (B)."""
        users = self.read_users(references, extensions, names=names)
        for seconds in ABSENCE_PAUSES:
            unsettled = [reference for reference, user in users.items() if user and not is_settled(user)]
            if not unsettled:
                break
            self._client.clock.sleep(seconds)
            users |= self.read_users(unsettled, extensions)
        return users

    def _from_listings(self, asked: Strings, extensions: Strings, profile: Strings, names: Strings) -> dict[str, User]:
        """Those of them that listings show; nobody when batches are fewer requests or listings are refused."""
        if len(asked) <= FEW or self._tenant_size() / PAGE >= len(asked) / CHUNK:
            return {}
        wanted: dict[str, list[str]] = {}
        for reference in asked:
            wanted.setdefault(reference.lower(), []).append(reference)
        upns = names or [reference for reference in asked if "@" in reference]
        groups = [[""]] if len(upns) < len(asked) else listings(upns, SIDE_BY_SIDE)
        select = ",".join((*BASICS, *profile, *extensions))

        def listed(prefixes: list[str]) -> dict[str, User]:
            condition = starting_with(prefixes)
            params = {"$top": PAGE, "$select": select, **({"$filter": condition} if condition else {})}
            users = {}
            for body in self._client.pages("/users", params=params):
                for key in (body["id"], body.get("userPrincipalName") or ""):
                    for reference in wanted.get(key.lower(), ()):
                        users[reference] = User.read(body, extensions)
            return users

        try:
            with ThreadPoolExecutor(len(groups)) as pool:
                return {reference: user for users in pool.map(listed, groups) for reference, user in users.items()}
        except Malformed:
            return {}  # a filter or property that a listing does not take

    def _tenant_size(self) -> float:
        """How many users the tenant has; infinite where it may not be counted."""
        try:
            params = {"$count": "true", "$top": 1, "$select": "id"}
            page = self._client.get("/users", params=params, headers={"ConsistencyLevel": "eventual"})
        except (Forbidden, Malformed):
            return math.inf
        size = page.get("@odata.count")
        return size if type(size) is int else math.inf

    def _in_batches(
        self, paths: Sequence[str], read: Callable[[Sequence[str]], list[BatchResponse]]
    ) -> list[BatchResponse]:
        """GETs in batches, several side by side when there are many."""
        chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
        if len(chunks) <= SIDE_BY_SIDE:
            return read(paths)
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            return [answer for answers in pool.map(read, chunks) for answer in answers]

    def patch_user(self, object_id: str, values: Values) -> None:
        """Write extension values (None clears), all or none."""
        self._client.write("PATCH", user_path(object_id), dict(values))

    def patch_user_when_usable(
        self, object_id: str, values: Values, on_long_wait: Callable[[], object] = do_nothing
    ) -> None:
        """Like `patch_user`, repeated while the extensions are refused as not available. Raises StillPending, with the
        last refusal, after `USABLE_WITHIN` seconds of waiting. `on_long_wait`: as `Wait` has it."""
        what = f"PATCH {user_path(object_id)}: waiting until its extensions can be written"
        self._patch_when_usable(
            object_id, values, Wait(self._client, what, USABLE_WITHIN, NOT_USABLE_HINT, on_long_wait)
        )

    def _patch_when_usable(self, object_id: str, values: Values, wait: Wait) -> None:
        while True:
            try:
                return self.patch_user(object_id, values)
            except NotAvailable as error:  # nothing of it was carried out
                wait.pause(error.words)

    def patch_users(self, changes: Mapping[str, Values], on_progress: OnProgress | None = None) -> Failures:
        """Write the values of any number of users, side by side; returns the failures only, by the reference given.
        A write of unknown outcome is repeated (bulk.py)."""
        items = [BatchRequest("PATCH", user_path(user), dict(values)) for user, values in changes.items()]
        outcomes = zip(changes, self._client.bulk(items, on_progress), strict=True)
        return {reference: error for reference, error in outcomes if error is not None}

    def patch_users_when_usable(
        self,
        changes: Mapping[str, Values],
        on_progress: OnProgress | None = None,
        on_long_wait: Callable[[], object] = do_nothing,
    ) -> Failures:
        """Like `patch_users`, repeated for those whose extensions are refused as not available. A property that is not
        usable yet refuses everybody, and refused writes use up quota (A): so a single user is written before all
        others. Users for whom that is still so after `USABLE_WITHIN` seconds of waiting fail with StillPending."""
        users = f"{len(changes)} user{'s' if len(changes) != 1 else ''}"
        what = f"PATCH of {users}: waiting until their extensions can be written"
        wait = Wait(self._client, what, USABLE_WITHIN, NOT_USABLE_HINT, on_long_wait)
        failures: Failures = {}
        pending = dict(changes)
        try:
            self._probe(pending, failures, wait)
            while pending:
                refused = self.patch_users(pending, _counting(len(changes) - len(pending), on_progress))
                unavailable = {user: error for user, error in refused.items() if isinstance(error, NotAvailable)}
                failures |= {user: error for user, error in refused.items() if user not in unavailable}
                pending = {user: changes[user] for user in unavailable}
                if pending:
                    wait.pause(next(iter(unavailable.values())).words)
                    self._probe(pending, failures, wait)
        except StillPending as late:
            failures |= dict.fromkeys(pending, late)
        return failures

    def confirm_users(self, wanted: Mapping[str, Values], names: Mapping[str, str] | None = None) -> None:
        """Read back until every value shows; stale reads are waited out. Raises StillPending after 30 s, which names
        users as `names` does."""
        pending = dict(wanted)
        try:
            self.wait_for(lambda: self._all_show(pending), "reading back extension values")
        except StillPending as late:
            called = [(names or {}).get(user, user) for user in pending]
            listed = ", ".join(called[:3]) + (", …" if len(called) > 3 else "")
            users = "1 user does" if len(pending) == 1 else f"{len(pending)} users do"
            words = f"{late.words}: {users} not show what was written ({listed})"
            raise StillPending(late.operation, words, late.hint) from late

    def find_value_holders(self, extension: str, limit: int = 20) -> ValueHolders:
        """How many users hold a value of the extension, and who of the first `limit`. Whoever is listed is read
        directly, because the list comes from an index that lags behind writes. Three lists in a row, with pauses, must
        say that nobody holds a value. Where they lag by more than that, a value that was just written is missed: it
        outlives the property, and shows again when a property of that name is made anew (A)."""
        select = ",".join((*BASICS, extension))
        params = {"$filter": f"{extension} ne null", "$count": "true", "$top": limit, "$select": select}
        for seconds in (*ABSENCE_PAUSES, None):
            page = self._client.get("/users", params=params, headers={"ConsistencyLevel": "eventual"})
            listed = check_items("/users", page)[:limit]
            count = max(check_count("/users", page), len(listed))
            ids = [body["id"] for body in listed]
            read = self.read_users(ids, [extension], confirms_absence=False) if listed else {}
            holders = tuple(user for user in read.values() if user and user.values.get(extension) not in (None, []))
            if holders:
                return ValueHolders(count, holders)
            if seconds is not None:  # what is listed waits for the index; an empty list only for another replica
                self._client.clock.sleep(seconds if count else seconds / 4)
        return ValueHolders(max(0, count - len(listed)))  # those beyond the limit were not read: they count

    def _probe(self, pending: dict[str, Values], failures: Failures, wait: Wait) -> None:
        """Write the first user who can be written, waiting until the extensions are usable; takes users off `pending`.
        A refusal that concerns one user only is that user's failure, and the next user is tried. If Graph fails or asks
        to wait, the probe ends, and the bulk write of the others deals with it."""
        for user in list(pending)[:PROBES]:
            error = None
            try:
                self._patch_when_usable(user, pending[user], wait)
            except Unauthorized:
                raise
            except Throttled:
                return
            except (Refused, Unanswered) as refused:
                failures[user] = error = refused
            del pending[user]
            if error is None or isinstance(error, OUTCOME_UNKNOWN):
                return

    def _all_show(self, pending: dict[str, Values]) -> bool:
        """Take those users off `pending` whose values show; True when nobody is left."""
        names = list(dict.fromkeys(name for values in pending.values() for name in values))
        for reference, user in self.read_users(list(pending), names, confirms_absence=False).items():
            if _holds(user, pending[reference]):
                del pending[reference]
        return not pending


def _counting(done: int, on_progress: OnProgress | None) -> OnProgress | None:
    """`on_progress`, of a run in which that many users were written before."""
    return on_progress and (lambda progress: on_progress(progress.after(done)))


def _holds(user: User | None, values: Values) -> bool:
    return user is not None and all(same_value(user.values.get(name), value) for name, value in values.items())


def select(reference: str, extensions: Sequence[str]) -> str:
    """The path that reads one user with these extensions and properties."""
    return with_query(user_path(reference), {"$select": ",".join((*BASICS, *extensions))})
