"""Customers: made once, matched by what is unmistakable, changed in place, never mistaken for somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from erp.contract.adapter import Receipt
from erp.contract.documents import PartnerDocument
from erp.contract.errors import Misconfigured, Refused
from tests.erp.sap_b1.b1_company import B1, running
from tests.erp.sap_b1.test_contract import HOME

ADA = PartnerDocument(
    reference="S1-77-C",
    code="S1-77",
    name="Ada Lovelace",
    email="ada@example.com",
    phone="+1 512 555 0100",
    tax_number="US-1",
    group="102",
    billing=HOME,
    shipping=(HOME, replace(HOME, street="9 Far Rd")),
)


@pytest.fixture
def b1() -> Iterator[B1]:
    with running() as company:
        yield company


def post(b1: B1, partner: PartnerDocument = ADA) -> Receipt:
    return b1.open().create(partner, facts=b1.facts(), links={}, before_sending=lambda: None)


def somebody(b1: B1, code: str, **more: object) -> None:
    known = b1.company.get("BusinessPartners", "C20000")
    b1.company.add("BusinessPartners", **{**known, "CardCode": code, **more})


def test_a_customer_is_written_whole(b1: B1) -> None:
    assert post(b1).key == "S1-77"
    row = b1.company.get("BusinessPartners", "S1-77")
    assert (row["CardName"], row["CardType"], row["Currency"], row["GroupCode"]) == (
        "Ada Lovelace",
        "cCustomer",
        "##",
        102,
    )
    assert (row["EmailAddress"], row["Phone1"], row["FederalTaxID"]) == (
        "ada@example.com",
        "+1 512 555 0100",
        "US-1",
    )
    assert row["U_TieoutRef"] == "S1-77-C"
    names = [(each["AddressName"], each["AddressType"], each["Street"]) for each in row["BPAddresses"]]
    assert names == [
        ("Billing", "bo_BillTo", "12 Main St"),
        ("Shipping 1", "bo_ShipTo", "12 Main St"),
        ("Shipping 2", "bo_ShipTo", "9 Far Rd"),
    ]


def test_a_change_in_the_store_changes_the_same_rows(b1: B1) -> None:
    made = post(b1)
    moved = replace(ADA, name="Ada King", billing=replace(HOME, street="1 New St"))
    b1.open().update(moved, made, before_sending=lambda: None)
    row = b1.company.get("BusinessPartners", "S1-77")
    assert row["CardName"] == "Ada King"
    assert [each["Street"] for each in row["BPAddresses"]] == ["1 New St", "12 Main St", "9 Far Rd"]
    assert row["GroupCode"] == 102


@pytest.mark.parametrize(
    ("match_by", "name", "value"),
    [
        ("email", "EmailAddress", "ada@example.com"),
        ("tax_number", "FederalTaxID", "US-1"),
        ("phone", "Phone1", "+1 512 555 0100"),
        ("marker", "U_TieoutRef", "S1-77-C"),
    ],
)
def test_a_customer_the_erp_has_already_is_adopted(b1: B1, match_by: str, name: str, value: str) -> None:
    somebody(b1, "C30000", **{name: value})
    found = b1.open().find(replace(ADA, match_by=match_by))
    assert found is not None
    assert (found.key, found.adopted) == ("C30000", True)
    assert b1.open().find(ADA) is None  # by code alone it is nobody


def test_our_own_code_comes_before_any_match(b1: B1) -> None:
    post(b1)
    somebody(b1, "C30000", EmailAddress="ada@example.com")
    found = b1.open().find(replace(ADA, match_by="email"))
    assert found is not None
    assert found.key == "S1-77"


def test_several_matches_are_for_a_person(b1: B1) -> None:
    somebody(b1, "C30000", EmailAddress="ada@example.com")
    somebody(b1, "C30001", EmailAddress="ada@example.com")
    with pytest.raises(Refused, match="C30000, C30001"):
        b1.open().find(replace(ADA, match_by="email"))


def test_a_vendor_or_a_frozen_customer_is_no_match(b1: B1) -> None:
    somebody(b1, "V30000", EmailAddress="ada@example.com", CardType="cSupplier")
    somebody(b1, "C30000", EmailAddress="ada@example.com", Frozen="tYES")
    assert b1.open().find(replace(ADA, match_by="email")) is None


def test_an_empty_value_matches_nobody(b1: B1) -> None:
    somebody(b1, "C30000", EmailAddress="")
    assert b1.open().find(replace(ADA, match_by="email", email="")) is None


def test_our_code_on_a_vendor_is_refused(b1: B1) -> None:
    somebody(b1, "S1-77", CardType="cSupplier")
    with pytest.raises(Refused, match="not a customer"):
        b1.open().find(ADA)


def test_matching_by_a_marker_needs_its_field(b1: B1) -> None:
    b1.settings["partner_marker_field"] = ""
    with pytest.raises(Misconfigured, match="marker field"):
        b1.open().find(replace(ADA, match_by="marker"))


def test_a_code_taken_meanwhile_is_adopted(b1: B1) -> None:
    erp, facts = b1.open(), b1.facts()
    assert erp.find(ADA) is None
    somebody(b1, "S1-77")
    receipt = erp.create(ADA, facts=facts, links={}, before_sending=lambda: None)
    assert (receipt.key, receipt.adopted) == ("S1-77", True)


@pytest.mark.parametrize(
    "email", ["o'hara@example.com", "x' or CardType eq 'cCustomer", "%", "ada+1@example.com"]
)
def test_a_hostile_address_stays_text(b1: B1, email: str) -> None:
    somebody(b1, "C30000", EmailAddress=email)
    somebody(b1, "C30001", EmailAddress="other@example.com")
    found = b1.open().find(replace(ADA, match_by="email", email=email))
    assert found is not None
    assert found.key == "C30000"
