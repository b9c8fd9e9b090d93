"""`./tieout prove`: 300 orders under faults keep every promise; wrong arguments are told what would be right."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from proof.faults import schedule

PROJECT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.faults


def prove(*arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "proof", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@pytest.mark.timeout(1200)
def test_three_hundred_orders_under_faults_keep_every_promise(tmp_path: Path) -> None:
    done = prove("--orders", "300", "--seed", "300", "--report", str(tmp_path), timeout=1150)

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    figures = json.loads((tmp_path / "report.json").read_text())
    assert figures["broken_promises"] == []
    assert sum(figures["orders_by_status"].values()) == figures["orders_with_flood_and_quiet_tenant"]
    assert len(figures["rounds"]) == 5
    assert figures["starts_of_processes"]["worker"] > 1
    page = (tmp_path / "report.md").read_text()
    assert "**No broken promises.**" in page
    assert "--seed 300" in page
    print(page)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--orders", "14"],
            "'14' is no number of orders: a whole number from 15 to 1,000,000, such as 10000",
        ),
        (["--orders", "many"], "'many' is no number of orders"),
        (["--seed", "-1"], "'-1' is no seed: a whole number such as 42"),
        (
            ["--data", "/no/such/folder"],
            "/no/such/folder is no folder: name one that exists, such as /var/tmp",
        ),
        (["--order-count", "5"], "unrecognized arguments"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_arguments_are_refused_with_what_would_be_right(arguments: list[str], sentence: str) -> None:
    done = prove(*arguments)
    assert done.returncode == 2
    assert sentence in done.stderr


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_stop_everything_and_leave_nothing_behind(
    tmp_path: Path, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "proof", "--orders", "15", "--data", str(tmp_path)]
    running = subprocess.Popen(
        [*command, "--report", str(tmp_path / "report")],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    ends = time.monotonic() + 60
    while not list(tmp_path.glob("tieout-proof-*/postgres/postgres.log")) and time.monotonic() < ends:
        time.sleep(0.05)
    running.send_signal(number)
    said, _ = running.communicate(timeout=120)

    assert running.returncode == 130, said
    assert "stopped; nothing is left running" in said
    assert list(tmp_path.iterdir()) == []


def test_a_seed_gives_the_same_faults_at_the_same_orders() -> None:
    one, same, other = (schedule(Random(seed), orders=100, faults=30) for seed in (1, 1, 2))
    assert [(struck.after_orders, struck.fault.name) for struck in one] == [
        (struck.after_orders, struck.fault.name) for struck in same
    ]
    assert [struck.fault.name for struck in one] != [struck.fault.name for struck in other]
