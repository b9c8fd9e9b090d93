"""Writing through the Sage 100 agent: saved once, whatever happens, and refused in Sage's own words."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.agents.running import Agent, order
from tests.waiting import wait_until

WRITES = "/v1/companies/ABC/writes"


def header(sage: Agent, number: str = "W100234") -> dict:
    query = {"table": "SO_SalesOrderHeader", "filter": [["SalesOrderNo", "=", number]]}
    return sage.post("/v1/companies/ABC/query", query).json()["rows"][0]


def lines(sage: Agent) -> list[dict]:
    return sage.post("/v1/companies/ABC/query", {"table": "SO_SalesOrderDetail"}).json()["rows"]


def orders(sage: Agent) -> list[str]:
    return [row["SalesOrderNo"] for row in sage.get("/_control/rows/ABC/SO_SalesOrderHeader").json()["rows"]]


def held(sage: Agent, at: str, write: dict, pool: ThreadPoolExecutor):
    sage.control("faults", kind="hold", at=at)
    future = pool.submit(sage.post, WRITES, write)
    assert sage.control("wait", at=at) == {"struck": True}
    return future


def test_an_order_is_saved_with_its_lines_totals_and_tax(sage: Agent):
    answer = sage.post(WRITES, order("T1-1-O"))
    assert answer.status_code == 201
    assert answer.json() == {
        "write_id": "T1-1-O",
        "key": {"SalesOrderNo": "W100234"},
        "result": "saved",
        "warnings": [],
    }
    saved = header(sage)
    assert [saved[n] for n in ("TaxableAmt", "NonTaxableAmt", "SalesTaxAmt")] == ["168.00", "25.00", "13.86"]
    assert [(row["LineKey"], row["UnitPrice"], row["ExtensionAmt"]) for row in lines(sage)] == [
        ("000001", "84.000000", "168.00"),
        ("000002", "25.000000", "25.00"),
    ]


def test_a_saved_write_is_answered_again_and_runs_once(sage: Agent):
    first, again = sage.post(WRITES, order("T1-2-O")), sage.post(WRITES, order("T1-2-O"))
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotent-Replay"] == "true"
    assert "Idempotent-Replay" not in first.headers
    assert sage.get(f"{WRITES}/T1-2-O").json() == first.json()
    assert len(lines(sage)) == 2


def test_a_saved_write_with_another_body_is_a_mismatch(sage: Agent):
    sage.post(WRITES, order("T1-3-O"))
    answer = sage.post(WRITES, order("T1-3-O", "W1"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "write_mismatch")


def test_a_refused_write_names_line_and_field_leaves_no_trace_and_may_be_corrected(sage: Agent):
    wrong = order("T1-4-O")
    wrong["lines"][1]["ItemCode"] = "NOTHING"
    answer = sage.post(WRITES, wrong)
    assert answer.status_code == 422
    assert answer.json()["error"] == {
        "code": "refused",
        "message": "Item NOTHING is not on file.",
        "object": "SO_SalesOrder_bus",
        "line": 1,
        "field": "ItemCode",
    }
    assert sage.get(f"{WRITES}/T1-4-O").json()["error"]["code"] == "write_not_found"
    assert orders(sage) == lines(sage) == []
    assert sage.post(WRITES, order("T1-4-O")).status_code == 201


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("Colour", "red"),
        ("CustomerNo", "NOBODY"),
        ("BillToState", "California"),
        ("FreightAmt", "ten"),
        ("FreightAmt", "1.005"),
        ("FreightAmt", "9999999999.00"),
    ],
)
def test_what_the_header_does_not_take_is_refused_with_its_field(sage: Agent, column: str, value: str):
    write = order("T1-5-O")
    write["values"][column] = value
    error = sage.post(WRITES, write).json()["error"]
    assert (error["code"], error["line"], error["field"]) == ("refused", None, column)


def test_an_existing_number_is_not_created_twice_nor_one_that_lives_in_history(sage: Agent):
    sage.post(WRITES, order("T1-6-O"))
    answer = sage.post(WRITES, order("T1-7-O"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "already_exists")
    done = {"SalesOrderNo": "W000001", "OrderStatus": "C"}
    sage.control("rows", changes=[["ABC:SO_SalesOrderHistoryHeader", "W000001", done]])
    answer = sage.post(WRITES, order("T1-8-O", "W000001"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "already_exists")
    answer = sage.post(WRITES, order("T1-9-O", "W000001", mode="update", lines=[]))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_a_warning_means_saved(sage: Agent):
    sage.post(WRITES, order("T1-10-O"))
    again = order("T1-11-O", "W100235")
    again["values"]["CustomerPONo"] = "T1-10-O"
    answer = sage.post(WRITES, again)
    assert (answer.status_code, answer.json()["result"]) == (201, "saved_with_warning")
    assert answer.json()["warnings"] == [
        "This customer PO number already exists on one or more sales orders or invoices."
    ]
    assert orders(sage) == ["W100234", "W100235"]


def test_an_update_changes_adds_and_removes_the_lines_it_names_and_leaves_the_others(sage: Agent):
    sage.post(WRITES, order("T1-12-O"))
    change = order("T1-13-O", mode="update", values={"Comment": "changed"})
    change["lines"] = [
        {"LineKey": "000001", "QuantityOrdered": "3"},
        {"LineKey": "000002", "delete": True},
        {"ItemCode": "2001-CANDLE", "QuantityOrdered": "1"},
    ]
    answer = sage.post(WRITES, change)
    assert (answer.status_code, answer.json()["result"]) == (200, "saved")
    assert [(row["LineKey"], row["ItemCode"], row["ExtensionAmt"]) for row in lines(sage)] == [
        ("000001", "1001-HON-H252", "252.00"),
        ("000002", "2001-CANDLE", "9.95"),
    ]
    assert (header(sage)["Comment"], header(sage)["TaxableAmt"]) == ("changed", "261.95")


def test_ordered_quantities_follow_the_orders(sage: Agent):
    sage.post(WRITES, order("T1-14-O"))
    query = {"table": "IM_ItemWarehouse", "filter": [["QuantityOnSalesOrder", ">", "0"]]}
    rows = sage.post("/v1/companies/ABC/query", query).json()["rows"]
    assert [(row["ItemCode"], row["WarehouseCode"], row["QuantityOnSalesOrder"]) for row in rows] == [
        ("1001-HON-H252", "001", "2.000000"),
        ("9001-GIFT", "001", "1.000000"),
    ]


def test_the_next_number_is_sages_own(sage: Agent):
    customer = {"object": "AR_Customer_bus", "key": {"ARDivisionNo": "01", "CustomerNo": "next"}, "lines": []}
    answer = sage.post(WRITES, order("T1-15-C") | customer | {"values": {"CustomerName": "Ann"}})
    assert (answer.status_code, answer.json()["key"]) == (
        201,
        {"ARDivisionNo": "01", "CustomerNo": "0000001"},
    )


def test_a_locked_record_is_423_and_leaves_no_trace(sage: Agent):
    sage.control("faults", kind="locked", at="save")
    answer = sage.post(WRITES, order("T1-16-O"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (423, "record_locked")
    assert sage.get(f"{WRITES}/T1-16-O").status_code == 404
    assert sage.post(WRITES, order("T1-16-O")).status_code == 201


def test_while_a_write_runs_it_is_in_progress_for_everybody_else(sage: Agent):
    with ThreadPoolExecutor() as pool:
        future = held(sage, "save", order("T1-17-O"), pool)
        answer = sage.post(WRITES, order("T1-17-O"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "write_in_progress")
        running = sage.get(f"{WRITES}/T1-17-O")
        assert (running.status_code, running.json()) == (202, {"write_id": "T1-17-O", "result": "running"})
        sage.control("release")
        assert future.result().status_code == 201
    assert orders(sage) == ["W100234"]


def test_writes_wait_for_each_other_and_when_too_many_wait_one_is_told_to_come_back(sage: Agent):
    with ThreadPoolExecutor(16) as pool:
        futures = [held(sage, "save", order("T1-30-O", "W1"), pool)]
        futures += [pool.submit(sage.post, WRITES, order(f"T1-3{n}-O", f"W{n}")) for n in range(2, 9)]
        wait_until(lambda: all_wait(sage))
        answer = sage.post(WRITES, order("T1-39-O", "W9"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "busy")
        assert int(answer.headers["Retry-After"]) >= 1
        sage.control("release")
        assert {future.result().status_code for future in futures} == {201}
    assert orders(sage) == [f"W{n}" for n in range(1, 9)]


def all_wait(sage: Agent) -> bool:
    return all(sage.get(f"{WRITES}/T1-3{n}-O").status_code == 202 for n in range(2, 9))


@pytest.mark.parametrize("number", ["W100234", "next"])
@pytest.mark.parametrize(("at", "there"), [("save", False), ("saved", True)])
def test_kill_9_while_sage_saves_never_makes_a_second_order(
    mortal_sage: Agent, number: str, at: str, there: bool
):
    write_id = f"T1-18-{at}-{number}"
    with ThreadPoolExecutor() as pool:
        lost = held(mortal_sage, at, order(write_id, number), pool)
        mortal_sage.stop(signal.SIGKILL)
        with pytest.raises(requests.ConnectionError):
            lost.result()
    mortal_sage.start()
    assert len(orders(mortal_sage)) == there
    assert mortal_sage.get(f"{WRITES}/{write_id}").status_code == 202
    answer = mortal_sage.post(WRITES, order(write_id, number))
    assert (answer.status_code, answer.json()["result"]) == (201, "saved")
    assert (answer.headers.get("Idempotent-Replay") == "true") is there
    assert orders(mortal_sage) == [answer.json()["key"]["SalesOrderNo"]]
    assert len(lines(mortal_sage)) == 2


def test_after_a_crash_somebody_elses_order_under_the_number_is_not_ours(mortal_sage: Agent):
    with ThreadPoolExecutor() as pool:
        held(mortal_sage, "save", order("T1-19-O"), pool)
        mortal_sage.stop(signal.SIGKILL)
    mortal_sage.start()
    foreign = {"SalesOrderNo": "W100234", "ARDivisionNo": "01", "CustomerNo": "WEB0002", "CustomerPONo": "x"}
    mortal_sage.control("rows", changes=[["ABC:SO_SalesOrderHeader", "W100234", foreign]])
    answer = mortal_sage.post(WRITES, order("T1-19-O"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "already_exists")


@pytest.mark.parametrize("adds", [True, False])
def test_a_change_whose_end_nobody_heard_runs_again_only_if_twice_is_the_same_as_once(
    sage: Agent, adds: bool
):
    sage.post(WRITES, order(f"T1-20-{adds}"))
    line = (
        {"ItemCode": "2001-CANDLE", "QuantityOrdered": "1"}
        if adds
        else {"LineKey": "000001", "QuantityOrdered": "5"}
    )
    write_id = f"T1-21-{adds}"
    change = order(write_id, mode="update", values={}, lines=[line])
    sage.control("faults", kind="broken", at="saved")
    assert sage.post(WRITES, change).status_code == 503
    answer = sage.post(WRITES, change)
    if adds:
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "write_in_progress")
        assert "another write_id" in answer.json()["error"]["message"]
        assert sage.get(f"{WRITES}/{write_id}").status_code == 202
        assert len(lines(sage)) == 3
    else:
        assert (answer.status_code, lines(sage)[0]["QuantityOrdered"]) == (200, "5.000000")


def test_a_sage_that_went_away_after_saving_is_looked_at_before_anything_is_sent_again(sage: Agent):
    sage.control("faults", kind="broken", at="saved")
    assert sage.post(WRITES, order("T1-22-O")).json()["error"]["code"] == "sage_unavailable"
    answer = sage.post(WRITES, order("T1-22-O"))
    assert (answer.status_code, answer.headers["Idempotent-Replay"]) == (201, "true")
    assert orders(sage) == ["W100234"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "upsert"},
        {"object": "AP_Vendor_bus"},
        {"key": {"SalesOrderNo": ""}},
        {"key": {"CustomerNo": "1"}},
        {"mode": "update", "key": {"SalesOrderNo": "next"}},
        {"values": {"FreightAmt": 10}},
        {"lines": [{"ItemCode": "x", "delete": True}]},
        {"lines": [{"LineKey": "000001", "ItemCode": "x"}]},
        {"write_id": "a/b"},
        {"colour": "red"},
    ],
    ids=str,
)
def test_a_write_of_the_wrong_shape_is_a_bad_request(sage: Agent, wrong: dict):
    answer = sage.post(WRITES, order("T1-23-O") | wrong)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")
