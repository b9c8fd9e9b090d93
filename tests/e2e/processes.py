"""The product as real processes on the test's own database: web, worker; started, stopped, killed, frozen."""

import time
from pathlib import Path
from typing import Protocol

import requests

from config.local.children import free_port
from config.local.installation import PROJECT as ROOT
from proof import processes
from proof.processes import Process

__all__ = ["ROOT", "Process", "Product", "free_port", "wait_until_ready"]


class Product:
    """Web and workers over one database and one broker."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment = environment
        self.folder = folder
        self.processes: list[Process] = []
        self.url = ""

    def start_web(self) -> Process:
        bind = f"127.0.0.1:{free_port()}"
        self.url = f"http://{bind}"
        web = self._start("web", processes.WEB, {"TIEOUT_BIND": bind, "TIEOUT_WEB_PROCESSES": "1"})
        wait_until_ready(f"{self.url}/health/live", web)
        return web

    def start_worker(self, *, threads: int = 4) -> Process:
        return self._start("worker", processes.worker(threads), {})

    def start_beat(self) -> Process:
        return self._start("beat", processes.BEAT, {})

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.stop()

    def logs(self) -> str:
        return "\n".join(process.last_lines() for process in self.processes)

    def _start(self, name: str, command: tuple[str, ...], more: dict[str, str]) -> Process:
        number = len(self.processes) + 1
        process = Process(f"{name}-{number}", command, {**self.environment, **more}, self.folder)
        self.processes.append(process.start())
        return process


class _Logged(Protocol):
    log: Path


def wait_until_ready(url: str, process: _Logged) -> None:
    """Until a web process answers at an address; what it wrote, if it does not."""
    ends = time.monotonic() + 40
    while time.monotonic() < ends:
        try:
            if requests.get(url, timeout=1).ok:
                return
        except requests.RequestException:
            pass
        time.sleep(0.1)
    raise AssertionError(
        f"the web process did not come up:\n{process.log.read_text(errors='replace')[-4000:]}"
    )
