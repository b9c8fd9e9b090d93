"""Traps: a step of the journey that ends or freezes its process, once; and our own waits, put ahead."""

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from erp import breaker
from sync.steps import Step

REACH = """
from django.conf import settings
settings.configure(TIEOUT_TRAPS={folder!r})
from sync.steps import Step, reached
reached(Step.FETCHED)
reached(Step.PLANNED)
print("went on")
"""


def reach(folder: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", REACH.format(folder=folder)], capture_output=True, text=True, timeout=30
    )


def test_without_traps_nothing_happens(tmp_path: Path) -> None:
    (tmp_path / "planned").write_text("SIGKILL")
    assert reach("").stdout == "went on\n"


def test_a_trap_kills_exactly_one_process_at_its_step(tmp_path: Path) -> None:
    (tmp_path / Step.PLANNED).write_text("SIGKILL")

    first, second = reach(str(tmp_path)), reach(str(tmp_path))

    assert (first.returncode, first.stdout) == (-signal.SIGKILL, "")
    assert (second.returncode, second.stdout) == (0, "went on\n")


@pytest.mark.django_db
def test_waits_put_ahead_let_a_pause_pass_without_waiting(
    company: Any, settings: Any, tmp_path: Path
) -> None:
    ahead = tmp_path / "ahead"
    ahead.write_text("0")
    settings.TIEOUT_WAITS_AHEAD = str(ahead)
    for _ in range(breaker.MOST_FAILURES):
        breaker.failure(company.pk)

    ahead.write_text(str(int(breaker.FIRST_PAUSE / timedelta(seconds=1)) - 2))
    assert not breaker.allow(company.pk)
    ahead.write_text(str(int(breaker.FIRST_PAUSE / timedelta(seconds=1))))
    assert breaker.allow(company.pk)
