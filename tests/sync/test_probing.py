"""Probes: due at their pace, over the shared session, pausing on wrong credentials, hiding nothing."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import AuditEntry
from erp import breaker
from erp.models import Breaker, ErpConnection
from storefront.models import Store
from sync import probing
from sync.alerts.watching import watch
from sync.models import Alert, Flow, Pipeline, Posting, Probe
from tests.erp.sap_b1.b1_company import B1, CREDENTIALS, running
from tests.sync.rows import make_posting

pytestmark = pytest.mark.django_db


@pytest.fixture
def b1(company: ErpConnection) -> Iterator[B1]:
    """A Service Layer that really answers, behind the ERP company."""
    with running() as sandbox:
        company.settings = {**sandbox.settings, "base_url": f"{sandbox.server.url}/b1s/v1"}
        company.credentials = dict(CREDENTIALS)
        company.save()
        yield sandbox


def asked() -> list[str]:
    return sorted(type(row).__name__ for row in probing.due(timezone.now()))


def test_every_connection_in_use_is_due_every_five_minutes(pipeline: Pipeline) -> None:
    assert asked() == ["ErpConnection", "Store"]
    Probe.objects.create(tenant=pipeline.tenant, store=pipeline.store, started_at=timezone.now())
    assert asked() == ["ErpConnection"]
    Probe.objects.update(started_at=timezone.now() - timedelta(minutes=5))
    assert asked() == ["ErpConnection", "Store"]


@pytest.mark.parametrize("what", ["paused", "switched off", "not used", "never"])
def test_nothing_else_is_asked(pipeline: Pipeline, what: str) -> None:
    match what:
        case "paused":
            Store.objects.update(paused_at=timezone.now())
            ErpConnection.objects.update(paused_at=timezone.now())
        case "switched off":
            Pipeline.objects.update(mode="off")
        case "not used":
            Pipeline.objects.update(paused_at=timezone.now())
        case "never":
            Store.objects.update(probe_minutes=0)
            ErpConnection.objects.update(probe_minutes=0)
    assert asked() == []


def test_a_probe_is_a_read_over_the_shared_session(pipeline: Pipeline, b1: B1) -> None:
    first, second = probing.probe(pipeline.company), probing.probe(pipeline.company)
    assert (first.ok, second.ok, first.sentence) == (True, True, "")
    assert first.milliseconds is not None
    urls = [entry.details["url"] for entry in AuditEntry.objects.filter(action="call.made")]
    assert [url.rsplit("/", 1)[-1] for url in urls] == ["Login", *["SBOBobService_GetLocalCurrency"] * 2]


def test_a_wrong_password_pauses_the_company_and_is_not_tried_again(pipeline: Pipeline, b1: B1) -> None:
    ErpConnection.objects.update(credentials={"password": "wrong"})
    found = probing.probe(ErpConnection.objects.get())
    assert found.ok is False
    company = ErpConnection.objects.get()
    assert company.pause_reason == found.sentence
    assert probing.probe(company) is None


def test_an_erp_that_does_not_answer_opens_the_breaker_and_is_told_once(pipeline: Pipeline) -> None:
    ErpConnection.objects.update(
        settings={"base_url": "http://127.0.0.1:1/b1s/v1", "company_db": "X", "user_name": "u"},
        credentials={"password": "p"},
    )
    company = ErpConnection.objects.get()
    for _ in range(breaker.MOST_FAILURES):
        assert probing.probe(company).ok is False
    assert Breaker.objects.get().state == "open"
    assert probing.probe(company) is None  # its pause is not over

    now = timezone.now()
    watch(now)
    watch(now + timedelta(minutes=5))
    assert [a.subject for a in Alert.objects.filter(kind="erp-unreachable")] == [f"company:{company.pk}"]


def test_while_work_is_due_an_open_breaker_is_left_to_it(pipeline: Pipeline, b1: B1) -> None:
    for _ in range(breaker.MOST_FAILURES):
        breaker.failure(pipeline.company_id)
    Breaker.objects.update(probe_at=timezone.now())
    make_posting(pipeline, "7")
    assert probing.probe(pipeline.company) is None

    Posting.objects.update(due_at=None)
    assert probing.probe(pipeline.company).ok is True
    assert Breaker.objects.get().state == "closed"


def test_a_success_forgives_no_failures_of_work_and_hides_no_failing_flow(pipeline: Pipeline, b1: B1) -> None:
    for _ in range(breaker.MOST_FAILURES - 1):
        breaker.failure(pipeline.company_id)
    assert probing.probe(pipeline.company).ok is True
    assert Breaker.objects.get().failures == breaker.MOST_FAILURES - 1

    Flow.objects.filter(kind="orders").update(last_error="BigCommerce refused orders.")
    now = timezone.now()
    watch(now)
    watch(now + timedelta(minutes=10))
    assert Alert.objects.filter(kind="flow-failing", state="open").count() == 1


def test_probes_are_kept_for_a_week(pipeline: Pipeline) -> None:
    for days in (6, 8):
        Probe.objects.create(
            tenant=pipeline.tenant, store=pipeline.store, started_at=timezone.now() - timedelta(days=days)
        )
    probing.forget_old(timezone.now())
    assert Probe.objects.count() == 1
