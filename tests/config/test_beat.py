from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
BEAT = [sys.executable, "-m", "celery", "-A", "config", "beat", "-l", "INFO"]


def start_beat(env: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        BEAT, cwd=PROJECT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def read_until(process: subprocess.Popen[str], text: str) -> str:
    said = ""
    while text not in said:
        line = process.stdout.readline()
        assert line, f"beat ended: {said}"
        said += line
    return said


@pytest.mark.django_db(transaction=True)
def test_a_second_beat_refuses_to_start_and_the_next_may(process_environment):
    env = {**process_environment, "TIEOUT_LOG_LEVEL": "INFO"}
    first = start_beat(env)
    try:
        read_until(first, "Scheduler: Sending due task sweep")
        second = start_beat(env)
        said, _ = second.communicate(timeout=60)
        assert second.returncode == 1
        assert "Another beat already runs on this database." in said
        assert first.poll() is None
    finally:
        first.kill()  # however it ends, PostgreSQL gives the lock back
        first.wait()
        first.stdout.close()
    third = start_beat(env)
    try:
        read_until(third, "Scheduler: Sending due task sweep")
    finally:
        third.terminate()
        third.wait(30)
        third.stdout.close()
