"""The one beat of an installation: a second one on the same database refuses to start."""

from __future__ import annotations

import sys
import time
from typing import Any

import psycopg
import structlog
from celery.beat import SchedulingError
from django.db import InterfaceError, OperationalError, connection
from django_celery_beat.schedulers import DatabaseScheduler
from kombu.exceptions import OperationalError as BrokerAway

from sync.heartbeats import BEAT_LOCK_KEY
from sync.steps import Step, reached

log = structlog.get_logger(__name__)

DATABASE_AWAY = (psycopg.OperationalError, OperationalError, InterfaceError)
AGAIN_SECONDS = 2.0  # while the database is away
# PostgreSQL needs a moment to see that a connection is gone, ours after a failure or a killed beat's.
PATIENCE_SECONDS = 5


class AnotherBeatRuns(SystemExit):
    """Ends the process with status 1 and a sentence."""

    def __init__(self) -> None:
        super().__init__("Another beat already runs on this database. There is exactly one per installation.")


class SingleScheduler(DatabaseScheduler):
    """django-celery-beat's scheduler, which holds an advisory lock of PostgreSQL while it lives.

    PostgreSQL gives the lock back when the process or its machine is gone, so nothing has to be cleaned up.
    The connection must be a direct one or pooled per session: a transaction pooler would lose the lock.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._lock: psycopg.Connection[Any] | None = None
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        """Take the lock before anything is read or written. A database that goes away meanwhile is waited for."""
        while True:
            try:
                self._take_lock()
                return super().setup_schedule()
            except DATABASE_AWAY:
                log.warning("beat.database_away")
                time.sleep(AGAIN_SECONDS)

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Send what is due, but only while the lock is ours. A database that is away is waited for."""
        try:
            if not self._still_ours():
                log.warning("beat.lock_lost")
                self._take_lock()
            until_next = super().tick(*args, **kwargs)
        except DATABASE_AWAY:
            log.warning("beat.database_away")
            return AGAIN_SECONDS
        reached(Step.TICKED)
        return until_next

    def apply_async(self, entry: Any, *args: Any, **kwargs: Any) -> Any:
        """Send one due task. Where the broker is away that is one line; its next turn comes with its schedule."""
        try:
            return super().apply_async(entry, *args, **kwargs)
        except SchedulingError as error:
            if not isinstance(error.__context__, (BrokerAway, OSError)):
                raise
            log.warning("beat.broker_away", task=entry.name)
            return None

    def close(self) -> None:
        """Give the lock back with the schedule."""
        super().close()
        if self._lock is not None:
            self._lock.close()

    def _take_lock(self) -> None:
        if self._lock is not None:
            self._lock.close()
        parameters = {
            name: value
            for name, value in connection.get_connection_params().items()
            if name not in ("context", "cursor_factory", "prepare_threshold", "pool")
        }
        self._lock = psycopg.connect(**parameters, autocommit=True)
        self._lock.execute(f"SET lock_timeout = '{PATIENCE_SECONDS}s'")
        try:
            self._lock.execute("SELECT pg_advisory_lock(%s)", [BEAT_LOCK_KEY])
        except psycopg.errors.LockNotAvailable as error:
            self._lock.close()
            self._lock = None
            refusal = AnotherBeatRuns()
            print(refusal, file=sys.stderr)  # noqa: T201 - celery hides what a SystemExit says
            raise refusal from error

    def _still_ours(self) -> bool:
        if self._lock is None:
            return False
        try:
            self._lock.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True
