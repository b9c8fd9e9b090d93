"""The one beat of an installation: a second one on the same database refuses to start."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

import psycopg
import structlog
from django.db import connection
from django_celery_beat.schedulers import DatabaseScheduler

from sync.steps import Step, reached

log = structlog.get_logger(__name__)

# "tieout beat" as a number; advisory locks are per database, so other installations are not in the way.
LOCK_KEY = 0x7469656F7574


class AnotherBeatRuns(SystemExit):
    """Ends the process with status 1 and a sentence."""

    def __init__(self) -> None:
        super().__init__("Another beat already runs on this database. There is exactly one per installation.")


def last_tick() -> tuple[bool, datetime | None]:
    """Whether a beat lives, and when it last looked at its schedule, by the database's clock.

    Nobody writes a heartbeat: PostgreSQL knows who holds the lock and when that connection last asked for anything, which
    beat does at each tick, every five seconds at least. None: another role's connection, of which we may see no more.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOLDER, [LOCK_KEY >> 32, LOCK_KEY & 0xFFFFFFFF])
        row = cursor.fetchone()
    return (True, row[0]) if row else (False, None)


_HOLDER = """
SELECT activity.query_start FROM pg_locks lock LEFT JOIN pg_stat_activity activity USING (pid)
WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1 AND lock.classid = %s AND lock.objid = %s
  AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class SingleScheduler(DatabaseScheduler):
    """django-celery-beat's scheduler, which holds an advisory lock of PostgreSQL while it lives.

    PostgreSQL gives the lock back when the process or its machine is gone, so nothing has to be cleaned up.
    The connection must be a direct one or pooled per session: a transaction pooler would lose the lock.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._lock: psycopg.Connection[Any] | None = None
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        """Take the lock before anything is read or written."""
        self._take_lock()
        super().setup_schedule()

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Send what is due, but only while the lock is ours."""
        if not self._still_ours():
            log.warning("beat.lock_lost")
            self._take_lock()
        until_next = super().tick(*args, **kwargs)
        reached(Step.TICKED)
        return until_next

    def close(self) -> None:
        """Give the lock back with the schedule."""
        super().close()
        if self._lock is not None:
            self._lock.close()

    def _take_lock(self) -> None:
        parameters = {
            name: value
            for name, value in connection.get_connection_params().items()
            if name not in ("context", "cursor_factory", "prepare_threshold", "pool")
        }
        self._lock = psycopg.connect(**parameters, autocommit=True)
        row = self._lock.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_KEY]).fetchone()
        if row is None or not row[0]:
            self._lock.close()
            self._lock = None
            refusal = AnotherBeatRuns()
            print(refusal, file=sys.stderr)  # noqa: T201 - celery hides what a SystemExit says
            raise refusal

    def _still_ours(self) -> bool:
        if self._lock is None:
            return False
        try:
            self._lock.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True
