"""What the agent asks of a driver for Sage 100."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from agents.errors import ProtocolError
from agents.sage.tables import Business, Table

Key = Mapping[str, str]

NEXT = "next"


@dataclass(frozen=True)
class Condition:
    """One condition of a filter; ``in`` has a list as its value."""

    column: str
    operator: str
    value: Any


@dataclass(frozen=True)
class Query:
    """A checked query.

    :ivar columns: what the rows are to bear
    :ivar after: the key behind which to begin, or None
    """

    table: Table
    columns: Sequence[str]
    conditions: Sequence[Condition]
    limit: int
    after: Sequence[str] | None


@dataclass(frozen=True)
class Write:
    """A checked write. :ivar body: fingerprint of its canonical JSON"""

    id: str
    company: str
    business: Business
    mode: str
    key: Key
    values: Mapping[str, str]
    lines: Sequence[Mapping[str, Any]]
    body: str

    @property
    def adds(self) -> bool:
        """Whether a second run would add lines once more."""
        return any("LineKey" not in line for line in self.lines)


class SageBroken(Exception):
    """Sage stopped answering. What it was told to save may have been saved."""


def refused(object: str, line: int | None, field: str | None, message: str) -> ProtocolError:
    """422: Sage does not take it; nothing was saved. ``line`` is None for the header."""
    return ProtocolError(422, "refused", message, object=object, line=line, field=field)


def record_locked(message: str) -> ProtocolError:
    """423: another user of Sage holds the record; nothing was saved."""
    return ProtocolError(423, "record_locked", message)


def sage_unavailable(message: str) -> ProtocolError:
    """503"""
    return ProtocolError(503, "sage_unavailable", message)


class Driver(Protocol):
    """The way into one Sage 100. Calls may come from any thread; writes come one after the other."""

    def about(self) -> dict[str, str]:
        """``version`` and ``edition``. :raises SageBroken:"""

    def now(self) -> datetime:
        """The server's local time, aware of its offset."""

    def query(self, company: str, query: Query) -> list[dict[str, str]]:
        """Rows in the order of the key: texts, dates as YYYYMMDD or empty, decimals in their scale. :raises SageBroken:"""

    def next_key(self, company: str, business: Business, key: Key) -> Key:
        """The key with Sage's next number in its last part; the number is used up. :raises SageBroken:"""

    def find(self, company: str, table: Table, key: Key) -> dict[str, str] | None:
        """One row by its key. :raises SageBroken:"""

    def save(self, write: Write, key: Key) -> list[str]:
        """Write header and lines, or nothing. Sage's warnings about what it saved.

        :raises ProtocolError: 422, 423: nothing was saved
        :raises SageBroken: nobody knows
        """

    def close(self) -> None:
        """Nothing more will be asked."""
