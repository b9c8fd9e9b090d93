"""Reading through the Sage 100 agent: filters, pages, scales."""

from __future__ import annotations

import pytest

from tests.agents.running import Agent

STOCK = [("1001-HON-H252", "000"), ("1001-HON-H252", "001"), ("1001-HON-H500", "001"), ("2001-CANDLE", "001")]


def ask(sage: Agent, table: str, **query) -> dict:
    answer = sage.post("/v1/companies/ABC/query", {"table": table, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_pages_follow_the_primary_key_and_lose_nothing(sage: Agent):
    seen, after, pages = [], None, 0
    while pages == 0 or after is not None:
        page = ask(sage, "IM_ItemWarehouse", columns=["QuantityOnHand"], limit=2, after=after)
        seen += [(row["ItemCode"], row["WarehouseCode"]) for row in page["rows"]]
        after, pages = page["next"], pages + 1
        assert pages < 10
    assert seen == [*STOCK, ("9001-GIFT", "001")]
    assert pages == 3


def test_the_last_full_page_says_that_it_is_the_last(sage: Agent):
    assert ask(sage, "IM_ItemWarehouse", limit=5)["next"] is None


def test_rows_bear_their_key_and_their_stamp_whatever_was_asked_for(sage: Agent):
    row = ask(sage, "CI_Item", columns=["StandardUnitPrice"], filter=[["ItemCode", "=", "1001-HON-H252"]])[
        "rows"
    ][0]
    assert list(row) == ["ItemCode", "DateUpdated", "TimeUpdated", "StandardUnitPrice"]
    assert row["StandardUnitPrice"] == "12.500000"
    assert len(row["TimeUpdated"]) == 8
    assert row["TimeUpdated"][2] == "."


def test_without_columns_all_come_with_decimals_in_their_scale_and_blank_dates(sage: Agent):
    row = ask(sage, "CI_Item", filter=[["ItemCode", "=", "1001-HON-H252"]])["rows"][0]
    assert (row["SaleStartingDate"], row["SalesPromotionPrice"]) == ("", "0.000000")
    assert row["ItemCodeDesc"] == "Honey, 250 g"


@pytest.mark.parametrize(
    ("condition", "items"),
    [
        (["QuantityOnHand", ">", "48"], ["1001-HON-H252", "9001-GIFT"]),
        (["QuantityOnHand", ">=", "48.0"], ["1001-HON-H252", "1001-HON-H500", "9001-GIFT"]),
        (["QuantityOnHand", "=", "0"], ["2001-CANDLE"]),
        (["QuantityOnHand", "<", "9"], ["2001-CANDLE"]),
        (["QuantityOnHand", "in", ["48", "999.00"]], ["1001-HON-H500", "9001-GIFT"]),
        (["ItemCode", "in", ["9001-GIFT", "none"]], ["9001-GIFT"]),
        (["ItemCode", "starts_with", "1001"], ["1001-HON-H252", "1001-HON-H252", "1001-HON-H500"]),
        (["ItemCode", "starts_with", "1%"], []),
        (["WarehouseCode", "!=", "001"], ["1001-HON-H252"]),
        (["DateUpdated", "<", "20200101"], []),
    ],
    ids=str,
)
def test_filters(sage: Agent, condition: list, items: list[str]):
    rows = ask(sage, "IM_ItemWarehouse", filter=[condition, ["WarehouseCode", "<=", "001"]])["rows"]
    assert [
        row["ItemCode"] for row in rows if condition[0] != "QuantityOnHand" or row["WarehouseCode"] == "001"
    ] == items


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"table": "GL_Account"}, "unknown_table"),
        ({"table": "CI_Item", "columns": ["Price"]}, "unknown_column"),
        ({"table": "CI_Item", "filter": [["Price", "=", "1"]]}, "unknown_column"),
        ({"table": "CI_Item", "filter": [["ItemCode", "like", "1"]]}, "bad_filter"),
        ({"table": "CI_Item", "filter": [["ItemCode", "=", 1]]}, "bad_filter"),
        ({"table": "CI_Item", "filter": [["StandardUnitPrice", "=", "cheap"]]}, "bad_filter"),
        ({"table": "CI_Item", "filter": [["StandardUnitPrice", ">", "NaN"]]}, "bad_filter"),
        ({"table": "CI_Item", "filter": [["StandardUnitPrice", ">", "1e999999999"]]}, "bad_filter"),
        ({"table": "CI_Item", "filter": [["StandardUnitPrice", ">", "9999999999"]]}, "bad_filter"),
        ({"table": "CI_Item", "filter": [["StandardUnitPrice", "=", "0.0000001"]]}, "bad_filter"),
        ({"table": "CI_Item", "filter": [["DateUpdated", ">=", "2026-11-19"]]}, "bad_filter"),
        ({"table": "CI_Item", "filter": [["ItemCode", "in", []]]}, "bad_filter"),
        ({"table": "CI_Item", "filter": [["StandardUnitPrice", "starts_with", "1"]]}, "bad_filter"),
        ({"table": "CI_Item", "limit": 1001}, "bad_request"),
        ({"table": "CI_Item", "limit": 0}, "bad_request"),
        ({"table": "CI_Item", "after": ["a", "b"]}, "bad_request"),
        ({"table": "CI_Item", "order": "ItemCode"}, "bad_request"),
    ],
    ids=str,
)
def test_a_wrong_query_is_refused_by_name(sage: Agent, query: dict, code: str):
    answer = sage.post("/v1/companies/ABC/query", query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_a_company_that_is_not_allowed_is_refused_everywhere(sage: Agent):
    for answer in (
        sage.post("/v1/companies/XYZ/query", {"table": "CI_Item"}),
        sage.post("/v1/companies/XYZ/writes", {}),
        sage.get("/v1/companies/XYZ/writes/1"),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "company_not_allowed")


def test_health_tells_the_time_of_the_server_and_its_offset(sage: Agent):
    health = sage.get("/v1/health").json()
    assert health["protocol"] == 1
    assert health["sage"] == {"version": "7.20", "edition": "Premium"}
    assert health["companies"] == ["ABC"]
    assert health["utc_offset_minutes"] == -480
    assert health["now"].endswith("-08:00")


def test_a_sage_that_does_not_answer_is_503(sage: Agent):
    sage.control("faults", kind="broken", at="ask", count=2)
    for answer in (sage.get("/v1/health"), sage.post("/v1/companies/ABC/query", {"table": "CI_Item"})):
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "sage_unavailable")
