"""A threaded HTTP/1.1 server with TLS, on Linux and Windows alike.

It is meant for a handful of callers that hold a key, behind a firewall or a tunnel; docs/agents.md.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import sys
import threading
from collections.abc import Iterable
from typing import Any

from werkzeug import Response
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from agents.web import Application, JsonRequest

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 64
HANDSHAKE_SECONDS = 10
IDLE_SECONDS = 60  # how long a silent connection keeps its thread


class Server(ThreadedWSGIServer):
    """Listens at once; :meth:`serve_forever` answers until :meth:`shutdown`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, application: Application, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self.application = application
        self._places = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__(host, port, _no_wsgi, handler=_Handler)
        # Not given to werkzeug, which would shake hands in the thread that accepts: one silent client would
        # keep everybody out.
        self.ssl_context = tls

    @property
    def url(self) -> str:
        """Where it listens."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.ssl_context else 'http'}://{host}:{self.port}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hand a connection to a thread of its own, or drop it when there are too many."""
        if not self._places.acquire(blocking=False):
            log.warning("%s connections are open; one more was refused", MOST_CONNECTIONS)
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # the system has no thread left
            self._places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Shake hands, then answer what comes over this connection."""
        try:
            if self.ssl_context is not None:
                request = self._shaken(request, client_address)
            if request is not None:
                super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def _shaken(self, request: socket.socket, client_address: Any) -> ssl.SSLSocket | None:
        assert self.ssl_context is not None
        request.settimeout(HANDSHAKE_SECONDS)
        try:
            return self.ssl_context.wrap_socket(request, server_side=True)
        except OSError as error:  # includes every SSLError
            log.warning("no TLS with %s: %s", client_address[0], error)
            self.shutdown_request(request)
            return None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is not news."""
        if not isinstance(sys.exc_info()[1], OSError):
            log.exception("a connection ended in a bug")


class _Handler(WSGIRequestHandler):
    """Answers one connection, request after request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    server: Server

    def run_wsgi(self) -> None:
        """Read one request, answer it, keep the connection."""
        response = self.server.application.respond(JsonRequest(self.make_environ()))
        self._send(response, b"" if self.command == "HEAD" else response.get_data())

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What is no HTTP gets an error like every other one, and the connection ends."""
        self.requestline, self.request_version = "", "HTTP/1.1"
        self.close_connection = True
        response = self.server.application.not_http(code, message or "this is no HTTP request")
        self._send(response, response.get_data())

    def _send(self, response: Response, body: bytes) -> None:
        with contextlib.suppress(OSError):  # who asked has gone; what was done is remembered
            self.send_response(response.status_code)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    def version_string(self) -> str:
        """What the header Server says: nothing that helps an attacker."""
        return "tieout-agent"

    def log(self, type: str, message: str, *args: Any) -> None:
        """The application's own line says it better."""


def _no_wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    raise NotImplementedError("requests are answered by the handler itself")
