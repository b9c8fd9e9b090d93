"""What a person has run at once: the request leaves a message after its commit, notes who asked, and does no work itself."""

from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app
from django.db import transaction
from django.test import Client
from kombu import Connection
from kombu.pools import producers

from audit.models import AuditEntry
from sync.asking import ask
from sync.models import Flow, Pipeline, Retention, RetentionRun, StoreFlow
from tenants.roles import Role
from tests.sync.console.making import make_gap, make_person, make_posting

pytestmark = pytest.mark.django_db(transaction=True)
NOBODY = "No worker could be asked: the message broker does not answer."


class Queue:
    """The messages that wait for a worker."""

    def __init__(self, channel: Any) -> None:
        self.channel = channel

    def taken(self) -> list[tuple[str, dict[str, Any]]]:
        """Every message that waits: the task's name and its arguments."""
        found = []
        while (
            message := self.channel.basic_get(current_app.conf.task_default_queue, no_ack=True)
        ) is not None:
            found.append((message.headers["task"].removeprefix("sync.tasks."), message.decode()[1]))
        return found


@pytest.fixture
def queue() -> Iterator[Queue]:
    with current_app.connection_for_read() as connection:
        waiting = Queue(connection.default_channel)
        waiting.taken()
        yield waiting


@pytest.fixture
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens where the broker was."""
    away = Connection("redis://127.0.0.1:1/0", connect_timeout=1)
    monkeypatch.setattr(current_app.amqp, "_producer_pool", producers[away])


@pytest.fixture
def administrator(pipeline: Pipeline) -> Client:
    client = Client()
    client.force_login(make_person(pipeline.tenant, Role.ADMINISTRATOR, Role.OPERATOR))
    return client


def press(client: Client, address: str) -> str:
    answer = client.post(f"/admin/{address}/", {"confirmed": "1"}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_message_leaves_with_the_commit_and_not_before(queue: Queue) -> None:
    with transaction.atomic():
        assert ask("prune", run_id=7)
        assert queue.taken() == []
    assert queue.taken() == [("prune", {"run_id": 7})]


def test_what_is_undone_asks_nobody(queue: Queue) -> None:
    with transaction.atomic():
        ask("prune", run_id=7)
        transaction.set_rollback(True)
    assert queue.taken() == []


def test_everything_that_runs_for_a_store_is_run_by_one_press(
    pipeline: Pipeline, queue: Queue, administrator: Client
) -> None:
    StoreFlow.objects.filter(kind="completeness").update(enabled=False)
    said = press(administrator, f"storefront/store/{pipeline.store_id}/run-now")

    webhooks = StoreFlow.objects.get(kind="webhooks")
    polls = Flow.objects.filter(kind__in=("customers", "orders")).order_by("kind")
    assert (
        "“Webhooks are in place”, “Customers to the ERP”, “Orders, payments and refunds to the ERP”" in said
    )
    assert "of Acme web shop run now." in said
    assert queue.taken() == [
        ("run_store_flow", {"flow_id": webhooks.pk, "by_hand": True}),
        *(("run_flow", {"flow_id": poll.pk, "by_hand": True}) for poll in polls),
    ]
    entries = AuditEntry.objects.filter(action="operator.run").order_by("pk")
    assert [(e.subjects, e.details, e.actor) for e in entries] == [
        (["store:S1"], {"flow": "webhooks"}, "person-0"),
        (["pipeline:main"], {"flow": "customers"}, "person-0"),
        (["pipeline:main"], {"flow": "orders"}, "person-0"),
    ]


def test_a_poll_that_two_pipelines_share_is_run_once_and_not_for_one_that_is_paused(
    pipeline: Pipeline, queue: Queue, administrator: Client
) -> None:
    StoreFlow.objects.update(enabled=False)
    Pipeline.objects.update(paused_at="2026-11-20T10:00:00Z")
    page = press(administrator, f"storefront/store/{pipeline.store_id}/run-now")
    assert "No flow of Acme web shop is switched on." in page
    assert queue.taken() == []


def test_a_viewer_runs_nothing(pipeline: Pipeline, queue: Queue) -> None:
    viewer = Client()
    viewer.force_login(make_person(pipeline.tenant, Role.VIEWER))
    for address in (f"storefront/store/{pipeline.store_id}", f"sync/pipeline/{pipeline.pk}"):
        assert viewer.post(f"/admin/{address}/run-now/", {"confirmed": "1"}).status_code == 403
    assert (queue.taken(), AuditEntry.objects.filter(action="operator.run").count()) == ([], 0)


def test_a_paused_store_runs_nothing_and_says_why(
    pipeline: Pipeline, queue: Queue, administrator: Client
) -> None:
    type(pipeline.store).objects.update(paused_at="2026-11-20T10:00:00Z")
    page = press(administrator, f"storefront/store/{pipeline.store_id}/run-now")
    assert "Acme web shop is paused. Resume it first." in page
    assert queue.taken() == []


def test_the_flows_of_a_pipeline_are_run_and_who_asked_is_noted(
    pipeline: Pipeline, queue: Queue, administrator: Client
) -> None:
    said = press(administrator, f"sync/pipeline/{pipeline.pk}/run-now")
    assert "of Web shop to Acme Inc. run now." in said
    assert [name for name, _ in queue.taken()] == ["run_flow"] * 4
    assert AuditEntry.objects.filter(action="operator.run", subjects=["pipeline:main"]).count() == 4


@pytest.mark.usefixtures("no_broker")
def test_without_a_broker_each_button_says_so_and_what_happens_by_itself(
    pipeline: Pipeline, administrator: Client
) -> None:
    gap = make_gap(pipeline, "HAT", make_posting(pipeline, 1))
    policy = Retention.objects.create(tenant=pipeline.tenant)
    begin = {"since": "2026-11-01T00:00", "until": "2026-11-02T00:00"}
    Pipeline.objects.update(start_at="2026-10-01T00:00:00Z")
    said = [
        press(administrator, f"storefront/store/{pipeline.store_id}/run-now"),
        press(administrator, f"sync/retention/{policy.pk}/prune"),
        administrator.post(
            f"/admin/sync/gap/{gap.pk}/change/", {"then": "read"}, follow=True
        ).content.decode(),
        administrator.post(
            f"/admin/storefront/store/{pipeline.store_id}/completeness/",
            {"confirmed": "1", **begin},
            follow=True,
        ).content.decode(),
    ]
    assert [NOBODY in page for page in said] == [True] * len(said)
    assert RetentionRun.objects.get().finished_at is None
    assert AuditEntry.objects.filter(action="operator.run", details__flow="orders").count() == 0
