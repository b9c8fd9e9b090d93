"""The Celery application. The database is the queue of record; the broker is only a bell."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


# Tasks carry correlation ids: `audit.tasks` listens to the signals.
app = Celery("tieout")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    """Celery configures no logging when somebody listens here: Django's settings already have."""
