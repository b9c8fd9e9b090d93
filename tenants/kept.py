"""Rows that are asked for all the time and change a few times a day, kept by each process while they are unchanged.

Every version of a row has the number of the transaction that wrote it (`xmin`) and a place of its own (`ctid`). A small
query brings both; what is kept under them is never older than that query.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from django.db.models import Model

Row = TypeVar("Row", bound=Model)


def version_of(*rows: str) -> str:
    """SQL for the version of these rows together: names or aliases of tables in a query."""
    return f"concat_ws('/', {', '.join(f'{row}.xmin, {row}.ctid' for row in rows)})"


class Kept(Generic[Row]):
    """Rows by primary key, each with the version it was read at; what was read from the database longest ago goes first.

    :param read: reads a row by its primary key
    """

    def __init__(self, read: Callable[[int], Row], *, most: int = 1_000) -> None:
        self._read, self._most = read, most
        self._rows: OrderedDict[int, tuple[str, Row]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: int, version: str) -> Row:
        """The caller's own copy of a row that is at least as new as `version`."""
        with self._lock:
            known, row = self._rows.get(key, ("", None))
        if row is None or known != version:
            row = self._read(key)
            with self._lock:
                self._rows[key] = (version, row)
                self._rows.move_to_end(key)
                while len(self._rows) > self._most:
                    self._rows.popitem(last=False)
        return copy.copy(row)
