"""Users and their extension values, v1.0: reading, writing, confirming. It leaves every other property alone.

Path: /users/{object id or UPN}; PATCH 204, atomic: one bad extension fails the whole (C). Permissions:
permissions.py. 404: no such user. NotAvailable (400): an extension is unknown or not usable yet; nothing was
written (A). Quirks: v1.0 shows extension values only on $select (A); null clears a value (A); reads after a
write may show the old value (B); `ne null` needs ConsistencyLevel and $count (A); an unset value is absent or
null (D). A PATCH of values is idempotent, so after an unknown outcome it is looked up and only then sent
again. Pinned by tests/graph/test_users.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from flexsaml.graph.batch import BatchRequest
from flexsaml.graph.bulk import Told
from flexsaml.graph.directory_calls import CONFIRM_WITHIN
from flexsaml.graph.errors import (
    GraphError,
    Malformed,
    NotAvailable,
    NotFound,
    ServerError,
    StillPending,
    Unanswered,
)
from flexsaml.graph.extensions import NOT_USABLE_HINT, USABLE_WITHIN
from flexsaml.graph.models import User
from flexsaml.graph.people import BASICS, UserReads, select
from flexsaml.graph.retry import LOOKS
from flexsaml.graph.sameness import same_value
from flexsaml.graph.urls import user_path
from flexsaml.graph.wait import until

Values = Mapping[str, object]


class Users(UserReads):
    """Users and their extension values."""

    def read_user(self, reference: str, extensions: Sequence[str] = ()) -> User:
        """One user; raises NotFound."""
        return User.read(self._client.get(select(reference, extensions)), extensions)

    def patch_user(self, object_id: str, values: Values) -> None:
        """Write extension values (None clears), all or none."""
        names = tuple(values)

        def shows() -> bool | None:
            return _holds(self.read_user(object_id, names), values) or None

        self._client.write("PATCH", user_path(object_id), dict(values), landed=shows)

    def patch_user_when_usable(self, object_id: str, values: Values, *, deadline: float = USABLE_WITHIN) -> None:
        """Like `patch_user`, repeated while the extensions are refused as not available, up to `deadline`
        seconds."""
        refused: list[NotAvailable] = []

        def written() -> bool:
            try:
                self.patch_user(object_id, values)
            except NotAvailable as error:  # refused as a whole: certainly not carried out
                refused.append(error)
                return False
            return True

        what = f"PATCH {user_path(object_id)}: waiting until its extensions can be written"
        client = self._client
        try:
            until(
                written,
                deadline=deadline,
                clock=client.clock,
                what=what,
                hint=NOT_USABLE_HINT,
                progress=client.progress,
            )
        except StillPending as late:
            raise StillPending(late.operation, f"{late.words} ({refused[-1].words})", late.hint) from late

    def patch_users(self, changes: Mapping[str, Values], told: Told | None = None) -> dict[str, GraphError]:
        """Write the values of any number of users, side by side; returns the failures only, by the reference given.

        What came back with an unknown outcome is looked up, and sent once more when it was not carried out.
        `told` hears how far it is.
        """
        failures = self._patch_each(changes, told)
        unknown = [one for one, error in failures.items() if isinstance(error, (Unanswered, ServerError))]
        try:
            missing = self._not_landed({one: changes[one] for one in unknown})
        except GraphError:
            # Without a look nobody knows, so nothing is sent again and the first error is what counts.
            return failures
        for one in unknown:
            if one not in missing:
                del failures[one]
        if missing:
            again = self._patch_each({one: changes[one] for one in missing})
            for one in missing:
                del failures[one]
            failures.update(again)
        return failures

    def patch_users_when_usable(self, changes: Mapping[str, Values], told: Told | None = None) -> dict[str, GraphError]:
        """Like `patch_users`, repeated for those whose extensions are refused as not available, up to five minutes.

        One user goes first: a property that is not usable yet refuses everybody, and refused writes use up quota (A).
        """
        first = next(iter(changes), None)
        if first is None:
            return {}
        failures: dict[str, GraphError] = {}
        try:
            self.patch_user_when_usable(first, changes[first])
        except (NotFound, Malformed) as error:
            failures[first] = error
        pending = {one: values for one, values in changes.items() if one != first}
        client = self._client

        def written() -> bool:
            nonlocal pending
            before = len(changes) - len(pending)
            found = self.patch_users(pending, told and (lambda progress: told(progress.after(before))))
            pending = {one: changes[one] for one, error in found.items() if isinstance(error, NotAvailable)}
            failures.update({one: error for one, error in found.items() if one not in pending})
            return not pending

        until(
            written,
            deadline=USABLE_WITHIN,
            clock=client.clock,
            what=f"PATCH of {len(changes)} users: waiting until their extensions can be written",
            hint=NOT_USABLE_HINT,
            progress=client.progress,
        )
        return failures

    def confirm_users(self, wanted: Mapping[str, Values]) -> None:
        """Read back until every value shows; stale reads are waited out. Raises StillPending after 30 s."""
        pending = dict(wanted)

        def all_show() -> bool:
            for reference in self._showing(pending):
                del pending[reference]
            return not pending

        client = self._client
        try:
            until(
                all_show,
                deadline=CONFIRM_WITHIN,
                clock=client.clock,
                what="reading back extension values",
                progress=client.progress,
            )
        except StillPending as late:
            named = ", ".join(list(pending)[:3]) + (", …" if len(pending) > 3 else "")
            words = f"{late.words}: {len(pending)} user(s) do not show what was written ({named})"
            raise StillPending(late.operation, words, late.hint) from late

    def holders(self, extension: str, limit: int = 20) -> tuple[int, list[User]]:
        """How many users hold a value of the extension, and up to `limit` of them. One request."""
        page = self._client.get(
            "/users",
            params={
                "$filter": f"{extension} ne null",
                "$count": "true",
                "$top": limit,
                "$select": ",".join((*BASICS, extension)),
            },
            headers={"ConsistencyLevel": "eventual"},
        )
        people = [User.read(body, (extension,)) for body in page.get("value", ())][:limit]
        return int(page.get("@odata.count", len(people))), people

    def _patch_each(self, changes: Mapping[str, Values], told: Told | None = None) -> dict[str, GraphError]:
        items = [BatchRequest("PATCH", user_path(one), dict(values)) for one, values in changes.items()]
        outcomes = zip(changes, self._client.bulk(items, told), strict=True)
        return {reference: error for reference, error in outcomes if error is not None}

    def _not_landed(self, changes: Mapping[str, Values]) -> list[str]:
        """Those whose values do not show after several looks."""
        pending = dict(changes)
        for seconds in LOOKS if pending else ():
            self._client.clock.sleep(seconds)
            for reference in self._showing(pending):
                del pending[reference]
            if not pending:
                break
        return list(pending)

    def _showing(self, wanted: Mapping[str, Values]) -> list[str]:
        names: Collection[str] = dict.fromkeys(name for values in wanted.values() for name in values)
        people = self.read_users(list(wanted), list(names))
        showing = []
        for reference, values in wanted.items():
            person = people[reference]
            if person is not None and _holds(person, values):
                showing.append(reference)
        return showing


def _holds(person: User, values: Values) -> bool:
    return all(same_value(person.values.get(name), value) for name, value in values.items())
