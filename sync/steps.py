"""The named steps of the journey, where the proof kills or freezes a process. Without `TIEOUT_TRAPS`, which production refuses, nothing.

A trap is a file in that folder: its name is the step, its content the signal. Whichever process reaches the step first takes the file away and
sends itself the signal, so a kill -9 strikes exactly there and once.
"""

import os
import signal
import threading
from enum import StrEnum
from pathlib import Path

from django.conf import settings


class Step(StrEnum):
    """A place where a process may die or stand still. Each name says what has just been done."""

    RECEIVED = "received"  # the event is committed, the store has no answer yet
    TICKED = "ticked"  # beat has sent what is due
    TAKEN = "taken"  # the lease is committed
    FETCHED = "fetched"  # the store has answered, nothing is kept
    SNAPSHOT = "snapshot"
    PLANNED = "planned"
    SHOWN = "shown"  # gaps, totals and plan stand on the posting
    INTENDED = "intended"
    LOOKED_UP = "looked_up"  # the ERP does not have it
    SENDING = "sending"  # written down with the proof of the lease; no byte has left
    ANSWERED = "answered"  # the ERP has committed and told us; nothing is written down
    BOUND = "bound"
    CARRIED = "carried"  # every document is in the ERP, the posting does not know
    FINISHED = "finished"
    FAILED = "failed"  # a named failure is written down


def reached(step: Step) -> None:
    """Say that a step is done."""
    if settings.TIEOUT_TRAPS:
        _spring(Path(settings.TIEOUT_TRAPS) / step)


def _spring(trap: Path) -> None:
    sprung = trap.with_name(f"{trap.name}.sprung.{os.getpid()}")
    try:
        trap.rename(sprung)
    except FileNotFoundError:
        return
    # To this very thread: it does nothing more before the signal arrives.
    signal.pthread_kill(threading.get_ident(), signal.Signals[sprung.read_text().strip()])
