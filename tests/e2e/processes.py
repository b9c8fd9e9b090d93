"""The product as real processes on the test's own database: web, worker; started, stopped, killed, frozen."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

import requests

ROOT = Path(__file__).resolve().parents[2]


class Process:
    """One product process. Its output goes to `log`, which a failing test prints."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self.log = folder / f"{name}-{time.monotonic_ns()}.log"
        with self.log.open("wb") as out:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def freeze(self) -> None:
        os.killpg(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.killpg(self._process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """kill -9, the whole group."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=20)

    def stop(self) -> None:
        """SIGTERM, and a kill if that does not help."""
        if self._process.poll() is not None:
            return
        self.thaw()
        self._process.terminate()
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.kill()


class Product:
    """Web and workers over one database and one broker."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment = environment
        self.folder = folder
        self.processes: list[Process] = []
        self.url = ""

    def start_web(self) -> Process:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "config.wsgi",
            "--bind",
            f"127.0.0.1:{port}",
            "--workers",
            "1",
        ]
        web = self._start("web", [*command, "--worker-class", "gthread", "--threads", "8"])
        wait_until_ready(f"{self.url}/health/live", web)
        return web

    def start_worker(self, *, threads: int = 4) -> Process:
        command = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "config",
            "worker",
            "-P",
            "threads",
            "-c",
            str(threads),
        ]
        return self._start("worker", [*command, "-l", "WARNING", "--without-gossip", "--without-mingle"])

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.stop()

    def logs(self) -> str:
        return "\n".join(
            f"== {p.log.name}\n{p.log.read_text(errors='replace')[-4000:]}" for p in self.processes
        )

    def _start(self, name: str, command: list[str]) -> Process:
        process = Process(name, command, self.environment, self.folder)
        self.processes.append(process)
        return process


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
