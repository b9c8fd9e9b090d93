"""Stopping what a killed supervisor left, and never a stranger that was given the same process id."""

from __future__ import annotations

import signal
from collections.abc import Mapping

import psutil

# A process id is reused sooner or later; id and start time together are not. The start time is counted from the
# time of boot, which the kernel tells in whole seconds and corrects with the clock.
SAME_START_SECONDS = 2.0


def identity(pid: int) -> dict[str, float]:
    """What to write down about a process so that it can be recognised later."""
    return {"pid": pid, "started": psutil.Process(pid).create_time()}


def find(note: Mapping[str, float]) -> psutil.Process | None:
    """The process the note was made of, if it still runs."""
    try:
        process = psutil.Process(int(note["pid"]))
        is_same = abs(process.create_time() - note["started"]) < SAME_START_SECONDS
        return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def stop(notes: Mapping[str, Mapping[str, float]], *, timeout: float = 20) -> list[str]:
    """Stop every noted process that still runs, with its children.

    PostgreSQL and Valkey are the last ones, so that the others can end their work.

    :returns: the names of those that ran
    """
    running = {name: process for name, note in notes.items() if (process := find(note))}
    servers = {name: process for name, process in running.items() if name in ("postgres", "valkey")}
    others = {name: process for name, process in running.items() if name not in servers}
    for group in (others, servers):
        _stop_together(group, timeout)
    return list(running)


def _stop_together(group: Mapping[str, psutil.Process], timeout: float) -> None:
    family = []
    for name, process in group.items():
        try:
            if name != "postgres":  # its children are its own business
                family += process.children(recursive=True)
            # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for sessions.
            process.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
        except psutil.NoSuchProcess:
            continue
        family.append(process)
    _, alive = psutil.wait_procs(family, timeout=timeout)
    for process in alive:
        try:
            process.send_signal(signal.SIGQUIT if process == group.get("postgres") else signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(alive, timeout=10)
