"""What a plan will look up in the ERP, told before it is made, so that nothing more is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from erp.contract.documents import DocumentKind, SalesDocument
from erp.contract.facts import FactsNeeded
from erp.contract.order import Customer, Order
from sync.planning.lines import sku_of
from sync.planning.ports import PostedDocument, Rules
from sync.planning.references import partner_code
from sync.planning.settings import PipelineSettings

_A_DAY = timedelta(days=1)


def needs(
    order: Order,
    *,
    store_key: str,
    rules: Rules,
    settings: PipelineSettings,
    posted: tuple[PostedDocument, ...] = (),
    now: datetime,
) -> FactsNeeded:
    """The items, partners and exchange rates that planning this order may ask for.

    Where the ERP company is decides which day a moment is; without knowing that, the days around it are named too.
    """
    days = {day for moment in _moments(order, settings, now) for day in _days_around(moment)}
    if settings.closed_period == "next_open_day":
        days |= set(_firsts_of_months(min(days), max(days)))
    rates = {(order.currency, day) for day in days} if settings.exchange_rate == "erp" else set()
    return FactsNeeded(
        items=frozenset({*_items(order, rules, settings, days), *_items_of(posted)}),
        partners=frozenset(_partners(order, store_key, settings)),
        rates=frozenset(rates),
        **_of_sales_order(posted),
    )


def _of_sales_order(posted: tuple[PostedDocument, ...]) -> dict[str, Any]:
    """The sales order whose invoices decide where its money goes, and the money; nothing before it is in the ERP."""
    known = [(p, p.receipt.key) for p in posted if p.receipt and not p.cancelled]
    orders = [key for p, key in known if p.kind is DocumentKind.SALES_ORDER]
    if not orders:
        return {}
    payments = frozenset(key for p, key in known if p.kind is DocumentKind.PAYMENT)
    return {"sales_order": orders[-1], "payments": payments}


def needs_of_customer(
    customer: Customer,
    *,
    store_key: str,
    rules: Rules,
    settings: PipelineSettings,
    posted: tuple[PostedDocument, ...] = (),
) -> FactsNeeded:
    """The business partner that planning this customer asks for."""
    return FactsNeeded(partners=frozenset({_code(customer, store_key, settings)}))


def _moments(order: Order, settings: PipelineSettings, now: datetime) -> Iterator[datetime]:
    yield order.created_at
    yield order.modified_at
    if order.shipped_at:
        yield order.shipped_at
    yield from (tender.captured_at for tender in order.tenders)
    yield from (refund.created_at for refund in order.refunds)
    if settings.posting_date == "today":
        yield now


def _days_around(moment: datetime) -> set[date]:
    day = moment.astimezone(UTC).date()
    return {day - _A_DAY, day, day + _A_DAY}


def _firsts_of_months(first: date, last: date) -> Iterator[date]:
    """The days on which a period opens: the first of each month, up to the one after the last."""
    day = first.replace(day=1)
    while day <= last + timedelta(days=31):
        yield day
        day = (day + timedelta(days=31)).replace(day=1)


def _items(order: Order, rules: Rules, settings: PipelineSettings, days: set[date]) -> Iterator[str]:
    if settings.goods_lines != "items":
        return
    for sku in {sku_of(line) for line in order.lines}:
        targets = {found.target for day in days if (found := rules.resolve("item", sku, on=day))}
        yield from targets or ({sku} if settings.unmapped_items == "same_code" else ())


def _items_of(posted: tuple[PostedDocument, ...]) -> Iterator[str]:
    for before in posted:
        if isinstance(before.document, SalesDocument):
            yield from (line.item for line in before.document.lines if line.item)


def _partners(order: Order, store_key: str, settings: PipelineSettings) -> Iterator[str]:
    if order.customer:
        yield _code(order.customer, store_key, settings)
    elif settings.one_time_partner:
        yield settings.one_time_partner


def _code(customer: Customer, store_key: str, settings: PipelineSettings) -> str:
    if settings.customer_match == "erp_code" and customer.erp_code:
        return customer.erp_code
    return partner_code(store_key, customer.id)
