"""Whether this process runs, and whether it can do its work: for load balancers and for the launcher."""

from __future__ import annotations

import threading
from typing import Any

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from config.celery import app
from sync import heartbeats
from sync.alerts.of_installation import SILENT_AFTER

BROKER_SECONDS = 2

_migrated = threading.Event()


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """200 while the process answers at all."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and is migrated, else 503.

    The broker is information only: it is a bell, and webhooks are accepted without it.
    """
    checks: dict[str, Any] = {"database": _database(), "migrations": "not asked", "broker": broker_state()}
    if checks["database"] == "ok":
        checks["migrations"] = _migrations()
    if checks["migrations"] == "ok":
        checks["background"] = _background()
    is_ready = checks["database"] == checks["migrations"] == "ok"
    return JsonResponse(
        {"status": "ok" if is_ready else "not ready", **checks}, status=200 if is_ready else 503
    )


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "does not answer"
    return "ok"


def _background() -> str:
    """Information, for whoever asks from outside: nobody may be left in here who could tell."""
    silent = timezone.now() - heartbeats.last(heartbeats.SWEEP) >= SILENT_AFTER
    return "silent" if silent else "ok"


def _migrations() -> str:
    if _migrated.is_set():  # they are not undone under a running process
        return "ok"
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "not all applied"
    except DatabaseError:
        return "cannot be read"
    _migrated.set()
    return "ok"


def broker_state() -> str:
    """ "ok", or that it does not answer, within two seconds."""
    try:
        with app.connection_for_write() as broker:
            limits = {"socket_timeout": BROKER_SECONDS, "socket_connect_timeout": BROKER_SECONDS}
            broker.transport_options = {**broker.transport_options, **limits}
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_SECONDS)
    except (OperationalError, OSError):
        return "does not answer"
    return "ok"
