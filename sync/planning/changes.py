"""What happens to a posted sale when its order is edited, cancelled or declined."""

from __future__ import annotations

from dataclasses import dataclass, replace

from erp.contract.documents import DocumentKind, Origin, SalesDocument
from erp.contract.plan import Outcome, Problem
from sync.planning.case import ZERO, OrderCase, Stop
from sync.planning.draft import Draft
from sync.planning.history import History, PastSale, revision_of
from sync.planning.liability import tax_mode_of
from sync.planning.moments import open_day
from sync.planning.references import ReferenceKind
from sync.planning.sales import fingerprint, told_fingerprint
from sync.planning.screening import CANCELLED


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The sale that money and refunds belong to.

    `taken_back_by` is the credit memo of a cancelled order. A sale that is not `ours` was posted by someone else
    before go-live: nothing settles or corrects it.
    """

    sale: SalesDocument
    tax_mode: str
    taken_back_by: str = ""
    ours: bool = True

    @property
    def is_open_sales_order(self) -> bool:
        return self.ours and self.sale.kind is DocumentKind.SALES_ORDER

    @property
    def payments_settle(self) -> str:
        """The invoice that payments are applied to and credit memos correct; empty: on account."""
        is_open = self.ours and not self.taken_back_by and self.sale.kind is DocumentKind.INVOICE
        return self.sale.reference if is_open else ""


def keep_the_past(draft: Draft, history: History) -> None:
    """Sales that were taken back stay in the plan, with what took them back: they are in the books."""
    for past in history.sales:
        draft.keep(past.document)
        if past.taken_back_by:
            draft.keep(past.taken_back_by)


def standing_sale(case: OrderCase, draft: Draft, history: History) -> Standing | None:
    """The posted sale, if it still stands for the order; None where a new one is needed.

    :raises Stop: held, where the order changed and the pipeline leaves that to a person
    """
    if not history.sales:
        return None
    last = history.sales[-1]
    if case.order.state in CANCELLED and not _all_refunded(case):
        return _after_cancellation(case, draft, last)
    if last.taken_back_by:
        return None
    if told_fingerprint(last.document) == fingerprint(case.order):
        return Standing(sale=last.document, tax_mode=tax_mode_of(last.document))
    _stop_unless_edits_are_posted(case, last.document)
    take_back(case, draft, last.document)
    return None


def _all_refunded(case: OrderCase) -> bool:
    refunded = sum((r.total for r in case.order.refunds if not r.pending), ZERO)
    return bool(case.order.total) and refunded >= case.order.total


def _after_cancellation(case: OrderCase, draft: Draft, last: PastSale) -> Standing:
    if last.taken_back_by:
        return _credited(last.document, last.taken_back_by.reference)
    word = case.order.state.value
    policy = {
        "cancelled": case.settings.cancelled_after_posting,
        "declined": case.settings.declined_after_posting,
    }[word]
    refunded = sum((r.total for r in case.order.refunds), ZERO)
    if policy == "credit" and not refunded:
        credit = take_back(case, draft, last.document)
        return _credited(last.document, credit.reference)
    raise Stop(
        Outcome.HELD,
        Problem(
            code=f"{word}_after_posting",
            sentence=f"The order was {word} in the store after {last.document.reference} was posted.",
            way_out="Refund it in the store, or reverse it in the ERP by hand and exclude the order.",
            arithmetic=(
                ("Posted", case.amount(last.document.total)),
                ("Refunded", case.amount(refunded)),
            ),
        ),
    )


def _credited(sale: SalesDocument, by: str) -> Standing:
    return Standing(sale=sale, tax_mode=tax_mode_of(sale), taken_back_by=by)


def _stop_unless_edits_are_posted(case: OrderCase, sale: SalesDocument) -> None:
    if case.settings.edits == "credit_and_repost" and not case.order.refunds:
        return
    why = " It also has refunds, so that no new document can be posted for it." if case.order.refunds else ""
    raise Stop(
        Outcome.HELD,
        Problem(
            code="edited_after_posting",
            sentence=f"The order was edited in the store after {sale.reference} was posted.{why}",
            way_out="Undo the edit in the store, or correct the ERP by hand and exclude the order; or let the "
            "pipeline credit the posted document and post a new one.",
            arithmetic=tuple(_differences(case, sale)),
        ),
    )


def _differences(case: OrderCase, sale: SalesDocument) -> list[tuple[str, str]]:
    """What was posted beside what the store says now, line by line."""
    posted = {line.key: line for line in sale.lines}
    rows = []
    for line in case.order.lines:
        before = posted.get(f"line:{line.id}")
        was = f"{before.quantity:f} for {case.amount(before.net)}" if before else "not there"
        now = f"{line.quantity:f} for {case.amount(line.net)}"
        if was != now:
            rows.append((f"{line.sku or line.name} without tax", f"{was}, now {now}"))
    gone = posted.keys() - {f"line:{line.id}" for line in case.order.lines}
    rows += [
        (f"{posted[key].text}", "no longer in the order") for key in sorted(gone) if key.startswith("line:")
    ]
    return [
        *rows,
        ("Total", f"{case.amount(sale.total)}, now {case.amount(case.order.total)}"),
        ("Tax", f"{case.amount(sale.tax)}, now {case.amount(case.order.tax)}"),
    ]


def take_back(case: OrderCase, draft: Draft, sale: SalesDocument) -> SalesDocument:
    """Want the credit memo that takes a whole sale back: the same lines on the same accounts."""
    day = open_day(case, max(case.day(case.order.modified_at), sale.posting_date))
    is_invoice = sale.kind is DocumentKind.INVOICE
    if not is_invoice:
        raise Stop(
            Outcome.HELD,
            Problem(
                code="sales_order_changed",
                sentence=f"The order changed in the store after sales order {sale.reference} was posted.",
                way_out="Change or close the sales order in the ERP, then exclude the order with a reason.",
            ),
        )
    credit = replace(
        sale,
        kind=DocumentKind.CREDIT_MEMO,
        reference=case.reference(
            case.order.id, ReferenceKind.CANCELLATION, revision=revision_of(sale.reference)
        ),
        posting_date=day,
        document_date=case.day(case.order.modified_at),
        due_date=day,
        lines=tuple(replace(line, base_line=line.key) for line in sale.lines),
        memo=f"Order {case.order.id} changed in the store",
        corrects=sale.reference,
        replaces="",
        fields=(),
        origins=(Origin(field="order.modified_at", value=case.order.modified_at.isoformat()),),
    )
    draft.add(credit, draft.lookup(day), tax_mode=tax_mode_of(sale))
    draft.notes.append(
        f"{credit.reference} takes {sale.reference} back; match what stays open between them in the ERP."
    )
    return credit
