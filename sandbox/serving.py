"""What the sandbox's commands have in common: the ports they are given, and serving until somebody ends it."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Sequence

from sandbox.wire import Server


def arguments(module: str, about: str | None) -> argparse.ArgumentParser:
    """A parser with the ports of both servers; the command adds its own."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=about)
    for server in ("bigcommerce", "service-layer"):
        parser.add_argument(f"--{server}-port", type=int, default=0, metavar="N", help="0 takes a free port")
    return parser


def serve_until_stopped(servers: Sequence[Server]) -> int:
    """Say where each server is, and serve until SIGTERM or Ctrl-C."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    for server in servers:
        print(f"{server.app.name} {server.url}", flush=True)
    stopped.wait()
    for server in servers:
        server.stop()
    return 0
