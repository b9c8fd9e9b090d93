"""Captured money as incoming payments, each on the clearing account of its method."""

from __future__ import annotations

from dataclasses import replace

from erp.contract.documents import DocumentKind, MoneyDocument, Origin, SalesDocument
from erp.contract.order import Tender, TenderKind
from sync.planning.case import ZERO, OrderCase
from sync.planning.changes import Standing
from sync.planning.clearing import clearing_account
from sync.planning.draft import Draft
from sync.planning.moments import is_accepted, is_paid_offline, open_day
from sync.planning.rates import document_rate
from sync.planning.references import ReferenceKind
from sync.planning.screening import paid_in

# Money that no transaction tells of: the order has at most one of each.
_OF_ORDER = {
    "giftcertificate": ReferenceKind.GIFT_CERTIFICATE,
    "storecredit": ReferenceKind.STORE_CREDIT,
    "offline": ReferenceKind.OFFLINE,
}


def add_payments(case: OrderCase, draft: Draft, standing: Standing) -> None:
    """Want an incoming payment for every capture, applied to the invoice, in the order of the captures.

    A sales order is not a receivable: its money stays on account, or becomes a down payment where the pipeline
    says so, until the ERP invoices it (`settlements`). Money for a sale that was taken back stays on account, too.
    """
    for tender in sorted(tenders_of(case, draft), key=lambda t: (t.captured_at, t.id)):
        if _is_kept(case, draft, tender):
            continue
        payment = _payment(case, draft, standing.sale, tender)
        if standing.is_open_sales_order and _is_down_payment(case, tender):
            down = _down_payment(case, payment, tender, standing.sale)
            draft.want(down, draft.lookup(down.posting_date))
            payment = replace(payment, settles=down.reference)
        else:
            payment = replace(payment, settles=standing.payments_settle)
        draft.want(payment, draft.lookup(payment.posting_date))


def tenders_of(case: OrderCase, draft: Draft) -> list[Tender]:
    """The captures the store knows of, and the money of an accepted offline order where the pipeline calls it paid."""
    order = case.order
    tenders = list(order.tenders)
    if not is_paid_offline(case) or not is_accepted(case):
        return tenders
    if case.settings.offline_paid != "paid":
        draft.notes.append(
            f"No transaction of the store reports the money for {order.payment_method}: none is posted."
        )
        return tenders
    draft.notes.append(
        f"The order counts as paid by {order.payment_method}, because its status is {order.status_id}."
    )
    offline = Tender(
        id="offline",
        kind=TenderKind.OFFLINE,
        method=order.payment_method,
        amount=order.total - paid_in(order),
        captured_at=order.shipped_at or order.modified_at,
        source="payment_method",
    )
    return [*tenders, offline]


def _payment(case: OrderCase, draft: Draft, sale: SalesDocument, tender: Tender) -> MoneyDocument:
    day = open_day(case, max(case.day(tender.captured_at), sale.posting_date))
    account = clearing_account(draft.lookup(day), tender)
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
        rate=document_rate(case, day),
        memo=f"Order {case.order.id}, {tender.method}",
        store_order=case.order.id,
        origins=(
            Origin(
                field=tender.source or f"tender {tender.id}", value=f"{tender.amount:f}", rule=account.rule
            ),
        ),
    )


def _is_down_payment(case: OrderCase, tender: Tender) -> bool:
    """Nobody draws a down payment into an invoice that is there already: money that comes later is on account."""
    if case.already(_down_payment_reference(case, tender)) is not None:
        return True
    invoiced = case.facts.invoicing is not None and any(i.open > ZERO for i in case.facts.invoicing.standing)
    return case.settings.sales_order_money == "down_payment" and not invoiced


def _is_kept(case: OrderCase, draft: Draft, tender: Tender) -> bool:
    """Whether the tender is posted: then it stays as it is, with its down payment, whatever the settings say now."""
    money = (case.order.currency, tender.amount, ZERO)
    if case.already(_reference(case, tender)) is None:
        return False
    draft.keeps(_down_payment_reference(case, tender), money)
    return draft.keeps(_reference(case, tender), money)


def _down_payment(
    case: OrderCase, payment: MoneyDocument, tender: Tender, sale: SalesDocument
) -> MoneyDocument:
    return replace(
        payment,
        kind=DocumentKind.DOWN_PAYMENT,
        reference=_down_payment_reference(case, tender),
        settles=sale.reference,
    )


def _down_payment_reference(case: OrderCase, tender: Tender) -> str:
    if letter := _OF_ORDER.get(tender.id):
        return case.reference(case.order.id, ReferenceKind.DOWN_PAYMENT, part=letter.value)
    return case.reference(tender.id, ReferenceKind.DOWN_PAYMENT)


def _reference(case: OrderCase, tender: Tender) -> str:
    """By transaction id; money that only the order knows of goes by the order's id."""
    if letter := _OF_ORDER.get(tender.id):
        return case.reference(case.order.id, letter)
    return case.reference(tender.id, ReferenceKind.PAYMENT)
