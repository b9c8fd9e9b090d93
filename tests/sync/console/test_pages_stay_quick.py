"""Pages ask the database as often for fifty rows as for five."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from unfold.admin import checkbox

from audit import Action
from audit.recording import record
from sync.models import Event, Pipeline, Posting
from tenants.models import Tenant, User
from tenants.roles import Role
from tests.sync.console.making import make_document, make_gap, make_person, make_posting, make_run

PAGES = (
    "/admin/",
    "/admin/sync/posting/",
    "/admin/sync/gap/?state__exact=open",
    "/admin/sync/document/",
    "/admin/sync/event/",
    "/admin/sync/reprocess/",
    "/admin/audit/auditentry/",
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
            make_event(pipeline, number)
            record(Action.PLAN_MADE, tenant_id=pipeline.tenant_id, subject=("order", f"S1/{number}"))

    return make


def make_event(pipeline: Pipeline, number: int) -> None:
    Event.objects.create(
        tenant=pipeline.tenant,
        store=pipeline.store,
        delivery_key=f"d{number}",
        scope="store/order/updated",
        record_kind="order",
        record_id=str(number),
        state="queued",
    )


@pytest.fixture(params=["of one tenant", "of all tenants"])
def person(request: pytest.FixtureRequest, pipeline: Pipeline) -> User:
    """Who sees several tenants has one more column in every list."""
    if request.param == "of one tenant":
        return make_person(pipeline.tenant, Role.ADMINISTRATOR)
    Tenant.objects.create(slug="beta", name="Beta")
    return User.objects.create_superuser("root", password="unused")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_fifty_rows_costs_exactly_the_queries_of_one_of_five(
    page: str, busy: Callable[[range], None], person: User
) -> None:
    client = Client()
    client.force_login(person)
    client.get(page)  # what is read once in a process is read now

    busy(range(5))
    few = queries(client, page)
    busy(range(5, 50))

    assert queries(client, page) == few <= MOST


def test_all_that_the_home_page_counts_is_in_one_index() -> None:
    (counted,) = (index for index in Posting._meta.indexes if index.name == "sync_posting_counted")

    assert (counted.fields, counted.include) == (["tenant", "status", "record_kind"], ("id",))


def test_a_row_is_chosen_by_the_box_that_the_theme_draws(busy: Callable[[range], None], person: User) -> None:
    busy(range(3))
    client = Client()
    client.force_login(person)

    content = client.get("/admin/sync/posting/").content.decode()

    for posting in Posting.objects.all():
        assert str(checkbox.render("_selected_action", str(posting.pk))) in content


def queries(client: Client, page: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        response = client.get(page)
    assert response.status_code == 200
    return len(captured)
