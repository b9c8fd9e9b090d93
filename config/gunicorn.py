"""gunicorn's settings, for `gunicorn -c python:config.gunicorn config.wsgi`.

Threads, because a request mostly waits for the database.
"""

from __future__ import annotations

import gc
import os
from typing import Any

from config.logging import configure_structlog, logging_settings
from config.metrics import folder

bind = os.environ.get("TIEOUT_BIND", "127.0.0.1:8000")
workers = int(os.environ.get("TIEOUT_WEB_PROCESSES", "2"))
threads = int(os.environ.get("TIEOUT_WEB_THREADS", "8"))
worker_class = "config.slow_senders.Worker"
preload_app = (
    True  # what is imported is in memory once; connections and threads are made when they are needed
)
timeout = 60
graceful_timeout = 20
keepalive = 5
limit_request_line = 8190
limit_request_fields = 60
# No header may become SCRIPT_NAME or PATH_INFO: by default one may that comes from this machine, and so does whatever a
# reverse proxy on it passes on.
forwarder_headers = ""
control_socket_disable = True  # nothing on a local disk

folder.prepare()  # before the application is imported: its counters are made then


def when_ready(server: object) -> None:
    """Everything is imported and nothing is forked: a collection in a child must not touch, and so copy, every page."""
    gc.collect()
    gc.freeze()


def on_exit(server: object) -> None:
    """The master ends: nobody asks for these counts any more."""
    folder.remove()


logconfig_dict = logging_settings(
    level=os.environ.get("TIEOUT_LOG_LEVEL", "INFO"), log_format=os.environ.get("TIEOUT_LOG_FORMAT", "json")
)
configure_structlog()


def post_worker_init(worker: Any) -> None:
    """Each process writes what it counted, and watches where nobody else does, once it is forked and Django is ready."""
    from sync.alerts import watchman
    from sync.answers import tally

    tally.start()
    watchman.start()


def worker_exit(server: Any, worker: Any) -> None:
    """What was counted last is written too."""
    from sync.answers import tally

    tally.stop()
