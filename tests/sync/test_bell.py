"""The bell keeps nobody waiting, whatever the broker does."""

import threading
import time
from collections.abc import Callable

import pytest
from kombu import Connection
from kombu.exceptions import OperationalError

from sync import bell
from sync.bell import Bell
from sync.measures import RINGS
from tests.waiting import wait_until


def counted(outcome: str) -> float:
    return RINGS.labels(outcome)._value.get()


def test_a_dead_broker_neither_blocks_nor_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "REST_SECONDS", 0.01)
    failed = counted("failed")

    def publish(company_id: int) -> None:
        with Connection("redis://127.0.0.1:1/0", connect_timeout=1) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=1)

    dead = Bell(publish)
    started = time.monotonic()
    for company_id in range(100):
        dead.ring(company_id)
    assert time.monotonic() - started < 0.5

    wait_until(lambda: counted("failed") > failed, say=lambda: "no ring failed")


def test_rings_of_one_company_while_the_broker_is_slow_become_one() -> None:
    slow, heard = threading.Event(), []

    def publish(company_id: int) -> None:
        heard.append(company_id)
        slow.wait(10)

    slow_bell = Bell(publish)
    slow_bell.ring(1)
    wait_until(lambda: heard == [1])
    for _ in range(50):
        slow_bell.ring(2)
        slow_bell.ring(1)
    slow.set()

    wait_until(lambda: len(heard) == 3)
    assert sorted(heard) == [1, 1, 2]


@pytest.mark.parametrize("trouble", [OperationalError("away"), ConnectionResetError()])
def test_it_rings_again_after_a_failure(monkeypatch: pytest.MonkeyPatch, trouble: Exception) -> None:
    monkeypatch.setattr(bell, "REST_SECONDS", 0.01)
    heard: list[int] = []

    recovering = Bell(failing_once(trouble, heard))
    recovering.ring(1)
    wait_until(lambda: -1 in heard)
    recovering.ring(2)

    wait_until(lambda: 2 in heard)


def failing_once(trouble: Exception, heard: list[int]) -> Callable[[int], None]:
    def publish(company_id: int) -> None:
        if not heard:
            heard.append(-1)
            raise trouble
        heard.append(company_id)

    return publish
