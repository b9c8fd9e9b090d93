"""The Celery application. The database is the queue of record; the broker is only a bell."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, Task
from celery.signals import setup_logging

from audit import correlation

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class CorrelatedTask(Task):
    """Each run has a correlation id of its own until the work it finds binds the one it belongs to."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with correlation.bind():
            return super().__call__(*args, **kwargs)


app = Celery("tieout", task_cls=CorrelatedTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    """Celery configures no logging when somebody listens here: Django's settings already have."""
