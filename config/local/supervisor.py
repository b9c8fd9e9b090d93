"""Keeping the processes of one machine running, and stopping all of them together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from config.local import leftovers
from config.local.children import spawn
from config.local.folder import DataFolder

STOP_SECONDS = 20.0
MOST_RESTARTS = 3
RESTART_WINDOW_SECONDS = 60.0


class Stopped(Exception):
    """Somebody pressed Ctrl-C or sent SIGTERM."""


class KeepsFailing(Exception):
    """A process ended again and again; the message names it."""


@dataclass(kw_only=True)
class Program:
    """One process to keep running."""

    name: str
    command: Sequence[str | Path]
    env: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    ended_at: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_RESTARTS))


class Supervisor:
    """Starts programs, prints what they say under their names, restarts those that end."""

    def __init__(self, folder: DataFolder, *, cwd: Path) -> None:
        self.folder = folder
        self.cwd = cwd
        self.programs: list[Program] = []
        self._notes: dict[str, dict[str, float]] = {}
        self._printing = threading.Lock()
        self._signals = 0
        self._busy = 0

    def catch_signals(self) -> None:
        """From here on, Ctrl-C and SIGTERM raise `Stopped` in the main thread, once."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: object) -> None:
        self._signals += 1
        if self._signals == 1 and not self._busy:  # a second Ctrl-C must not interrupt the stopping
            raise Stopped

    @contextmanager
    def uninterrupted(self) -> Iterator[None]:
        """Hold Ctrl-C back while a process exists that nobody has written down yet."""
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1
        if self._signals == 1 and not self._busy:
            self._signals += 1
            raise Stopped

    def note(self, name: str, pid: int) -> None:
        """Write a process down before anything can go wrong with it."""
        self._notes[name] = leftovers.identity(pid)
        self.folder.note_processes(self._notes)

    def start(self, name: str, command: Sequence[str | Path], env: Mapping[str, str]) -> Program:
        """Start one program and keep it running."""
        program = Program(name=name, command=command, env=env)
        self.programs.append(program)
        self._launch(program)
        return program

    def run(self, name: str, command: Sequence[str | Path], env: Mapping[str, str]) -> int:
        """Run one command to its end, printing what it says; its exit status."""
        process = spawn(command, env=env, cwd=self.cwd, output=subprocess.PIPE)
        try:
            self._print_output(name, process)
            return process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(STOP_SECONDS)

    def wait_until(self, is_ready: Callable[[], bool], *, timeout: float) -> bool:
        """Watch the programs until something is so; False when it is not in time."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if is_ready():
                return True
            self.restart_ended()
            time.sleep(0.1)
        return False

    def watch(self) -> None:
        """Keep the programs running until `Stopped`."""
        while True:
            self.restart_ended()
            time.sleep(0.3)

    def restart_ended(self) -> None:
        """Start again what ended.

        :raises KeepsFailing: if one ended three times within a minute
        """
        for program in self.programs:
            if program.process is None or program.process.poll() is None:
                continue
            now = time.monotonic()
            program.ended_at.append(now)
            often = len(program.ended_at) == MOST_RESTARTS
            if often and now - program.ended_at[0] < RESTART_WINDOW_SECONDS:
                raise KeepsFailing(
                    f"{program.name} ended {MOST_RESTARTS} times within a minute; see its lines above."
                )
            self.say(program.name, f"ended with status {program.process.returncode}; starting it again")
            self._launch(program)

    def stop(self) -> None:
        """Stop every program, the last one started first; kill those that do not end in time."""
        running = [program for program in reversed(self.programs) if program.process]
        for program in running:
            with suppress(ProcessLookupError):
                program.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for program in running:
            try:
                program.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.say(program.name, "did not stop in time; killed")
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(program.process.pid, signal.SIGKILL)  # the group: a master's children too
            program.process.wait()
            self._notes.pop(program.name, None)
        self.programs.clear()
        self.folder.note_processes(self._notes)

    def forget(self, name: str) -> None:
        """A process that was noted has been stopped by its owner."""
        self._notes.pop(name, None)
        self.folder.note_processes(self._notes)

    def say(self, name: str, text: str) -> None:
        """One line under a program's name."""
        with self._printing:
            sys.stdout.write(f"{name:<14} | {text}\n")
            sys.stdout.flush()

    def _launch(self, program: Program) -> None:
        with self.uninterrupted():
            program.process = spawn(program.command, env=program.env, cwd=self.cwd, output=subprocess.PIPE)
            self.note(program.name, program.process.pid)
            reader = threading.Thread(
                target=self._print_output, args=(program.name, program.process), daemon=True
            )
            reader.start()

    def _print_output(self, name: str, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            text = line.decode(errors="replace").rstrip()
            if text:
                self.say(name, text)
