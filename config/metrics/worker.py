"""What one worker counted, on a port of its own: `TIEOUT_WORKER_METRICS=127.0.0.1:9101`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog

from config.metrics import exposition
from config.metrics.access import refusal_of

log = structlog.get_logger(__name__)

_STATUS = {401: "401 Unauthorized", 404: "404 Not Found"}


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 16


class _Handler(WSGIRequestHandler):
    timeout = 10  # seconds for a reader that sends nothing

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a line for each scrape helps nobody."""


def serve(address: str) -> WSGIServer | None:
    """Answer `GET /metrics` on `host:port` from a thread, until the process ends.

    A port that is taken is logged and costs the metrics of this worker, not its work.

    :raises ValueError: if it is not an address such as 127.0.0.1:9101
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"TIEOUT_WORKER_METRICS is {address!r}; it must look like 127.0.0.1:9101.")
    try:
        server = make_server(host, int(port), answer, server_class=_Server, handler_class=_Handler)
    except OSError as error:
        log.error("metrics.port_not_available", address=address, error=error.strerror)
        return None
    threading.Thread(target=server.serve_forever, name="tieout-metrics", daemon=True).start()
    return server


def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The WSGI application of that port."""
    refusal = refusal_of(
        authorization=environ.get("HTTP_AUTHORIZATION", ""),
        address=environ.get("REMOTE_ADDR", ""),
        is_forwarded="HTTP_X_FORWARDED_FOR" in environ or "HTTP_FORWARDED" in environ,
    )
    if environ["PATH_INFO"] != "/metrics" or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        refusal = 404
    if refusal:
        start_response(_STATUS[refusal], [("Content-Length", "0")])
        return []
    start_response("200 OK", [("Content-Type", exposition.CONTENT_TYPE_LATEST)])
    return [exposition.counted()]
