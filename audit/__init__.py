"""The audit trail: who did what, when, to what, under one correlation id. Imports no other package of Tieout.

from audit import Action, record
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit.actions import Action

if TYPE_CHECKING:
    from audit.recording import record

__all__ = ["Action", "record"]


def __getattr__(name: str) -> Any:
    """`record` needs the models, which Django loads after this package."""
    if name == "record":
        from audit.recording import record

        return record
    raise AttributeError(f"module 'audit' has no attribute {name!r}")
