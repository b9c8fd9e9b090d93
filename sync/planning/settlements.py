"""Money of a sales order, once the ERP has invoiced it.

A payment on account is applied to the invoices, oldest first, captures in their order, never above what either side has
open. A down payment is drawn by whoever makes the invoice and cannot be drawn afterwards, so one that was left out is for
a person. What a person took back is not applied to the same invoice again.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import count

from erp.contract.documents import DocumentKind, MoneyDocument, Origin, SettlementDocument
from erp.contract.facts import DrawnInvoice, Invoicing
from erp.contract.plan import Problem
from sync.planning.case import ZERO, OrderCase
from sync.planning.draft import Draft
from sync.planning.moments import open_day
from sync.planning.references import ReferenceKind, record_of

_PARTS = (ReferenceKind.GIFT_CERTIFICATE, ReferenceKind.STORE_CREDIT, ReferenceKind.OFFLINE)


def add_settlements(case: OrderCase, draft: Draft) -> None:
    """Keep what was applied before, and want the money applied to what the ERP has invoiced meanwhile."""
    for before in case.posted:
        if before.kind is DocumentKind.SETTLEMENT and not before.cancelled:
            draft.keep(before.document)
    invoicing = case.facts.invoicing
    if invoicing is None or not invoicing.standing:
        return
    money = [document for document in draft.documents() if isinstance(document, MoneyDocument)]
    on_account = [m for m in money if m.kind is DocumentKind.PAYMENT and not m.settles]
    notes = _apply(case, draft, invoicing, on_account)
    undrawn = list(_undrawn(case, invoicing, money))
    draft.problems += undrawn
    draft.notes += [] if undrawn else notes  # else their arithmetic says what is open


def _apply(case: OrderCase, draft: Draft, invoicing: Invoicing, payments: list[MoneyDocument]) -> list[str]:
    """Want the payments applied; returns what stays open on either side, in sentences."""
    notes = []
    left = {payment.reference: _unused(case, invoicing, payment) for payment in payments}
    for invoice in invoicing.standing:
        room = invoice.open if invoice.currency == case.order.currency else ZERO
        for payment in payments:
            amount = min(room, left[payment.reference])
            if amount <= ZERO:
                continue
            room -= amount
            left[payment.reference] -= amount
            if _was_applied(case, payment, invoice):
                draft.problems.append(_applied_before(case, payment, invoice, amount))
            else:
                document = _settlement(case, draft, payment, invoice, amount)
                draft.add(document, draft.lookup(document.posting_date))
        if room:
            notes.append(
                f"{case.amount(room)} of invoice {invoice.number} stay open: no money of the order is left for it."
            )
    notes += [
        f"{case.amount(amount)} of {reference} stay on account until the ERP invoices more of the order."
        for reference, amount in left.items()
        if amount
    ]
    return notes


def _unused(case: OrderCase, invoicing: Invoicing, payment: MoneyDocument) -> Decimal:
    """What of a payment settles nothing: all of one that is not in the ERP yet."""
    receipt = next((p.receipt for p in case.posted if p.reference == payment.reference), None)
    return invoicing.money.get(receipt.key, ZERO) if receipt else payment.amount


def _was_applied(case: OrderCase, payment: MoneyDocument, invoice: DrawnInvoice) -> bool:
    pair = (payment.reference, invoice.key)
    documents = [p.document for p in case.posted if isinstance(p.document, SettlementDocument)]
    return any((document.money, document.invoice) == pair for document in documents)


def _settlement(
    case: OrderCase, draft: Draft, payment: MoneyDocument, invoice: DrawnInvoice, amount: Decimal
) -> SettlementDocument:
    return SettlementDocument(
        reference=_free_reference(case, draft, payment),
        partner=payment.partner,
        currency=payment.currency,
        amount=amount,
        posting_date=open_day(case, max(payment.posting_date, invoice.posted_on)),
        money=payment.reference,
        invoice=invoice.key,
        invoice_number=invoice.number,
        store_order=case.order.id,
        origins=(
            Origin(field=f"invoice {invoice.number} in the ERP, open", value=f"{invoice.open:f}"),
            Origin(field=f"{payment.reference}, captured", value=f"{payment.amount:f}"),
        ),
    )


def _free_reference(case: OrderCase, draft: Draft, payment: MoneyDocument) -> str:
    """The payment's first reference of this kind that stands for nothing yet. In the ERP the pair is what is looked up."""
    record, kind = record_of(payment.reference)
    part = kind.value if kind in _PARTS else ""
    taken = {p.reference for p in case.posted} | draft.references()
    found = (case.reference(record, ReferenceKind.SETTLEMENT, part=part, revision=n) for n in count())
    return next(reference for reference in found if reference not in taken)


def _applied_before(
    case: OrderCase, payment: MoneyDocument, invoice: DrawnInvoice, amount: Decimal
) -> Problem:
    return Problem(
        code="application_taken_back",
        sentence=f"{payment.reference} was applied to invoice {invoice.number} before, and somebody took that back in the "
        f"ERP: {case.amount(amount)} are open on both.",
        way_out=f"Cancel invoice {invoice.number} there, and the next invoice of the order gets the money; or reconcile the "
        "two there by hand. Then press Reprocess.",
        arithmetic=(
            (f"Invoice {invoice.number}, open", case.amount(invoice.open)),
            (f"{payment.reference}, not applied", case.amount(amount)),
        ),
    )


def _undrawn(case: OrderCase, invoicing: Invoicing, money: list[MoneyDocument]) -> Iterator[Problem]:
    """Down payments that an invoice should have drawn: both are open."""
    still_open = [invoice for invoice in invoicing.standing if invoice.open > ZERO]
    if not still_open:
        return
    for down in (m for m in money if m.kind is DocumentKind.DOWN_PAYMENT):
        receipt = next((p.receipt for p in case.posted if p.reference == down.reference), None)
        drawn = [invoice.drawn.get(receipt.key, ZERO) for invoice in invoicing.standing] if receipt else []
        left = down.amount - sum(drawn, ZERO)
        if receipt and left > ZERO:
            yield _not_drawn(case, down, receipt.number, left, still_open)


def _not_drawn(
    case: OrderCase, down: MoneyDocument, number: str, left: Decimal, invoices: list[DrawnInvoice]
) -> Problem:
    names = ", ".join(invoice.number for invoice in invoices)
    return Problem(
        code="down_payment_not_drawn",
        sentence=f"Invoice {names} was made from the sales order without drawing A/R down payment {number}: "
        f"{case.amount(left)} of it are open, and the invoice too.",
        way_out=f"In the ERP, cancel invoice {names} and make it again with down payment {number} drawn (Total Down "
        "Payment); or credit the down payment and reconcile the credit memo with the invoice. Then press Reprocess.",
        arithmetic=(
            *((f"Invoice {invoice.number}, open", case.amount(invoice.open)) for invoice in invoices),
            (f"Down payment {number} ({down.reference})", case.amount(down.amount)),
            ("Not drawn", case.amount(left)),
        ),
    )
