"""COM objects that behave as Sage 100's do: a ProvideX.Script with business objects, and ADODB over the same rows."""

from __future__ import annotations

import re
import sqlite3
from datetime import date
from typing import Any

from agents.sage.tables import DATE, DECIMAL, TABLES

DUPLICATE_PO = "This customer PO number already exists on one or more sales orders or invoices."


class ComError(Exception):
    """What pywin32 raises."""


class Text:
    """A text that a method fills."""

    value = ""


class FakeSage:
    """The Com of the driver, and the state behind it.

    :ivar breaks_at: a method that fails with a COM error, once
    :ivar locked: numbers that another user holds
    """

    error = ComError

    def __init__(self) -> None:
        self.db = sqlite3.connect(":memory:", check_same_thread=False)
        self.db.create_collation("NOCASE_", lambda a, b: (a.lower() > b.lower()) - (a.lower() < b.lower()))
        for table in TABLES.values():
            columns = ", ".join(
                f"{c.name} {'NUMERIC' if c.kind == DECIMAL else 'TEXT COLLATE NOCASE_'}"
                for c in table.columns.values()
            )
            self.db.execute(f"CREATE TABLE {table.name} ({columns}, PRIMARY KEY ({', '.join(table.key)}))")
        self.breaks_at: str | None = None
        self.locked: set[str] = set()
        self.initialized = 0
        self.next_number = 42
        self.log: list[str] = []

    def initialize(self) -> None:
        self.initialized += 1

    def dispatch(self, name: str) -> Any:
        return {"ProvideX.Script": Script, "ADODB.Connection": Connection, "ADODB.Recordset": Recordset}[
            name
        ](self)

    def by_reference(self) -> Text:
        return Text()

    def add(self, table: str, **values: Any) -> None:
        """Put a row in."""
        names, places = ", ".join(values), ", ".join("?" * len(values))
        self.db.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", list(values.values()))

    def step(self, name: str) -> None:
        """Say that a method was called."""
        self.log.append(name)
        if self.breaks_at == name:
            self.breaks_at = None
            raise ComError(-2147023174, "The RPC server is unavailable.")


class Script:
    def __init__(self, sage: FakeSage) -> None:
        self._sage = sage

    def Init(self, home: str) -> None:
        assert home == "C:\\Sage\\MAS90\\Home"

    def NewObject(self, name: str, session: Any = None) -> Any:
        self._sage.step(f"NewObject {name}")
        if name == "SY_Session":
            return Session(self._sage)
        assert session.program == {"SO_SalesOrder_bus": 11, "AR_Customer_bus": 12}[name], (
            "nSetProgram was left out"
        )
        return Bus(
            self._sage, {"SO_SalesOrder_bus": "SO_SalesOrderHeader", "AR_Customer_bus": "AR_Customer"}[name]
        )


class Session:
    sLastErrorMsg = ""

    def __init__(self, sage: FakeSage) -> None:
        self._sage, self.program = sage, 0

    def nSetUser(self, user: str, password: str) -> int:
        if (user, password) == ("agent", "secret"):
            return 1
        self.sLastErrorMsg = "The user logon or password is invalid."
        return 0

    def nSetCompany(self, company: str) -> int:
        return int(company == "ABC")

    def nSetDate(self, module: str, day: str) -> int:
        return int(len(day) == 8)

    def nSetModule(self, module: str) -> int:
        return int(module in ("S/O", "A/R"))

    def nLookupTask(self, task: str) -> int:
        return {"SO_SalesOrder_ui": 11, "AR_Customer_ui": 12}.get(task, 0)

    def nSetProgram(self, program: int) -> int:
        self.program = program
        return program


class Record:
    """What header and lines have in common: values set column by column."""

    def __init__(self, sage: FakeSage, table: str) -> None:
        self._sage, self._table = sage, TABLES[table]
        self.values: dict[str, Any] = {}
        self.sLastErrorMsg = ""

    def fail(self, message: str) -> int:
        self.sLastErrorMsg = message
        return 0

    def nSetValue(self, name: str, value: Any) -> int:
        column = self._table.columns.get(name.removesuffix("$"))
        if column is None:
            return self.fail(f"The column {name} is not in the IOList.")
        assert name.endswith("$") == (column.kind != DECIMAL), f"{name}: strings end in $, numbers do not"
        assert isinstance(value, float if column.kind == DECIMAL else str), f"{name} was given {value!r}"
        if column.name == "ItemCode" and value == "NOTHING":
            return self.fail("The Item Code is invalid.")
        if column.kind != DECIMAL and column.kind != DATE and len(value) > column.length:
            return self.fail(f"The {column.name} is too long.")
        self.values[column.name] = value
        return 1


class Bus(Record):
    def __init__(self, sage: FakeSage, table: str) -> None:
        super().__init__(sage, table)
        self._key: dict[str, str] = {}
        self.oLines = Lines(sage, self)

    def nGetNextSalesOrderNo(self, number: Text) -> int:
        return self._next(number, 7)

    def nGetNextCustomerNo(self, number: Text) -> int:
        return self._next(number, 7)

    def _next(self, number: Text, width: int) -> int:
        number.value = f"{self._sage.next_number:0{width}d}"
        self._sage.next_number += 1
        return 1

    def nSetKeyValue(self, name: str, value: str) -> int:
        assert name.endswith("$")
        self._key[name[:-1]] = value
        return 1

    def nSetKey(self) -> int:
        self._sage.step("nSetKey")
        if set(self._key.values()) & self._sage.locked:
            return self.fail("The record is in use by another user.")
        where = " AND ".join(f"{name} = ?" for name in self._key)
        sql = f"SELECT count(*) FROM {self._table.name} WHERE {where}"
        there = self._sage.db.execute(sql, list(self._key.values())).fetchone()[0]
        return 1 if there else 2

    def nWrite(self) -> int:
        self._sage.step("nWrite")
        values = {**self.values, **self._key, "DateUpdated": "2026-11-20", "TimeUpdated": "09.25000"}
        where = " AND ".join(f"{name} = ?" for name in self._key)
        known = self._sage.db.execute(
            f"SELECT * FROM {self._table.name} WHERE {where}", list(self._key.values())
        ).fetchone()
        if known:
            values = dict(zip(self._table.columns, known, strict=True)) | values
        number, warned = values.get("CustomerPONo"), False
        if number and not known:
            sql = f"SELECT count(*) FROM {self._table.name} WHERE CustomerPONo = ?"
            warned = bool(self._sage.db.execute(sql, [number]).fetchone()[0])
        names, places = ", ".join(values), ", ".join("?" * len(values))
        with self._sage.db:
            self._sage.db.execute(
                f"INSERT OR REPLACE INTO {self._table.name} ({names}) VALUES ({places})",
                list(values.values()),
            )
            self.oLines.save(self._key)
        self._sage.step("saved")
        if warned:
            self.sLastErrorMsg = DUPLICATE_PO
        return -1 if warned else 1


class Lines(Record):
    def __init__(self, sage: FakeSage, bus: Bus) -> None:
        super().__init__(sage, "SO_SalesOrderDetail")
        self._bus, self._ready = bus, []
        self._editing: str | None = None

    def nAddLine(self) -> int:
        self.values, self._editing = {}, None
        return 1

    def sGetEditKey(self, line_key: str) -> str:
        return f"edit {line_key}"

    def nEditLine(self, edit_key: str) -> int:
        self._editing = edit_key.removeprefix("edit ")
        sql = "SELECT count(*) FROM SO_SalesOrderDetail WHERE LineKey = ?"
        if not self._sage.db.execute(sql, [self._editing]).fetchone()[0]:
            return self.fail("The line is not on file.")
        self.values = {}
        return 1

    def nDeleteLine(self) -> int:
        self._ready.append((self._editing, None))
        return 1

    def nWrite(self) -> int:
        self._sage.step("line")
        self._ready.append((self._editing, self.values))
        return 1

    def save(self, key: dict[str, str]) -> None:
        for line_key, values in self._ready:
            db, number = self._sage.db, key["SalesOrderNo"]
            if values is None:
                db.execute(
                    "DELETE FROM SO_SalesOrderDetail WHERE SalesOrderNo = ? AND LineKey = ?",
                    [number, line_key],
                )
            elif line_key is None:
                last = db.execute(
                    "SELECT max(LineKey) FROM SO_SalesOrderDetail WHERE SalesOrderNo = ?", [number]
                )
                new = f"{int(last.fetchone()[0] or 0) + 1:06d}"
                self._sage.add("SO_SalesOrderDetail", **{"SalesOrderNo": number, "LineKey": new} | values)
            else:
                changes = ", ".join(f"{name} = ?" for name in values)
                sql = f"UPDATE SO_SalesOrderDetail SET {changes} WHERE SalesOrderNo = ? AND LineKey = ?"
                db.execute(sql, [*values.values(), number, line_key])


class Connection:
    def __init__(self, sage: FakeSage) -> None:
        self.sage = sage

    def Open(self, text: str) -> None:
        assert text == "DSN=SOTAMAS90;COMPANY=ABC;UID=agent;PWD=secret"

    def Close(self) -> None:
        self.sage.log.append("connection closed")


class Recordset:
    def __init__(self, sage: FakeSage) -> None:
        self._sage = sage

    def Open(self, sql: str, connection: Connection) -> None:
        self._sage.step("read")
        self._sage.log.append(sql)
        self._cursor = connection.sage.db.execute(re.sub(r"\{d ('[-0-9]+')\}", r"\1", sql))
        self._names = [each[0] for each in self._cursor.description]
        self.Fields = Fields(self)
        self.MoveNext()

    @property
    def EOF(self) -> bool:
        return self.row is None

    def MoveNext(self) -> None:
        self.row = self._cursor.fetchone()

    def Close(self) -> None:
        self._cursor.close()


class Fields:
    def __init__(self, records: Recordset) -> None:
        self._records = records
        self.Count = len(records._names)

    def __call__(self, index: int) -> Any:
        name, value = self._records._names[index], self._records.row[index]
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            value = date.fromisoformat(value)
        return type("Field", (), {"Name": name, "Value": value})()
