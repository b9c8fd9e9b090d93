"""Why B1 would refuse a document, in a merchant's words, before anything is sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from erp.adapters.sap_b1.settings import Settings, read_settings
from erp.adapters.sap_b1.totals import carries_freight, half_up
from erp.contract.documents import (
    AnyDocument,
    DocumentKind,
    DocumentLine,
    MoneyDocument,
    PartnerDocument,
    SalesDocument,
    SettlementDocument,
)
from erp.contract.facts import Item, LedgerFacts
from erp.contract.plan import Problem

B1 = "SAP Business One"
LONGEST_CODE = 15


def problems(document: AnyDocument, facts: LedgerFacts) -> tuple[Problem, ...]:
    """Every reason B1 would refuse the document, each once."""
    settings = read_settings(facts.settings)
    match document:
        case PartnerDocument():
            found = _partner(document, settings)
        case SalesDocument():
            found = _sales(document, facts, settings)
        case MoneyDocument():
            found = _money(document, facts, settings)
        case SettlementDocument():
            found = iter(())  # nothing but the two sides decides, and they are looked at when it is sent
    return tuple(dict.fromkeys(found))


def _partner(document: PartnerDocument, settings: Settings) -> Iterator[Problem]:
    if len(document.code) > LONGEST_CODE:
        yield Problem(
            code="partner_code_too_long",
            sentence=f"Customer code {document.code} has more than {LONGEST_CODE} characters.",
            way_out="Choose a shorter store key, or a shorter code in the store's customer record.",
        )
    if document.match_by == "marker" and not settings.partner_marker_field:
        yield Problem(
            code="no_marker_field",
            sentence="Customers are matched by a marker, but the connection names no marker field.",
            way_out=f"Name the user field of business partners on the connection to {B1}.",
        )


def _sales(document: SalesDocument, facts: LedgerFacts, settings: Settings) -> Iterator[Problem]:
    yield from _currency(document.currency, facts)
    yield from _known_partner(document.partner, facts)
    yield from _branch(facts, settings)
    yield from _negative(document)
    for line in document.lines:
        yield from _line(line, document, facts, settings)
    if document.kind is DocumentKind.INVOICE and facts.blocks_negative_stock and not settings.reserve_invoice:
        yield from _stock(document, facts)


def _money(document: MoneyDocument, facts: LedgerFacts, settings: Settings) -> Iterator[Problem]:
    yield from _currency(document.currency, facts)
    yield from _known_partner(document.partner, facts)
    yield from _branch(facts, settings)
    if document.kind is DocumentKind.DOWN_PAYMENT:
        if not settings.service_item:
            yield _no_service_item()
        return
    yield from _account(document.account, document.currency, facts)
    if not settings.payment_reference_proved:
        yield Problem(
            code="no_payment_reference",
            sentence=f"Payments in {B1} have no place for our reference yet.",
            way_out="Choose a user field for payments on the connection, or press Test connection to prove "
            "that CounterReference is long enough.",
        )


def _negative(document: SalesDocument) -> Iterator[Problem]:
    """B1 refuses a document whose tax or total is below zero (seen as -5002 "Tax amount cannot be negative")."""
    for code, what, amount in (
        ("negative_tax", "tax", document.tax),
        ("negative_total", "total", document.total),
    ):
        if amount < 0:
            yield Problem(
                code=code,
                sentence=f"The {what} of {document.reference} is {amount} {document.currency}: {B1} takes no document "
                f"with a negative {what}.",
                way_out="Post the correction in the ERP by hand, then resolve this document with its number or exclude it.",
                arithmetic=((what.capitalize(), f"{amount} {document.currency}"),),
            )


def _line(
    line: DocumentLine, document: SalesDocument, facts: LedgerFacts, settings: Settings
) -> Iterator[Problem]:
    yield from _tax_code(line, facts, settings)
    yield from _named(line, facts)
    if line.freight_code and carries_freight(document.lines):
        return
    if line.item:
        yield from _item(line, facts)
    elif not settings.service_item:
        yield _no_service_item()
    if line.account:
        yield from _account(line.account, document.currency, facts)
    if half_up(line.quantity, facts.quantity_places) != line.quantity:
        yield Problem(
            code="quantity_places",
            sentence=f"{line.text}: quantity {line.quantity} needs more decimals than {B1} keeps "
            f"({facts.quantity_places}).",
            way_out="Raise the decimals of quantities in the company's general settings.",
        )


def _item(line: DocumentLine, facts: LedgerFacts) -> Iterator[Problem]:
    item = facts.items.get(line.item)
    if item is None:
        yield _unknown("item", line.item)
        return
    if not item.active:
        yield _inactive("item", line.item)
    if not item.sellable:
        yield Problem(
            code="item_not_sold",
            sentence=f"Item {line.item} is not a sales item in {B1}.",
            way_out="Tick *Sales item* on its master data, or map the SKU to another item.",
        )
    if item.managed_by:
        yield _numbered(item)


def _numbered(item: Item) -> Problem:
    what = "batches" if item.managed_by == "batch" else "serial numbers"
    return Problem(
        code=f"item_{item.managed_by}",
        sentence=f"Item {item.code} is managed by {what} in {B1}: an invoice must name them, and the store does not.",
        way_out="Let the pipeline post sales orders or reserve invoices, or map the SKU to an item without them.",
    )


def _stock(document: SalesDocument, facts: LedgerFacts) -> Iterator[Problem]:
    """B1 takes the lines of one item together, and so does this."""
    wanted: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for line in document.lines:
        item = facts.items.get(line.item)
        if item and item.stocked and item.available and line.net >= 0:
            wanted[line.item, line.warehouse] += line.quantity
    for (code, warehouse), quantity in wanted.items():
        has = facts.items[code].available.get(warehouse, Decimal(0))
        if quantity > has:
            where = f"warehouse {warehouse}" if warehouse else "its warehouse"
            yield Problem(
                code="negative_stock",
                sentence=f"Item {code}: the order needs {_plain(quantity)}, {where} has {_plain(has)} in {B1}, "
                "which does not allow negative stock.",
                way_out="Receive the goods in the ERP, let the pipeline post reserve invoices, or map another warehouse.",
                arithmetic=(("Needed", _plain(quantity)), ("In stock", _plain(has))),
            )


def _tax_code(line: DocumentLine, facts: LedgerFacts, settings: Settings) -> Iterator[Problem]:
    code = line.tax_code or settings.exempt_tax_code
    if not code:
        yield Problem(
            code="no_tax_code",
            sentence=f"{line.text or line.key} has no tax, and the connection names no tax code for untaxed lines.",
            way_out=f"Choose the exempt tax code on the connection to {B1}.",
        )
        return
    found = facts.tax_codes.get(code)
    if found is None:
        yield _unknown("tax code", code)
    elif not found.active:
        yield _inactive("tax code", code)
    elif not found.for_sales:
        yield Problem(
            code="tax_code_not_for_sales",
            sentence=f"Tax code {code} is not for sales in {B1}.",
            way_out="Map the store's tax to a sales tax code.",
        )


def _named(line: DocumentLine, facts: LedgerFacts) -> Iterator[Problem]:
    for what, code, known in (
        ("freight", line.freight_code, facts.freights),
        ("warehouse", line.warehouse, facts.warehouses),
        ("cost center", line.cost_center, facts.cost_centers),
    ):
        if not code:
            continue
        if code not in known:
            yield _unknown(what, code)
        elif not known[code].active:
            yield _inactive(what, code)


def _account(code: str, currency: str, facts: LedgerFacts) -> Iterator[Problem]:
    account = facts.accounts.get(code)
    if account is None:
        yield _unknown("G/L account", code)
        return
    if not account.active:
        yield _inactive("G/L account", code)
    if not account.postable:
        yield Problem(
            code="account_not_postable",
            sentence=f"G/L account {code} {account.name} cannot be posted to directly in {B1}: it is a title or "
            "a control account.",
            way_out="Map another account.",
        )
    if account.currency and account.currency != currency:
        yield Problem(
            code="account_currency",
            sentence=f"G/L account {code} is kept in {account.currency} in {B1} and cannot take {currency}.",
            way_out=f"Map an account for {currency}, or one for all currencies.",
        )


def _known_partner(code: str, facts: LedgerFacts) -> Iterator[Problem]:
    """Only a partner that was looked up is judged: others are made by the same plan."""
    partner = facts.partners.get(code)
    if partner is not None and not partner.active:
        yield _inactive("business partner", code)


def _currency(currency: str, facts: LedgerFacts) -> Iterator[Problem]:
    if facts.currency_places and currency not in facts.currency_places:
        yield Problem(
            code="currency_unknown",
            sentence=f"{B1} has no currency {currency}.",
            way_out="Define it under Administration, Setup, Financials, Currencies.",
        )


def _branch(facts: LedgerFacts, settings: Settings) -> Iterator[Problem]:
    if facts.settings.get("branches") == "yes" and settings.branch is None:
        yield Problem(
            code="no_branch",
            sentence=f"The company has branches in {B1}, and the connection names none.",
            way_out="Choose the branch on the connection.",
        )


def _no_service_item() -> Problem:
    return Problem(
        code="no_service_item",
        sentence=f"The connection to {B1} names no service item: the non-stock item that carries amounts without an "
        "article, such as shipping, fees and gift certificates.",
        way_out="Create a non-stock sales item in the ERP and choose it on the connection.",
    )


def _unknown(what: str, code: str) -> Problem:
    return Problem(
        code=f"{_slug(what)}_unknown",
        sentence=f"{what[0].upper()}{what[1:]} {code} does not exist in {B1}.",
        way_out="Map another one, or create it in the ERP.",
    )


def _inactive(what: str, code: str) -> Problem:
    return Problem(
        code=f"{_slug(what)}_inactive",
        sentence=f"{what[0].upper()}{what[1:]} {code} is inactive in {B1}.",
        way_out="Activate it in the ERP, or map another one.",
    )


def _slug(what: str) -> str:
    return {"G/L account": "account", "business partner": "partner"}.get(what, what.replace(" ", "_"))


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")
