"""What changed in a store since a moment, page by page, so that nothing that changes while it is read is lost.

Orders (v2) have no cursor and lists drift: a row that changes moves to the end, and those behind it to earlier pages.
So only ever the first page of a list in the order of its changes is asked for, anew from the last time seen. A
page that is all of one second is read by id instead, which no change can shift. What changes during the reading is
seen again at its new time, or by the next poll.

Whether BigCommerce's minimum is itself inside ("returns customers modified after this date", "Customers v3") is not
sure: windows begin a second early and end a second late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from storefront.client import BigCommerceClient, Row
from storefront.paging import PAGE, SMALLEST_PAGE, v3_rows
from storefront.translation.reading import identifier, moment

SECOND = timedelta(seconds=1)
# Refunds have no order that is documented: they are read in windows, and a window that is over does not change.
REFUND_WINDOW = timedelta(days=7)
SURELY_OVER = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A record that changed in the store, and when by the store's clock."""

    record_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some changes. `read_until`: all that changed before it has been given; None where that cannot be said yet."""

    changes: tuple[Changed, ...]
    read_until: datetime | None


def of_orders(client: BigCommerceClient, since: datetime) -> Iterator[Page]:
    """Orders modified since a moment, oldest change first; also archived ones, where the store lists them."""

    def page(anchor: datetime) -> list[Row]:
        return client.read_page(
            "v2/orders", {"min_date_modified": iso(anchor), "sort": "date_modified:asc", "page": "1"}
        )

    def by_id(start: datetime, end: datetime) -> Iterator[list[Row]]:
        asked = {
            "min_date_modified": iso(start),
            "max_date_modified": iso(end),
            "sort": "id:asc",
            "page": "1",
        }
        return pages_by_id(client, asked)

    return _by_change(since, page, by_id)


def of_customers(client: BigCommerceClient, since: datetime) -> Iterator[Page]:
    """Customers modified since a moment. Changes of addresses do not count as such in BigCommerce."""

    def page(anchor: datetime) -> list[Row]:
        return client.read_page(
            "v3/customers", {"date_modified:min": iso(anchor), "sort": "date_modified:asc", "page": "1"}
        )

    def by_cursor(start: datetime, end: datetime) -> Iterator[list[Row]]:
        asked = {"date_modified:min": iso(start), "date_modified:max": iso(end)}
        return client.pages_by_cursor("v3/customers", asked)

    return _by_change(since, page, by_cursor)


def of_refunds(client: BigCommerceClient, since: datetime, *, now: datetime) -> Iterator[Page]:
    """Orders with a refund made since a moment: a refund may not count as a change of its order."""
    start = since
    while True:
        end = start + REFUND_WINDOW
        is_over = end < now - SURELY_OVER
        asked = {"created:min": iso(start - SECOND)} | ({"created:max": iso(end + SECOND)} if is_over else {})
        newest = start
        for rows in _chunks(v3_rows(client.transport.get, "v3/orders/payment_actions/refunds", asked)):
            changes = _changes(rows, "order_id", "created")
            newest = max([newest, *(change.at for change in changes)])
            client.note_calls()
            yield Page(changes=changes, read_until=None)
        client.note_calls()
        yield Page(changes=(), read_until=end if is_over else newest)
        if not is_over:
            return
        start = end


def pages_by_id(client: BigCommerceClient, asked: dict[str, str], *, after: int = 0) -> Iterator[list[Row]]:
    """Every order of a v2 list by rising id, page by page: the next one begins after the last id seen."""
    while True:
        rows = client.read_page(
            "v2/orders", {**asked, "sort": "id:asc", "page": "1", "min_id": str(after + 1)}
        )
        if rows:
            yield rows
        ids = [int(found) for row in rows if (found := identifier(row.get("id"))).isdigit()]
        if len(rows) < SMALLEST_PAGE or not ids or max(ids) <= after:
            return
        after = max(ids)


def iso(at: datetime) -> str:
    """A moment as BigCommerce's filters take it; without its zone it would be ambiguous."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _by_change(
    since: datetime,
    page: Callable[[datetime], list[Row]],
    without_drift: Callable[[datetime, datetime], Iterator[list[Row]]],
) -> Iterator[Page]:
    read = partial(_changes, id_name="id", at_name="date_modified")
    anchor, before = since - SECOND, frozenset[Changed]()
    while True:
        rows = page(anchor)
        changes = read(rows)
        fresh = tuple(change for change in changes if change not in before)
        if not changes or len(rows) < SMALLEST_PAGE:
            yield Page(changes=fresh, read_until=max((c.at for c in changes), default=None))
            return
        last = max(change.at for change in changes)
        yield Page(changes=fresh, read_until=last)
        before = frozenset(changes)
        if last - SECOND > anchor:
            anchor = last - SECOND
            continue
        for more in without_drift(anchor, last + 2 * SECOND):
            yield Page(changes=read(more), read_until=None)
        yield Page(changes=(), read_until=last + SECOND)
        anchor = last + SECOND


def _changes(rows: list[Row], id_name: str, at_name: str) -> tuple[Changed, ...]:
    found = ((identifier(row.get(id_name)), moment(row.get(at_name))) for row in rows)
    return tuple(
        Changed(record_id=record_id, at=at) for record_id, at in found if record_id and at is not None
    )


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == PAGE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
