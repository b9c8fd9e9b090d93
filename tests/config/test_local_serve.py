"""`serve` as a person runs it: started, started twice, killed, started again, stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import psutil
import pytest

from config.local.children import free_port
from config.local.folder import DataFolder
from config.local.postgres import EmbeddedPostgres

PROJECT = Path(__file__).resolve().parents[2]
PROGRAMS = {"postgres", "valkey", "web", "workers"}


class Serve:
    """One `serve` on a data folder; what it says is collected as it comes."""

    def __init__(self, data: Path, port: int) -> None:
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("TIEOUT_", "DJANGO_", "CELERY_"))}
        for name in ("DATABASE_URL", "REDIS_URL"):
            kept.pop(name, None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "config.local", "serve", "--data", str(data), "--port", str(port)],
            cwd=PROJECT,
            env={**kept, "TIEOUT_LOG_LEVEL": "WARNING"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.said: list[str] = []
        self._new_line = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            with self._new_line:
                self.said.append(line)
                self._new_line.notify_all()

    def wait_for(self, text: str, timeout: float = 150) -> None:
        with self._new_line:
            found = self._new_line.wait_for(
                lambda: any(text in line for line in self.said) or not self._reader.is_alive(), timeout
            )
        assert found, "".join(self.said)
        assert any(text in line for line in self.said), "".join(self.said)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        status = self.process.wait(60)
        self._reader.join(10)
        self.process.stdout.close()
        return status


def processes_of(data: Path) -> dict[str, psutil.Process]:
    noted = DataFolder(data).processes()
    return {name: psutil.Process(int(note["pid"])) for name, note in noted.items()}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_small_installation_never_runs_twice_and_leaves_nothing_behind(tmp_path):
    data, port = tmp_path / "data", free_port()
    started: list[Serve] = []
    try:
        started.append(Serve(data, port))
        started[0].wait_for("Ctrl-C stops it.")
        first = processes_of(data)
        assert set(first) == PROGRAMS
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready") as answer:
            assert json.load(answer)["status"] == "ok"

        # A second start on the same folder is refused, and disturbs nothing.
        started.append(Serve(data, free_port()))
        started[1].wait_for(f"Tieout already runs on {data} (process {started[0].process.pid})")
        assert started[1].process.wait(30) == 1
        assert all(process.is_running() for process in first.values())

        # Killed the hard way, then started again: one of each, and the data is still there.
        secrets = DataFolder(data).secrets()
        started[0].end(signal.SIGKILL)
        started.append(Serve(data, port))
        started[2].wait_for("Ctrl-C stops it.")
        again = processes_of(data)
        assert set(again) == PROGRAMS
        assert {p.pid for p in first.values()}.isdisjoint({p.pid for p in again.values()})
        _, alive = psutil.wait_procs(list(first.values()), timeout=0)
        assert alive == []
        assert not any("first_login" in line for line in started[2].said)  # the login was made before
        assert DataFolder(data).secrets() == secrets

        # Ctrl-C stops every process, children of children included.
        family = [
            child for process in again.values() for child in [process, *process.children(recursive=True)]
        ]
        assert started[2].end(signal.SIGINT) == 0
        _, alive = psutil.wait_procs(family, timeout=10)
        assert alive == []
        assert DataFolder(data).processes() == {}
    finally:
        for serve in started:
            if serve.process.poll() is None:
                serve.end(signal.SIGTERM)
        EmbeddedPostgres(data / "postgres").remove()
