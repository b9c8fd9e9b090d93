"""Writing marketing documents: A/R invoices, sales orders, credit memos and A/R down payments.

Placements are by convention (Service Layer API reference; SDK help "Documents") unless a comment says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from erp.adapters.sap_b1.settings import NUMBER_AT_CARD, Settings, read_settings
from erp.adapters.sap_b1.totals import Entered, Places, enter, half_up, places_of
from erp.contract.adapter import Receipt
from erp.contract.documents import DocumentKind, MoneyDocument, SalesDocument
from erp.contract.facts import LedgerFacts
from erp.contract.order import Address

Row = dict[str, Any]

ENTITY_SETS: Mapping[DocumentKind, str] = {
    DocumentKind.INVOICE: "Invoices",
    DocumentKind.SALES_ORDER: "Orders",
    DocumentKind.CREDIT_MEMO: "CreditNotes",
    DocumentKind.DOWN_PAYMENT: "DownPayments",
}
# BoObjectTypes, as drafts name what they will become.
OBJECT_TYPES: Mapping[DocumentKind, str] = {
    DocumentKind.INVOICE: "oInvoices",
    DocumentKind.SALES_ORDER: "oOrders",
    DocumentKind.CREDIT_MEMO: "oCreditNotes",
    DocumentKind.DOWN_PAYMENT: "oDownPayments",
}
DRAFTS = "Drafts"
# Header properties a field rule may set that are numbers; everything else is text.
WHOLE_NUMBERS = frozenset(
    "SalesPersonCode TransportationCode PaymentGroupCode Series ContactPersonCode DocumentsOwner LanguageCode "
    "BPL_IDAssignedToInvoice BPLID GroupCode PriceListNum ShippingType PayTermsGrpCode".split()
)
LONGEST_STATE = 3


def sales_payload(document: SalesDocument, facts: LedgerFacts, links: Mapping[str, Receipt]) -> Row:
    """The body of an A/R invoice, a sales order or a credit memo."""
    settings = read_settings(facts.settings)
    foreign = document.currency != facts.local_currency
    places = places_of(facts, document.currency)
    entered = enter(document, facts)
    body: Row = {
        "CardCode": key_of(document.partner, links),
        **reference_fields(document.reference, settings),
        "DocDate": document.posting_date.isoformat(),
        "TaxDate": document.document_date.isoformat(),
        "DocDueDate": document.due_date.isoformat(),
        "DocCurrency": document.currency,
        "DocRate": rate_as_kept(document.rate, facts) if foreign else None,
        "Comments": document.memo,
        "ReserveInvoice": "tYES"
        if settings.reserve_invoice and document.kind is DocumentKind.INVOICE
        else None,
        **numbering(document.kind, settings, branch_field="BPL_IDAssignedToInvoice"),
        **order_field(document.store_order, settings),
        **as_fields(document.fields),
    }
    lines = [line_row(each, document, settings, places, foreign) for each in entered if not each.is_freight]
    freights = [freight_row(each, settings) for each in entered if each.is_freight]
    return present(
        {
            **body,
            "AddressExtension": address_extension(document.billing, document.shipping),
            "DocumentLines": lines,
            "DocumentAdditionalExpenses": freights,
        }
    )


def down_payment_payload(document: MoneyDocument, facts: LedgerFacts, links: Mapping[str, Receipt]) -> Row:
    """The body of an A/R down payment: one line of the service item over what was captured, tax included."""
    settings = read_settings(facts.settings)
    foreign = document.currency != facts.local_currency
    code = settings.down_payment_tax_code or settings.exempt_tax_code
    taxed = code in facts.tax_codes and facts.tax_codes[code].rate > 0
    line = {
        "ItemCode": settings.service_item,
        "Quantity": Decimal(1),
        _total_field(gross=taxed, foreign=foreign): document.amount,
        settings.tax_field: code,
    }
    day = document.posting_date.isoformat()
    return present(
        {
            "CardCode": key_of(document.partner, links),
            **reference_fields(document.reference, settings),
            "DownPaymentType": settings.down_payment_type,
            "DocDate": day,
            "TaxDate": day,
            "DocDueDate": day,
            "DocCurrency": document.currency,
            "DocRate": rate_as_kept(document.rate, facts) if foreign else None,
            "Comments": document.memo,
            **numbering(document.kind, settings, branch_field="BPL_IDAssignedToInvoice"),
            **order_field(document.store_order, settings),
            **as_fields(document.fields),
            "DocumentLines": [present(line)],
        }
    )


def line_row(
    each: Entered, document: SalesDocument, settings: Settings, places: Places, foreign: bool
) -> Row:
    """One document line. Account lines are carried by the non-stock service item with the line's own account.

    A negative amount is a negative quantity at a positive price: B1 takes that for non-stock items, and refuses
    negative prices in several localisations.
    """
    line = each.line
    amount = each.net + each.tax if each.gross else each.net
    sign = -1 if amount < 0 else 1
    quantity = half_up(line.quantity, places.quantities)
    row: Row = {
        "ItemCode": line.item or settings.service_item,
        "ItemDescription": line.text,
        "Quantity": quantity * sign,
        **_price_fields(each, amount, sign, foreign),
        settings.tax_field: line.tax_code or settings.exempt_tax_code,
        "TaxTotal": each.tax if each.overridden else None,
        "WarehouseCode": line.warehouse,
        "AccountCode": line.account,
        costing_field("CostingCode", settings): line.cost_center,
    }
    if document.kind is DocumentKind.CREDIT_MEMO and not settings.restock and line.item:
        row["WithoutInventoryMovement"] = "tYES"
    return present(row)


def _price_fields(each: Entered, amount: Decimal, sign: int, foreign: bool) -> Row:
    if each.unit_price is not None:
        return {"PriceAfterVAT" if each.gross else "UnitPrice": each.unit_price * sign}
    return {_total_field(gross=each.gross, foreign=foreign): amount}


def _total_field(*, gross: bool, foreign: bool) -> str:
    """LineTotal and GrossTotal are in local currency; a row's foreign totals are columns of their own."""
    if gross:
        return "GrossTotalFC" if foreign else "GrossTotal"
    return "RowTotalFC" if foreign else "LineTotal"


def freight_row(each: Entered, settings: Settings) -> Row:
    """Freight (additional expense); its amounts are in the document's currency."""
    line = each.line
    code = int(line.freight_code) if line.freight_code.isdigit() else line.freight_code
    return present(
        {
            "ExpenseCode": code,
            "LineGross" if each.gross else "LineTotal": each.net + each.tax if each.gross else each.net,
            settings.tax_field: line.tax_code or settings.exempt_tax_code,
            "TaxSum": each.tax if each.overridden else None,
            "Remarks": line.text,
            costing_field("DistributionRule", settings): line.cost_center,
        }
    )


def costing_field(name: str, settings: Settings) -> str:
    """Where the cost center of the chosen dimension goes: `CostingCode`, `CostingCode2`, ..."""
    return name if settings.cost_center_dimension == 1 else f"{name}{settings.cost_center_dimension}"


def reference_fields(reference: str, settings: Settings) -> Row:
    """Our reference where it is looked up, and always where people see it."""
    return {NUMBER_AT_CARD: reference, settings.reference_field: reference}


def order_field(store_order: str, settings: Settings) -> Row:
    """The store's order id in the configured user field."""
    return {settings.order_field: store_order} if settings.order_field and store_order else {}


def numbering(kind: DocumentKind, settings: Settings, *, branch_field: str) -> Row:
    """Series and branch, where the connection names them."""
    return {"Series": (settings.series or {}).get(kind.value), branch_field: settings.branch}


def as_fields(fields: tuple[tuple[str, str], ...]) -> Row:
    """Field rules as properties; the numeric header properties as numbers."""
    return {
        name: int(value) if name in WHOLE_NUMBERS and value.lstrip("-").isdigit() else value
        for name, value in fields
    }


def rate_as_kept(rate: Decimal | None, facts: LedgerFacts) -> Decimal | None:
    """A rate (local units per foreign unit) the way round the company keeps rates ("direct" or "indirect")."""
    if rate is None or facts.settings.get("direct_rate", "yes") == "yes":
        return rate
    return half_up(1 / rate, int(facts.settings.get("rate_places", "6")))


def key_of(partner: str, links: Mapping[str, Receipt]) -> str:
    """The partner's code: what the ERP gave for its reference in this plan, else the code itself."""
    found = links.get(partner)
    return found.key if found else partner


def address_extension(billing: Address, shipping: Address) -> Row:
    """Both addresses on the document; a state that is no code of B1's three characters goes to the county."""
    return present({**_address("BillTo", billing), **_address("ShipTo", shipping)})


def _address(prefix: str, address: Address) -> Row:
    is_code = len(address.state) <= LONGEST_STATE
    return {
        f"{prefix}Street": address.street,
        f"{prefix}Block": address.street_2,
        f"{prefix}City": address.city,
        f"{prefix}ZipCode": address.zip_code,
        f"{prefix}County": "" if is_code else address.state,
        f"{prefix}State": address.state if is_code else "",
        f"{prefix}Country": address.country_code,
    }


def present(row: Mapping[str, Any]) -> Row:
    """Without what is empty: B1 takes an empty text for a value."""
    return {name: value for name, value in row.items() if value not in (None, "", [], {})}
