"""``python -m sandbox`` and ``python -m sandbox.scenarios``: the demo's other side, killed and started again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def running(data: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The servers on free ports, and where each listens, as they say themselves."""
    command = [sys.executable, "-m", "sandbox", "--data", str(data), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    try:
        yield process, dict(process.stdout.readline().split() for _ in range(3 if more else 2))
    finally:
        process.kill()
        process.communicate()


def orders(url: str) -> int:
    count = requests.get(
        f"{url}/stores/demo/v2/orders/count", headers={"X-Auth-Token": "demo-token"}, timeout=10
    ).json()["count"]
    return int(count)


def test_the_morning_is_still_there_after_a_hard_kill_and_sigterm_ends_both_servers(tmp_path: Path) -> None:
    with running(tmp_path / "state") as (process, urls):
        assert requests.get(f"{urls['service_layer']}/sandbox/health", timeout=10).ok
        said = subprocess.run(
            [sys.executable, "-m", "sandbox.scenarios", "morning", "--bigcommerce", urls["bigcommerce"]],
            capture_output=True, text=True, cwd=ROOT, check=True,
        ).stdout  # fmt: skip
        placed = orders(urls["bigcommerce"])
        assert said.startswith(f"{placed} orders were placed")
        process.kill()
    with running(tmp_path / "state") as (process, urls):
        assert orders(urls["bigcommerce"]) == placed
        process.terminate()
        assert process.wait(timeout=10) == 0


def test_s4hana_is_served_on_request_and_keeps_its_books_over_a_hard_kill(tmp_path: Path) -> None:
    asked = ("--s4hana-port", "0")
    with running(tmp_path / "state", *asked) as (process, urls):
        assert requests.get(f"{urls['s4hana']}/sandbox/health", timeout=10).ok
        process.kill()
    with running(tmp_path / "state", *asked) as (_, urls):
        company = f"{urls['s4hana']}/sap/opu/odata/sap/API_COMPANYCODE_SRV/A_CompanyCode('1710')"
        told = requests.get(company, auth=("sb-tieout", "sandbox"), timeout=10).json()
        assert told["d"]["Currency"] == "USD"
