"""A real, threaded HTTP/1.1 server with keep-alive on loopback, started in the process that wants it."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import traceback
from collections.abc import Iterable
from typing import Any

from werkzeug import Request, Response
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from sandbox.wire.app import App, Dropped

HOST = "127.0.0.1"


class Server:
    """One running service.

    :ivar url: where it listens, without a trailing slash
    """

    def __init__(self, app: App, port: int = 0) -> None:
        self.app = app
        self._listener = _Listener(app, port)
        self.port: int = self._listener.server_address[1]
        self.url = f"http://{HOST}:{self.port}"
        self._thread = threading.Thread(
            target=self._listener.serve_forever,
            kwargs={"poll_interval": 0.05},
            name=f"{app.name}:{self.port}",
            daemon=True,
        )

    def start(self) -> Server:
        """Serve in a background thread."""
        self.app.start()
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening and cut every open connection: to its clients the service is down."""
        self.app.faults.release()
        self._listener.shutdown()
        self._listener.server_close()
        self._listener.cut_connections()
        self._thread.join(timeout=5)
        self.app.stop()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


def serve(app: App, port: int = 0) -> Server:
    """Start ``app`` on 127.0.0.1; port 0 takes a free one. Call ``stop()``, or use it in a ``with``."""
    return Server(app, port).start()


class _Handler(WSGIRequestHandler):
    """Answers one connection, request after request.

    werkzeug's own ``run_wsgi`` closes every connection and waits 10 ms to drain it; here bodies are always
    read whole and answers always have a length, so that connections can be kept.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120  # an idle connection does not keep its thread for ever
    server: _Listener

    def run_wsgi(self) -> None:
        if self.headers.get("Expect", "").lower().strip() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request = Request(self.make_environ())
        try:
            response = self.server.sandbox_app.respond(request)
        except Dropped:
            self._drop()
            return
        except Exception:  # noqa: BLE001 - a bug of the sandbox must look like one, not like a silent client
            response = Response(f"bug in the sandbox\n{traceback.format_exc()}", status=500)
            sys.stderr.write(response.get_data(as_text=True))
        with contextlib.suppress(ConnectionError, TimeoutError):
            self._send(request, response)

    def _send(self, request: Request, response: Response) -> None:
        body = b"" if request.method == "HEAD" or response.status_code == 204 else response.get_data()
        self.send_response(response.status_code)
        for name, value in response.headers.items():
            if name.lower() not in ("content-length", "connection"):
                self.send_header(name, value)
        if response.status_code != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drop(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log(self, type: str, message: str, *args: Any) -> None:
        """The call log says it better."""


class _Listener(ThreadedWSGIServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, app: App, port: int) -> None:
        self.sandbox_app = app
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(HOST, port, _no_wsgi, handler=_Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def cut_connections(self) -> None:
        with self._guard:
            still_open = list(self._open)
        for connection in still_open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is not news."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


def _no_wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    raise NotImplementedError("requests are answered by the handler itself")
