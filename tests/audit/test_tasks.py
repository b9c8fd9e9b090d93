"""A task runs under the correlation id of whoever sent it, and gives its thread back clean."""

from __future__ import annotations

import pytest
from celery import Celery, shared_task

from audit import correlation
from audit.tasks import HEADER

seen: list[tuple[str, str]] = []


@shared_task(name="tests.look")
def look() -> None:
    """Note under which id and as whom the task runs."""
    seen.append((correlation.get(), correlation.actor()))


@shared_task(name="tests.fail")
def fail() -> None:
    """A task that raises."""
    raise ValueError("on purpose")


@pytest.fixture
def app() -> Celery:
    """A Celery application that runs tasks here and now, with everything that a real run signals."""
    from config.celery import app

    seen.clear()
    return app


def run(task: object, **headers: str) -> None:
    """Run a task as a worker does, with the headers a message would have."""
    task.apply(headers=headers)  # type: ignore[attr-defined]


def test_the_id_of_the_sender_is_bound_and_the_actor_is_tieout_itself(app: Celery) -> None:
    with correlation.bind("sender-id-0001", actor="jane"):
        run(look, **{HEADER: "webhook-id-0001"})
        assert (correlation.get(), correlation.actor()) == ("sender-id-0001", "jane")
    assert seen == [("webhook-id-0001", "")]


@pytest.mark.parametrize("given", ["", "no", "bad id with spaces"])
def test_a_task_without_a_proper_id_gets_a_new_one(app: Celery, given: str) -> None:
    run(look, **({HEADER: given} if given else {}))
    ((bound, _),) = seen
    assert correlation.is_well_formed(bound)
    assert bound != given


def test_a_failing_task_leaves_no_id_behind(app: Celery) -> None:
    run(fail, **{HEADER: "webhook-id-0001"})
    assert correlation.get() == ""


def test_the_bound_id_is_sent_along(app: Celery) -> None:
    from celery.signals import before_task_publish

    headers: dict[str, str] = {}
    with correlation.bind("webhook-id-0001"):
        before_task_publish.send(sender="tests.look", headers=headers, body=(), routing_key="")
    assert headers == {HEADER: "webhook-id-0001"}
    before_task_publish.send(sender="tests.look", headers=(without := {}), body=(), routing_key="")
    assert without == {}
