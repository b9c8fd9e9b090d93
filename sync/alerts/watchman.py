"""Who watches the watcher: a thread in every web process that goes on where background work is silent.

The rounds of the watch are asked for by beat, rung over the broker and run by a worker. When none of them has swept for
five minutes, the web processes watch and send messages themselves, until they are back; two at once do nothing twice.
Not covered: that no web process runs either. For that, something outside asks `/health/ready`.
"""

import threading
from datetime import datetime

import structlog
from django.db import DatabaseError, connection
from django.utils import timezone

from sync import heartbeats
from sync.alerts import delivery, watching
from sync.alerts.of_installation import SILENT_AFTER

log = structlog.get_logger(__name__)

EVERY_SECONDS = 60.0


def start() -> None:
    """Begin to look once a minute, in a thread that ends with the process."""
    threading.Thread(target=_run, name="tieout-watchman", daemon=True).start()


def look(now: datetime | None = None) -> bool:
    """One look: whether background work was silent, and this process watched in its place."""
    now = now or timezone.now()
    if now - heartbeats.last(heartbeats.SWEEP) < SILENT_AFTER:
        return False
    log.warning("watchman.background_silent")
    watching.watch(now)
    for destination_id in delivery.destinations_due(now):
        delivery.deliver(destination_id, now)
    return True


def _run() -> None:
    resting = threading.Event()
    while not resting.wait(EVERY_SECONDS):
        try:
            look()
        except DatabaseError as error:  # /health/ready says so; the next look is in a minute
            log.warning("watchman.database_away", error=type(error).__name__)
        finally:
            connection.close()
