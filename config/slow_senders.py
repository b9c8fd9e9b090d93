"""A gunicorn worker whose threads cannot be held by senders that drip, nor its loop by clients that do not hang up.

gunicorn's thread worker waits for the first byte of a request outside its threads, and for all further bytes inside one,
without end: as many connections as there are threads, a byte now and then each, and nobody is answered any more. Here a
request has to arrive whole, headers and body, within TIEOUT_RECEIVE_SECONDS; then its sender counts as gone.

It also closes connections in the loop that accepts new ones, and waits there up to two seconds for each client to close its
side: a few that do not stop everything. Here that is done beside the loop.
"""

from __future__ import annotations

import os
import socket
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from gunicorn.http import get_parser
from gunicorn.http.errors import NoMoreData
from gunicorn.workers.gthread import TConn, ThreadWorker

RECEIVE_SECONDS = float(os.environ.get("TIEOUT_RECEIVE_SECONDS", "15"))


class ImpatientSocket:
    """The receiving side of a connection, with one deadline for all that a request consists of."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._ends = 0.0

    def expect_request(self) -> None:
        """A request may take its time from now on."""
        self._ends = time.monotonic() + RECEIVE_SECONDS

    def recv(self, size: int) -> bytes:
        """What has arrived.

        :raises NoMoreData: if nothing did before the deadline
        """
        before = self._connection.gettimeout()
        left = self._ends - time.monotonic()
        if left <= 0:
            raise NoMoreData
        self._connection.settimeout(left if before is None else min(before, left))
        try:
            return self._connection.recv(size)
        except TimeoutError as error:
            raise NoMoreData from error
        finally:
            self._connection.settimeout(before)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


CLOSING_THREADS = 16


class Worker(ThreadWorker):
    """Threads, as gunicorn's own, that let go of who sends too slowly."""

    def init_process(self) -> None:
        """As gunicorn, with threads that close connections."""
        self._closing = ThreadPoolExecutor(CLOSING_THREADS, thread_name_prefix="closing")
        super().init_process()

    def enqueue_req(self, conn: TConn) -> None:
        """Give a new connection the parser that gunicorn would give it, on an impatient socket."""
        if conn.parser is None:
            conn.parser = get_parser(self.cfg, ImpatientSocket(conn.sock), conn.client)
        super().enqueue_req(conn)

    def handle(self, conn: TConn) -> Any:
        """The time of a request begins when a thread takes it, not while it queues for one."""
        conn.parser.unreader.sock.expect_request()
        return super().handle(conn)

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        """A connection that is over is closed beside the loop; one that goes on is gunicorn's affair."""
        if fs.cancelled() or fs.exception() or not fs.result():
            self.nr_conns -= 1
            self._closing.submit(conn.close, graceful=True)
            return
        super().finish_request(conn, fs)
