"""CPU time and memory of process families, from outside.

CPU counts children that have ended too (the kernel adds them to their parent), so a server's short-lived sessions are
in it. Memory is proportional (PSS): a page that three processes share counts a third in each; Linux alone tells it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

SAMPLE_SECONDS = (
    5.0  # a sample walks every page table of every process, which costs more than one would think
)
BUSY = 0.92  # of all processors: above it, a run is bound by the CPU


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and all it started, ended ones included."""
    total = 0.0
    for process in _family(pid):
        try:
            total += sum(process.cpu_times()[:4])  # user, system, and both of children that were waited for
        except psutil.NoSuchProcess:
            continue
    return total


def proportional_megabytes(pid: int) -> float | None:
    """PSS of a process and its children, in MB of a million bytes; None where the system does not tell."""
    total = 0
    for process in _family(pid):
        try:
            lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        except PermissionError:
            return None
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total * 1024 / 1e6 if total else None


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


class Meter:
    """Measures between `start` and `stop`: CPU of each named process family, peak memory of all together.

    `cpu["driver"]` is this process's own, without the families it started.

    :param families: name -> process ids of its roots
    """

    def __init__(self, families: Mapping[str, Sequence[int]]) -> None:
        self._families = dict(families)
        self._ended = threading.Event()
        self._peak: dict[str, float] | None = None
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.cpu: dict[str, float] = {}
        self.busy = 0.0
        self.load = 0.0

    def start(self) -> Meter:
        """Begin now."""
        self._before = self._spent()
        self._machine_before = psutil.cpu_times()
        self._thread.start()
        return self

    def stop(self) -> None:
        """End now; `cpu` is in seconds, `busy` the part of all processors that was used by anything."""
        self.cpu = {name: seconds - self._before[name] for name, seconds in self._spent().items()}
        self.busy = _busy(self._machine_before, psutil.cpu_times())
        self.load = psutil.getloadavg()[0]
        self._ended.set()
        self._thread.join()

    @property
    def memory(self) -> dict[str, float] | None:
        """Megabytes (PSS) of each family at the moment when all together took most; None where not available."""
        return self._peak

    def _spent(self) -> dict[str, float]:
        of_families = {name: sum(map(cpu_seconds, pids)) for name, pids in self._families.items()}
        return {"driver": time.process_time(), **of_families}

    def _sample(self) -> None:
        while True:
            taken = {
                name: [proportional_megabytes(pid) for pid in pids] for name, pids in self._families.items()
            }
            known = {name: sum(filter(None, sizes)) for name, sizes in taken.items() if None not in sizes}
            if len(known) == len(taken) and sum(known.values()) > sum((self._peak or {}).values()):
                self._peak = known
            if self._ended.wait(SAMPLE_SECONDS):
                return


def _busy(before: Any, after: Any) -> float:
    spent = {name: getattr(after, name) - getattr(before, name) for name in before._fields}
    idle = spent["idle"] + spent.get("iowait", 0.0)
    counted = sum(
        seconds for name, seconds in spent.items() if name not in ("guest", "guest_nice")
    )  # in user already
    return 1 - idle / counted if counted else 0.0


def percentiles(seconds: list[float]) -> dict[str, float]:
    """p50, p95, p99 and the worst, in milliseconds with one decimal."""
    if not seconds:
        return {}
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return round(ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000, 1)

    return {"p50_ms": at(0.5), "p95_ms": at(0.95), "p99_ms": at(0.99), "worst_ms": at(1.0)}
