"""The product's web process as production starts it, and bytes sent to it as no well-behaved client would."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.e2e.processes import ROOT, free_port, wait_until_ready

PATIENCE = 20  # seconds until an answer counts as missing


class Web:
    """One gunicorn, with the configuration that `./tieout serve` gives it."""

    def __init__(self, environment: Mapping[str, str], folder: Path, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"web-{self.port}.log"
        own = {
            "TIEOUT_BIND": f"127.0.0.1:{self.port}",
            "TIEOUT_LOG_FORMAT": "json",
            "TIEOUT_WEB_PROCESSES": "1",
            "TIEOUT_WEB_THREADS": "4",
            **settings,
        }
        with self.log.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", "python:config.gunicorn", "config.wsgi"],
                cwd=ROOT,
                env={**environment, **own},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        wait_until_ready(f"{self.url}/health/live", self)

    def said(self) -> str:
        """Everything it wrote so far."""
        return self.log.read_text(errors="replace")

    def stop(self) -> None:
        """SIGTERM, and the end of it."""
        self._process.terminate()
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=15)

    def connect(self) -> socket.socket:
        """A connection to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def statuses(self, *parts: bytes) -> list[int]:
        """The status of every answer to these bytes, sent one after the other; the connection is read to its end."""
        with self.connect() as connection:
            with contextlib.suppress(
                BrokenPipeError, ConnectionResetError
            ):  # it may answer before it has all
                for part in parts:
                    connection.sendall(part)
            received = _read_to_end(connection)
        return [int(line.split()[1]) for line in received.split(b"\r\n") if line.startswith(b"HTTP/1.")]


def _read_to_end(connection: socket.socket) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(65536):
            received += chunk
    return received


def request(
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | list[tuple[str, str]] = (),
    *,
    method: str = "POST",
) -> bytes:
    """A whole request with a right Content-Length."""
    pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
    return head(path, [*pairs, ("Content-Length", str(len(body)))], method=method) + body


def head(path: str, headers: list[tuple[str, str]], *, method: str = "POST") -> bytes:
    """Only what stands before the body."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
    lines += ["Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunked(*chunks: bytes) -> bytes:
    """A body in chunks, and its end."""
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


@contextlib.contextmanager
def web_process(folder: Path, **settings: str) -> Iterator[Web]:
    """A web process on the database of the tests of this process."""
    from django.db import connection

    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    name = connection.settings_dict["NAME"]
    web = Web({**os.environ, "DATABASE_URL": f"{server}/{name}"}, folder, **settings)
    try:
        yield web
    finally:
        web.stop()
