"""Business partners and other master data."""

from __future__ import annotations

import pytest

from tests.sandbox.service_layer.client import invoice

BILL = {
    "AddressName": "Bill",
    "AddressType": "bo_BillTo",
    "Street": "Main 1",
    "City": "Utica",
    "State": "NY",
    "Country": "US",
}


def partner(code: str = "C1", **more) -> dict:
    return {"CardCode": code, "CardName": "Ann", "CardType": "cCustomer", **more}


def test_a_partner_gets_defaults_and_numbered_addresses(b1):
    row = b1.made("BusinessPartners", partner(BPAddresses=[BILL, {**BILL, "AddressType": "bo_ShipTo"}]))
    assert (row["Currency"], row["GroupCode"], row["Valid"]) == ("USD", 100, "tYES")
    assert [(each["RowNum"], each["BPCode"]) for each in row["BPAddresses"]] == [(0, "C1"), (1, "C1")]
    assert (row["BilltoDefault"], row["ShipToDefault"]) == ("Bill", "Bill")


def test_a_code_is_given_once(b1):
    b1.made("BusinessPartners", partner())
    status, code, sentence = b1.refused("BusinessPartners", partner())
    assert (status, code) == (400, -10)
    assert sentence.startswith("1320000140 - Business partner code 'C1' already assigned")


def test_a_series_gives_a_code(b1):
    body = partner()
    del body["CardCode"]
    assert "unique business partner code" in b1.refused("BusinessPartners", body)[2]
    assert b1.made("BusinessPartners", {**body, "Series": 91})["CardCode"] == "W00001"


@pytest.mark.parametrize(
    ("change", "code", "part"),
    [
        ({"CardCode": "x" * 16}, -1013, "'CardCode'"),
        ({"CardName": "x" * 101}, -1013, "'CardName'"),
        ({"Phone1": "x" * 21}, -1013, "'Phone1'"),
        ({"BPAddresses": [{**BILL, "Street": "x" * 101}]}, -1013, "'Street'"),
        ({"BPAddresses": [{**BILL, "State": "New York"}]}, -1013, "'State'"),
        ({"BPAddresses": [{**BILL, "State": "XX"}]}, -2028, "[CRD1.State]"),
        ({"BPAddresses": [{**BILL, "Country": "XX"}]}, -2028, "[CRD1.Country]"),
        ({"BPAddresses": [{**BILL, "AddressName": ""}]}, -10, "[CRD1.Address]"),
        ({"BPAddresses": [BILL, BILL]}, -2035, "already exists"),
        ({"GroupCode": 9}, -2028, "[OCRD.GroupCode]"),
        ({"Currency": "XXX"}, -2028, "[OCRD.Currency]"),
        ({"PriceListNum": 9}, -2028, "[OCRD.ListNum]"),
        ({"CardType": "customer"}, -1000, "'CardType'"),
        ({"Email": "a@b.c"}, -1000, "Property 'Email' of 'BusinessPartner' is invalid"),
    ],
)
def test_a_partner_is_refused_with_code_and_place(b1, change, code, part):
    status, found, sentence = b1.refused("BusinessPartners", partner() | change)
    assert (status, found) == (400, code)
    assert part in sentence


def test_a_patch_merges_addresses_by_name_and_type(b1):
    b1.made("BusinessPartners", partner(BPAddresses=[BILL], Phone1="1"))
    change = {"CardName": "Bea", "BPAddresses": [{**BILL, "City": "Rome"}, {**BILL, "AddressName": "Second"}]}
    assert b1.call("PATCH", "BusinessPartners('C1')", change).status_code == 204
    row = b1.get("BusinessPartners('C1')").json()
    assert (row["CardName"], row["Phone1"]) == ("Bea", "1")
    assert [(each["AddressName"], each["City"]) for each in row["BPAddresses"]] == [
        ("Bill", "Rome"),
        ("Second", "Utica"),
    ]
    replaced = {"BPAddresses": [{**BILL, "AddressName": "Only"}]}
    b1.call("PATCH", "BusinessPartners('C1')", replaced, B1S_ReplaceCollectionsOnPatch="true")
    assert [each["AddressName"] for each in b1.get("BusinessPartners('C1')").json()["BPAddresses"]] == [
        "Only"
    ]


def test_partners_are_found_by_what_identifies_them(b1):
    b1.made("BusinessPartners", partner(EmailAddress="ann@example.com", FederalTaxID="12-3"))
    for condition in ("EmailAddress eq 'ann@example.com'", "FederalTaxID eq '12-3'", "CardType eq 'C'"):
        rows = b1.get(f"BusinessPartners?$select=CardCode&$filter={condition}").json()["value"]
        assert {"CardCode": "C1"} in rows


def test_a_partner_with_documents_can_be_opened_to_all_currencies_but_not_moved(b1):
    b1.made("BusinessPartners", partner())
    b1.made("Invoices", invoice(card="C1"))
    assert b1.call("PATCH", "BusinessPartners('C1')", {"Currency": "EUR"}).status_code == 400
    assert b1.call("PATCH", "BusinessPartners('C1')", {"Currency": "##"}).status_code == 204
    b1.made("Invoices", invoice(card="C1", DocCurrency="EUR"))


def test_used_master_data_cannot_be_removed(b1):
    b1.made("BusinessPartners", partner())
    b1.made("Invoices", invoice(card="C1"))
    assert b1.call("DELETE", "BusinessPartners('C1')").status_code == 400
    assert b1.call("DELETE", "BusinessPartners('C20000')").status_code == 204
    assert b1.get("BusinessPartners('C20000')").status_code == 404


def test_items_are_added_with_their_accounts_checked(b1):
    assert b1.refused("Items", {"ItemCode": "NEW", "IncomeAccount": "100000"})[1] == -10
    b1.made("Items", {"ItemCode": "NEW", "ItemName": "New", "InventoryItem": "tNO"})
    assert b1.refused("Items", {"ItemCode": "NEW"})[2] == "Item code 'NEW' already exists"


def test_reference_sets_can_be_listed(b1):
    for name in (
        "Warehouses",
        "ChartOfAccounts",
        "SalesTaxCodes",
        "AdditionalExpenses",
        "ProfitCenters",
        "DistributionRules",
        "PriceLists",
        "BusinessPartnerGroups",
        "Currencies",
        "BusinessPlaces",
        "FinancialYears",
        "ShippingTypes",
    ):
        answer = b1.get(name)
        assert answer.status_code == 200
        assert answer.json()["value"], name
