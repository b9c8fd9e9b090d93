"""The data folder of one machine: its lock, its secrets, its ports, and a note of every process started."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from cryptography.fernet import Fernet

from config.local.children import free_port


class FolderInUse(Exception):
    """Another Tieout runs on the data folder."""


class PortInUse(Exception):
    """The port that stores and people know is taken by another program."""


class DataFolder:
    """Everything that one small installation keeps on disk. Readable by its owner alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[str] | None = None

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def valkey(self) -> Path:
        return self.path / "valkey"

    @property
    def sandbox(self) -> Path:
        return self.path / "sandbox"

    def exists(self) -> bool:
        """Whether an installation was begun here."""
        return (self.path / "secrets.json").exists()

    def lock(self) -> None:
        """Hold the folder until `unlock` or the end of this process, however it ends.

        :raises FolderInUse: if another process holds it
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = (self.path / "lock").open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            pid = handle.read().strip() or "unknown"
            handle.close()
            raise FolderInUse(f"Tieout already runs on {self.path} (process {pid}). Stop it first.") from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        self._lock = handle

    def unlock(self) -> None:
        """Let another process have the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def is_running(self) -> bool:
        """Whether another process holds the folder now."""
        if not self.path.exists():
            return False
        try:
            self.lock()
        except FolderInUse:
            return True
        self.unlock()
        return False

    def empty(self) -> None:
        """Delete what the installation kept; only while the folder is locked by us."""
        for entry in self.path.iterdir():
            if entry.name == "lock":
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def secrets(self) -> dict[str, str]:
        """The secrets of this installation, made at the first call."""
        known = self._read("secrets.json")
        if not known:
            known = {
                "secret_key": secrets.token_urlsafe(60),
                "field_keys": Fernet.generate_key().decode(),
                "admin_password": secrets.token_urlsafe(12),
            }
            self._write("secrets.json", known)
        return known

    def profile(self) -> str:
        """The profile that the installation runs with: `local` for a demo, else `production`."""
        return str(self._read("profile.json").get("profile", "production"))

    def note_profile(self, profile: str) -> None:
        """Write down the profile, for commands that are run on this folder later."""
        self._write("profile.json", {"profile": profile})

    def port(self, name: str, *, preferred: int | None = None, may_move: bool = False) -> int:
        """The port of one server: chosen once, then kept, because stores and settings refer to it.

        :raises PortInUse: if it is taken and may not move
        """
        ports = self._read("ports.json")
        port = ports.get(name)
        if port is not None and _is_free(port):
            return int(port)
        if port is not None and not may_move:
            how = " with --port" if name == "web" else f" in {self.path / 'ports.json'}"
            raise PortInUse(
                f"Port {port}, which this installation uses for {name}, is taken by another program. "
                f"Stop that program, or choose another port{how}."
            )
        port = preferred if preferred and _is_free(preferred) else free_port()
        self._write("ports.json", {**ports, name: port})
        return port

    def pin_port(self, name: str, port: int) -> None:
        """Keep a port that a person chose."""
        self._write("ports.json", {**self._read("ports.json"), name: port})

    def known_port(self, name: str) -> int:
        """A port that was chosen before."""
        return int(self._read("ports.json")[name])

    def processes(self) -> dict[str, dict[str, float]]:
        """What the last supervisor started: {name: {"pid": ..., "started": seconds since 1970}}."""
        return self._read("processes.json")

    def note_processes(self, processes: Mapping[str, Mapping[str, float]]) -> None:
        """Write down what runs, so that a start after a hard kill finds it."""
        self._write("processes.json", processes)

    def _read(self, name: str) -> dict[str, Any]:
        try:
            return json.loads((self.path / name).read_text())
        except FileNotFoundError:
            return {}

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = self.path / f"{name}.unfinished"
        with suppress(FileNotFoundError):
            unfinished.unlink()
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            json.dump(content, handle, indent=1)
            handle.flush()
            os.fsync(handle.fileno())
        unfinished.rename(self.path / name)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
