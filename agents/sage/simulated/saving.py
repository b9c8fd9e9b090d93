"""The rules by which the simulated Sage takes or refuses a record, and what it computes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from agents.sage.driver import Key, Write, refused
from agents.sage.simulated import company
from agents.sage.tables import DATE, DECIMAL, Table
from agents.simulation.rows import Change, Row, Rows, column, key_of

CENT = Decimal("0.01")
COMMENT_LINE = "4"
DUPLICATE_PO = "This customer PO number already exists on one or more sales orders or invoices."
STOCK, HEADER, DETAIL = "IM_ItemWarehouse", "SO_SalesOrderHeader", "SO_SalesOrderDetail"


class Saving:
    """One record on its way in. :ivar changes: what is to be written, whole or not at all"""

    def __init__(self, rows: Rows, write: Write, key: Key, now: datetime) -> None:
        self._rows, self._write, self._key, self._now = rows, write, key, now
        self.changes: list[Change] = []

    def check_and_collect(self) -> list[str]:
        """Collect the changes; the warnings. :raises ProtocolError: 422 ``refused``"""
        header = self._header()
        if self._write.business.lines is None:
            self._check_customer_record(header)
            self._add(self._write.business.header, header)
            return []
        customer = self._customer_of(header)
        header.setdefault("TaxSchedule", customer.get("TaxSchedule", ""))
        lines = self._lines(header)
        self._total(header, lines)
        self._add(self._write.business.header, header)
        return [DUPLICATE_PO] if self._write.mode == "create" and self._po_is_known(header) else []

    # -- header ---------------------------------------------------------------

    def _header(self) -> Row:
        table = self._write.business.header
        known = self._row(table.name, key_of(self._key, table.key))
        values = {name: self._value(table, name, value, None) for name, value in self._write.values.items()}
        stamp = company.stamp(self._now, created=known is None)
        for name, value in self._key.items():
            self._value(table, name, value, None)
        defaults = {"OrderStatus": "N", "OrderType": "S"} if table.name == HEADER and known is None else {}
        return {**defaults, **(known or {}), **values, **self._key, **stamp}

    def _check_customer_record(self, header: Row) -> None:
        if not header.get("CustomerName"):
            raise self._refused(None, "CustomerName", "The customer name is required.")

    def _customer_of(self, header: Row) -> Row:
        key = {name: header.get(name, "") for name in ("ARDivisionNo", "CustomerNo")}
        customer = self._row("AR_Customer", key_of(key, tuple(key)))
        if customer is None:
            name = f"{key['ARDivisionNo']}-{key['CustomerNo']}"
            raise self._refused(None, "CustomerNo", f"Customer {name} is not on file.")
        return customer

    def _po_is_known(self, header: Row) -> bool:
        number = header.get("CustomerPONo")
        where = (
            f"{column('CustomerPONo')} = ? AND {column('CustomerNo')} = ? AND {column('SalesOrderNo')} <> ?"
        )
        values = [number, header["CustomerNo"], header["SalesOrderNo"]]
        return bool(number and self._rows.select(f"{self._write.company}:{HEADER}", where, values, 1))

    def _total(self, header: Row, lines: list[Row]) -> None:
        """Taxable and untaxed amounts of the lines, and the tax of the schedule unless it was given."""
        amounts = {"TX": Decimal(), "NT": Decimal()}
        for line in lines:
            amounts["NT" if line.get("TaxClass") == "NT" else "TX"] += Decimal(line.get("ExtensionAmt") or 0)
        header["TaxableAmt"], header["NonTaxableAmt"] = f"{amounts['TX']:.2f}", f"{amounts['NT']:.2f}"
        if "SalesTaxAmt" not in self._write.values:
            rate = Decimal(company.TAX_RATES.get(header.get("TaxSchedule", ""), "0"))
            header["SalesTaxAmt"] = f"{_cents(amounts['TX'] * rate):.2f}"

    # -- lines ------------------------------------------------------------------

    def _lines(self, header: Row) -> list[Row]:
        """The lines as they will be, in order of their keys."""
        number = header["SalesOrderNo"]
        where = f"{column('SalesOrderNo')} = ?"
        there = {
            row["LineKey"]: row
            for row in self._rows.select(f"{self._write.company}:{DETAIL}", where, [number])
        }
        for index, given in enumerate(self._write.lines):
            known = self._known_line(there, index, given)
            if given.get("delete"):
                del there[given["LineKey"]]
                self.changes.append((DETAIL, key_of(known, ("SalesOrderNo", "LineKey")), None))
                self._move_stock(known, Decimal(known.get("QuantityOrdered", "0")) * -1)
                continue
            line_key = known.get("LineKey") or f"{max(map(int, there), default=0) + 1:06d}"
            line = self._line(index, given, {**known, "SalesOrderNo": number, "LineKey": line_key})
            there[line_key] = line
            self._add(self._write.business.lines, line)
            before, after = (Decimal(each.get("QuantityOrdered", "0")) for each in (known, line))
            self._move_stock(line, after - before)
        return [there[line_key] for line_key in sorted(there)]

    def _known_line(self, there: Mapping[str, Row], index: int, given: Mapping[str, Any]) -> Row:
        line_key = given.get("LineKey")
        if line_key is None:
            return {}
        if line_key not in there:
            raise self._refused(index, "LineKey", f"Line {line_key} is not on file.")
        return dict(there[line_key])

    def _line(self, index: int, given: Mapping[str, Any], line: Row) -> Row:
        table = self._write.business.lines
        assert table is not None
        line |= {name: self._value(table, name, value, index) for name, value in given.items()}
        line.setdefault("ItemType", "1")
        if line["ItemType"] == COMMENT_LINE:
            return line
        item = self._row("CI_Item", line.get("ItemCode", ""))
        if item is None:
            raise self._refused(index, "ItemCode", f"Item {line.get('ItemCode', '')} is not on file.")
        if item.get("InactiveItem") == "Y":
            raise self._refused(index, "ItemCode", f"Item {line['ItemCode']} is inactive.")
        for name, value in {
            "ItemCodeDesc": item["ItemCodeDesc"],
            "TaxClass": item["TaxClass"],
            "UnitPrice": item["StandardUnitPrice"],
            "WarehouseCode": item["DefaultWarehouseCode"],
            "UnitOfMeasure": item["SalesUnitOfMeasure"],
            "QuantityOrdered": "0.000000",
        }.items():
            line.setdefault(name, value)
        if line["WarehouseCode"] not in company.WAREHOUSES:
            raise self._refused(index, "WarehouseCode", f"Warehouse {line['WarehouseCode']} is not on file.")
        if "ExtensionAmt" not in given:
            line["ExtensionAmt"] = (
                f"{_cents(Decimal(line['QuantityOrdered']) * Decimal(line['UnitPrice'])):.2f}"
            )
        return line

    def _move_stock(self, line: Mapping[str, Any], quantity: Decimal) -> None:
        """What is ordered, per warehouse, and the moment of the change."""
        key = key_of({"i": line.get("ItemCode", ""), "w": line.get("WarehouseCode", "")}, ("i", "w"))
        pending = [row for table, row_key, row in self.changes if (table, row_key) == (STOCK, key)]
        stock = pending[-1] if pending else self._row(STOCK, key)
        if stock is not None and quantity:
            ordered = Decimal(stock.get("QuantityOnSalesOrder", "0")) + quantity
            moved = {"QuantityOnSalesOrder": f"{ordered:.6f}", **company.stamp(self._now, created=False)}
            self.changes.append((STOCK, key, {**stock, **moved}))

    # -- values -----------------------------------------------------------------

    def _value(self, table: Table, name: str, value: str, line: int | None) -> str:
        """A value as Sage keeps it."""
        column = table.columns.get(name)
        if column is None:
            raise self._refused(line, name, f"The column {name} is not in the IOList.")
        if column.kind == DECIMAL:
            if not column.holds(value):
                raise self._refused(line, name, f"{name} is not a number that fits.")
            return f"{Decimal(value):.{column.scale}f}"
        if column.kind == DATE and not (value == "" or (len(value) == 8 and value.isdigit())):
            raise self._refused(line, name, f"The {name} is invalid.")
        if column.kind != DATE and len(value) > column.length:
            raise self._refused(line, name, f"{name} must not be longer than {column.length} characters.")
        return value

    def _refused(self, line: int | None, field: str, message: str) -> Exception:
        return refused(self._write.business.name, line, field, message)

    def _row(self, table: str, key: str) -> Row | None:
        return self._rows.get(f"{self._write.company}:{table}", key)

    def _add(self, table: Table | None, row: Row) -> None:
        assert table is not None
        self.changes.append((table.name, key_of(row, table.key), row))


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
