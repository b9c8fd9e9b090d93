"""One record through a business object: key, header, lines, and one write at the end that saves all of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from agents.errors import ProtocolError
from agents.sage.driver import Key, Write, record_locked, refused
from agents.sage.tables import DECIMAL, PLAIN_DECIMAL, Table

FAILED, WARNED = 0, -1
EXISTING, NEW = 1, 2  # what nSetKey says
FIRST = ("ARDivisionNo", "CustomerNo", "ItemType", "ItemCode")  # they fill in the defaults of the others
EXACT_DIGITS = 15  # decimal digits that a binary fraction of 64 bits carries unchanged
LOCKED = re.compile(r"\b(in use|locked|being (?:edited|maintained))\b", re.IGNORECASE)


class Writing:
    """:param bus: a fresh business object of the right kind"""

    def __init__(self, bus: Any, write: Write) -> None:
        self._bus, self._write = bus, write
        self._warnings: list[str] = []

    def prepare(self, key: Key) -> None:
        """Set everything. Nothing of it is saved yet.

        :raises ProtocolError: 404, 409, 422, 423
        """
        self._set_key(key)
        self._set_values(self._bus, self._write.business.header, self._write.values, None)
        for index, line in enumerate(self._write.lines):
            self._line(index, line)

    def finish(self) -> list[str]:
        """Save it all. Sage's warnings. :raises ProtocolError: 422, 423: it was not saved"""
        self._check(self._bus.nWrite(), self._bus, None, None)
        return self._warnings

    def _set_key(self, key: Key) -> None:
        for name, value in key.items():
            self._check(self._bus.nSetKeyValue(f"{name}$", value), self._bus, None, name)
        found = self._bus.nSetKey()
        if found == FAILED:
            raise self._refusal(self._bus, None, self._write.business.header.key[-1])
        if found == EXISTING and self._write.mode == "create":
            raise ProtocolError(409, "already_exists", f"{' '.join(key.values())} is there already")
        if found == NEW and self._write.mode == "update":
            raise ProtocolError(404, "not_found", f"{' '.join(key.values())} is not there")

    def _line(self, index: int, line: Mapping[str, Any]) -> None:
        lines, table = self._bus.oLines, self._write.business.lines
        assert table is not None
        if "LineKey" not in line:
            self._check(lines.nAddLine(), lines, index, None)
        else:
            edit_key = lines.sGetEditKey(line["LineKey"])
            self._check(lines.nEditLine(edit_key), lines, index, "LineKey")
            if line.get("delete"):
                self._check(lines.nDeleteLine(), lines, index, "LineKey")
                return
        values = {name: value for name, value in line.items() if name != "LineKey"}
        self._set_values(lines, table, values, index)
        self._check(lines.nWrite(), lines, index, None)

    def _set_values(self, of: Any, table: Table, values: Mapping[str, str], line: int | None) -> None:
        order = [name for name in FIRST if name in values] + [name for name in values if name not in FIRST]
        for name in order:
            column = table.columns.get(name)
            if column is not None and column.kind == DECIMAL:
                said = of.nSetValue(name, self._number(values[name], line, name))
            else:
                said = of.nSetValue(f"{name}$", values[name])
            self._check(said, of, line, name)

    def _number(self, text: str, line: int | None, name: str) -> float:
        """Sage's numeric columns take a binary fraction; one of at most 15 digits comes back as the same decimal."""
        if not PLAIN_DECIMAL.fullmatch(text):
            raise refused(self._write.business.name, line, name, f"{name} is not numeric.")
        exact = Decimal(text)
        if len(exact.as_tuple().digits) > EXACT_DIGITS:
            message = f"{name} has more than {EXACT_DIGITS} digits."
            raise refused(self._write.business.name, line, name, message)
        return float(exact)

    def _check(self, said: int, by: Any, line: int | None, field: str | None) -> None:
        if said == FAILED:
            raise self._refusal(by, line, field)
        if said == WARNED:
            self._warnings.append(str(by.sLastErrorMsg))

    def _refusal(self, by: Any, line: int | None, field: str | None) -> ProtocolError:
        message = str(by.sLastErrorMsg)
        if LOCKED.search(message):
            return record_locked(message)
        return refused(self._write.business.name, line, field, message)
