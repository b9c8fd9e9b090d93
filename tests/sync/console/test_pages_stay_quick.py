"""Pages ask the database as often for fifty rows as for five."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sync.models import Pipeline
from tenants.roles import Role
from tests.sync.console.making import make_document, make_gap, make_person, make_posting, make_run

PAGES = (
    "/admin/",
    "/admin/sync/posting/",
    "/admin/sync/gap/?state__exact=open",
    "/admin/sync/document/",
    "/admin/sync/reprocess/",
)
MOST = 30


@pytest.fixture
def busy(pipeline: Pipeline) -> Callable[[range], None]:
    def make(numbers: range) -> None:
        for number in numbers:
            posting = make_posting(pipeline, number)
            make_gap(pipeline, f"SKU-{number}", posting)
            make_document(posting)
            make_run(posting, f"Order {number}")

    return make


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_fifty_rows_costs_no_more_queries_than_one_of_five(
    page: str, busy: Callable[[range], None], pipeline: Pipeline
) -> None:
    client = Client()
    client.force_login(make_person(pipeline.tenant, Role.ADMINISTRATOR))
    client.get(page)  # what is read once in a process is read now

    busy(range(5))
    few = queries(client, page)
    busy(range(5, 50))
    many = queries(client, page)

    assert many <= few + 1, "a query for each row"
    assert many <= MOST


def queries(client: Client, page: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response = client.get(page)
    assert response.status_code == 200
    return len(captured)
