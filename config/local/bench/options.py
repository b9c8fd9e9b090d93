"""What a bench was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`connections` ERP companies with `parallel` orders at a time each, worked off by `workers` processes."""

    folder: Path
    is_quick: bool
    orders: int
    connections: int
    parallel: int
    workers: int
    latencies: tuple[int, ...]  # milliseconds
