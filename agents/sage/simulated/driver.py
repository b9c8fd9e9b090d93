"""The driver ``simulated``: rows in a file, written whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from agents.sage.driver import NEXT, Condition, Key, Query, SageBroken, Write, record_locked, refused
from agents.sage.simulated import company
from agents.sage.simulated.saving import Saving
from agents.sage.tables import DECIMAL, Business, Column, Table
from agents.simulation.faults import Fault, Faults
from agents.simulation.rows import Rows, column, key_of

VERSION = {"version": "7.20", "edition": "Premium"}


class SimulatedSage:
    """Faults strike ``at`` one of: ``ask`` (health, queries), ``save`` (before anything is written), ``saved``
    (after it is written, before the agent hears). Their kinds: ``hold``; ``broken``; at ``save`` also ``locked``
    and ``refused``.

    :param companies: the codes that exist
    :param utc_offset_minutes: of the server's local time
    """

    def __init__(self, folder: Path, companies: Sequence[str], utc_offset_minutes: int = -480) -> None:
        self.rows = Rows(folder / "simulated-sage.sqlite")
        self.faults = Faults()
        self._zone = timezone(timedelta(minutes=utc_offset_minutes))
        self._companies = companies
        if not self.rows.counts():
            self._seed()

    def _seed(self) -> None:
        for code in self._companies:
            self.rows.apply((table_of(code, name), key, row) for name, key, row in company.seed(self.now()))

    def about(self) -> dict[str, str]:
        """What it says of itself."""
        self._ask("health")
        return dict(VERSION)

    def now(self) -> datetime:
        """Local time of the simulated server."""
        return datetime.now(UTC).astimezone(self._zone)

    def query(self, company: str, query: Query) -> list[dict[str, str]]:
        """Rows of one table."""
        self._ask(query.table.name)
        parts = [_sql(query.table.columns[each.column], each) for each in query.conditions]
        if query.after is not None:
            last = dict(zip(query.table.key, query.after, strict=True))
            parts.append(("key > ?", [key_of(last, query.table.key)]))
        where = " AND ".join(sql for sql, _ in parts) or "1"
        values = [value for _, given in parts for value in given]
        rows = self.rows.select(table_of(company, query.table.name), where, values, query.limit)
        return [{name: shown(query.table.columns[name], row) for name in query.columns} for row in rows]

    def next_key(self, company: str, business: Business, key: Key) -> Key:
        """The next number, used up."""
        number = self.rows.next_number(f"{company}:{business.name}", 1)
        length = business.header.columns[business.header.key[-1]].length
        return {name: f"{number:0{min(length, 7)}d}" if part == NEXT else part for name, part in key.items()}

    def find(self, company: str, table: Table, key: Key) -> dict[str, str] | None:
        """One row."""
        row = self.rows.get(table_of(company, table.name), key_of(key, table.key))
        return None if row is None else {name: shown(each, row) for name, each in table.columns.items()}

    def save(self, write: Write, key: Key) -> list[str]:
        """Check what Sage checks, then write header, lines and stock in one step."""
        match self.faults.take("save", write.business.name):
            case Fault(kind="broken"):
                raise SageBroken("the simulated Sage is out of order")
            case Fault(kind="locked"):
                raise record_locked(f"{' '.join(key.values())} is in use by another user")
            case Fault(kind="refused", params=params):
                raise refused(write.business.name, params.get("line"), params.get("field"), params["message"])
        saving = Saving(self.rows, write, key, self.now())
        warnings = saving.check_and_collect()
        self.rows.apply(
            (table_of(write.company, name), row_key, row) for name, row_key, row in saving.changes
        )
        if self.faults.take("saved", write.business.name) is not None:
            raise SageBroken("the simulated Sage went away after saving")
        return warnings

    def control(self, method: str, what: str, body: dict[str, Any]) -> Any:
        """``/_control``: faults, and the state, for the sandbox and the tests."""
        match method, what.split("/"):
            case "GET", ["rows", code, table]:
                return {"rows": self.rows.select(table_of(code, table))}
            case "POST", ["rows"]:
                self.rows.apply((table, key, row) for table, key, row in body["changes"])
                return {}
            case "POST", ["reset"]:
                self.faults.clear()
                self.rows.clear()
                self._seed()
                return {}
        return self.faults.control(method, what, body)

    def close(self) -> None:
        """Let go of what is held."""
        self.faults.clear()

    def _ask(self, what: str) -> None:
        if self.faults.take("ask", what) is not None:
            raise SageBroken("the simulated Sage is out of order")


def table_of(company: str, name: str) -> str:
    """How the rows of a company's table are filed."""
    return f"{company}:{name}"


def shown(column: Column, row: Mapping[str, Any]) -> str:
    """A value as the protocol shows it; what was never set is blank, or zero in its scale."""
    value = str(row.get(column.name, ""))
    return value or f"{0:.{column.scale}f}" if column.kind == DECIMAL else value


def _sql(of: Column, condition: Condition) -> tuple[str, list[Any]]:
    """One condition as SQL with values. Decimals are compared as whole millionths, never as binary fractions."""
    decimal = of.kind == DECIMAL
    place = f"coalesce({column(of.name)}, '')"
    if decimal:
        place, value = f"number_of(coalesce({column(of.name)}, '0'))", "number_of(?)"
    else:
        value = "?"
    match condition.operator:
        case "in":
            return f"{place} IN ({', '.join([value] * len(condition.value))})", list(condition.value)
        case "starts_with":
            return f"substr({place}, 1, ?) = ?", [len(condition.value), condition.value]
    return f"{place} {condition.operator} {value}", [condition.value]
