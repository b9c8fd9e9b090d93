"""Asking a worker for something soon: one message after the commit, and no waiting for a broker that is away.

Nothing depends on the message: what it is about is a row, which beat finds on its own.
"""

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


def ask(task: str, **arguments: object) -> bool:
    """Have a task of `sync.tasks` run soon; False where it is known that nobody could be asked.

    Within a transaction the message leaves after its commit, so a worker never looks for a row that is not there yet;
    whether it left is not known then.
    """
    left: list[bool] = []
    transaction.on_commit(lambda: left.append(_publish(task, arguments)))
    return all(left)


def _publish(task: str, arguments: dict[str, object]) -> bool:
    try:
        current_app.send_task(f"sync.tasks.{task}", kwargs=arguments, ignore_result=True, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("asking.broker_unreachable", task=task, error=type(error).__name__)
        return False
    return True
