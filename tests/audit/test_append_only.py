"""The trail is append-only in the database, by month from the beginning, and never refuses an entry."""

from __future__ import annotations

import datetime
import io
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, ProgrammingError, connection, transaction

from audit import Action, record
from audit.calls import record_call
from audit.models import AuditEntry, CallBody
from audit.partitions import TABLES, make_partitions, partitions
from audit.tasks import make_audit_partitions

UTC = datetime.UTC


@pytest.fixture
def trail(db: None) -> AuditEntry:
    """An entry and a body, with TRUNCATE refused as in production (tests that commit switch that off)."""
    entry = record(Action.PLAN_MADE, tenant_id=1, subject=("order", "S1/1"))
    call = {"method": "GET", "url": "https://erp.example.com/", "status": 200, "seconds": 0.1}
    record_call(**call, sent=b"", received=b"answered", tenant_id=1)
    with connection.cursor() as cursor:
        for table in [*TABLES, *(partition.table for partition in partitions())]:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER audit_no_truncate")
    return entry


def month_of(table: str) -> str:
    return f"{table}_{datetime.datetime.now(UTC):%Y_%m}"


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("place", ["", "month", "default"])
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET tenant_id = 2", "DELETE FROM {}", "TRUNCATE {}", "TRUNCATE {} CASCADE"]
)
def test_nothing_is_changed_or_removed_in_the_table_or_a_partition(
    trail: AuditEntry, table: str, place: str, statement: str
) -> None:
    target = {"": table, "month": month_of(table), "default": f"{table}_default"}[place]
    if place == "default":
        with connection.cursor() as cursor:  # a row whose month has no partition
            cursor.execute(
                f"INSERT INTO {table} SELECT id + 1000000, '1999-01-01', {rest_of(table)} FROM {table} LIMIT 1"
            )
    with (
        pytest.raises(ProgrammingError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(target))


def rest_of(table: str) -> str:
    """All columns but id and at."""
    model = {"audit_auditentry": AuditEntry, "audit_callbody": CallBody}[table]
    return ", ".join(field.column for field in model._meta.concrete_fields if field.name not in ("id", "at"))


def test_django_cannot_change_or_delete_an_entry_either(trail: AuditEntry) -> None:
    trail.actor = "somebody else"
    for write in (
        trail.save,
        trail.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(actor="x"),
    ):
        with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
            write()


def test_there_are_partitions_for_this_month_and_a_year_ahead(db: None) -> None:
    now = datetime.datetime.now(UTC)
    ahead = [(now.year + (now.month - 1 + n) // 12, (now.month - 1 + n) % 12 + 1) for n in range(13)]
    found = {partition.table for partition in partitions()}
    for table in TABLES:
        assert {f"{table}_{year}_{month:02}" for year, month in ahead} | {f"{table}_default"} <= found


def test_an_entry_lies_in_its_months_partition(trail: AuditEntry) -> None:
    assert rows_in(month_of("audit_auditentry")) == AuditEntry.objects.count()
    assert rows_in("audit_auditentry_default") == 0


def rows_in(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ONLY {table}")
        return cursor.fetchone()[0]


@pytest.mark.parametrize("year", [1999, 2999])
def test_an_entry_without_a_partition_is_taken_and_put_in_place_later(db: None, year: int) -> None:
    at = datetime.datetime(year, 2, 28, 23, 59, 59, tzinfo=UTC)
    entry = AuditEntry.objects.create(at=at, action=Action.PLAN_MADE, tenant_id=1)
    assert rows_in("audit_auditentry_default") == 1
    assert make_partitions() == 1
    assert rows_in("audit_auditentry_default") == 0
    assert rows_in(f"audit_auditentry_{year}_02") == 1
    assert AuditEntry.objects.get(pk=entry.pk).at == at
    for statement in (
        f"UPDATE audit_auditentry_{year}_02 SET actor = 'x'",
        f"TRUNCATE audit_auditentry_{year}_02",
    ):
        with (
            pytest.raises(ProgrammingError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_months_begin_and_end_in_utc(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'Pacific/Kiritimati'")
    make_partitions(14)
    bounds = [partition.bounds for partition in partitions() if not partition.table.endswith("_default")]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'UTC'")
    assert all(
        "-01 00:00:00+00" in partition.bounds for partition in partitions() if partition.bounds != "DEFAULT"
    )
    assert bounds


def test_making_partitions_again_makes_none(db: None) -> None:
    make_partitions(14)
    assert make_partitions(14) == 0
    assert make_audit_partitions() == 0


def test_beat_makes_them_every_day() -> None:
    (entry,) = [
        one for one in settings.CELERY_BEAT_SCHEDULE.values() if one["task"] == make_audit_partitions.name
    ]
    assert entry["schedule"] == datetime.timedelta(days=1)


def test_the_command_makes_them_and_lists_all(db: None) -> None:
    out = io.StringIO()
    call_command("audit_partitions", months=13, stdout=out)
    assert out.getvalue().startswith("2 partitions made.")
    assert "audit_callbody_default" in out.getvalue()


def test_a_month_can_be_detached_and_is_then_a_table_of_its_own(trail: AuditEntry) -> None:
    count = AuditEntry.objects.count()
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE audit_auditentry DETACH PARTITION {month_of('audit_auditentry')}")
    assert AuditEntry.objects.count() == 0
    assert rows_in(month_of("audit_auditentry")) == count
    assert record(Action.PLAN_MADE, tenant_id=1).pk  # lands in the default partition


def test_a_role_without_ownership_appends_and_makes_partitions_and_can_do_no_more(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE tieout_app NOLOGIN")
        cursor.execute("GRANT SELECT, INSERT ON audit_auditentry, audit_callbody TO tieout_app")
        cursor.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO tieout_app")
        cursor.execute("SET ROLE tieout_app")
    assert record(Action.PLAN_MADE, tenant_id=1).pk
    assert make_partitions(13) == 2
    for statement in refused_to_the_role():
        with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


def refused_to_the_role() -> list[str]:
    table = month_of("audit_auditentry")
    return [
        "TRUNCATE audit_auditentry",
        "DELETE FROM audit_auditentry",
        f"INSERT INTO {table} SELECT * FROM {table}",
        "ALTER TABLE audit_auditentry DISABLE TRIGGER ALL",
        f"DROP TABLE {table}",
    ]


def test_ids_are_unique_over_all_months_because_one_sequence_gives_them(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence('audit_auditentry', 'id')")
        assert cursor.fetchone()[0] == "public.audit_auditentry_id_seq"


def test_an_action_that_is_not_on_the_list_is_refused(db: None) -> None:
    unlisted: Any = "order.vanished"
    with pytest.raises(ValueError, match=r"order\.vanished"):
        record(unlisted, tenant_id=1)


def test_a_negative_size_is_refused(db: None) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        CallBody.objects.create(tenant_id=1, sha256="0" * 64, size=-1, token=b"x")
