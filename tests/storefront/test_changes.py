"""Whatever changes while a list is read, no change is lost: neither by drifting pages, nor by ties, nor by a crash."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses
from hypothesis import given, settings
from hypothesis import strategies as st

from erp.contract.http import Wire
from sandbox.bigcommerce import Line, Person, Shopping
from storefront import changes
from storefront.changes import Page
from storefront.client import BigCommerceClient
from storefront.limits import Quota
from storefront.transport import Access, Transport

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LONG_AGO = START - timedelta(days=1)
PER_PAGE = 50  # a server that ignores `limit`
HATS = Shopping(lines=(Line("HAT", "10.00"),))


@dataclass
class DriftingStore:
    """A list by its documentation alone; before each answer something may change.

    `is_inclusive`: whether a minimum is itself inside, which the documents leave open.
    """

    modified: dict[int, datetime]
    edits: Iterator[list[int]]
    is_inclusive: bool
    now: datetime = START + timedelta(hours=1)
    asked: list[dict[str, str]] = field(default_factory=list)

    def answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        for order_id in next(self.edits, []):
            self.now += timedelta(seconds=order_id % 2)  # several within one second, too
            self.modified[order_id] = self.now
        query = dict(parse_qsl(urlsplit(str(request.url)).query))
        self.asked.append(query)
        is_v3 = "/v3/" in str(request.url)
        rows = self._rows(query, is_v3)
        page = int(query.get("page", "1"))
        here = [
            {"id": i, "date_modified": at.isoformat()} for i, at in rows[(page - 1) * PER_PAGE :][:PER_PAGE]
        ]
        cursor = {"end_cursor": str(here[-1]["id"])} if here else {}
        return 200, {}, json.dumps({"data": here, "meta": {"cursor_pagination": cursor}} if is_v3 else here)

    def _rows(self, query: dict[str, str], is_v3: bool) -> list[tuple[int, datetime]]:
        low = datetime.fromisoformat(query["date_modified:min" if is_v3 else "min_date_modified"])
        high = datetime.fromisoformat(
            query.get("date_modified:max" if is_v3 else "max_date_modified", "2099-01-01T00:00:00Z")
        )
        first = int(query.get("after", 0)) + 1 if is_v3 else int(query.get("min_id", 1))
        rows = [
            (i, at)
            for i, at in self.modified.items()
            if i >= first and (low <= at <= high if self.is_inclusive else low < at < high)
        ]
        by_time = query.get("sort") == "date_modified:asc"
        return sorted(rows, key=lambda row: (row[1], row[0]) if by_time else row)


def client_of(url: str) -> BigCommerceClient:
    class Nothing(dict):
        def set(self, *_: object, **__: object) -> None: ...
        def add(self, *_: object, **__: object) -> bool:
            return True

        def incr(self, *_: object, **__: object) -> int:
            return 1

    access = Access(key="S1", base_url=url, store_hash="abc123", access_token="t")
    transport = Transport(
        access,
        lambda: Wire(requests.Session(), record=lambda call: None, correlation_id="c"),
        Quota(Nothing(), url),
    )
    return BigCommerceClient(transport, pool=ThreadPoolExecutor(1))


@st.composite
def stores(draw: st.DrawFn) -> DriftingStore:
    """Up to 180 orders, many within the same second, and edits before each of the first calls."""
    seconds = draw(st.lists(st.integers(0, draw(st.sampled_from((0, 2, 40)))), min_size=1, max_size=180))
    modified = {i: START + timedelta(seconds=s) for i, s in enumerate(seconds, start=1)}
    edit = st.lists(st.integers(1, len(seconds)), max_size=60)
    return DriftingStore(
        modified=modified,
        edits=iter(draw(st.lists(edit, max_size=6))),
        is_inclusive=draw(st.booleans()),
    )


def read(pages: Iterator[Page], most: int | None = None) -> tuple[set[tuple[int, datetime]], datetime | None]:
    """The changes of some pages, and up to when they say everything was read."""
    found, until = set(), None
    for page in islice(pages, most):
        found |= {(int(change.record_id), change.at) for change in page.changes}
        until = page.read_until or until
    return found, until


@pytest.mark.parametrize(
    ("path", "of"), [("v2/orders", changes.of_orders), ("v3/customers", changes.of_customers)]
)
@settings(max_examples=120, deadline=None)
@given(store=stores(), dies_after=st.integers(1, 6))
def test_no_change_is_lost_while_pages_drift_even_if_the_poll_dies_in_between(
    path: str,
    of: Callable[[BigCommerceClient, datetime], Iterator[Page]],
    store: DriftingStore,
    dies_after: int,
) -> None:
    url = "http://drifting.test"
    with responses.RequestsMock() as answers:
        answers.add_callback(responses.GET, f"{url}/stores/abc123/{path}", callback=store.answer)
        client = client_of(url)
        found, until = read(of(client, LONG_AGO), dies_after)  # killed here
        more, until_2 = read(of(client, until or LONG_AGO))
        store.edits = iter(())
        rest, _ = read(of(client, until_2 or until or LONG_AGO))

    assert found | more | rest >= set(store.modified.items())


@settings(max_examples=60, deadline=None)
@given(store=stores())
def test_what_is_said_to_be_read_was_read(store: DriftingStore) -> None:
    url = "http://drifting.test"
    with responses.RequestsMock() as answers:
        answers.add_callback(responses.GET, f"{url}/stores/abc123/v2/orders", callback=store.answer)
        found: set[tuple[int, datetime]] = set()
        for page in changes.of_orders(client_of(url), LONG_AGO):
            found |= {(int(change.record_id), change.at) for change in page.changes}
            if page.read_until is not None:
                assert found >= {row for row in store.modified.items() if row[1] < page.read_until}


def test_a_poll_of_a_store_at_rest_asks_once(shop) -> None:
    order_id = shop.store.place(HATS)
    [page] = changes.of_orders(shop.client(), LONG_AGO - timedelta(days=365 * 20))
    assert [change.record_id for change in page.changes] == [str(order_id)]
    assert page.read_until == page.changes[0].at
    assert len(shop.paths()) == 1


def test_three_pages_of_changes_within_one_second_are_all_found(shop) -> None:
    small = Shopping(lines=(Line("A", "1.00"),), placed_at=START)
    placed = {str(shop.store.place(small)) for _ in range(510)}
    found = [c.record_id for page in changes.of_orders(shop.client(), LONG_AGO) for c in page.changes]
    assert set(found) == placed
    assert len(shop.paths()) <= 6


def test_archived_orders_are_among_the_changes_where_the_store_lists_them(shop) -> None:
    order_id = shop.store.place(HATS)
    shop.store.archive(order_id)
    found, _ = read(changes.of_orders(shop.client(), LONG_AGO))
    assert {record_id for record_id, _ in found} == {order_id}


def test_refunds_are_found_by_their_own_list_in_windows_of_a_week(shop) -> None:
    shop.store.change(parts_touch_order=False)
    order_id = shop.store.place(HATS)
    shop.store.refund(order_id)
    now = shop.bigcommerce.clock.now()
    pages = list(changes.of_refunds(shop.client(), now - timedelta(days=20), now=now))
    assert [c.record_id for page in pages for c in page.changes] == [str(order_id)]
    assert len(shop.paths()) == 3
    marks = [page.read_until for page in pages if page.read_until]
    assert marks == sorted(marks)
    assert marks[-1] <= now  # the last window is not over: what was seen is read, no more


def test_customers_are_found_by_their_change(shop) -> None:
    person = shop.store.add_customer(Person(email="b@example.com"))
    found, _ = read(changes.of_customers(shop.client(), LONG_AGO))
    assert {record_id for record_id, _ in found} == {person.customer_id}


def test_the_store_says_what_time_it_is(shop) -> None:
    assert abs(shop.client().store_time() - shop.bigcommerce.clock.now()) < timedelta(seconds=2)
