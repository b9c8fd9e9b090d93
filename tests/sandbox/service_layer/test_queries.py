"""`$filter` and its sisters, paging and its links."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest

from sandbox.service_layer import add_item
from tests.sandbox.service_layer.client import invoice, line

CODES = ["SKU-1", "SKU-2", "SKU-3", "SKU-4", "SKU-5"]


def codes(b1, condition: str, **headers: str) -> list[str]:
    answer = b1.get(f"Items?$select=ItemCode&$filter={condition}", **headers)
    assert answer.status_code == 200, answer.text
    return [row["ItemCode"] for row in answer.json()["value"]]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("ItemCode eq 'SKU-1'", ["SKU-1"]),
        ("ItemCode ge 'SKU-4' and InventoryItem eq 'tYES'", ["SKU-4", "SKU-5"]),
        ("InventoryItem eq 'Y' and not (ItemCode eq 'SKU-3')", ["SKU-1", "SKU-2", "SKU-4", "SKU-5"]),
        ("ItemCode eq 'SKU-1' or ItemCode eq 'FEE' and ItemCode eq 'X'", ["SKU-1"]),
        ("(ItemCode eq 'SKU-1' or ItemCode eq 'FEE') and InventoryItem eq 'tNO'", ["FEE"]),
        ("startswith(ItemCode,'SKU')", CODES),
        ("endswith(ItemCode,'-2')", ["SKU-2"]),
        ("contains(ItemName,'cle 3')", ["SKU-3"]),
        ("substringof('cle 3',ItemName)", ["SKU-3"]),
        ("BarCode eq '400000000002'", ["SKU-2"]),
        ("BarCode eq null and startswith(ItemCode,'F')", ["FEE"]),
        ("QuantityOnStock gt 999.5", CODES),
        ("CreateDate ge '2000-01-01' and startswith(ItemCode,'SKU')", CODES),
        ("CreateDate lt datetime'2000-01-01T10:00:00'", []),
        ("ItemCode eq 'sku-1'", []),
    ],
)
def test_filters(b1, condition, expected):
    assert codes(b1, condition) == expected


def test_case_is_ignored_on_request(b1):
    assert codes(b1, "ItemCode eq 'sku-1'", B1S_CaseInsensitive="true") == ["SKU-1"]


def test_a_quote_is_doubled(b1):
    add_item(b1.company, "O'NEIL")
    assert codes(b1, "ItemCode eq 'O''NEIL'") == ["O'NEIL"]
    assert b1.get("Items('O''NEIL')?$select=ItemCode").json()["ItemCode"] == "O'NEIL"


@pytest.mark.parametrize(
    "condition",
    [
        "ItemCode eq SKU",
        "ItemCode eq 1",
        "QuantityOnStock eq '1'",
        "Nothing eq 1",
        "ItemPrices eq 1",
        "ItemCode like 'x'",
        "ItemCode eq 'a' and",
        "(ItemCode eq 'a'",
        "tolower(ItemCode) eq 'a'",
        "QuantityOnStock add 1 eq 2",
        "Valid eq 'maybe'",
        "ItemCode eq 'it's'",
    ],
)
def test_what_the_service_layer_cannot_read_is_refused(b1, condition):
    answer = b1.get(f"Items?$filter={condition}")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == -1000


def test_a_page_has_twenty_rows_and_a_relative_link(b1):
    for number in range(30):
        add_item(b1.company, f"PAGE-{number:02}")
    first = b1.get("Items?$select=ItemCode&$orderby=ItemCode desc&$filter=startswith(ItemCode,'PAGE')").json()
    assert len(first["value"]) == 20
    assert first["value"][0]["ItemCode"] == "PAGE-29"
    assert first["odata.nextLink"].startswith("Items?")
    second = b1.http.get(
        urljoin(f"{b1.root}/", first["odata.nextLink"]), headers={"Cookie": f"B1SESSION={b1.session}"}
    ).json()
    assert [row["ItemCode"] for row in second["value"]] == [f"PAGE-{n:02}" for n in range(9, -1, -1)]
    assert "odata.nextLink" not in second


def test_links_may_also_start_at_the_root(b1):
    b1.company.switches.next_link = "rooted"
    answer = b1.get("Items?$select=ItemCode", Prefer="odata.maxpagesize=2")
    assert answer.headers["Preference-Applied"] == "odata.maxpagesize=2"
    assert answer.json()["odata.nextLink"] == "/b1s/v1/Items?$select=ItemCode&$skip=2"


def test_page_size_zero_turns_paging_off(b1):
    for number in range(30):
        add_item(b1.company, f"PAGE-{number:02}")
    answer = b1.get("Items?$select=ItemCode", Prefer="odata.maxpagesize=0").json()
    assert len(answer["value"]) > 30
    assert "odata.nextLink" not in answer


def test_counts_are_text_in_v1_and_numbers_in_v2(b1):
    assert b1.get("Items?$inlinecount=allpages&$top=1").json()["odata.count"] == "14"
    newer = b1.http.get(
        f"{b1.root}/Items?$count=true&$top=1".replace("v1", "v2"),
        headers={"Cookie": f"B1SESSION={b1.session}"},
    )
    assert newer.json()["@odata.count"] == 14
    assert b1.get("Items/$count?$filter=InventoryItem eq 'tYES'").text == "5"


def test_top_and_skip(b1):
    rows = b1.get(
        "Items?$select=ItemCode&$orderby=ItemCode&$filter=startswith(ItemCode,'SKU')&$top=2&$skip=1"
    )
    assert [row["ItemCode"] for row in rows.json()["value"]] == ["SKU-2", "SKU-3"]


def test_a_collection_can_be_selected_whole(b1):
    row = b1.get("Items('SKU-1')?$select=ItemCode,ItemWarehouseInfoCollection").json()
    assert [(w["WarehouseCode"], w["InStock"]) for w in row["ItemWarehouseInfoCollection"]] == [
        ("01", 1000.0),
        ("02", 0.0),
        ("03", 0.0),
    ]


@pytest.mark.parametrize("option", ["$expand=DocumentLines", "$apply=aggregate", "$select=Nothing", "$top=x"])
def test_options_that_do_not_exist_are_refused(b1, option):
    assert b1.get(f"Invoices?{option}").status_code == 400


def test_cancelled_is_one_column_with_three_values(b1):
    made = b1.made("Invoices", invoice(line(), NumAtCard="REF-1"))
    assert b1.post(f"Invoices({made['DocEntry']})/Cancel").status_code == 204
    for wanted, entries in (("tNO", []), ("tYES", [made["DocEntry"]])):
        rows = b1.get(f"Invoices?$filter=NumAtCard eq 'REF-1' and Cancelled eq '{wanted}'").json()["value"]
        assert [row["DocEntry"] for row in rows] == entries
    rows = b1.get("Invoices?$filter=NumAtCard eq 'REF-1' and CancelStatus eq 'csCancellation'").json()[
        "value"
    ]
    assert len(rows) == 1


def test_unknown_rows_and_paths_are_not_found(b1):
    assert b1.get("Invoices(99)").json()["error"]["code"] == -2028
    assert b1.get("Invoices(99)").status_code == 404
    assert b1.get("Nothings").status_code == 404
    assert b1.post("CompanyService_Nothing").status_code == 404
