"""Tables of a simulated system in one SQLite file: rows are JSON, and a change is durable or did not happen."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Change = tuple[str, str, Row | None]  # table, key, the row or None to remove it


class Rows:
    """The file. Its state is that of the simulated system, so it outlives the agent's process."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.create_function("number_of", 1, _number_of, deterministic=True)
        with self._db:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS rows (kind TEXT, key TEXT, row TEXT, PRIMARY KEY (kind, key))"
            )
            self._db.execute(
                f"CREATE INDEX IF NOT EXISTS by_reference ON rows (kind, coalesce({column('XBLNR')}, ''))"
            )

    def apply(self, changes: Iterable[Change]) -> None:
        """Write all of them, or none."""
        with self.lock, self._db:
            for table, key, row in changes:
                if row is None:
                    self._db.execute("DELETE FROM rows WHERE kind = ? AND key = ?", (table, key))
                else:
                    self._db.execute(
                        "INSERT OR REPLACE INTO rows VALUES (?, ?, ?)", (table, key, json.dumps(row))
                    )

    def get(self, table: str, key: str) -> Row | None:
        """One row by its key."""
        with self.lock:
            found = self._db.execute(
                "SELECT row FROM rows WHERE kind = ? AND key = ?", (table, key)
            ).fetchone()
        return None if found is None else json.loads(found[0])

    def select(
        self, table: str, where: str = "1", values: Sequence[Any] = (), limit: int = -1, skip: int = 0
    ) -> list[Row]:
        """Rows in the order of their keys, by an SQL condition over ``row`` and ``key``."""
        sql = f"SELECT row FROM rows WHERE kind = ? AND ({where}) ORDER BY key LIMIT ? OFFSET ?"  # noqa: S608 - columns are checked, values are bound
        with self.lock:
            found = self._db.execute(sql, (table, *values, limit, skip)).fetchall()
        return [json.loads(row) for (row,) in found]

    def next_number(self, name: str, first: int) -> int:
        """The next number of a series, taken for good, as numbers of an ERP are."""
        with self.lock:
            row = self.get("series", name) or {"next": first}
            self.apply([("series", name, {"next": row["next"] + 1})])
        return int(row["next"])

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        with self.lock:
            return dict(self._db.execute("SELECT kind, count(*) FROM rows GROUP BY kind").fetchall())

    def clear(self) -> None:
        """Back to nothing."""
        with self.lock, self._db:
            self._db.execute("DELETE FROM rows")

    def close(self) -> None:
        """Give the file back."""
        self._db.close()


def column(name: str) -> str:
    """The SQL of a column of a row. The name has to be one that was checked."""
    return f"json_extract(row, '$.{name}')"


def key_of(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    """The key of a row: sorts as its parts do, one after the other."""
    return "\x1f".join(str(row[name]) for name in columns)


def _number_of(text: str | None) -> int | None:
    """A decimal text as a whole number of millionths, so that SQLite compares amounts exactly."""
    return None if text is None else int(Decimal(text).scaleb(6))
