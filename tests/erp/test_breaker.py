"""The circuit breaker: shared by all workers, opened by failures, closed by a probe."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from audit.models import AuditEntry
from erp import breaker
from erp.models import Breaker, BreakerState, ErpConnection


def fail(connection: ErpConnection, times: int) -> None:
    for _ in range(times):
        breaker.failure(connection.pk)


def pause_is_over(connection: ErpConnection) -> None:
    Breaker.objects.filter(connection=connection).update(probe_at=Now())


def test_a_company_nobody_ever_failed_at_is_allowed(connection: ErpConnection) -> None:
    assert breaker.allow(connection.pk)
    breaker.success(connection.pk)
    assert not Breaker.objects.exists()


def test_five_failures_in_a_row_open_it(connection: ErpConnection) -> None:
    fail(connection, 4)
    assert breaker.allow(connection.pk)
    fail(connection, 1)
    assert not breaker.allow(connection.pk)
    assert AuditEntry.objects.filter(action="breaker.changed").count() == 1


def test_a_success_in_between_starts_the_count_again(connection: ErpConnection) -> None:
    fail(connection, 4)
    breaker.success(connection.pk)
    fail(connection, 4)
    assert breaker.allow(connection.pk)


def test_after_the_pause_one_worker_probes(connection: ErpConnection) -> None:
    fail(connection, 5)
    pause_is_over(connection)
    assert breaker.allow(connection.pk)
    assert not breaker.allow(connection.pk)


def test_a_probe_that_succeeds_closes_it(connection: ErpConnection) -> None:
    fail(connection, 5)
    pause_is_over(connection)
    assert breaker.allow(connection.pk)
    breaker.success(connection.pk)
    assert breaker.allow(connection.pk)
    assert breaker.allow(connection.pk)
    assert Breaker.objects.get(connection=connection).state == BreakerState.CLOSED


def test_a_probe_that_fails_opens_it_for_longer(connection: ErpConnection) -> None:
    fail(connection, 5)
    pause_is_over(connection)
    assert breaker.allow(connection.pk)
    fail(connection, 1)
    assert not breaker.allow(connection.pk)
    assert Breaker.objects.get(connection=connection).state == BreakerState.OPEN


def test_calls_under_way_when_it_opened_do_not_lengthen_the_pause(connection: ErpConnection) -> None:
    fail(connection, 5)
    opened = Breaker.objects.get(connection=connection)
    fail(connection, 7)  # eight workers had asked the same dead ERP
    after = Breaker.objects.get(connection=connection)
    assert (after.failures, after.probe_at) == (5, opened.probe_at)
    assert after.probe_at - after.opened_at == timedelta(seconds=15)


def test_a_probe_that_never_came_back_lets_another_through(connection: ErpConnection) -> None:
    fail(connection, 5)
    pause_is_over(connection)
    assert breaker.allow(connection.pk)
    pause_is_over(connection)
    assert breaker.allow(connection.pk)


@pytest.mark.parametrize(("failures", "seconds"), [(5, 15), (6, 30), (7, 60), (9, 240), (10, 300), (99, 300)])
def test_pauses_double_up_to_five_minutes(failures: int, seconds: int) -> None:
    assert breaker.pause_after(failures) == timedelta(seconds=seconds)
