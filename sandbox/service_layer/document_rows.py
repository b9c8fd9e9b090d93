"""The stored form of a document: what is written into its properties, and how it is settled and closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.service_layer import taxes
from sandbox.service_layer.document_lines import Line, Setting
from sandbox.service_layer.pricing import FreightEntry, FreightResult, LineResult, Totals
from sandbox.service_layer.rounding import ZERO

if TYPE_CHECKING:
    from sandbox.service_layer.company import Company
    from sandbox.service_layer.down_payments import Drawing

Row = dict[str, Any]


def later(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def build(
    setting: Setting,
    values: Row,
    lines: Sequence[Line],
    freights: Sequence[tuple[Row, FreightEntry]],
    totals: Totals,
    drawn: Sequence[Drawing] = (),
) -> Row:
    """The document's row, everything but its keys. Amounts without Fc are in local currency."""
    row: Row = {**_defaults(setting), **values, **_amounts(setting, totals, drawn), **_fresh(setting.company)}
    row["DocumentLines"] = [
        _line(setting, line, result, number)
        for number, (line, result) in enumerate(zip(lines, totals.lines, strict=True))
    ]
    row["DocumentAdditionalExpenses"] = [
        _freight(setting, given, result, number)
        for number, ((given, _), result) in enumerate(zip(freights, totals.freights, strict=True))
    ]
    row["DownPaymentsToDraw"] = [each.row for each in drawn]
    return row


def _defaults(setting: Setting) -> Row:
    partner = setting.partner
    return {
        "DocType": "dDocument_Items",
        "HandWritten": "tNO",
        "Printed": "psNo",
        "CardName": partner.get("CardName"),
        "PaymentGroupCode": partner.get("PayTermsGrpCode"),
        "SalesPersonCode": -1,
        "Confirmed": "tYES",
        "SummeryType": "dNoSummary",
        "PartialSupply": "tYES",
        "FederalTaxID": partner.get("FederalTaxID"),
        "DocumentSubType": "bod_None",
        "ReserveInvoice": "tNO",
        "Rounding": "tNO",
        "ControlAccount": partner.get("DebitorAccount"),
        "JournalMemo": f"{setting.entity_set.name} - {partner['CardCode']}"[:50],
        "DownPaymentPercentage": ZERO,
        "DownPaymentAmount": ZERO,
    }


def _amounts(setting: Setting, totals: Totals, drawn: Sequence[Drawing]) -> Row:
    tax = totals.tax - sum((each.tax for each in drawn), ZERO)
    total = totals.total - sum((each.gross for each in drawn), ZERO)
    return {
        "DiscountPercent": totals.discount_percent,
        "TotalDiscount": _local(setting, totals.discount),
        "TotalDiscountFC": _foreign(setting, totals.discount),
        "VatSum": _local(setting, tax),
        "VatSumFc": _foreign(setting, tax),
        "VatSumSys": _local(setting, tax),
        "DocTotal": _local(setting, total),
        "DocTotalFc": _foreign(setting, total),
        "DocTotalSys": _local(setting, total),
        "RoundingDiffAmount": totals.rounding,
        "RoundingDiffAmountFC": ZERO,
        "PaidToDate": ZERO,
        "PaidToDateFC": ZERO,
    }


def _fresh(company: Company) -> Row:
    now = company.clock().strftime("%H:%M:%S")
    return {
        "CreationDate": company.today(),
        "UpdateDate": company.today(),
        "DocTime": now,
        "UpdateTime": now,
        "DocumentStatus": "bost_Open",
        "Cancelled": "tNO",
        "CancelStatus": "csNo",
        "AuthorizationStatus": "dasWithout",
    }


def stamp(row: Row) -> None:
    """Write the document's key into the parts that carry it."""
    for line in row["DocumentLines"]:
        line["DocEntry"] = row["DocEntry"]
    for name in ("AddressExtension", "TaxExtension"):
        row[name] = {**(row.get(name) or {}), "DocEntry": row["DocEntry"]}


def _local(setting: Setting, amount: Decimal) -> Decimal:
    return setting.company.to_local(amount, setting.rate) if setting.foreign else amount


def _foreign(setting: Setting, amount: Decimal) -> Decimal:
    return amount if setting.foreign else ZERO


def _line(setting: Setting, line: Line, result: LineResult, number: int) -> Row:
    places, item = setting.places, line.item
    each_gross = places.price(result.gross / line.quantity)
    row = {
        **line.values,
        "LineNum": line.values.get("LineNum", number),
        "VisualOrder": number,
        "Currency": setting.currency,
        "Rate": ZERO if not setting.foreign else setting.rate,
        "UnitPrice": result.unit_price,
        "DiscountPercent": result.discount_percent,
        "Price": result.price,
        "PriceAfterVAT": each_gross,
        "GrossPrice": each_gross,
        "LineTotal": _local(setting, result.net),
        "RowTotalFC": _foreign(setting, result.net),
        "TaxTotal": _local(setting, result.tax),
        "NetTaxAmount": _local(setting, result.tax),
        "NetTaxAmountFC": _foreign(setting, result.tax),
        "TaxPercentagePerRow": result.tax_rate,
        "GrossTotal": _local(setting, result.gross),
        "GrossTotalFC": _foreign(setting, result.gross),
        "TotalInclTax": ZERO,
        "LineStatus": "bost_Open",
        "LineType": "dlt_Regular",
        "RemainingOpenQuantity": line.quantity,
        "_from_base": line.from_base,
        "OpenAmount": _local(setting, result.net),
        "OpenAmountFC": _foreign(setting, result.net),
        "AccountCode": line.values.get("AccountCode")
        or (item or {}).get("IncomeAccount")
        or setting.company.defaults["revenue"],
    }
    row.setdefault("BaseType", -1)
    if taxes.tax_property(setting.company) == "TaxCode":
        row["LineTaxJurisdictions"] = _jurisdictions(setting, result, number)
    return row


def _jurisdictions(setting: Setting, result: LineResult, number: int) -> list[Row]:
    code = setting.company.get("SalesTaxCodes", result.tax_code)
    parts = (code or {}).get("SalesTaxCodes_Lines", [])
    rows: list[Row] = []
    left = result.tax
    for position, part in enumerate(parts):
        last = position == len(parts) - 1
        share = left if last else setting.places.sum(result.taxable * part["EffectiveRate"] / 100)
        left -= share
        rows.append(
            {
                "JurisdictionCode": part["STACode"],
                "JurisdictionType": part["STAType"],
                "TaxAmount": _local(setting, share),
                "TaxAmountFC": _foreign(setting, share),
                "TaxRate": part["EffectiveRate"],
                "LineNumber": number,
                "RowSequence": position,
            }
        )
    return rows


def _freight(setting: Setting, given: Row, result: FreightResult, number: int) -> Row:
    return {
        "TaxLiable": "tYES",
        "DistributionMethod": "aedm_None",
        **given,
        "LineNum": number,
        "LineTotal": _local(setting, result.net),
        "LineTotalFC": _foreign(setting, result.net),
        "TaxSum": _local(setting, result.tax),
        "TaxSumFC": _foreign(setting, result.tax),
        "LineGross": _local(setting, result.gross),
        "LineGrossFC": _foreign(setting, result.gross),
        "Status": "bost_Open",
    }


def is_foreign(company: Company, row: Row) -> bool:
    return bool(row["DocCurrency"] != company.switches.local_currency)


def open_amount(row: Row) -> Decimal:
    """What is still open, in the document's own currency."""
    if row["DocTotalFc"]:
        return Decimal(row["DocTotalFc"] - row["PaidToDateFC"])
    return Decimal(row["DocTotal"] - row["PaidToDate"])


def settle(company: Company, name: str, row: Row, amount: Decimal) -> None:
    """Pay `amount` of a document, in its own currency (negative: take a payment back)."""
    if is_foreign(company, row):
        row["PaidToDateFC"] += amount
        whole = row["PaidToDateFC"] == row["DocTotalFc"]
        row["PaidToDate"] = (
            row["DocTotal"] if whole else company.to_local(row["PaidToDateFC"], row["DocRate"])
        )
    else:
        row["PaidToDate"] += amount
    if amount < 0:
        row["DocumentStatus"] = "bost_Open"
        for line in row["DocumentLines"]:
            line["LineStatus"] = "bost_Open" if line["RemainingOpenQuantity"] else line["LineStatus"]
    close_if_settled(company, name, row)


def close_if_settled(company: Company, name: str, row: Row) -> None:
    """A document with nothing left to pay is closed, and with it every line: it can no longer be a base."""
    if open_amount(row) == 0:
        row["DocumentStatus"] = "bost_Close"
        for line in row["DocumentLines"]:
            line["LineStatus"] = "bost_Close"
    company.touch(name, row)
