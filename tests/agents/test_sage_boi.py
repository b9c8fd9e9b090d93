"""The driver over Sage's own objects, behind the real service and over real HTTP, with COM objects of our own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from agents import keys
from agents.sage.boi import SageBoi
from agents.sage.service import SageService
from agents.server import Server
from agents.settings import Access
from agents.store import LEAST, Store
from agents.web import Application
from tests.agents.fake_sage import DUPLICATE_PO, FakeSage
from tests.agents.running import KEY, order, sage_agent

WRITES = "/v1/companies/ABC/writes"
ACCESS = Access(key_hashes=[keys.hash_of(KEY)], companies=["ABC"])


class Caller:
    """Asks the service."""

    def __init__(self, url: str, sage: FakeSage) -> None:
        self.url, self.sage = url, sage

    def post(self, path: str, body: Any) -> requests.Response:
        return requests.post(self.url + path, json=body, headers={"X-API-Key": KEY}, timeout=10)

    def rows(self, table: str, **query: Any) -> list[dict[str, str]]:
        answer = self.post("/v1/companies/ABC/query", {"table": table, **query})
        assert answer.status_code == 200, answer.text
        return answer.json()["rows"]


@pytest.fixture
def caller(tmp_path: Path) -> Iterator[Caller]:
    sage = FakeSage()
    for code, quantity in (("b-2", 3.5), ("A-1", 0.1), ("C_3", 1e6), ("CX3", 7)):
        sage.add(
            "IM_ItemWarehouse",
            ItemCode=code,
            WarehouseCode="001",
            QuantityOnHand=quantity,
            DateUpdated="2026-11-19",
        )
    sage.add("IM_ItemWarehouse", ItemCode="A-1", WarehouseCode="000", QuantityOnHand=None)
    driver = SageBoi(
        ["ABC"], "secret", "C:\\Sage\\MAS90\\Home", "agent", version="7.20", edition="Premium", com=sage
    )
    store = Store(tmp_path / "work.sqlite", timedelta(days=LEAST.days))
    server = Server(Application(SageService(driver, store, ACCESS)), "127.0.0.1", 0, None)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Caller(server.url, sage)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        driver.close()
        store.close()
    assert sage.initialized == 1  # one thread for everything


def test_an_order_is_written_with_keys_strings_numbers_and_lines_as_sage_wants_them(caller: Caller):
    answer = caller.post(WRITES, order("T1-1-O"))
    assert (answer.status_code, answer.json()["result"]) == (201, "saved"), answer.text
    assert caller.rows("SO_SalesOrderHeader", columns=["CustomerNo"])[0]["CustomerNo"] == "WEB0001"
    columns = ["ItemCode", "QuantityOrdered", "UnitPrice"]
    assert caller.rows("SO_SalesOrderDetail", columns=columns) == [
        {
            "SalesOrderNo": "W100234",
            "LineKey": "000001",
            "ItemCode": "1001-HON-H252",
            "QuantityOrdered": "2.000000",
            "UnitPrice": "84.000000",
        },
        {
            "SalesOrderNo": "W100234",
            "LineKey": "000002",
            "ItemCode": "9001-GIFT",
            "QuantityOrdered": "1.000000",
            "UnitPrice": "0.000000",
        },
    ]
    again = caller.post(WRITES, order("T1-1-O"))
    assert (again.json(), again.headers["Idempotent-Replay"]) == (answer.json(), "true")
    assert caller.sage.log.count("nWrite") == 1


def test_minus_one_means_saved_with_a_warning(caller: Caller):
    caller.post(WRITES, order("T1-2-O"))
    write = order("T1-3-O", "W100235")
    write["values"]["CustomerPONo"] = "T1-2-O"
    answer = caller.post(WRITES, write)
    assert (answer.status_code, answer.json()["result"]) == (201, "saved_with_warning")
    assert answer.json()["warnings"] == [DUPLICATE_PO]


def test_sages_own_next_number_is_used_and_stays_ours_after_a_crash(caller: Caller):
    caller.sage.breaks_at = "saved"  # Sage wrote, and the object went away before it said so
    assert caller.post(WRITES, order("T1-4-O", "next")).json()["error"]["code"] == "sage_unavailable"
    answer = caller.post(WRITES, order("T1-4-O", "next"))
    assert (answer.status_code, answer.json()["key"]) == (201, {"SalesOrderNo": "0000042"})
    assert answer.headers["Idempotent-Replay"] == "true"
    assert caller.sage.log.count("nWrite") == 1
    assert len(caller.rows("SO_SalesOrderDetail")) == 2


@pytest.mark.parametrize("step", ["NewObject SO_SalesOrder_bus", "nSetKey", "line"])
def test_what_breaks_before_the_last_step_saved_nothing_and_runs_again(caller: Caller, step: str):
    caller.sage.breaks_at = step
    answer = caller.post(WRITES, order("T1-5-O"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "sage_unavailable")
    assert "nothing was saved" in answer.json()["error"]["message"]
    assert caller.post(WRITES, order("T1-5-O")).status_code == 201
    assert len(caller.rows("SO_SalesOrderDetail")) == 2


@pytest.mark.parametrize(
    ("place", "column", "value", "line"),
    [
        ("values", "Colour", "red", None),
        ("values", "FreightAmt", "ten", None),
        ("values", "FreightAmt", "1e999999999", None),
        ("values", "FreightAmt", "1234567890123.456", None),
        ("values", "BillToState", "California", None),
        ("lines", "ItemCode", "NOTHING", 1),
    ],
)
def test_what_sage_refuses_is_told_in_its_words_with_line_and_field(
    caller: Caller, place: str, column: str, value: str, line: int | None
):
    write = order("T1-6-O")
    (write["values"] if place == "values" else write["lines"][1])[column] = value
    answer = caller.post(WRITES, write)
    error = answer.json()["error"]
    assert (answer.status_code, error["line"], error["field"]) == (422, line, column)
    assert caller.rows("SO_SalesOrderHeader") == caller.rows("SO_SalesOrderDetail") == []
    assert caller.post(WRITES, order("T1-6-O")).status_code == 201


def test_a_record_that_another_user_holds_is_locked(caller: Caller):
    caller.sage.locked.add("W100234")
    answer = caller.post(WRITES, order("T1-7-O"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (423, "record_locked")
    caller.sage.locked.clear()
    assert caller.post(WRITES, order("T1-7-O")).status_code == 201


def test_an_update_names_lines_by_their_keys(caller: Caller):
    caller.post(WRITES, order("T1-8-O"))
    lines = [{"LineKey": "000001", "QuantityOrdered": "5"}, {"LineKey": "000002", "delete": True}]
    change = order(
        "T1-9-O", mode="update", values={"Comment": "changed"}, lines=[*lines, {"ItemCode": "b-2"}]
    )
    assert caller.post(WRITES, change).status_code == 200
    rows = caller.rows("SO_SalesOrderDetail", columns=["ItemCode", "QuantityOrdered"])
    assert [(row["ItemCode"], row["QuantityOrdered"]) for row in rows] == [
        ("1001-HON-H252", "5.000000"),
        ("b-2", "0.000000"),
    ]
    missing = order("T1-10-O", mode="update", lines=[{"LineKey": "000099", "QuantityOrdered": "1"}])
    error = caller.post(WRITES, missing).json()["error"]
    assert (error["code"], error["line"], error["field"]) == ("refused", 0, "LineKey")


def test_pages_follow_the_databases_order_and_lose_nothing(caller: Caller):
    seen, after = [], None
    while not seen or after:
        body = {"table": "IM_ItemWarehouse", "columns": ["ItemCode"], "limit": 2, "after": after}
        page = caller.post("/v1/companies/ABC/query", body).json()
        seen += [(row["ItemCode"], row["WarehouseCode"]) for row in page["rows"]]
        after = page["next"]
    assert seen == [("A-1", "000"), ("A-1", "001"), ("b-2", "001"), ("C_3", "001"), ("CX3", "001")]


@pytest.mark.parametrize(
    ("condition", "items"),
    [
        (["QuantityOnHand", "=", "0.1"], ["A-1"]),
        (["QuantityOnHand", "=", "0"], ["A-1"]),
        (["QuantityOnHand", ">=", "3.500000"], ["b-2", "C_3", "CX3"]),
        (["QuantityOnHand", "!=", "7"], ["A-1", "A-1", "b-2", "C_3"]),
        (["ItemCode", "=", "B-2"], []),
        (["ItemCode", "!=", "B-2"], ["A-1", "A-1", "b-2", "C_3", "CX3"]),
        (["ItemCode", ">", "Z"], ["b-2"]),
        (["ItemCode", "starts_with", "C_"], ["C_3"]),
        (["ItemCode", "in", ["b-2", "it's"]], ["b-2"]),
        (["DateUpdated", ">=", "20261119"], ["A-1", "b-2", "C_3", "CX3"]),
        (["DateUpdated", ">", "20261119"], []),
        (["DateUpdated", "=", ""], ["A-1"]),
        (["DateUpdated", "<", "20261119"], ["A-1"]),
    ],
    ids=str,
)
def test_filters_mean_what_the_protocol_says_whatever_the_database_thinks_of_case(
    caller: Caller, condition: list, items: list[str]
):
    assert [row["ItemCode"] for row in caller.rows("IM_ItemWarehouse", filter=[condition])] == items


def test_values_have_the_tables_scale_and_no_binary_dust(caller: Caller):
    rows = caller.rows("IM_ItemWarehouse", columns=["QuantityOnHand", "DateUpdated"])
    assert [row["QuantityOnHand"] for row in rows] == [
        "0.000000",
        "0.100000",
        "3.500000",
        "1000000.000000",
        "7.000000",
    ]
    assert [row["DateUpdated"] for row in rows][:2] == ["", "20261119"]


def test_a_wrong_password_of_sage_is_told_by_health(caller: Caller, tmp_path: Path):
    health = requests.get(f"{caller.url}/v1/health", headers={"X-API-Key": KEY}, timeout=10)
    assert health.json()["sage"] == {"version": "7.20", "edition": "Premium"}
    driver = SageBoi(["ABC"], "wrong", "C:\\Sage\\MAS90\\Home", "agent", com=FakeSage())
    service = SageService(driver, Store(tmp_path / "other.sqlite"), ACCESS)
    with pytest.raises(Exception, match="user logon or password is invalid"):
        service.health(None)
    driver.close()


def test_without_pywin32_the_agent_says_what_to_install(tmp_path: Path):
    agent = sage_agent(tmp_path)
    path = tmp_path / "agent.toml"
    more = '[system]\nhome = "x"\nuser = "agent"\npassword_file = "agent.toml"\n'
    path.write_text(
        path.read_text(encoding="utf-8").replace("simulated", "sage-boi") + more, encoding="utf-8"
    )
    try:
        with pytest.raises(AssertionError, match=r"install tieout-agent\[sage\]"):
            agent.start()
    finally:
        agent.close()
