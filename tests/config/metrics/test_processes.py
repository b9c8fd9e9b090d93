"""What processes counted, from real gunicorn and celery processes over real HTTP."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.config.metrics.reading import samples, total, value
from tests.waiting import wait_until

PROJECT = Path(__file__).resolve().parents[3]
TOKEN = "Rk3vT9mQzWv4Lr8Xc1Bn"
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}

pytestmark = pytest.mark.django_db(transaction=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def running() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that a test started, stopped at its end."""
    found: list[subprocess.Popen[bytes]] = []
    yield found
    for process in found:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=30)


def answers(url: str) -> bool:
    try:
        return requests.get(url, headers=WITH_TOKEN, timeout=2).status_code == 200
    except requests.RequestException:
        return False


def start_web(env: dict[str, str], running: list[subprocess.Popen[bytes]]) -> str:
    port = free_port()
    env = {
        **env,
        "TIEOUT_BIND": f"127.0.0.1:{port}",
        "TIEOUT_WEB_PROCESSES": "2",
        "TIEOUT_METRICS_TOKEN": TOKEN,
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "python:config.gunicorn", "config.wsgi"]
    running.append(subprocess.Popen(command, cwd=PROJECT, env=env, stderr=subprocess.DEVNULL))
    wait_until(lambda: answers(f"http://127.0.0.1:{port}/metrics"), seconds=60)
    return f"http://127.0.0.1:{port}"


def folders(master: int) -> list[Path]:
    return [*Path("/dev/shm").glob(f"tieout-metrics-{master}-*")]


def test_whichever_web_process_is_asked_tells_what_all_of_them_counted(process_environment, running):
    """Each delivery comes over a connection of its own, so both processes count some of them."""
    url = start_web(process_environment, running)
    for _ in range(40):
        assert requests.post(f"{url}/webhooks/bigcommerce/nobody/", data=b"{}", timeout=10).status_code == 400
    told = [requests.get(f"{url}/metrics", headers=WITH_TOKEN, timeout=10).text for _ in range(10)]
    assert [total(text, "tieout_webhook_deliveries_total", outcome="no_webhook") for text in told] == [
        40
    ] * 10
    assert [value(text, "tieout_webhook_seconds_count") for text in told] == [40] * 10
    assert requests.get(f"{url}/metrics", timeout=10).status_code == 401
    assert value(told[0], "tieout_database_up") == 1


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="this system has no /dev/shm")
def test_counts_are_kept_in_memory_and_a_master_takes_its_folder_with_it(process_environment, running):
    start_web(process_environment, running)
    [master] = running
    assert len(folders(master.pid)) == 1
    master.terminate()
    master.wait(timeout=30)
    assert folders(master.pid) == []


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="this system has no /dev/shm")
def test_what_a_killed_master_left_is_removed_by_the_next_one(process_environment, running):
    left = Path(f"/dev/shm/tieout-metrics-{ended_process()}-left")
    left.mkdir(exist_ok=True)
    start_web(process_environment, running)
    assert not left.exists()


def ended_process() -> int:
    """The id of a process that is gone."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_worker_answers_on_a_port_of_its_own(process_environment, running):
    port = free_port()
    env = {**process_environment, "TIEOUT_WORKER_METRICS": f"127.0.0.1:{port}"}
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "config",
        "worker",
        "-P",
        "threads",
        "-c",
        "2",
        "-l",
        "ERROR",
    ]
    running.append(subprocess.Popen(command, cwd=PROJECT, env=env, stderr=subprocess.DEVNULL))
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: answers(f"{url}/metrics"), seconds=60)

    text = requests.get(f"{url}/metrics", timeout=10).text
    assert "process_resident_memory_bytes" in text
    assert not [name for name, _, _ in samples(text) if name == "tieout_database_up"]  # no queries here
    assert requests.get(f"{url}/admin/", timeout=10).status_code == 404
    assert requests.post(f"{url}/metrics", timeout=10).status_code == 404
    assert (
        requests.get(f"{url}/metrics", headers={"X-Forwarded-For": "1.2.3.4"}, timeout=10).status_code == 404
    )


def test_a_worker_whose_metrics_port_is_taken_works_all_the_same(process_environment, running):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        env = {**process_environment, "TIEOUT_WORKER_METRICS": f"127.0.0.1:{taken.getsockname()[1]}"}
        command = [sys.executable, "-m", "celery", "-A", "config", "worker", "-P", "threads", "-c", "2"]
        process = subprocess.Popen(command, cwd=PROJECT, env=env, stderr=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stderr is not None
        said = next(line for line in process.stderr if "metrics.port_not_available" in line)
    assert "Address already in use" in said
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.stderr.read()
