"""The sale itself: an A/R invoice or a sales order with all its lines."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from erp.contract.documents import DocumentKind, DocumentLine, Origin, SalesDocument
from erp.contract.order import Address, Order
from erp.contract.plan import Outcome, Problem, content_hash
from sync.planning.case import OrderCase, Stop
from sync.planning.discounts import with_discount_lines
from sync.planning.liability import Taxes
from sync.planning.lines import charge_key, line_key, sale_lines
from sync.planning.lookup import Lookup
from sync.planning.rates import document_rate
from sync.planning.references import ReferenceKind

FINGERPRINT = "order.sale"  # the origin that says what was sold: an edited order has another


def sale_document(
    case: OrderCase, lookup: Lookup, partner: str, *, revision: int, replaces: str
) -> SalesDocument:
    """The order's sale as a document posted on the lookup's day; not yet tied out."""
    order = case.order
    is_invoice = case.settings.posting_style == "invoice"
    letter = ReferenceKind.INVOICE if is_invoice else ReferenceKind.SALES_ORDER
    return SalesDocument(
        kind=DocumentKind.INVOICE if is_invoice else DocumentKind.SALES_ORDER,
        reference=case.reference(order.id, letter, revision=revision),
        partner=partner,
        currency=order.currency,
        posting_date=lookup.on,
        document_date=case.day(order.created_at),
        due_date=lookup.on + timedelta(days=case.settings.due_days),
        lines=order_lines(case, lookup),
        total=order.total,
        tax=order.tax,
        rate=document_rate(case, lookup.on),
        billing=order.billing,
        shipping=order.shipping[0] if order.shipping else Address(),
        memo=f"Order {order.id}",
        store_order=order.id,
        replaces=replaces,
        tax_override=overrides_tax(case),
        origins=(
            Origin(field="total_inc_tax", value=f"{order.total:f}"),
            Origin(field="total_tax", value=f"{order.tax:f}"),
            Origin(field=FINGERPRINT, value=fingerprint(order)),
        ),
    )


def order_lines(case: OrderCase, lookup: Lookup) -> tuple[DocumentLine, ...]:
    """The order's lines on today's items and accounts."""
    lines = sale_lines(case, lookup)
    return tuple(
        with_discount_lines(case, lookup, lines) if case.settings.discounts == "own_lines" else lines
    )


def overrides_tax(case: OrderCase) -> bool:
    """Whether the store's tax amounts are sent.

    :raises Stop: refused, where the pipeline wants it and the company does not allow it
    """
    if case.settings.tax_mode != "override":
        return False
    if case.facts.allows_tax_override:
        return True
    raise Stop(
        Outcome.REFUSED,
        Problem(
            code="no_tax_override",
            sentence="The pipeline sends the store's tax amounts, and the ERP company does not let them be set.",
            way_out="Allow it in the ERP and run Test connection; or set the pipeline's tax to tax-liability lines.",
        ),
    )


def taxes_by_line(order: Order) -> Taxes:
    """The store's taxes by document line key."""
    return {
        **{line_key(line): line.taxes for line in order.lines},
        **{charge_key(charge): charge.taxes for charge in order.charges},
    }


def fingerprint(order: Order) -> str:
    """A hash of what was sold for how much. Mappings, settings and addresses are no part of it: they edit no order."""
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


def told_fingerprint(sale: SalesDocument) -> str:
    return next((origin.value for origin in sale.origins if origin.field == FINGERPRINT), "")


def _text(amount: Decimal) -> str:
    """The same text for 1, 1.0 and 1.00: how many places a store writes is no edit."""
    return f"{amount.normalize():f}"
