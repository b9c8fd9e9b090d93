"""`./tieout bench`: what it refuses, and that a small burst is measured to the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

PROJECT = Path(__file__).resolve().parents[2]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "config.local", "bench", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=110)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["order"], "there is no run 'order'; there are orders"),
        (["--orders", "0"], "'0' is not a whole number from 10 to 100000"),
        (["--latency", "fast"], "'fast' is not a whole number from 0 to 10000"),
        (["--parallel", "17"], "'17' is not a whole number from 1 to 16"),
    ],
)
def test_wrong_arguments_are_refused_with_what_would_be_right(arguments, sentence):
    refused = bench(*arguments)
    assert refused.returncode == 2
    assert sentence in refused.stderr
    assert refused.stdout == ""


def test_a_folder_that_holds_something_else_is_never_emptied(tmp_path):
    (tmp_path / "secrets.json").write_text("{}")
    refused = bench("orders", "--data", str(tmp_path))
    assert refused.returncode == 2
    assert "holds something else" in refused.stderr
    assert (tmp_path / "secrets.json").read_text() == "{}"


@pytest.mark.slow
def test_a_small_burst_is_posted_once_and_told_in_one_line(tmp_path):
    done = bench(
        "orders",
        "--orders",
        "10",
        "--connections",
        "2",
        "--workers",
        "1",
        "--latency",
        "0",
        "--data",
        str(tmp_path),
    )
    (line,) = [json.loads(line) for line in done.stdout.splitlines()]
    told = {name: line[name] for name in ("run", "orders", "posted", "complete", "posted_twice", "accepted")}
    assert told == {
        "run": "orders",
        "orders": 10,
        "posted": 10,
        "complete": True,
        "posted_twice": 0,
        "accepted": 1.0,
    }
    assert line["store_calls_per_order"] <= 6
    assert line["erp_calls_per_order"] <= 5


@pytest.mark.slow
def test_ctrl_c_stops_every_process(tmp_path):
    command = [sys.executable, "-m", "config.local", "bench", "orders", "--data", str(tmp_path)]
    running = subprocess.Popen(
        command, cwd=PROJECT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0
    )
    assert running.stderr is not None
    for line in running.stderr:
        if "sandbox" in line:  # the servers and the sandbox run by now
            break
    started = psutil.Process(running.pid).children(recursive=True)
    os.kill(running.pid, signal.SIGINT)
    running.communicate(timeout=60)
    assert running.returncode == 0
    assert len(started) >= 3
    assert not psutil.wait_procs(started, timeout=10)[1]
