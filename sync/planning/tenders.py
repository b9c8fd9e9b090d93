"""Captured money as incoming payments, each on the clearing account of its method."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from erp.contract.documents import DocumentKind, MoneyDocument, Origin, SalesDocument
from erp.contract.order import RefundPayment, Tender, TenderKind
from sync.planning.case import OrderCase
from sync.planning.lines import gift_certificate_account
from sync.planning.lookup import Lookup
from sync.planning.moments import open_day
from sync.planning.ports import Match
from sync.planning.references import ReferenceKind

_OF_ORDER = {
    TenderKind.GIFT_CERTIFICATE: ReferenceKind.GIFT_CERTIFICATE,
    TenderKind.STORE_CREDIT: ReferenceKind.STORE_CREDIT,
    TenderKind.OFFLINE: ReferenceKind.OFFLINE,
    TenderKind.TRANSACTION: ReferenceKind.OFFLINE,
}


def payments(case: OrderCase, lookup: Lookup, sale: SalesDocument) -> Iterator[MoneyDocument]:
    """The incoming payments of an order, applied to its invoice, in the order of their captures.

    A sales order is not a receivable: its money stays on account, or becomes a down payment where the pipeline says so.
    """
    for tender in sorted(case.order.tenders, key=lambda t: (t.captured_at, t.id)):
        payment = _payment(case, lookup, sale, tender)
        if sale.kind is DocumentKind.INVOICE:
            yield replace(payment, settles=sale.reference)
        elif case.settings.sales_order_money == "down_payment":
            down = _down_payment(case, payment, tender, sale)
            yield down
            yield replace(payment, settles=down.reference)
        else:
            yield payment


def _payment(case: OrderCase, lookup: Lookup, sale: SalesDocument, tender: Tender) -> MoneyDocument:
    day = open_day(case, max(case.day(tender.captured_at), sale.posting_date))
    account = clearing_account(lookup.at(day), tender)
    return MoneyDocument(
        kind=DocumentKind.PAYMENT,
        reference=_reference(case, tender),
        partner=sale.partner,
        currency=case.order.currency,
        amount=tender.amount,
        account=account.target,
        posting_date=day,
        method=tender.method,
        tender=tender.gateway_reference,
        rate=sale.rate,
        memo=f"Order {case.order.id}, {tender.method}",
        store_order=case.order.id,
        origins=(
            Origin(
                field=tender.source or f"tender {tender.id}", value=f"{tender.amount:f}", rule=account.rule
            ),
        ),
    )


def _down_payment(
    case: OrderCase, payment: MoneyDocument, tender: Tender, sale: SalesDocument
) -> MoneyDocument:
    record, part = (tender.id, "") if tender.id.isdecimal() else (case.order.id, _OF_ORDER[tender.kind].value)
    return replace(
        payment,
        kind=DocumentKind.DOWN_PAYMENT,
        reference=case.reference(record, ReferenceKind.DOWN_PAYMENT, part=part),
        settles=sale.reference,
    )


def _reference(case: OrderCase, tender: Tender) -> str:
    """By transaction id; money that only the order knows of goes by the order's id, one of each kind."""
    if tender.id.isdecimal():
        return case.reference(tender.id, ReferenceKind.PAYMENT)
    return case.reference(case.order.id, _OF_ORDER[tender.kind])


def clearing_account(lookup: Lookup, money: Tender | RefundPayment) -> Match:
    """Where money of this kind arrives and leaves: the clearing account of its method, or the liability it was paid from."""
    if money.kind is TenderKind.GIFT_CERTIFICATE:
        return gift_certificate_account(lookup)
    if money.kind is TenderKind.STORE_CREDIT:
        return lookup.need(
            "account.store_credit",
            "store credit",
            label="Store credit",
            sentence="Store credit has no liability account.",
        )
    gateway = getattr(money, "gateway", "")
    keys = [f"{gateway}:{money.method}"] if gateway else []
    return lookup.need(
        "clearing",
        *keys,
        money.method,
        label=f"Payment method {money.method}",
        sentence=f"Payment method {money.method} has no clearing account.",
    )
