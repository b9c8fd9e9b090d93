"""What the journey counts for Prometheus, by tenant and company."""

import pytest
from prometheus_client import REGISTRY

from erp.models import ErpConnection
from sandbox.bigcommerce import Line, Shopping
from tests.e2e.world import World

pytestmark = pytest.mark.django_db(transaction=True)

COMPANY = {"tenant": "acme", "company": "main"}
ERP = {"side": "erp", "tenant": "acme", "connection": "main"}
STORE = {"side": "store", "tenant": "acme", "connection": "S1"}


def counts() -> dict[str, float]:
    """What this process has counted so far; counters only grow."""
    asked = {
        "journeys done": ("tieout_journeys_total", {**COMPANY, "outcome": "done"}),
        "journeys put off": ("tieout_journeys_total", {**COMPANY, "outcome": "later"}),
        "journeys timed": ("tieout_journey_seconds_count", COMPANY),
        "waits timed": ("tieout_wait_seconds_count", COMPANY),
        "posted": ("tieout_postings_finished_total", {**COMPANY, "status": "posted"}),
        "waiting": ("tieout_postings_finished_total", {**COMPANY, "status": "waiting"}),
        "invoices created": ("tieout_attempts_total", {**COMPANY, "kind": "invoice", "outcome": "created"}),
        "payments created": ("tieout_attempts_total", {**COMPANY, "kind": "payment", "outcome": "created"}),
        "invoices put off": ("tieout_attempts_total", {**COMPANY, "kind": "invoice", "outcome": "later"}),
        "ERP calls refused": ("tieout_calls_total", {**ERP, "answer": "5xx"}),
        "store calls": ("tieout_calls_total", {**STORE, "answer": "2xx"}),
        "store calls timed": ("tieout_call_seconds_count", STORE),
    }
    return {what: REGISTRY.get_sample_value(*one) or 0 for what, one in asked.items()}


def grown(before: dict[str, float]) -> dict[str, float]:
    return {what: count - before[what] for what, count in counts().items() if count != before[what]}


def hat() -> Shopping:
    return Shopping(lines=(Line("SKU-1", "19.99"),))


def test_a_posted_order_is_counted_once_everywhere(world: World) -> None:
    assert ErpConnection.objects.get().tenant.slug == "acme"
    before = counts()
    world.post(world.store.place(hat()))
    store_calls = len(world.bigcommerce.calls.select())
    assert grown(before) == {
        "journeys done": 1,
        "journeys timed": 1,
        "waits timed": 1,
        "posted": 1,
        "invoices created": 1,
        "payments created": 1,
        "store calls": store_calls,
        "store calls timed": store_calls,
    }


def test_an_ERP_that_is_down_is_counted_as_such(world: World) -> None:
    world.post(world.store.place(hat()))
    world.b1.faults.add("answer", moment="before", method="GET", path="/Invoices", status=503)
    before = counts()
    world.post(world.store.place(hat()))
    found = grown(before)
    assert {what: n for what, n in found.items() if not what.startswith("store")} == {
        "journeys put off": 1,
        "journeys timed": 1,
        "waits timed": 1,
        "waiting": 1,
        "invoices put off": 1,
        "ERP calls refused": 1,
    }
