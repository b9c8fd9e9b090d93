"""What must run again and again says so in a row; who watches looks there."""

from datetime import datetime

from django.db import connection
from django.db.models.functions import Now

from sync.models import Heartbeat

SWEEP = (
    "sweep"  # asked for by beat, rung over the broker, run by a worker: all three are well when it is young
)

# "tieout beat" as a number: the advisory lock of the one beat (config.beat). Such locks are per database.
BEAT_LOCK_KEY = 0x7469656F7574


def beat(name: str) -> None:
    """Say that it has just run, on the database's clock."""
    if not Heartbeat.objects.filter(name=name).update(at=Now()):
        Heartbeat.objects.get_or_create(name=name, defaults={"at": Now()})


def last(name: str) -> datetime:
    """When it ran last. The first question is a beginning: what never ran has run now."""
    row, _ = Heartbeat.objects.get_or_create(name=name, defaults={"at": Now()})
    row.refresh_from_db()
    return row.at


def last_tick() -> tuple[bool, datetime | None]:
    """Whether a beat lives, and when it last looked at its schedule, by the database's clock.

    Nobody writes a heartbeat: PostgreSQL knows who holds the lock and when that connection last asked for anything, which
    beat does at each tick, every five seconds at least. None: another role's connection, of which we may see no more.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOLDER, [BEAT_LOCK_KEY >> 32, BEAT_LOCK_KEY & 0xFFFFFFFF])
        row = cursor.fetchone()
    return (True, row[0]) if row else (False, None)


_HOLDER = """
SELECT activity.query_start FROM pg_locks lock LEFT JOIN pg_stat_activity activity USING (pid)
WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1 AND lock.classid = %s AND lock.objid = %s
  AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
