"""A/R down payments: drawn into an invoice once they are paid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.service_layer import errors
from sandbox.service_layer.rounding import HUNDRED, ZERO

if TYPE_CHECKING:
    from sandbox.service_layer.company import Company
    from sandbox.service_layer.document_lines import Setting
    from sandbox.service_layer.pricing import Totals

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What one invoice draws from one down payment, in the document's currency."""

    entry: int
    net: Decimal
    tax: Decimal
    row: Row

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax


def portion(setting: Setting, values: Row, totals: Totals) -> Totals:
    """The part of the rows that the down payment asks for: by percentage, by net amount or by total.

    Writes the percentage and the net amount back into `values`.

    :raises B1Error: if it asks for nothing or for more than the rows
    """
    net = totals.total - totals.tax
    total = values.get("DocTotalFc" if setting.foreign else "DocTotal")
    amount = values.get("DownPaymentAmountFC" if setting.foreign else "DownPaymentAmount")
    if total is not None and totals.total:
        share = total / totals.total
    elif amount is not None and net:
        share = amount / net
    else:
        share = values.get("DownPaymentPercentage", HUNDRED) / HUNDRED
    if not 0 < share <= 1:
        raise errors.business("Down payment percentage must be between 0 and 100  [ODPI.DpmPrcnt]")
    places = setting.places
    scaled = replace(totals, total=places.sum(totals.total * share), tax=places.sum(totals.tax * share))
    values["DownPaymentPercentage"] = places.percent(share * HUNDRED)
    values["DownPaymentAmount"] = scaled.total - scaled.tax
    values.setdefault("DownPaymentType", "dptInvoice")
    return scaled


def draw(setting: Setting, values: Row, totals: Totals) -> list[Drawing]:
    """Check and price the down payments an invoice draws; none unless it is an invoice.

    :raises B1Error: if one is unknown, another partner's, unpaid, or has too little left
    """
    rows = values.get("DownPaymentsToDraw") or []
    if rows and setting.object_code != "13":
        raise errors.business("Down payments can be drawn in A/R invoices only")
    drawings = [_drawing(setting, row, position) for position, row in enumerate(rows)]
    if drawings and sum((each.gross for each in drawings), ZERO) > totals.total:
        raise errors.business("Total of down payments to draw exceeds the document total  [INV9.DrawnSum]")
    return drawings


def _drawing(setting: Setting, row: Row, position: int) -> Drawing:
    place = errors.at("INV9", "BaseAbs", position)
    found = setting.company.get("DownPayments", row.get("DocEntry"))
    if found is None or found["CardCode"] != setting.partner["CardCode"]:
        raise errors.no_such_record(place)
    if found["DocCurrency"] != setting.currency:
        raise errors.business(f"Down payment currency differs from the document's{place}")
    total = found["DocTotalFc"] if setting.foreign else found["DocTotal"]
    tax_total = found["VatSumFc"] if setting.foreign else found["VatSum"]
    paid = found["PaidToDateFC"] if setting.foreign else found["PaidToDate"]
    left = paid - found.get("_drawn", ZERO)
    gross = _wanted(setting, row, total, tax_total, left)
    if found["CancelStatus"] != "csNo" or gross <= 0 or gross > left:
        raise errors.business(f"Down payment has no open amount to draw{place}")
    tax = setting.places.sum(tax_total * gross / total)
    number = "DocNumber"
    shown = {
        "DocEntry": found["DocEntry"],
        number: found["DocNum"],
        "RowNum": position,
        "DocInternalID": position,
    }
    amounts = {"AmountToDraw": gross - tax, "Tax": tax, "GrossAmountToDraw": gross}
    foreign = {f"{name}FC": amount if setting.foreign else ZERO for name, amount in amounts.items()}
    local = {
        name: setting.company.to_local(amount, setting.rate) if setting.foreign else amount
        for name, amount in amounts.items()
    }
    row = {**shown, **local, **foreign, "IsGrossLine": "tNO"}
    return Drawing(entry=found["DocEntry"], net=gross - tax, tax=tax, row=row)


def _wanted(setting: Setting, row: Row, total: Decimal, tax_total: Decimal, left: Decimal) -> Decimal:
    suffix = "FC" if setting.foreign else ""
    gross = row.get(f"GrossAmountToDraw{suffix}")
    net = row.get(f"AmountToDraw{suffix}")
    if gross is not None:
        return setting.places.sum(gross)
    if net is not None and total != tax_total:
        return setting.places.sum(net * total / (total - tax_total))
    return left


def use(company: Company, drawings: list[Drawing]) -> None:
    """Record what was drawn (negative amounts give it back)."""
    for each in drawings:
        row = company.tables["DownPayments"][each.entry,]
        row["_drawn"] = row.get("_drawn", ZERO) + each.gross
        total = row["DocTotalFc"] or row["DocTotal"]
        row["DownPaymentStatus"] = "so_Closed" if row["_drawn"] == total else "so_Open"
        company.touch("DownPayments", row)
