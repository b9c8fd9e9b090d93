"""Agents as real processes, and what is asked of them."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

from agents import keys

KEY = "the-key-of-a-test"
ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = [
    "BAPI_ACC_DOCUMENT_CHECK",
    "BAPI_ACC_DOCUMENT_POST",
    "BAPI_CUSTOMER_CREATEFROMDATA1",
    "BAPI_CUSTOMER_CHANGEFROMDATA1",
    "BAPI_MATERIAL_AVAILABILITY",
    "RFC_READ_TABLE",
    "Z_ALLOWED_BUT_NOT_THERE",
]
TABLES = ["BKPF", "BSID", "KNA1", "ADR6", "MARD"]


class Agent:
    """One agent on a free port of this machine."""

    def __init__(
        self, folder: Path, settings: str, headers: Mapping[str, str], pass_on: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self._env = {name: os.environ[name] for name in ("PATH", *pass_on)}
        self._settings = folder / "agent.toml"
        self._settings.write_text(settings, encoding="utf-8")
        self._log = (folder / "agent.log").open("a", encoding="utf-8")
        self.process: subprocess.Popen[str] | None = None
        self.session = requests.Session()
        self.session.headers.update(headers)
        self.url = ""

    def start(self) -> Agent:
        """Start it and wait until it listens."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "agents", "serve", str(self._settings)],
            cwd=ROOT,
            env=self._env | {"PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), self.log()
        self.url = line.removeprefix("listening on ").strip()
        return self

    def as_new(self) -> Agent:
        """Start it if it does not run; the simulated system is as at its beginning. What it remembers stays."""
        if self.process is None or self.process.poll() is not None:
            self.start()
        self.control("reset")
        return self

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        """End it; its exit code."""
        self.process.send_signal(with_signal)
        code = self.process.wait(timeout=20)
        self.process.stdout.close()
        return code

    def close(self) -> None:
        """End it if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.stop(signal.SIGKILL)
        self.session.close()
        self._log.close()

    def log(self) -> str:
        """What it wrote to its log."""
        return (self.folder / "agent.log").read_text(encoding="utf-8")

    def get(self, path: str, **how: Any) -> requests.Response:
        """GET, with the key."""
        return self.session.get(self.url + path, timeout=20, **how)

    def post(self, path: str, body: Any, **how: Any) -> requests.Response:
        """POST JSON, with the key, over a connection of its own."""
        return requests.post(
            self.url + path, json=body, timeout=20, headers=dict(self.session.headers), **how
        )

    def control(self, what: str, **body: Any) -> dict[str, Any]:
        """Ask the simulated system for something."""
        answer = self.session.post(f"{self.url}/_control/{what}", json=body, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rows(self, table: str) -> list[dict[str, Any]]:
        """What stands in a table of the simulated system."""
        return self.get(f"/_control/rows/{table}").json()["rows"]

    def let_no_file_grow(self) -> None:
        """From now on every write of this process to a file fails, as on a full disk."""
        _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (0, hard))

    def let_files_grow(self) -> None:
        """The disk has room again."""
        _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (hard, hard))


def rfc_agent(folder: Path, *, listen: str = "port = 0", more: str = "") -> Agent:
    """An agent with the simulated SAP, not started yet. Its data stands in ``folder/data``."""
    settings = f"""
        protocol = "rfc"
        driver = "simulated"
        [listen]
        {listen}
        [access]
        key_hashes = ["{keys.hash_of(KEY)}"]
        functions = {FUNCTIONS}
        read_tables = {TABLES}
        {more}
    """
    return Agent(folder, settings, {"Authorization": f"Bearer {KEY}"})


def sage_agent(folder: Path) -> Agent:
    """An agent with the simulated Sage 100, company ABC open and XYZ closed, not started yet."""
    settings = f"""
        protocol = "sage100"
        driver = "simulated"
        [listen]
        port = 0
        [access]
        key_hashes = ["{keys.hash_of(KEY)}"]
        companies = ["ABC"]
    """
    return Agent(folder, settings, {"X-API-Key": KEY})


def order(write_id: str, number: str = "W100234", **more: Any) -> dict[str, Any]:
    """A write that creates one sales order of two lines."""
    values = {
        "ARDivisionNo": "01",
        "CustomerNo": "WEB0001",
        "CustomerPONo": write_id,
        "OrderDate": "20261120",
    }
    lines = [
        {"ItemCode": "1001-HON-H252", "ItemType": "1", "QuantityOrdered": "2", "UnitPrice": "84.00"},
        {"ItemCode": "9001-GIFT", "ItemType": "1", "QuantityOrdered": "1"},
    ]
    write = {"write_id": write_id, "object": "SO_SalesOrder_bus", "mode": "create"}
    return write | {"key": {"SalesOrderNo": number}, "values": values, "lines": lines} | more


def posting(unit_id: str, amount: str = "108.00", **header: str) -> dict[str, Any]:
    """A unit that posts one document, of customer to revenue."""
    head = {
        "BUS_ACT": "RFBU",
        "COMP_CODE": "1000",
        "DOC_TYPE": "DR",
        "REF_DOC_NO": unit_id[:16],
        "DOC_DATE": "20261120",
        "PSTNG_DATE": "20261120",
    }
    amounts = [("0000000001", amount), ("0000000002", f"-{amount}")]
    tables = {
        "ACCOUNTRECEIVABLE": [{"ITEMNO_ACC": "0000000001", "CUSTOMER": "0000001000"}],
        "ACCOUNTGL": [{"ITEMNO_ACC": "0000000002", "GL_ACCOUNT": "0000800000"}],
        "CURRENCYAMOUNT": [
            {"ITEMNO_ACC": item, "CURRENCY": "USD", "AMT_DOCCUR": value} for item, value in amounts
        ],
    }
    call = {
        "function": "BAPI_ACC_DOCUMENT_POST",
        "importing": {"DOCUMENTHEADER": head | header},
        "tables": tables,
    }
    return {"unit_id": unit_id, "commit": "on_success", "calls": [call]}


def reading(unit_id: str, table: str, where: str, *fields: str) -> dict[str, Any]:
    """A unit that reads columns of a table."""
    tables = {"OPTIONS": [{"TEXT": where}], "FIELDS": [{"FIELDNAME": name} for name in fields]}
    call = {"function": "RFC_READ_TABLE", "importing": {"QUERY_TABLE": table}, "tables": tables}
    return {"unit_id": unit_id, "commit": "never", "calls": [call]}
