"""One process of the product: started, killed, frozen, and started again when it has ended, as a service manager would."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from config.local.children import spawn
from config.local.installation import PROJECT

WEB = (sys.executable, "-m", "gunicorn", "-c", "python:config.gunicorn", "config.wsgi")
_CELERY = (sys.executable, "-W", "ignore", "-m", "celery", "-q", "-A", "config")
BEAT = (*_CELERY, "beat", "-l", "WARNING")


def worker(threads: int) -> tuple[str, ...]:
    """The command of a worker with so many threads."""
    quiet = ("-l", "WARNING", "--without-gossip", "--without-mingle")
    return (*_CELERY, "worker", "-P", "threads", "-c", str(threads), *quiet)


class Process:
    """A process of its own group. What it says goes to a log, or wherever `output` leads.

    :ivar starts: how often it was started
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        env: Mapping[str, str],
        folder: Path,
        *,
        output: Path | None = None,
    ) -> None:
        self.name, self.command, self.env = name, command, dict(env)
        self.log = output or folder / f"{name}.log"
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Process:
        """Start it, from the main thread: where the system can, it ends with the thread that started it."""
        with self.log.open("ab") as output:
            self._process = spawn(self.command, env=self.env, cwd=PROJECT, output=output)
        self.starts += 1
        return self

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def is_frozen(self) -> bool:
        """Whether it, or the child of its that does the work, stands still."""
        if not self.is_running:
            return False
        family = [psutil.Process(self.pid), *psutil.Process(self.pid).children()]
        return any(process.status() == psutil.STATUS_STOPPED for process in family)

    def ended_by(self) -> int | None:
        """Its return code once it has ended: minus the signal's number."""
        return self._process.poll() if self._process else None

    def freeze(self) -> None:
        os.killpg(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.killpg(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """kill -9, the whole group."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and a kill if that does not help."""
        if self.is_running:
            self.thaw()
            self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        try:
            os.killpg(self.pid, number)
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()
        except ProcessLookupError:
            self._process.wait()

    def keep_running(self) -> bool:
        """Start it again if it has ended; whether that was needed."""
        if self.is_running:
            return False
        if self._process is not None:  # what a killed master left of its group
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        self.start()
        return True

    def last_lines(self, characters: int = 3000) -> str:
        """The end of its log."""
        if not self.log.is_file():
            return ""
        return f"== {self.name}\n{self.log.read_text(errors='replace')[-characters:]}"
