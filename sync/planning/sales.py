"""The sale itself: an A/R invoice or a sales order, tied out."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from erp.contract.documents import DocumentKind, Origin, SalesDocument
from erp.contract.order import Address, Order
from erp.contract.plan import Outcome, content_hash
from sync.planning.case import OrderCase, Stop
from sync.planning.lines import charge_key, line_key, sale_lines
from sync.planning.lookup import Lookup
from sync.planning.moments import posting_day
from sync.planning.rates import document_rate
from sync.planning.references import ReferenceKind

FINGERPRINT = "order.sale"  # the origin that holds what the store sold, to know an edited order by


def sale_draft(
    case: OrderCase, lookup: Lookup, partner: str, *, revision: int = 0, replaces: str = ""
) -> SalesDocument:
    """The order's sale as a document with all its lines; not yet tied out."""
    order = case.order
    is_invoice = case.settings.posting_style == "invoice"
    day = posting_day(case)
    return SalesDocument(
        kind=DocumentKind.INVOICE if is_invoice else DocumentKind.SALES_ORDER,
        reference=case.reference(
            order.id, ReferenceKind.INVOICE if is_invoice else ReferenceKind.SALES_ORDER, revision=revision
        ),
        partner=partner,
        currency=order.currency,
        posting_date=day,
        document_date=case.day(order.created_at),
        due_date=day + timedelta(days=case.settings.due_days),
        lines=tuple(sale_lines(case, lookup)),
        total=order.total,
        tax=order.tax,
        rate=document_rate(case, day),
        billing=order.billing,
        shipping=order.shipping[0] if order.shipping else Address(),
        memo=f"Order {order.id}",
        store_order=order.id,
        replaces=replaces,
        origins=(Origin(field=FINGERPRINT, value=fingerprint(order)),),
    )


def stop_if_gaps(gaps: object) -> None:
    if gaps:
        raise Stop(Outcome.BLOCKED)


def roundings(order: Order) -> dict[str, int]:
    """How many taxes the store rounded on each line, by document line key."""
    return {
        **{line_key(line): max(1, len(line.taxes)) for line in order.lines},
        **{charge_key(charge): max(1, len(charge.taxes)) for charge in order.charges},
    }


def fingerprint(order: Order) -> str:
    """A hash of what was sold for how much. Mappings, settings and addresses are no part of it: changing them edits no order."""
    return content_hash(
        [
            order.currency,
            _text(order.total),
            _text(order.tax),
            sorted(
                [line_key(x), x.sku, _text(x.quantity), _text(x.gross), _text(x.tax)] for x in order.lines
            ),
            sorted([charge_key(x), _text(x.gross), _text(x.tax)] for x in order.charges),
        ]
    )


def _text(amount: Decimal) -> str:
    """The same text for 1, 1.0 and 1.00: how many places a store writes is no edit."""
    return f"{amount.normalize():f}"
