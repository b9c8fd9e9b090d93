"""Refunds as credit memos with their pay-outs, one refund after the other.

A credit memo stands on the items, accounts and tax codes of the document it corrects. Its tax is the store's,
taken from the order as it was sold. What no line explains goes to the account of unattributed refunds, and tax
that is given back alone becomes a pair of lines there: one whose net makes that tax, one that takes the net back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

from erp.contract.documents import (
    DocumentKind,
    DocumentLine,
    MoneyDocument,
    Origin,
    SalesDocument,
    Use,
)
from erp.contract.money import quantum, rounded
from erp.contract.order import Refund, RefundLine, RefundPart, RefundPayment
from erp.contract.plan import Outcome, Problem
from sync.planning.case import ONE, ZERO, OrderCase, Stop
from sync.planning.changes import Standing
from sync.planning.clearing import clearing_account
from sync.planning.draft import Draft
from sync.planning.liability import Taxes
from sync.planning.lookup import Lookup
from sync.planning.moments import open_day
from sync.planning.rates import document_rate
from sync.planning.references import ReferenceKind
from sync.planning.sales import order_lines, taxes_by_line
from sync.planning.tax import exempt_code

_PLACES = {
    RefundPart.PRODUCT: "line",
    RefundPart.WRAPPING: "wrapping",
    RefundPart.SHIPPING: "shipping",
    RefundPart.HANDLING: "handling",
    RefundPart.FEE: "fee",
}
_UNEXPLAINED = (RefundPart.ORDER, RefundPart.TAX)


def add_refunds(case: OrderCase, draft: Draft, standing: Standing) -> None:
    """Want a credit memo and its pay-outs for every refund whose money went back, in the order of the refunds."""
    for refund in sorted(case.order.refunds, key=lambda r: (r.created_at, r.id)):
        if not _is_settled(case, draft, refund):
            continue
        if _is_kept(case, draft, refund, standing):
            continue
        day = open_day(case, max(case.day(refund.created_at), standing.sale.posting_date))
        lookup = draft.lookup(day)
        settles = standing.taken_back_by or _add_credit_memo(case, draft, lookup, refund, standing)
        for payout in _payouts(case, lookup, refund, standing.sale.partner, settles):
            draft.want(payout, lookup)


def _is_kept(case: OrderCase, draft: Draft, refund: Refund, standing: Standing) -> bool:
    """Whether the whole refund is posted: then it needs no mapping and no open period any more."""
    credit = case.reference(refund.id, ReferenceKind.CREDIT_MEMO)
    payouts = [_payout_reference(case, refund, index) for index in range(len(refund.payments))]
    only_money = standing.is_open_sales_order and case.settings.sales_order_refunds == "pay_out"
    credits = [] if standing.taken_back_by or only_money else [credit]
    if not all(case.already(reference) for reference in (*credits, *payouts)):
        return False
    for reference in credits:
        draft.keeps(reference, (case.order.currency, refund.total, refund.tax))
    for reference, payment in zip(payouts, refund.payments, strict=True):
        draft.keeps(reference, (case.order.currency, payment.amount, ZERO))
    return True


def _is_settled(case: OrderCase, draft: Draft, refund: Refund) -> bool:
    """Whether the refund's money has gone back. What is pending comes with a later event."""
    if refund.pending:
        draft.notes.append(f"Refund {refund.id} is not paid out yet: it is posted once the store says so.")
        return False
    paid = sum((payment.amount for payment in refund.payments), ZERO)
    if refund.total and not refund.payments:
        draft.notes.append(f"Refund {refund.id}: every payment was declined, no money went back.")
        return False
    if paid > refund.total:
        raise Stop(
            Outcome.HELD,
            Problem(
                code="refund_exceeded",
                sentence=f"Refund {refund.id} gives back {case.amount(refund.total)}, and {case.amount(paid)} were paid out.",
                way_out="Compare the refund in the store; or book it by hand and exclude the order.",
                arithmetic=(("Refund", case.amount(refund.total)), ("Paid out", case.amount(paid))),
            ),
        )
    if paid < refund.total:
        draft.notes.append(
            f"Refund {refund.id}: {case.amount(refund.total - paid)} were declined and stay the customer's balance."
        )
    return True


def _add_credit_memo(
    case: OrderCase, draft: Draft, lookup: Lookup, refund: Refund, standing: Standing
) -> str:
    """Want the credit memo, unless the ERP corrects the sale itself; returns what the pay-out settles."""
    reference = case.reference(refund.id, ReferenceKind.CREDIT_MEMO)
    if standing.is_open_sales_order and case.already(reference) is None:
        if case.settings.sales_order_refunds == "pay_out":
            return ""
        if case.settings.sales_order_refunds == "hold":
            raise _sales_order_refunded(case, refund, standing.sale)
    document, taxes = credit_memo(case, lookup, refund, standing)
    draft.want(document, lookup, taxes=taxes, tax_mode=_tax_mode(refund, standing))
    return document.reference


def _tax_mode(refund: Refund, standing: Standing) -> str:
    """Tax is written as on the sale. A refund that takes tax instead of giving it back stands on the liability account:
    no ERP computes a negative tax."""
    return "liability_line" if refund.tax < ZERO else standing.tax_mode


def credit_memo(
    case: OrderCase, lookup: Lookup, refund: Refund, standing: Standing
) -> tuple[SalesDocument, Taxes]:
    """The credit memo of a refund of this sale, not yet tied out, and the store's taxes of its lines."""
    sale = standing.sale
    original = {line.key: line for line in sale.lines}
    if case.settings.credit_accounts == "current":
        original |= {line.key: line for line in order_lines(case, lookup)}
    bases = [_base(case, part, refund, original) for part in refund.lines]
    lines = [
        line
        for number, (part, base) in enumerate(zip(refund.lines, bases, strict=True), start=1)
        for line in _lines(case, lookup, part, base, number, original, _tax_mode(refund, standing))
    ]
    taxes = taxes_by_line(case.order)
    document = SalesDocument(
        kind=DocumentKind.CREDIT_MEMO,
        reference=case.reference(refund.id, ReferenceKind.CREDIT_MEMO),
        partner=sale.partner,
        currency=case.order.currency,
        posting_date=lookup.on,
        document_date=case.day(refund.created_at),
        due_date=lookup.on,
        lines=tuple(lines),
        total=refund.total,
        tax=refund.tax,
        rate=document_rate(case, lookup.on),
        billing=sale.billing,
        shipping=sale.shipping,
        memo=f"Refund {refund.id} of order {case.order.id}",
        store_order=case.order.id,
        corrects=standing.payments_settle,
        tax_override=sale.tax_override,
        origins=(
            Origin(field=f"refunds[{refund.id}].total_amount", value=f"{refund.total:f}"),
            Origin(field=f"refunds[{refund.id}].total_tax", value=f"{refund.tax:f}"),
        ),
    )
    return document, {line.key: taxes[line.base_line] for line in lines if line.base_line in taxes}


def _base(
    case: OrderCase, part: RefundLine, refund: Refund, original: Mapping[str, DocumentLine]
) -> DocumentLine | None:
    """The line of the sale that is given back; None for what no line explains.

    A charge that is alone of its kind is meant whatever id the refund names.

    :raises Stop: held, if the refund names a line that the sale does not have
    """
    if part.part in _UNEXPLAINED:
        return None
    place = _PLACES[part.part]
    exact = original.get(f"{place}:{part.of}") or original.get(part.of)
    alike = [line for key, line in original.items() if key.startswith(f"{place}:")]
    if exact or (len(alike) == 1 and place != "line"):
        return exact or alike[0]
    raise Stop(
        Outcome.HELD,
        Problem(
            code="refund_of_unknown_line",
            sentence=f"Refund {refund.id} gives back {case.amount(part.gross)} for {place} {part.of}, which the posted sale "
            "does not have.",
            way_out="Book the refund by hand in the ERP and exclude the order with a reason.",
        ),
    )


def _lines(
    case: OrderCase,
    lookup: Lookup,
    part: RefundLine,
    base: DocumentLine | None,
    number: int,
    original: Mapping[str, DocumentLine],
    tax_mode: str,
) -> Iterator[DocumentLine]:
    if base is not None:
        kept = _kept_back(case, part, base)
        yield _given_back(replace(part, net=part.net + kept, gross=part.gross + kept), base, number)
        if kept:
            fee = replace(part, net=-kept, tax=ZERO, gross=-kept)
            yield replace(
                _unattributed(case, lookup, fee, number), key=f"refund:{number}:kept", text="Kept back"
            )
        return
    if part.net:
        yield _unattributed(case, lookup, part, number)
    if part.tax:
        yield from _tax_alone(case, lookup, part, number, original, tax_mode)


def _kept_back(case: OrderCase, part: RefundLine, base: DocumentLine) -> Decimal:
    """What the merchant kept of a product, such as a restocking fee: its tax went back whole, its price did not."""
    if part.part is not RefundPart.PRODUCT or not base.quantity:
        return ZERO
    share = part.quantity / base.quantity
    whole_net, whole_tax = (rounded(amount * share, case.order.currency) for amount in (base.net, base.tax))
    kept = whole_net - part.net
    limit = case.settings.rounding_limit * quantum(case.order.currency)
    return kept if kept > limit and abs(whole_tax - part.tax) <= limit else ZERO


def _given_back(part: RefundLine, base: DocumentLine, number: int) -> DocumentLine:
    """A line of the sale, given back as far as the refund says, on the sale's own item, account and tax code."""
    return replace(
        base,
        key=f"refund:{number}",
        quantity=part.quantity if part.part is RefundPart.PRODUCT else ONE,
        net=part.net,
        tax=part.tax,
        list_net=None,
        base_line=base.key,
        origins=(
            Origin(
                field=f"refunds.items[{number - 1}]",
                value=f"{part.net:f} + {part.tax:f} tax = {part.gross:f}",
                rule=f"line {base.key} of the corrected document",
            ),
            *base.origins,
        ),
    )


def _unattributed(case: OrderCase, lookup: Lookup, part: RefundLine, number: int) -> DocumentLine:
    account = lookup.need(
        "account.unattributed_refund",
        "refund",
        label="Unattributed refunds",
        sentence="Refunds that no order line explains have no G/L account.",
    )
    return DocumentLine(
        key=f"refund:{number}",
        use=Use.UNATTRIBUTED_REFUND,
        text="Refund",
        quantity=ONE,
        net=part.net,
        tax=ZERO,
        account=account.target,
        cost_center=account.extra.get("cost_center", ""),
        tax_code=exempt_code(case, lookup).target,
        origins=(Origin(field=f"refunds.items[{number - 1}]", value=f"{part.gross:f}", rule=account.rule),),
    )


def _tax_alone(
    case: OrderCase,
    lookup: Lookup,
    part: RefundLine,
    number: int,
    original: Mapping[str, DocumentLine],
    tax_mode: str,
) -> Iterator[DocumentLine]:
    """Tax that is given back (or taken) without goods, on the tax code with the most tax of the sale."""
    base = _unattributed(case, lookup, part, number)
    code = _main_tax_code(original)
    known = case.facts.tax_codes.get(code)
    if tax_mode != "erp":
        yield replace(
            base, key=f"refund:{number}:tax", net=ZERO, tax=part.tax, tax_code=code or base.tax_code
        )
        return
    if not known or not known.rate:
        raise Stop(
            Outcome.HELD,
            Problem(
                code="refund_of_tax",
                sentence=f"A refund gives back {case.amount(part.tax)} tax, and the sale has no taxed line.",
                way_out="Book the refund by hand in the ERP and exclude the order with a reason.",
            ),
        )
    net = rounded(part.tax * 100 / known.rate, case.order.currency)
    yield replace(
        base, key=f"refund:{number}:tax", text="Tax given back", net=net, tax=part.tax, tax_code=code
    )
    yield replace(base, key=f"refund:{number}:back", text="Tax given back", net=-net)


def _main_tax_code(original: Mapping[str, DocumentLine]) -> str:
    lines = [line for line in original.values() if line.tax]
    by_code = {line.tax_code: ZERO for line in lines}
    for line in lines:
        by_code[line.tax_code] += abs(line.tax)
    return max(sorted(by_code), key=lambda code: by_code[code], default="")


def _payouts(
    case: OrderCase, lookup: Lookup, refund: Refund, partner: str, settles: str
) -> Iterator[MoneyDocument]:
    """Money that went back, each payment from the account it came in on."""
    for index, payment in enumerate(refund.payments):
        reference = _payout_reference(case, refund, index)
        yield _payout(case, lookup, refund, payment, reference, partner, settles)


def _payout_reference(case: OrderCase, refund: Refund, index: int) -> str:
    part = "" if index == 0 else chr(ord("A") + index)
    return case.reference(refund.id, ReferenceKind.PAYOUT, part=part)


def _payout(
    case: OrderCase,
    lookup: Lookup,
    refund: Refund,
    payment: RefundPayment,
    reference: str,
    partner: str,
    settles: str,
) -> MoneyDocument:
    account = clearing_account(lookup, payment)
    return MoneyDocument(
        kind=DocumentKind.PAYOUT,
        reference=reference,
        partner=partner,
        currency=case.order.currency,
        amount=payment.amount,
        account=account.target,
        posting_date=lookup.on,
        settles=settles,
        method=payment.method,
        rate=document_rate(case, lookup.on),
        memo=f"Refund {refund.id} of order {case.order.id}",
        store_order=case.order.id,
        origins=(
            Origin(field=f"refunds[{refund.id}].payments", value=f"{payment.amount:f}", rule=account.rule),
        ),
    )


def _sales_order_refunded(case: OrderCase, refund: Refund, sale: SalesDocument) -> Stop:
    return Stop(
        Outcome.HELD,
        Problem(
            code="sales_order_refunded",
            sentence=f"Refund {refund.id} gives back {case.amount(refund.total)} of sales order {sale.reference}, which "
            f"{_invoiced(case)}.",
            way_out="Correct it in the ERP and exclude the order; or let the pipeline post refunds of sales orders.",
        ),
    )


def _invoiced(case: OrderCase) -> str:
    """Whether the ERP has invoiced the sales order, in words."""
    invoicing = case.facts.invoicing
    if invoicing is None:
        return "is not in the ERP yet"
    numbers = ", ".join(invoice.number for invoice in invoicing.standing)
    return f"the ERP invoiced as {numbers}" if numbers else "the ERP has not invoiced yet"
