"""`./tieout doctor`, on this test's own database, broker, sandbox store and sandbox ERP."""

import io
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from audit.partitions import partitions
from config.doctor import background, database, machine
from config.doctor.finding import Finding, Level, problem
from config.doctor.machine import compared
from config.management.commands.doctor import Command
from erp.models import Breaker, BreakerState, ErpConnection
from storefront.models import Store
from sync.heartbeats import SWEEP
from sync.models import Flow, Heartbeat, StoreFlow
from tests.config.metrics.lived_in import a_beat, live_in
from tests.sync.rows import make_company, make_pipeline, make_posting, make_store

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture
def pipeline(db):
    from tenants.models import Tenant

    tenant = Tenant.objects.create(slug="acme", name="Acme Hats")
    return make_pipeline(tenant, make_store(tenant), make_company(tenant))


def run(*arguments: str) -> tuple[int, str]:
    """The command in this process: its exit status and what it said."""
    out = io.StringIO()
    try:
        call_command("doctor", *arguments, stdout=out, no_color=True)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def problems(findings: list[Finding]) -> list[str]:
    return [finding.sentence for finding in findings if finding.level is Level.PROBLEM]


def of_area(area: str) -> list[dict[str, str]]:
    """What one area finds, as the command's JSON tells it."""
    _, said = run("--json", "--only", area)
    return json.loads(said)["findings"]


def test_a_well_installation_is_said_to_be_well(pipeline):
    """All but the database, whose servers for tests give durability up for speed."""
    areas = ("clock", "keys", "broker", "queue", "flows")
    with a_beat():
        status, said = run("--only", "beat", *(part for area in areas for part in ("--only", area)))
    assert status == 0, said
    assert "Beat runs." in said
    assert said.endswith("All is well.\n")
    assert "PROBLEM" not in said


def test_a_database_that_gives_durability_up_is_a_problem(db):
    """As that of the tests does, for speed."""
    found = problems(list(database.look_at_the_database()))
    assert found == [
        "A power cut could lose acknowledged webhooks: fsync is off, synchronous_commit is off, full_page_writes is off."
    ]


def test_a_durable_database_is_said_to_be(db, monkeypatch):
    monkeypatch.setattr(database, "DURABLE", {"fsync": ("off",)})
    found = list(database.look_at_the_database())
    assert problems(found) == []
    assert "What is committed is on the disk." in {each.sentence for each in found}
    assert "All migrations are applied." in {each.sentence for each in found}


def test_a_transaction_that_is_open_for_long_is_named_with_how_to_end_it(db, monkeypatch):
    monkeypatch.setattr(database, "LONG_TRANSACTION", timedelta(milliseconds=1))
    parameters = connection.get_connection_params()
    names = ("host", "port", "dbname", "user", "password")
    with psycopg.connect(**{name: parameters[name] for name in names if name in parameters}) as other:
        pid = other.execute("SELECT pg_backend_pid()").fetchone()[0]
        time.sleep(0.01)
        found = [
            each.to_do for each in database.look_at_the_database() if f"Connection {pid} " in each.sentence
        ]
    assert found == [f"See what it is; SELECT pg_terminate_backend({pid}) ends it."]


def test_a_missing_partition_of_next_month_is_a_problem(db):
    next_month = (timezone.now().replace(day=1) + timedelta(days=32)).strftime("%Y_%m")
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE audit_callbody_{next_month}")
    assert partitions()
    assert "The audit trail has no partition for next month." in problems(
        list(database.look_at_the_database())
    )


def test_migrations_that_are_not_applied_are_counted(db):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    assert "Migrations that are not applied: 1." in problems(list(database.look_at_the_database()))


def test_a_token_under_an_older_key_is_a_note_and_one_that_nothing_reads_a_problem(pipeline, settings):
    Store.objects.update(access_token="bc-token-3141592653")
    assert [found.level for found in database.look_at_the_keys()] == [Level.GOOD]

    settings.FERNET_KEYS = [Fernet.generate_key().decode(), *settings.FERNET_KEYS]
    [old] = list(database.look_at_the_keys())
    assert (old.level, "rotate_keys" in old.to_do) == (Level.NOTE, True)

    settings.FERNET_KEYS = [Fernet.generate_key().decode()]
    [lost] = list(database.look_at_the_keys())
    assert lost.level is Level.PROBLEM
    assert "storefront_store.access_token of row" in lost.sentence


def test_no_beat_and_a_silent_beat_are_problems(db, monkeypatch):
    assert problems(list(background.look_at_beat())) == [
        "No beat runs: nothing is polled, and what nobody rang for waits."
    ]
    monkeypatch.setattr(background, "last_tick", lambda: (True, timezone.now() - timedelta(minutes=3)))
    [said] = problems(list(background.look_at_beat()))
    assert "has not looked at its schedule for 180 seconds" in said


def test_a_sweep_that_is_long_ago_is_a_problem(db):
    with a_beat():
        Heartbeat.objects.create(name=SWEEP, at=timezone.now())
        assert problems(list(background.look_at_beat())) == []
        Heartbeat.objects.update(at=timezone.now() - timedelta(minutes=6))
        [said] = problems(list(background.look_at_beat()))
    assert said.startswith("Nothing has swept for due work since ")


def test_a_broker_that_does_not_answer_is_a_problem_and_the_rest_is_looked_at(db):
    env = {"CELERY_BROKER_URL": "redis://127.0.0.1:1/0", "REDIS_URL": "redis://:hunter2-secret@127.0.0.1:1/0"}
    done = as_process("--only", "broker", "--only", "workers", **env)
    assert done.returncode == 1
    assert "The broker does not answer" in done.stdout
    assert "The cache does not answer" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "memory, said",
    [
        ({"maxmemory": 1000, "maxmemory_policy": "allkeys-lru"}, ["note"]),
        ({"maxmemory": 1000, "maxmemory_policy": "noeviction"}, []),
        ({"maxmemory": 0, "maxmemory_policy": "allkeys-lru"}, []),
    ],
)
def test_a_redis_that_may_throw_the_queue_away_is_a_note(memory, said):
    assert [str(found.level) for found in background._eviction(memory)] == said


def test_no_worker_is_a_problem(db):
    assert any("No worker answered" in each for each in problems(list(background.look_at_the_workers())))


def test_orders_that_wait_too_long_or_for_a_person_are_told(pipeline):
    live_in(pipeline)
    sentences = {(row["level"], row["sentence"]) for row in of_area("queue")}
    assert ("problem", "The oldest due order has waited for 10 minutes.") in sentences
    assert ("note", "acme: 1 is refused.") in sentences
    assert ("note", "acme: 1 is held.") in sentences
    assert ("note", "Mappings that are missing: 1.") in sentences


def test_a_flow_that_fails_is_told_with_its_own_words(pipeline):
    Flow.objects.filter(kind="orders").update(last_error="Store S1 does not answer.")
    [row] = of_area("flows")
    assert row["sentence"].endswith("Store S1 does not answer.")
    assert row["level"] == "problem"


def test_a_flow_of_a_store_that_fails_is_told_too(pipeline):
    StoreFlow.objects.filter(kind="completeness").update(last_error="Store S1 does not answer.")
    [row] = of_area("flows")
    assert row["sentence"] == "acme, store S1, Every order is accounted for: Store S1 does not answer."


def test_clocks_that_differ_are_told_by_how_much():
    now = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
    assert compared(now, now + timedelta(seconds=1), now, whose="the database's").level is Level.GOOD
    apart = compared(now, now - timedelta(seconds=90), now, whose="the database's")
    assert apart.sentence == "This machine's clock and the database's are 90 seconds apart."


def test_a_full_disk_is_a_problem(monkeypatch):
    monkeypatch.setattr(machine, "LEAST_FREE", 1.01)
    assert problems(list(machine.look_at_the_disk()))


@pytest.mark.parametrize("secret", ["SECRET_KEY", "TIEOUT_METRICS_TOKEN"])
def test_a_secret_in_a_servers_own_words_is_not_repeated(settings, secret):
    settings.TIEOUT_METRICS_TOKEN = "Rk3vT9mQzWv4Lr8Xc1Bn"
    found = problem(f"It said {getattr(settings, secret)} to ada@example.com.", "Nothing.")
    assert found.sentence == "It said [secret] to [personal]"


def test_what_is_paused_is_not_asked(pipeline):
    now = timezone.now()
    Store.objects.update(paused_at=now, pause_reason="The token is wrong.")
    ErpConnection.objects.update(paused_at=now, pause_reason="The password is wrong.")
    assert [row["sentence"] for row in of_area("stores") + of_area("companies")] == [
        "acme, store S1 is paused: The token is wrong.",
        "acme, ERP company main is paused: The password is wrong.",
    ]


def test_an_open_breaker_is_told(pipeline):
    Breaker.objects.create(tenant=pipeline.tenant, connection=pipeline.company, state=BreakerState.OPEN)
    assert any("its circuit breaker is open" in row["sentence"] for row in of_area("companies"))


def as_process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "doctor", *arguments],
        cwd=PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=90,
    )


def test_without_a_database_the_rest_is_looked_at():
    done = as_process("--offline", DATABASE_URL="postgresql://tieout:hunter2-secret@127.0.0.1:1/none")
    assert done.returncode == 1
    assert "PostgreSQL does not answer: webhooks are refused and nothing is posted." in done.stdout
    assert "Not looked at, because PostgreSQL does not answer." in done.stdout
    assert "The broker answers." in done.stdout
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stdout + done.stderr


def test_an_environment_that_is_not_complete_is_refused_in_sentences():
    done = as_process(TIEOUT_FIELD_KEYS="")
    assert done.returncode == 1
    assert "- TIEOUT_FIELD_KEYS is missing." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "wrong, right",
    [
        (["--oflline"], "--offline"),
        (["--only", "databse"], "choose from settings, disk, database, clock, keys, broker, beat"),
        (["now"], "[--offline] [--json] [--only AREA]"),
    ],
)
def test_wrong_arguments_are_refused_with_what_would_be_right(capsys, wrong, right):
    command = Command()
    command._called_from_command_line = True
    with pytest.raises(SystemExit) as ended:
        command.create_parser("tieout", "doctor").parse_args(wrong)
    assert ended.value.code == 2
    assert right in " ".join(capsys.readouterr().err.replace("'", "").split())


def test_an_interruption_ends_it_cleanly(pipeline, monkeypatch):
    def interrupted():
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr("config.doctor.background.last_tick", interrupted().__next__)
    err = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", "--only", "beat", stdout=io.StringIO(), stderr=err)
    assert ended.value.code == 130
    assert "Interrupted. Nothing was changed." in err.getvalue()


def test_it_changes_nothing_but_the_trail(pipeline):
    make_posting(pipeline, "77")
    before = [*Store.objects.values(), *ErpConnection.objects.values(), *Flow.objects.values()]
    run("--offline")
    assert [*Store.objects.values(), *ErpConnection.objects.values(), *Flow.objects.values()] == before
