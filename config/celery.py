"""The Celery application. The database is the queue of record; the broker is only a bell."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_ready
from kombu.transport.redis import Channel

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


# kombu 5.7 puts back what is not acknowledged when it closes a connection, and where the broker is still away that ends
# the worker (AttributeError, as in kombu's issue 582). Without it a stopped worker's messages do what a killed one's do:
# they come back after the visibility time-out. Bells are rung again by the sweeper long before (docs/adr/0001). RabbitMQ's
# channel is another class.
Channel.do_restore = False

# Tasks carry correlation ids: `audit.tasks` listens to the signals.
app = Celery("tieout")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    """Celery configures no logging when somebody listens here: Django's settings already have."""


@worker_ready.connect
def _answer_metrics(**_: Any) -> None:
    """A worker tells what it counted, where the environment says so."""
    from django.conf import settings

    from config.metrics import worker

    if settings.TIEOUT_WORKER_METRICS:
        worker.serve(settings.TIEOUT_WORKER_METRICS)
