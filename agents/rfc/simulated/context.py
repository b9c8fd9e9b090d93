"""What a function of the simulated SAP works with."""

from __future__ import annotations

from dataclasses import dataclass

from agents.simulation.rows import Change, Rows


@dataclass(frozen=True)
class Context:
    """The committed rows, and the session's own changes that wait for its commit."""

    rows: Rows
    pending: list[Change]
