"""Reading a document's rows: which item or account, from which base row, with which tax."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.service_layer import checks, errors, taxes
from sandbox.service_layer.catalogue import BY_OBJECT, EntitySet
from sandbox.service_layer.company import Company, is_active
from sandbox.service_layer.fields import TYPES
from sandbox.service_layer.pricing import FreightEntry, LineEntry
from sandbox.service_layer.rounding import ZERO, Places

Row = dict[str, Any]
Place = Callable[[str], str]  # a property's place, as B1 names it
_ROW = TYPES["DocumentLine"]
COSTING = ("CostingCode", "CostingCode2", "CostingCode3", "CostingCode4", "CostingCode5")
FREIGHT_COSTING = ("DistributionRule", *(f"DistributionRule{n}" for n in range(2, 6)))
# What may be drawn into what: the target's object code, and the codes of its possible bases.
BASES = {
    "13": ("17", "15", "203"),
    "14": ("13", "203"),
    "15": ("17",),
    "203": ("17",),
    "17": ("23",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all rows of one document share."""

    company: Company
    entity_set: EntitySet
    object_code: str  # of the document that will come of it, also for drafts
    partner: Row
    service: bool
    day: str
    tax_day: str
    currency: str
    rate: Decimal
    places: Places
    branch: int | None = None

    @property
    def foreign(self) -> bool:
        return self.currency != self.company.switches.local_currency

    def in_currency(self, local: Decimal | None) -> Decimal | None:
        """A local amount in the document's currency."""
        if local is None or not self.foreign:
            return local
        return self.company.to_foreign(local, self.rate, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One resolved row: its stored values, what it enters into the arithmetic, and its base row."""

    values: Row
    entry: LineEntry
    item: Row | None = None
    base: Row | None = None  # the base document
    base_line: Row | None = None
    base_set: str = ""

    @property
    def quantity(self) -> Decimal:
        return self.entry.quantity

    @property
    def from_base(self) -> Decimal:
        """How much of the base row's open quantity this row uses up."""
        if self.base_line is None:
            return ZERO
        left = Decimal(self.base_line["RemainingOpenQuantity"])
        return min(self.quantity, left) if left >= 0 else max(self.quantity, left)

    @property
    def stocked(self) -> bool:
        return self.item is not None and self.item.get("InventoryItem") == "tYES"


def read_lines(setting: Setting, rows: list[Row]) -> list[Line]:
    """Resolve every row.

    :raises B1Error: with the place of the first row that cannot stand
    """
    if not rows:
        raise errors.conflict('10000111 - On "Contents" tab, enter item or items')
    numbers = [row.get("LineNum", position) for position, row in enumerate(rows)]
    if len(set(numbers)) != len(numbers):
        raise errors.conflict(f"Line numbers are not unique{errors.at(setting.entity_set.lines, 'LineNum')}")
    lines = [_read_line(setting, dict(row), position) for position, row in enumerate(rows)]
    _check_base_quantities(setting, lines)
    return lines


def _check_base_quantities(setting: Setting, lines: list[Line]) -> None:
    """No more comes back than went out. An order, in contrast, may be exceeded."""
    drawn: dict[tuple[str, int, int], Decimal] = {}
    for position, line in enumerate(lines):
        if line.base is None or line.base_line is None or line.base_set == "Orders":
            continue
        key = (line.base_set, line.base["DocEntry"], line.base_line["LineNum"])
        drawn[key] = drawn.get(key, ZERO) + abs(line.quantity)
        if drawn[key] > abs(line.base_line["RemainingOpenQuantity"]):
            place = errors.at(setting.entity_set.lines, "Quantity", position)
            raise errors.conflict(f"Quantity exceeds the open quantity of the base document{place}")


def _read_line(setting: Setting, row: Row, position: int) -> Line:
    def place(name: str) -> str:
        return errors.at(setting.entity_set.lines, _ROW.column(name), position)

    base, base_line, base_set = _base(setting, row, place)
    if base_line is not None:
        _copy_from(base_line, row, setting)
    item = None if setting.service else _item(setting, row, place)
    if setting.service or row.get("AccountCode"):
        if not row.get("AccountCode"):
            raise errors.conflict(f"Specify a G/L account{place('AccountCode')}")
        checks.account(setting.company, row["AccountCode"], place("AccountCode"), currency=setting.currency)
    if row.get("Currency") not in (None, "", setting.currency):
        raise errors.business(f"Row currency differs from the document's{place('Currency')}")
    checks.cost_centers(setting.company, row, COSTING, place("CostingCode"))
    quantity = Decimal(1) if setting.service else setting.places.quantity(row.get("Quantity", Decimal(1)))
    against = base_line is not None and quantity * base_line["RemainingOpenQuantity"] < 0
    if not quantity or against:
        raise errors.conflict(f"Specify a quantity{place('Quantity')}")
    code, rate = _tax(setting, row, item, place)
    row["Quantity"] = quantity
    row[taxes.tax_property(setting.company)] = code
    entry = _entry(setting, row, quantity, code, rate)
    return Line(values=row, entry=entry, item=item, base=base, base_line=base_line, base_set=base_set)


def _base(setting: Setting, row: Row, place: Place) -> tuple[Row | None, Row | None, str]:
    kind, entry, number = row.get("BaseType"), row.get("BaseEntry"), row.get("BaseLine")
    if kind in (None, -1):
        return None, None, ""
    base_set = BY_OBJECT.get(str(kind))
    if base_set is None or str(kind) not in BASES.get(setting.object_code, ()):
        raise errors.conflict(f"Base document type does not fit the document{place('BaseType')}")
    document = setting.company.get(base_set.name, entry)
    lines = document["DocumentLines"] if document else []
    line = next((each for each in lines if each["LineNum"] == number), None)
    if document is None or line is None:
        raise errors.no_such_record(place("BaseEntry"))
    if document["CardCode"] != setting.partner["CardCode"]:
        raise errors.conflict(
            f"Base document card and target document card do not match.{place('BaseEntry')}"
        )
    if document["DocumentStatus"] != "bost_Open" or line["LineStatus"] != "bost_Open":
        raise errors.conflict(f"One of the base documents has already been closed{place('BaseEntry')}")
    if document["DocCurrency"] != setting.currency:
        raise errors.conflict(
            f"Base document currency and target document currency differ{place('BaseEntry')}"
        )
    if row.get("ItemCode") not in (None, line.get("ItemCode")):
        raise errors.conflict(f"Base document item and target item number does not match{place('BaseEntry')}")
    return document, line, base_set.name


def _copy_from(base_line: Row, row: Row, setting: Setting) -> None:
    priced = any(row.get(name) is not None for name in _PRICED)
    names = ("ItemCode", "ItemDescription", "WarehouseCode", "AccountCode", "TaxCode", "VatGroup", *COSTING)
    for name in names:
        if row.get(name) is None and base_line.get(name) not in (None, ""):
            row[name] = base_line[name]
    if row.get("Quantity") is None:
        row["Quantity"] = base_line["RemainingOpenQuantity"]
    if priced:
        return
    whole = row["Quantity"] == base_line["Quantity"]
    total = base_line["RowTotalFC"] if setting.foreign else base_line["LineTotal"]
    if whole or setting.service:
        row["RowTotalFC" if setting.foreign else "LineTotal"] = total
    else:
        row["UnitPrice"] = base_line["UnitPrice"]
        row["DiscountPercent"] = base_line["DiscountPercent"]


_PRICED = (
    "UnitPrice",
    "Price",
    "LineTotal",
    "RowTotalFC",
    "PriceAfterVAT",
    "GrossPrice",
    "GrossTotal",
    "GrossTotalFC",
)


def _item(setting: Setting, row: Row, place: Place) -> Row:
    code = row.get("ItemCode")
    if not code:
        raise errors.conflict(f"10000111 - Item number is missing{place('ItemCode')}")
    item = setting.company.get("Items", code)
    if item is None:
        raise errors.no_such_record(place("ItemCode"))
    if not is_active(item, setting.day):
        raise errors.conflict(f"10001069 - Item {code} is inactive{place('ItemCode')}")
    if item.get("SalesItem") != "tYES":
        raise errors.conflict(f"Item {code} is not specified as sales item{place('ItemCode')}")
    row.setdefault("ItemDescription", item.get("ItemName"))
    row["WarehouseCode"] = _warehouse(setting, row, item, place)
    return item


def _warehouse(setting: Setting, row: Row, item: Row, place: Place) -> str:
    company = setting.company
    code = row.get("WarehouseCode") or item.get("DefaultWarehouse") or company.defaults["warehouse"]
    warehouse = company.get("Warehouses", code)
    if warehouse is None:
        raise errors.no_such_record(place("WarehouseCode"))
    if warehouse.get("Inactive") == "tYES":
        raise errors.conflict(f"Warehouse {code} is inactive{place('WarehouseCode')}")
    if setting.branch is not None and warehouse.get("BusinessPlaceID") not in (None, setting.branch):
        raise errors.conflict(
            f"Warehouse {code} is not assigned to the document's branch{place('WarehouseCode')}"
        )
    return str(code)


def _tax(setting: Setting, row: Row, item: Row | None, place: Place) -> tuple[str, Decimal]:
    company = setting.company
    name = taxes.tax_property(company)
    item_code = item.get("ArTaxCode" if name == "TaxCode" else "SalesVATGroup") if item else None
    default = setting.partner.get("VatGroup") or item_code or company.defaults.get("tax_code")
    return taxes.row_tax(company, row, default=default, day=setting.tax_day, place=place(name))


def _entry(setting: Setting, row: Row, quantity: Decimal, code: str, rate: Decimal) -> LineEntry:
    """What counts of the entered prices: gross before totals before unit prices."""
    foreign = setting.foreign
    total = row.get("RowTotalFC") if foreign and row.get("RowTotalFC") is not None else None
    gross = row.get("GrossTotalFC") if foreign and row.get("GrossTotalFC") is not None else None
    override = row.get("TaxTotal") if setting.company.switches.tax_override else None
    gross_price = row.get("PriceAfterVAT")
    discount = row.get("DiscountPercent")
    if gross_price is None and row.get("GrossPrice") is not None:
        gross_price = row["GrossPrice"] * (100 - (discount or ZERO)) / 100
    unit_price = row.get("UnitPrice")
    if unit_price is None:
        unit_price = row.get("Price") if row.get("Price") is not None else _list_price(setting, row)
    return LineEntry(
        tax_code=code,
        tax_rate=rate,
        quantity=quantity,
        unit_price=unit_price,
        discount_percent=discount,
        line_total=total if total is not None else setting.in_currency(row.get("LineTotal")),
        gross_price=gross_price,
        gross_total=gross if gross is not None else setting.in_currency(row.get("GrossTotal")),
        tax_override=override,
    )


def _list_price(setting: Setting, row: Row) -> Decimal | None:
    item = setting.company.get("Items", row.get("ItemCode"))
    wanted = setting.partner.get("PriceListNum", 1)
    for price in (item or {}).get("ItemPrices", ()):
        if price["PriceList"] == wanted and price.get("Currency") in (None, setting.currency):
            return Decimal(price["Price"])
    return None


def read_freights(setting: Setting, rows: list[Row]) -> list[tuple[Row, FreightEntry]]:
    """Resolve the freight rows; amounts are in the document's currency.

    :raises B1Error: for an unknown freight, tax code or cost center
    """
    return [_read_freight(setting, dict(row), position) for position, row in enumerate(rows)]


def _read_freight(setting: Setting, row: Row, position: int) -> tuple[Row, FreightEntry]:
    company = setting.company

    def place(column: str) -> str:
        return errors.at(setting.entity_set.lines[:-1] + "3", column, position)

    kind = company.get("AdditionalExpenses", row.get("ExpenseCode"))
    if kind is None:
        raise errors.no_such_record(place("ExpnsCode"))
    checks.cost_centers(company, row, FREIGHT_COSTING, place("OcrCode"))
    if kind.get("TaxLiable") == "tNO":
        row["TaxLiable"] = "tNO"
    name = taxes.tax_property(company)
    default = kind.get("OutputVATGroup") or company.defaults.get("tax_code")
    code, rate = taxes.row_tax(
        company, row, default=default, day=setting.tax_day, place=place(name), freight=True
    )
    row.update({name: code, "TaxPercent": rate})
    override = row.get("TaxSum") if company.switches.tax_override else None
    entry = FreightEntry(
        tax_rate=rate, net=row.get("LineTotal"), gross=row.get("LineGross"), tax_override=override
    )
    return row, entry
