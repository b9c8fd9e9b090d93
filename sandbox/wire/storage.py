"""The state of a sandbox: named buckets of JSON documents, in memory and, with a file, durable.

Every transaction that has returned is in the file (SQLite, write-ahead log), so a server killed at any
moment comes back with exactly what it acknowledged. SQLite is only the journal: reads come from memory.
"""

from __future__ import annotations

import json
import pickle
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class Storage:
    """Buckets of JSON documents by text key; Decimals and aware datetimes survive. Copies go in and out.

    :param path: the file that makes it durable; None keeps everything in memory
    :ivar counters: numbers that a refused request changes too, and a restart forgets
    """

    def __init__(self, path: Path | None = None) -> None:
        self.lock = threading.RLock()
        self.counters: Counter[str] = Counter()
        self._buckets: dict[str, dict[str, Row]] = {}
        self._undo: list[tuple[str, str, Row | None]] | None = None
        self._file = _open(path) if path else None
        if self._file:
            for bucket, key, text in self._file.execute("SELECT bucket, key, document FROM documents"):
                self._buckets.setdefault(bucket, {})[key] = _decode(text)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes inside become durable together, or none does. Excludes other threads; nests."""
        with self.lock:
            if self._undo is not None:
                yield
                return
            self._undo = []
            try:
                yield
                self._write_journal(self._undo)
            except BaseException:
                for bucket, key, before in reversed(self._undo):
                    self._set(bucket, key, before)
                raise
            finally:
                self._undo = None

    def get(self, bucket: str, key: object) -> Row | None:
        """A copy of one document, or None."""
        with self.lock:
            return _copy(self._buckets.get(bucket, {}).get(str(key)))

    def rows(self, bucket: str, where: Callable[[Row], bool] | None = None) -> list[Row]:
        """Copies of the documents of a bucket for which ``where`` is true, in order of insertion.

        ``where`` sees the stored document itself and must not change it.
        """
        with self.lock:
            stored = self._buckets.get(bucket, {}).values()
            return [_copy(row) for row in stored if where is None or where(row)]

    def put(self, bucket: str, key: object, document: Row) -> None:
        """Add or replace one document."""
        with self.transaction():
            self._remember(bucket, str(key))
            self._set(bucket, str(key), _copy(document))

    def delete(self, bucket: str, key: object) -> None:
        """Remove one document; nothing happens when it is not there."""
        with self.transaction():
            self._remember(bucket, str(key))
            self._set(bucket, str(key), None)

    def next_number(self, series: str, first: int = 1) -> int:
        """The next number of a series; never given twice."""
        with self.transaction():
            row = self.get("_series", series)
            number = int(row["next"]) if row else first
            self.put("_series", series, {"next": number + 1})
            return number

    def clear(self) -> None:
        """Forget everything."""
        with self.transaction():
            for bucket, rows in list(self._buckets.items()):
                for key in list(rows):
                    self.delete(bucket, key)
        self.counters.clear()

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()
            self._file = None

    def _remember(self, bucket: str, key: str) -> None:
        assert self._undo is not None
        self._undo.append((bucket, key, self._buckets.get(bucket, {}).get(key)))

    def _set(self, bucket: str, key: str, document: Row | None) -> None:
        rows = self._buckets.setdefault(bucket, {})
        if document is None:
            rows.pop(key, None)
        else:
            rows[key] = document

    def _write_journal(self, changes: list[tuple[str, str, Row | None]]) -> None:
        if not self._file or not changes:
            return
        with self._file:
            for bucket, key in dict.fromkeys((bucket, key) for bucket, key, _ in changes):
                document = self._buckets.get(bucket, {}).get(key)
                if document is None:
                    self._file.execute("DELETE FROM documents WHERE bucket = ? AND key = ?", (bucket, key))
                else:
                    self._file.execute(
                        "INSERT INTO documents (bucket, key, document) VALUES (?, ?, ?) "
                        "ON CONFLICT (bucket, key) DO UPDATE SET document = excluded.document",
                        (bucket, key, _encode(document)),
                    )


def _copy(document: Any) -> Any:
    """A deep copy; for plain data far quicker than `copy.deepcopy`."""
    return pickle.loads(pickle.dumps(document, pickle.HIGHEST_PROTOCOL))


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(
        "PRAGMA synchronous = NORMAL"
    )  # enough against a killed process, which is what is promised
    connection.execute(
        "CREATE TABLE IF NOT EXISTS documents (number INTEGER PRIMARY KEY, bucket TEXT NOT NULL, "
        "key TEXT NOT NULL, document TEXT NOT NULL, UNIQUE (bucket, key))"
    )
    return connection


def _encode(document: Row) -> str:
    return json.dumps(document, default=_tagged)


def _tagged(value: object) -> dict[str, str]:
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, datetime):
        return {"$datetime": value.isoformat()}
    raise TypeError(f"{type(value).__name__} cannot be stored")


def _decode(text: str) -> Row:
    document: Row = json.loads(text, object_hook=_untagged)
    return document


def _untagged(value: dict[str, Any]) -> Any:
    if len(value) == 1:
        if "$decimal" in value:
            return Decimal(value["$decimal"])
        if "$datetime" in value:
            return datetime.fromisoformat(value["$datetime"])
    return value
