"""The durable copy: every write is an SQLite transaction, committed before the caller is answered. WAL with
synchronous=NORMAL survives the death of the process at any moment (SIGKILL), which the tests cause; it does not promise
to survive a loss of power. The file is locked exclusively: two emulators on one file would each trust their own
memory."""

import json
import os
import sqlite3
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from emulator.types import Attributes

SCHEMA = "1"
_OPENING = """
PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;
CREATE TABLE IF NOT EXISTS rows (kind TEXT, id TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
# An upsert keeps the rowid, and with it the order in which objects were made.
_PUT_ROW = "INSERT INTO rows VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body"
Row: TypeAlias = tuple[str, str, "Attributes | None"]  # kind, id, row; None removes it


class JournalError(Exception):
    """The data file cannot be used; the message is one line and says what to do."""


class Journal:
    """Rows by kind and id in one file."""

    def __init__(self, path: Path) -> None:
        try:
            _make_private(path)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=0.2)
            self._db.executescript(_OPENING)
            self._db.execute("INSERT OR IGNORE INTO meta VALUES ('schema', ?)", (SCHEMA,))
        except (OSError, sqlite3.Error) as error:
            raise JournalError(f"cannot open the data file {path}: {error}; is another emulator using it?") from error
        if self.meta("schema") != SCHEMA:
            raise JournalError(f"the data file {path} was made by another version; remove it or name another")

    def meta(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def rows(self) -> Iterable[tuple[str, str, Attributes]]:
        """All rows in the order in which their objects were made."""
        for kind, row_id, body in self._db.execute("SELECT kind, id, body FROM rows ORDER BY rowid"):
            yield kind, row_id, json.loads(body)

    def write(self, rows: Iterable[Row], meta: Iterable[tuple[str, str]] = (), *, clear: bool = False) -> None:
        """All rows or none. `clear` removes every row first (a reset or a new seed). Raises JournalError."""
        run = self._db.execute
        try:
            run("BEGIN IMMEDIATE")
            if clear:
                run("DELETE FROM rows")
                run("DELETE FROM meta WHERE key != 'schema'")
            for kind, row_id, row in rows:
                if row is None:
                    run("DELETE FROM rows WHERE kind = ? AND id = ?", (kind, row_id))
                else:
                    run(_PUT_ROW, (kind, row_id, json.dumps(row, separators=(",", ":"))))
            for pair in meta:
                run("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", pair)
            run("COMMIT")
        except BaseException as error:
            if self._db.in_transaction:  # SQLite has ended it already where the disk is full
                run("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                words = f"the emulator cannot write its data file ({error}), and nothing was changed"
                raise JournalError(f"{words}; make room on its disk and send the request again") from error
            raise

    def close(self) -> None:
        self._db.close()


def _make_private(path: Path) -> None:
    """The file is for its owner only, SQLite's two files beside it too (they get its mode); no link is followed."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is not a regular file")
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
