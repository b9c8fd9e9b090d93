"""What the agent remembers of the work it was given: one SQLite file, written before and after each step.

The file belongs to one process: it is locked from start to end, and a second agent on it does not start. So
a row that says work has begun, and that no thread of this process is doing, was left behind by a process
that died, and its phase says how far that one had come.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from agents.errors import BadSettings

log = logging.getLogger(__name__)

STARTED = "started"  # nothing of it can have been saved
SAVING = "saving"  # the system was told, or was about to be told, to save
FINISHED = "finished"  # the answer is known

LEAST = timedelta(days=7)  # what both protocols promise to remember

SCHEMA = """
CREATE TABLE IF NOT EXISTS work (
    id TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    phase TEXT NOT NULL CHECK (phase IN ('started', 'saving', 'finished')),
    status INTEGER NOT NULL,
    answer BLOB NOT NULL,
    touched INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS work_touched ON work (touched);
"""


class StoreUnwritable(Exception):
    """The file cannot be written (a full disk); what was to be remembered is not remembered."""


class AlreadyRunning(Exception):
    """Another request is doing this very work now."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One piece of work as it was last written.

    :ivar body: fingerprint of the request
    :ivar status: HTTP status of the answer
    :ivar answer: the answer, or what is known of it so far
    """

    id: str
    body: str
    phase: str
    status: int = 0
    answer: dict[str, Any] | None = None


class Store:
    """The file. All methods may be called from any thread.

    :raises BadSettings: another process has the file
    """

    def __init__(self, path: Path, remember: timedelta = LEAST) -> None:
        if remember < LEAST:
            raise BadSettings(
                f"remember_days is {remember.days}: the protocol asks for at least {LEAST.days}"
            )
        self._remember = remember
        self._lock = threading.RLock()
        self._running: set[str] = set()
        self._unwritten: dict[str, Record] = {}
        self._db = _opened(path)

    @contextmanager
    def claim(self, id: str) -> Iterator[None]:
        """Do this work alone.

        :raises AlreadyRunning: somebody else is doing it now
        """
        with self._lock:
            if id in self._running:
                raise AlreadyRunning(id)
            self._running.add(id)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(id)

    def is_running(self, id: str) -> bool:
        """Whether a request is doing this work now."""
        with self._lock:
            return id in self._running

    def running(self) -> int:
        """How much work is being done now."""
        with self._lock:
            return len(self._running)

    def find(self, id: str) -> Record | None:
        """What is remembered of it; None if the agent never got it."""
        with self._lock:
            if id in self._unwritten:
                return self._unwritten[id]
            row = self._db.execute(
                "SELECT id, body, phase, status, answer FROM work WHERE id = ?", (id,)
            ).fetchone()
        if row is None:
            return None
        id, body, phase, status, answer = row
        return Record(id=id, body=body, phase=phase, status=status, answer=_unpacked(answer))

    def write(self, record: Record) -> None:
        """Remember it, on the disk before this returns.

        :raises StoreUnwritable: the disk is full or the file is gone
        """
        with self._lock:
            pending = [*self._unwritten.values(), record]
            self._change(
                "INSERT INTO work VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body,"
                " phase = excluded.phase, status = excluded.status, answer = excluded.answer,"
                " touched = excluded.touched",
                [(r.id, r.body, r.phase, r.status, _packed(r.answer), int(time.time())) for r in pending],
            )
            self._unwritten.clear()

    def finish(self, record: Record) -> None:
        """Remember an answer. Where the disk is full this process keeps it, and writes it with the next write;
        should it die before that, the row still says how far the work had come.
        """
        try:
            self.write(record)
        except StoreUnwritable:
            log.exception("the answer of %s could not be written; it is kept in memory", record.id)
            with self._lock:
                self._unwritten[record.id] = record

    def purge(self) -> int:
        """Forget what was last touched longer ago than is to be remembered; how many those were.

        Work whose end nobody heard is kept: forgotten, it would run again.
        """
        with self._lock:
            before = self._db.total_changes
            self._change(
                "DELETE FROM work WHERE touched < ? AND phase <> 'saving'",
                [(int(time.time() - self._remember.total_seconds()),)],
            )
            return self._db.total_changes - before

    def check_writable(self) -> None:
        """Write something and take it back.

        :raises StoreUnwritable: it did not work
        """
        with self._lock:
            self._change(
                "INSERT OR REPLACE INTO work VALUES (?, '', 'finished', 0, ?, 0)", [("", _packed(None))]
            )

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._db.close()

    def _change(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        try:
            with self._db:
                self._db.executemany(sql, rows)
        except sqlite3.Error as error:
            raise StoreUnwritable(str(error)) from error


def _opened(path: Path) -> sqlite3.Connection:
    """The file, made if it is not there, readable by its owner only, locked for this process until its end."""
    path.touch(mode=0o600)
    db = sqlite3.connect(path, timeout=0.2, check_same_thread=False)
    try:
        # EXCLUSIVE: the operating system lets go of the lock when the process ends, however it ends.
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")  # in WAL mode: every commit is on the disk when it returns
        db.executescript(SCHEMA)
        db.execute("PRAGMA user_version = 1")
    except sqlite3.OperationalError as error:
        db.close()
        raise BadSettings(f"{path} cannot be used ({error}): does another agent run on it?") from error
    return db


def _packed(answer: dict[str, Any] | None) -> bytes:
    return zlib.compress(json.dumps(answer).encode("utf-8"))


def _unpacked(answer: bytes) -> dict[str, Any] | None:
    data: dict[str, Any] | None = json.loads(zlib.decompress(answer))
    return data
