"""What /metrics reads from rows when it is asked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from erp.models import ErpConnection
from storefront.models import Store
from sync.models import Pipeline, Posting
from tests.config.metrics.lived_in import live_in
from tests.config.metrics.reading import samples, value
from tests.sync.console.making import make_posting
from tests.sync.rows import make_company, make_pipeline, make_store

pytestmark = pytest.mark.django_db
PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture
def pipeline(db):
    from tenants.models import Tenant

    tenant = Tenant.objects.create(slug="acme", name="Acme Hats")
    return make_pipeline(tenant, make_store(tenant), make_company(tenant))


def read(client: Client) -> str:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_empty_installation_answers_too(client):
    text = read(client)
    assert value(text, "tieout_database_up") == 1
    assert value(text, "tieout_beat_running") == 0
    assert value(text, "tieout_build_info", version=settings.VERSION) == 1


def test_a_lived_in_database_is_told_by_tenant_company_and_flow(client, pipeline):
    live_in(pipeline)
    text = read(client)
    company = {"tenant": "acme", "company": "main"}
    counts = {labels["status"]: count for name, labels, count in samples(text) if name == "tieout_postings"}
    assert counts == {"waiting": 2, "unknown": 1, "blocked": 1, "held": 1, "refused": 1}
    assert 600 <= value(text, "tieout_oldest_due_seconds", **company) < 660
    assert value(text, "tieout_postings_at_work", **company) == 1
    assert value(text, "tieout_parallel_limit", **company) == 4
    assert value(text, "tieout_gaps_open", tenant="acme") == 1
    assert value(text, "tieout_breaker", **company, state="open") == 1
    assert value(text, "tieout_breaker", **company, state="closed") == 0
    assert value(text, "tieout_webhook_signature_failures", store="S1", reason="bad_signature") == 1
    flow = {"tenant": "acme", "pipeline": "main", "flow": "customers"}
    assert value(text, "tieout_flow_active", **flow) == 1
    assert value(text, "tieout_flow_failing", **flow) == 1
    assert value(text, "tieout_flow_interval_seconds", **flow) == 300
    assert 420 <= value(text, "tieout_flow_lag_seconds", **flow) < 480
    ago = timezone.now().timestamp() - value(text, "tieout_flow_last_success_timestamp_seconds", **flow)
    assert 420 <= ago < 480
    for name in ("tieout_last_webhook_timestamp_seconds", "tieout_last_document_timestamp_seconds"):
        assert 0 <= timezone.now().timestamp() - value(text, name, tenant="acme") < 60


def test_what_is_paused_is_told_and_nothing_of_it_counts_as_late(client, pipeline):
    live_in(pipeline)
    Store.objects.update(paused_at=timezone.now())
    text = read(client)
    assert value(text, "tieout_paused", kind="store", key="S1") == 1
    assert value(text, "tieout_paused", kind="company", key="main") == 0
    assert value(text, "tieout_paused", kind="pipeline", key="main") == 0
    assert value(text, "tieout_oldest_due_seconds") == 0
    assert value(text, "tieout_flow_active", flow="orders") == 0


@pytest.mark.parametrize("off", [{"enabled": False}, {"pipeline__mode": "off"}])
def test_a_flow_that_is_off_is_not_active(client, pipeline, off):
    pipeline.flows.update(enabled=off.get("enabled", True))
    Pipeline.objects.update(mode=off.get("pipeline__mode", "post"))
    assert value(read(client), "tieout_flow_active", flow="orders") == 0


def test_labels_name_set_up_and_never_a_person_or_an_order(client, pipeline):
    live_in(pipeline)
    Posting.objects.filter(status="held").update(
        record_id="ORDER-7781", reason="for ada@example.com", correlation_id="trace-55512345"
    )
    ErpConnection.objects.update(credentials={"password": "hunter2-secret"})
    allowed = {
        "tenant", "company", "status", "state", "store", "reason", "pipeline", "flow", "kind", "key", "outcome",
        "side", "connection", "answer", "version", "python", "le",
    }  # fmt: skip
    text = read(client)
    assert {label for _, labels, _ in samples(text) for label in labels} <= allowed
    for planted in ("7781", "ada@example.com", "55512345", "hunter2", "SKU HAT", "does not answer", "Acme"):
        assert planted not in text


def test_reading_costs_the_same_number_of_queries_however_many_orders_there_are(client, pipeline):
    live_in(pipeline)
    read(client)
    with CaptureQueriesContext(connection) as few:
        read(client)
    for number in range(100, 160):
        make_posting(pipeline, number, status="waiting", due_at=timezone.now())
    with CaptureQueriesContext(connection) as many:
        read(client)
    assert len(many) == len(few) <= 20


def test_unfinished_orders_are_counted_over_their_own_index_alone(pipeline):
    """However many are posted: PostgreSQL proves from the query that the partial index holds all it asks for."""
    from config.metrics.state import _COUNTS, MOST_COUNTED
    from sync.models import UNFINISHED

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + _COUNTS, {"statuses": list(UNFINISHED), "most": MOST_COUNTED})
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "sync_posting_unfinished" in plan


def test_metrics_answer_while_the_database_does_not():
    ask = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "answer = Client(SERVER_NAME='localhost').get('/metrics')\n"
        "print(answer.status_code, 'tieout_database_up 0.0' in answer.content.decode())"
    )
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": "postgresql://x:y@127.0.0.1:1/none",
    }
    done = subprocess.run(
        [sys.executable, "-c", ask], cwd=PROJECT, env=env, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "200 True", done.stderr
