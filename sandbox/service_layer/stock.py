"""Stock per item and warehouse: what a document takes, commits and gives back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.service_layer import errors
from sandbox.service_layer.rounding import ZERO

if TYPE_CHECKING:
    from sandbox.service_layer.company import Company

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A change of one item in one warehouse. Positive `in_stock` is a receipt."""

    item: str
    warehouse: str
    in_stock: Decimal = ZERO
    committed: Decimal = ZERO
    batches: tuple[tuple[str, Decimal], ...] = ()
    place: str = ""

    def stored(self) -> Row:
        """As it is kept with its document, so that a cancellation can take it back."""
        return {
            "item": self.item,
            "warehouse": self.warehouse,
            "in_stock": self.in_stock,
            "committed": self.committed,
            "batches": [list(each) for each in self.batches],
        }


def taken_back(stored: Row) -> Move:
    """The opposite of a move that was kept."""
    return Move(
        item=stored["item"],
        warehouse=stored["warehouse"],
        in_stock=-stored["in_stock"],
        committed=-stored["committed"],
        batches=tuple((name, -quantity) for name, quantity in stored["batches"]),
        place=errors.at("OITW", "ItemCode"),
    )


def check_moves(company: Company, moves: Iterable[Move]) -> None:
    """Refuse what would leave a warehouse with less than nothing, taking the lines together.

    :raises B1Error: -10 "Quantity falls into negative inventory", or for a batch that has too little
    """
    left: dict[tuple[str, str], Decimal] = {}
    for move in moves:
        key = (move.item, move.warehouse)
        before = left.get(key, in_stock(company, *key))
        left[key] = before + move.in_stock
        if move.in_stock < 0 and left[key] < 0 and company.switches.block_negative_stock:
            raise errors.conflict(f"Quantity falls into negative inventory{move.place}")
        for batch, quantity in move.batches:
            has = company.batches.get((move.item, move.warehouse, batch), ZERO)
            if quantity < 0 and has + quantity < 0:
                raise errors.conflict(
                    f"Batch/serial number {batch} does not exist; "
                    f"specify a valid batch/serial number{move.place}"
                )


def apply_moves(company: Company, moves: Iterable[Move]) -> None:
    """Carry out moves that were checked."""
    for move in moves:
        row = _warehouse_row(company, move.item, move.warehouse)
        row["InStock"] += move.in_stock
        row["Committed"] += move.committed
        for batch, quantity in move.batches:
            key = (move.item, move.warehouse, batch)
            company.batches[key] = company.batches.get(key, ZERO) + quantity
        _sum_up(company, move.item)


def in_stock(company: Company, item: str, warehouse: str) -> Decimal:
    return Decimal(_warehouse_row(company, item, warehouse)["InStock"])


def _warehouse_row(company: Company, item: str, warehouse: str) -> Row:
    rows: list[Row] = company.tables["Items"][item,]["ItemWarehouseInfoCollection"]
    for row in rows:
        if row["WarehouseCode"] == warehouse:
            return row
    made = {
        "WarehouseCode": warehouse,
        "InStock": ZERO,
        "Committed": ZERO,
        "Ordered": ZERO,
        "Locked": "tNO",
        "ItemCode": item,
    }
    rows.append(made)
    return made


def _sum_up(company: Company, item: str) -> None:
    row = company.tables["Items"][item,]
    places = row["ItemWarehouseInfoCollection"]
    row["QuantityOnStock"] = sum((place["InStock"] for place in places), ZERO)
    row["QuantityOrderedByCustomers"] = sum((place["Committed"] for place in places), ZERO)
    company.touch("Items", row)
