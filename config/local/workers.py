"""Workers and beat of one machine, forked from one parent: what they import is in memory once, not once for each.

`python -m config.local.workers --processes N --threads N`. A child that ends is started again; a parent that is killed
takes its children along where the system can promise that.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import signal
import sys
import time
from collections import deque

import django

from config.local.children import dies_with_parent

MOST_RESTARTS = 3
RESTART_WINDOW_SECONDS = 60.0
NICE = 5  # on one machine with the web process: a store that waits for an answer comes before an order that can wait


def main() -> int:
    """Run until SIGTERM or SIGINT, or until a child ends again and again; the exit status."""
    given = _arguments()
    os.nice(NICE)
    _import_everything()
    names = ["beat", *(f"worker{number + 1}" for number in range(given.processes))]
    return Family(names, given.threads).run()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m config.local.workers", description=__doc__)
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="worker processes (1)")
    parser.add_argument("--threads", type=int, default=8, metavar="N", help="threads of each (8)")
    return parser.parse_args()


def _import_everything() -> None:
    """What every child needs, before there are any; nothing is opened and no thread is started here."""
    from config.celery import app

    django.setup()
    for name in ("bin.celery", "apps.beat", "apps.worker", "concurrency.thread", "worker.consumer"):
        importlib.import_module(f"celery.{name}")
    importlib.import_module("config.beat")
    app.loader.import_default_modules()
    app.finalize()
    gc.collect()
    gc.freeze()  # a collection in a child would touch, and so copy, every page


class Family:
    """The parent of named children."""

    def __init__(self, names: list[str], threads: int) -> None:
        self._threads = threads
        self._children: dict[int, str] = {}
        self._ended: deque[float] = deque(maxlen=MOST_RESTARTS)
        self._stopping = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        for name in names:
            self._fork(name)

    def run(self) -> int:
        """Wait for the children, until all have ended."""
        status = 0
        while self._children:
            pid, _ = os.wait()
            name = self._children.pop(pid, "")
            if name and not self._stopping:
                status = self._again(name)
        return status

    def _again(self, name: str) -> int:
        now = time.monotonic()
        self._ended.append(now)
        if len(self._ended) == MOST_RESTARTS and now - self._ended[0] < RESTART_WINDOW_SECONDS:
            print(f"{name} ended; children ended {MOST_RESTARTS} times within a minute", flush=True)
            self._stop(signal.SIGTERM, None)
            return 1
        print(f"{name} ended; starting it again", flush=True)
        self._fork(name)
        return 0

    def _fork(self, name: str) -> None:
        bind_to_parent = dies_with_parent(signal.SIGTERM)
        pid = os.fork()
        if pid:
            self._children[pid] = name
            return
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        if bind_to_parent is not None:
            bind_to_parent()
        status = 1
        try:
            status = _be(name, self._threads)
        finally:
            sys.stdout.flush()
            os._exit(status)

    def _stop(self, number: int, frame: object) -> None:
        self._stopping = True
        for pid in self._children:
            os.kill(pid, signal.SIGTERM)


def _be(name: str, threads: int) -> int:
    from config.celery import app

    quiet = ["-q", name.rstrip("0123456789")]
    worker = ["-P", "threads", "-c", str(threads), "-n", name, "--without-gossip", "--without-mingle"]
    try:
        app.start([*quiet, *(worker if name != "beat" else []), "-l", "WARNING"])
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
