from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from celery.beat import SchedulingError
from django.db import connection
from django.utils import timezone
from kombu import Connection
from kombu.pools import producers

from config.beat import AGAIN_SECONDS, SingleScheduler
from config.celery import app
from sync import tasks
from sync.heartbeats import BEAT_LOCK_KEY, last_tick

PROJECT = Path(__file__).resolve().parents[2]
BEAT = [sys.executable, "-m", "celery", "-A", "config", "beat", "-l", "INFO"]


def start_beat(env: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        BEAT, cwd=PROJECT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def read_until(process: subprocess.Popen[str], text: str) -> str:
    said = ""
    while text not in said:
        line = process.stdout.readline()
        assert line, f"beat ended: {said}"
        said += line
    return said


@pytest.mark.timeout(300)
@pytest.mark.django_db(transaction=True)
def test_a_second_beat_refuses_to_start_while_the_first_lives(process_environment):
    first = start_beat(process_environment)
    try:
        read_until(first, "Scheduler: Sending due task sweep")
        second = start_beat(process_environment)
        said, _ = second.communicate(timeout=120)
        assert second.returncode == 1
        assert "Another beat already runs on this database." in said
        assert first.poll() is None
        # While it lives, PostgreSQL tells when it last looked at its schedule.
        lives, ticked = last_tick()
        assert lives
        assert abs((timezone.now() - ticked).total_seconds()) < 30
    finally:
        first.kill()
        first.wait()
        first.stdout.close()
    # However the first one ended, PostgreSQL gives the lock to the next that asks.
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '20s'")
        cursor.execute("SELECT pg_advisory_lock(%s)", [BEAT_LOCK_KEY])
        cursor.execute("SELECT pg_advisory_unlock(%s)", [BEAT_LOCK_KEY])
        assert cursor.fetchone() == (True,)
    assert last_tick() == (False, None)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_does_not_end_beat(monkeypatch):
    scheduler = SingleScheduler(app=app, lazy=True)
    scheduler.setup_schedule()
    assert scheduler.tick() != AGAIN_SECONDS

    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "HOST", "/nowhere")
        scheduler._lock.close()  # as a restarted PostgreSQL does
        assert scheduler.tick() == AGAIN_SECONDS

    assert scheduler.tick() != AGAIN_SECONDS
    scheduler.close()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_while_beat_starts_does_not_end_it(monkeypatch):
    there = connection.settings_dict["HOST"]
    waits = []

    def until_it_is_back(seconds):
        waits.append(seconds)
        connection.settings_dict["HOST"] = there

    monkeypatch.setattr("config.beat.time.sleep", until_it_is_back)
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nowhere")
    scheduler = SingleScheduler(app=app, lazy=True)
    scheduler.setup_schedule()

    assert waits == [AGAIN_SECONDS]
    assert scheduler.tick() != AGAIN_SECONDS
    scheduler.close()


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_is_one_line_for_each_task_and_what_nobody_knows_stays_an_error(
    monkeypatch, caplog
):
    scheduler = SingleScheduler(app=app, lazy=True)
    scheduler.setup_schedule()
    entry = scheduler.schedule["sweep"]
    away = Connection("redis://127.0.0.1:1/0", connect_timeout=1)
    monkeypatch.setattr(app.amqp, "_producer_pool", producers[away])

    scheduler.apply_entry(entry)
    [told] = [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
    assert (told.msg["event"], told.msg["task"], told.exc_info) == ("beat.broker_away", "sweep", None)

    monkeypatch.setattr(tasks.sweep, "apply_async", lambda *_, **__: 1 // 0)
    with pytest.raises(SchedulingError, match="division"):
        scheduler.apply_async(entry)
    scheduler.close()
