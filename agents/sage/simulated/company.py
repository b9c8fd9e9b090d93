"""What stands in a company of the simulated Sage before anybody writes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from agents.sage.tables import TABLES
from agents.simulation.rows import Change, key_of

TAX_RATES = {"": "0", "NONTAX": "0", "CA": "0.0825", "IL": "0.0625"}  # of a whole, by tax schedule
WAREHOUSES = ("000", "001")
ITEMS = {  # code: description, tax class, standard price, stock per warehouse
    "1001-HON-H252": ("Honey, 250 g", "TX", "12.500000", {"000": "20.000000", "001": "120.000000"}),
    "1001-HON-H500": ("Honey, 500 g", "TX", "21.000000", {"001": "48.000000"}),
    "2001-CANDLE": ("Beeswax candle", "TX", "9.950000", {"001": "0.000000"}),
    "9001-GIFT": ("Gift voucher", "NT", "25.000000", {"001": "999.000000"}),
    "/SHIP": ("Shipping", "NT", "0.000000", {}),
}


def stamp(now: datetime, *, created: bool) -> dict[str, str]:
    """When a row was written, in the server's local time: a date and decimal hours."""
    # 100000ths of an hour, in whole numbers
    hours = (now.hour * 3600 + now.minute * 60 + now.second) * 100000 // 3600
    time = f"{hours // 100000:02d}.{hours % 100000:05d}"
    row = {"DateUpdated": now.strftime("%Y%m%d"), "TimeUpdated": time, "UserUpdatedKey": "0000000001"}
    if created:
        row |= {"DateCreated": row["DateUpdated"], "TimeCreated": time, "UserCreatedKey": "0000000001"}
    return row


def seed(now: datetime) -> list[Change]:
    """The rows of a fresh company."""
    rows = []
    for code, (description, tax_class, price, stock) in ITEMS.items():
        rows.append(
            _row(
                "CI_Item",
                now,
                ItemCode=code,
                ItemType="5" if code.startswith("/") else "1",
                ItemCodeDesc=description,
                TaxClass=tax_class,
                StandardUnitPrice=price,
                StandardUnitOfMeasure="EACH",
                SalesUnitOfMeasure="EACH",
                DefaultWarehouseCode="001",
                InactiveItem="N",
                UseInSO="Y",
            )
        )
        for warehouse, quantity in stock.items():
            rows.append(
                _row("IM_ItemWarehouse", now, ItemCode=code, WarehouseCode=warehouse, QuantityOnHand=quantity)
            )
    for number, name, schedule in (
        ("WEB0001", "Web orders", "CA"),
        ("WEB0002", "Web orders, exempt", "NONTAX"),
    ):
        rows.append(
            _row(
                "AR_Customer",
                now,
                ARDivisionNo="01",
                CustomerNo=number,
                CustomerName=name,
                TaxSchedule=schedule,
                TermsCode="00",
                CustomerStatus="A",
            )
        )
    return rows


def _row(table: str, now: datetime, **values: Any) -> Change:
    return (table, key_of(values, TABLES[table].key), {**values, **stamp(now, created=True)})
