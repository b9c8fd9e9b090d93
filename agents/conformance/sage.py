"""The points of the Sage 100 agent protocol, version 1."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from agents.conformance.client import Reply
from agents.conformance.points import (
    NotChecked,
    Points,
    Run,
    expect,
    expect_error,
    expect_headers,
    expect_locked_out,
    expect_members,
    expect_status,
)

POINTS = Points()
AT_ONCE = 8
TABLES = """CI_Item IM_ItemWarehouse IM_PriceCode AR_Customer AR_OpenInvoice SO_SalesOrderHeader SO_SalesOrderDetail
    SO_SalesOrderHistoryHeader SO_InvoiceHeader SO_InvoiceTracking AR_InvoiceHistoryHeader AR_InvoiceHistoryTracking
    SO_ShipToAddress""".split()
DECIMAL = re.compile(r"-?[0-9]+\.[0-9]{6}")
TIME = re.compile(r"(?:[0-9]{2}\.[0-9]{5})?")
DATE = re.compile(r"(?:[0-9]{8})?")


def company(run: Run) -> str:
    """The address of the company."""
    return f"/v1/companies/{run.given['company']}"


def query(run: Run, **body: Any) -> Reply:
    """POST …/query."""
    return run.client.ask("POST", f"{company(run)}/query", body)


def rows(run: Run, **body: Any) -> list[dict[str, Any]]:
    """One page. :raises Failed: it is none"""
    page = expect_status(query(run, **body), 200)
    expect("next" in page and isinstance(page.get("rows"), list), "a page has rows and next")
    return list(page["rows"])


# -- who asks, and how ---------------------------------------------------------


@POINTS.point(
    "GET /v1/health names the agent, the protocol, Sage, the companies, and the server's time with its offset"
)
def _health(run: Run) -> None:
    body = expect_status(run.client.ask("GET", "/v1/health"), 200)
    kinds = {"agent": str, "version": str, "protocol": int, "sage": dict, "companies": list, "now": str}
    expect_members(body, {**kinds, "utc_offset_minutes": int}, "health")
    expect(body["protocol"] == 1, f"protocol is {body['protocol']}")
    expect_members(body["sage"], {"version": str, "edition": str}, "sage")
    expect(run.given["company"] in body["companies"], f"{run.given['company']} is not among the companies")
    offset = datetime.fromisoformat(body["now"]).utcoffset()
    expect(offset is not None, "now has no offset")
    assert offset is not None
    expect(offset.total_seconds() == body["utc_offset_minutes"] * 60, "now and utc_offset_minutes differ")


@POINTS.point("without a key, and with a wrong one, every address answers 401 unauthorized")
def _locked(run: Run) -> None:
    paths = [("GET", "/v1/health"), ("POST", f"{company(run)}/query"), ("POST", f"{company(run)}/writes")]
    expect_locked_out(run, paths, {"X-API-Key": "wrong"})


@POINTS.point("X-Correlation-Id is echoed, on errors too")
def _correlation(run: Run) -> None:
    expect_headers(run, [("GET", "/v1/health"), ("POST", f"{company(run)}/query")], request_id=False)


@POINTS.point("another company is 403 company_not_allowed")
def _company(run: Run) -> None:
    for what, body in (("query", {"table": "CI_Item"}), ("writes", {})):
        reply = run.client.ask("POST", f"/v1/companies/~~~/{what}", body)
        expect_error(reply, 403, "company_not_allowed")


# -- reading ---------------------------------------------------------------------


@POINTS.point("every table of the protocol is served")
def _tables(run: Run) -> None:
    for table in TABLES:
        rows(run, table=table, limit=1)


@POINTS.point("pages follow the primary key, lose nothing, repeat nothing, and end with next null")
def _pages(run: Run) -> None:
    whole = [row["ItemCode"] for row in rows(run, table="CI_Item", columns=["ItemCode"], limit=12)]
    expect(len(whole) > 1, "CI_Item has fewer than two rows to look at")
    seen: list[str] = []
    after = None
    while len(seen) < len(whole):
        page = expect_status(query(run, table="CI_Item", columns=["ItemCode"], limit=2, after=after), 200)
        seen += [row["ItemCode"] for row in page["rows"]]
        after = page["next"]
        if after is None:
            break
        expect(after == [seen[-1]], f"next is {after} behind {seen[-1]}")
    expect(seen[: len(whole)] == whole, f"pages of two gave {seen}, one page gave {whole}")
    expect(whole == sorted(whole), "rows are not in the order of their key")
    last = expect_status(query(run, table="CI_Item", filter=[["ItemCode", "=", whole[0]]], limit=1), 200)
    expect(last["next"] is None, "a page behind which nothing comes has a next")


@POINTS.point("rows bear their key, DateUpdated and TimeUpdated whatever was asked for")
def _always(run: Run) -> None:
    for row in rows(run, table="IM_ItemWarehouse", columns=["QuantityOnHand"], limit=5):
        expect_members(
            row, dict.fromkeys(("ItemCode", "WarehouseCode", "DateUpdated", "TimeUpdated"), str), "a row"
        )
        expect(DATE.fullmatch(row["DateUpdated"]) is not None, f"DateUpdated is {row['DateUpdated']}")
        expect(TIME.fullmatch(row["TimeUpdated"]) is not None, f"TimeUpdated is {row['TimeUpdated']}")


@POINTS.point("decimals are text in the table's scale")
def _decimals(run: Run) -> None:
    for row in rows(run, table="CI_Item", columns=["StandardUnitPrice"], limit=5):
        price = row["StandardUnitPrice"]
        expect(
            isinstance(price, str) and DECIMAL.fullmatch(price) is not None, f"StandardUnitPrice is {price!r}"
        )


@POINTS.point("every operator of a filter does what it says")
def _operators(run: Run) -> None:
    items = [row["ItemCode"] for row in rows(run, table="CI_Item", columns=["ItemCode"], limit=10)]
    middle = items[len(items) // 2]
    scope = ["ItemCode", "in", items]
    for operator, value, wanted in (
        ("=", middle, [i for i in items if i == middle]),
        ("!=", middle, [i for i in items if i != middle]),
        ("<", middle, [i for i in items if i < middle]),
        ("<=", middle, [i for i in items if i <= middle]),
        (">", middle, [i for i in items if i > middle]),
        (">=", middle, [i for i in items if i >= middle]),
        ("starts_with", middle[:2], [i for i in items if i.startswith(middle[:2])]),
    ):
        found = rows(
            run, table="CI_Item", columns=["ItemCode"], filter=[scope, ["ItemCode", operator, value]]
        )
        expect([row["ItemCode"] for row in found] == wanted, f"{operator} {value} gave {found}")


@POINTS.point("a wrong query is 400 with its name: bad_request, unknown_table, unknown_column, bad_filter")
def _wrong_queries(run: Run) -> None:
    expect_error(query(run, table="CI_Item", limit=1001), 400, "bad_request")
    expect_error(query(run, table="NO_SUCH_TABLE"), 400, "unknown_table")
    expect_error(query(run, table="CI_Item", columns=["NoSuchColumn"]), 400, "unknown_column")
    expect_error(query(run, table="CI_Item", filter=[["NoSuchColumn", "=", "1"]]), 400, "unknown_column")
    expect_error(query(run, table="CI_Item", filter=[["ItemCode", "~", "1"]]), 400, "bad_filter")


# -- writing -----------------------------------------------------------------------


def given_write(run: Run, **change: Any) -> dict[str, Any]:
    """The write from the command line under a new id. :raises NotChecked: none was given"""
    given = run.need("write", "--write with a sales order for a test company")
    if not isinstance(given, dict) or given.get("mode") != "create":
        raise NotChecked("--write is no create")
    return {**given, "key": {"SalesOrderNo": "next"}, "write_id": run.new_id(), **change}


def save(run: Run, write: dict[str, Any]) -> Reply:
    """POST …/writes."""
    return run.client.ask("POST", f"{company(run)}/writes", write)


def look(run: Run, write_id: str) -> Reply:
    """GET …/writes/{write_id}."""
    return run.client.ask("GET", f"{company(run)}/writes/{write_id}")


@POINTS.point("GET of a write that the agent never got is 404 write_not_found")
def _never_got(run: Run) -> None:
    expect_error(look(run, run.new_id()), 404, "write_not_found")


@POINTS.point(
    "a create is 201 with its key; sent again it gives the stored answer, with another body 409 write_mismatch"
)
def _create(run: Run) -> None:
    write = given_write(run)
    first = save(run, write)
    body = expect_status(first, 201)
    expect_members(body, {"write_id": str, "key": dict, "result": str, "warnings": list}, "the answer")
    expect(body["result"] in ("saved", "saved_with_warning"), f"result is {body['result']}")
    again = save(run, write)
    expect(again.replayed and again.body == first.body, "the second answer is no replay of the first")
    expect_error(
        save(run, {**write, "values": {**write["values"], "Comment": "other"}}), 409, "write_mismatch"
    )
    expect(
        expect_status(look(run, write["write_id"]), 200) == first.body, "GET gives another answer than POST"
    )
    saved = rows(
        run, table="SO_SalesOrderHeader", filter=[["SalesOrderNo", "=", body["key"]["SalesOrderNo"]]]
    )
    expect(len(saved) == 1, f"the order was found {len(saved)} times")


@POINTS.point(
    "a number that is there is 409 already_exists; one that is not cannot be updated: 404 not_found"
)
def _existence(run: Run) -> None:
    key = expect_status(save(run, given_write(run)), 201)["key"]
    expect_error(save(run, given_write(run, key=key)), 409, "already_exists")
    nothing = {"key": {"SalesOrderNo": "~~~~~~~"}, "mode": "update", "lines": []}
    expect_error(save(run, {**given_write(run), **nothing}), 404, "not_found")


@POINTS.point(
    "an unknown column is 422 refused with object, line and field; it leaves no trace and may be corrected"
)
def _refused(run: Run) -> None:
    write = given_write(run)
    wrong = {**write, "values": {**write["values"], "NoSuchColumn": "x"}}
    reply = save(run, wrong)
    expect_error(reply, 422, "refused")
    expect(reply.body["error"].get("line", 0) is None, "line is not null for the header")
    expect(reply.body["error"].get("field") == "NoSuchColumn", f"field is {reply.body['error'].get('field')}")
    expect_error(look(run, write["write_id"]), 404, "write_not_found")
    expect_status(save(run, write), 201)


@POINTS.point(
    "of many requests for one write at the same moment one saves; the others replay or are 409 write_in_progress"
)
def _at_once(run: Run) -> None:
    write = given_write(run)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        replies = list(pool.map(lambda _: save(run, write), range(AT_ONCE)))
    saved = [reply for reply in replies if reply.status == 201 and not reply.replayed]
    others = [reply for reply in replies if reply not in saved]
    odd = [r.short() for r in others if not (r.replayed or (r.status, r.code) == (409, "write_in_progress"))]
    expect(len(saved) == 1 and not odd, f"{len(saved)} of {AT_ONCE} saved; answered {odd}")


@POINTS.point("a line with delete goes, one with its LineKey changes, one without is added, the others stay")
def _lines(run: Run) -> None:
    write = given_write(run)
    key = expect_status(save(run, write), 201)["key"]
    where = [["SalesOrderNo", "=", key["SalesOrderNo"]]]
    before = rows(run, table="SO_SalesOrderDetail", filter=where)
    lines = [{"LineKey": before[0]["LineKey"], "delete": True}, write["lines"][0]]
    change = {"write_id": run.new_id(), "mode": "update", "key": key, "values": {}, "lines": lines}
    expect_status(save(run, {**write, **change}), 200)
    after = rows(run, table="SO_SalesOrderDetail", filter=where)
    kept = [row["LineKey"] for row in before[1:]]
    expect([r["LineKey"] for r in after][: len(kept)] == kept, "a line that was not named did not stay")
    expect(
        len(after) == len(before), f"{len(after)} lines after one was removed and one added to {len(before)}"
    )


@POINTS.point("a write is remembered for at least 7 days")
def _memory(run: Run) -> None:
    raise NotChecked("ask for one of last week")


@POINTS.point("an agent that is killed while Sage saves makes no second order when the write is sent again")
def _kill(run: Run) -> None:
    raise NotChecked("by hand: docs/agents.md")
