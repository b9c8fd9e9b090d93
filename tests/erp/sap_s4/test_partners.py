"""Customers as business partners: found before they are made, made whole, changed in place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from audit.redaction import redact_url
from erp.adapters.sap_s4.spec import SPEC
from erp.contract.adapter import Receipt
from erp.contract.documents import DocumentKind, PartnerDocument
from erp.contract.errors import OutcomeUnknown, Refused, TryLater
from erp.contract.order import Address
from tests.erp.sap_s4.s4_system import GUEST, HOME, S4, customer, running


@pytest.fixture
def s4() -> Iterator[S4]:
    with running() as system:
        yield system


def make(s4: S4, document: PartnerDocument) -> Receipt:
    return s4.open().create(document, facts=s4.facts(), links={}, before_sending=lambda: None)


def rows(s4: S4) -> list[dict[str, Any]]:
    return s4.system.storage.rows("A_BusinessPartner")


def test_a_person_becomes_a_partner_with_roles_company_code_and_sales_area(s4: S4) -> None:
    made = make(s4, customer("S1-7-C"))
    [row] = rows(s4)
    assert (row["BusinessPartnerCategory"], row["FirstName"], row["LastName"]) == ("1", "Ada", "Lovelace")
    assert row["BusinessPartnerIDByExtSystem"] == "S1-7-C"
    assert [role["BusinessPartnerRole"] for role in row["to_BusinessPartnerRole"]] == ["FLCU00", "FLCU01"]
    assert (made.key, made.number) == ("1000000", "1000000")
    companies = s4.system.storage.rows("A_CustomerCompany", lambda each: each["Customer"] == "0001000000")
    assert [each["CompanyCode"] for each in companies] == ["1710"]
    [call] = s4.system.calls.select("POST", "A_BusinessPartner$")
    assert (
        '"SalesOrganization":"1710","DistributionChannel":"10","Division":"00","Currency":"USD"' in call.body
    )


def test_a_company_becomes_an_organisation_with_its_name_in_two_halves(s4: S4) -> None:
    name = "Analytical Engines and Difference Engines of London Limited"
    make(s4, customer("S1-7-C", name=name, billing=replace(HOME, company=name)))
    [row] = rows(s4)
    assert row["BusinessPartnerCategory"] == "2"
    assert row["OrganizationBPName1"] + row["OrganizationBPName2"] == name


def test_billing_and_shipping_address_are_one_if_they_are_the_same(s4: S4) -> None:
    other = replace(HOME, street="1 Other St", state="Northern Territory", country_code="AU")
    make(s4, customer("S1-7-C", shipping=(HOME, other)))
    [row] = rows(s4)
    places = [
        (each["StreetName"], each["Region"], each["District"]) for each in row["to_BusinessPartnerAddress"]
    ]
    assert places == [("12 Main St", "TX", ""), ("1 Other St", "", "Northern Territory")]


def test_an_address_without_a_country_is_in_the_company_codes(s4: S4) -> None:
    make(s4, customer("S1-7-C", billing=Address(first_name="A", last_name="B", city="Austin"), shipping=()))
    assert rows(s4)[0]["to_BusinessPartnerAddress"][0]["Country"] == "US"


@pytest.mark.parametrize("match_by", ["email", "phone", "tax_number"])
def test_a_customer_is_matched_by_what_the_pipeline_says(match_by: str) -> None:
    with running({"tax_number_type": "US1"}) as s4:
        known = make(s4, customer("S1-7-C", tax_number="12-3456789"))
        other = customer("S1-8-C", match_by=match_by, tax_number="12-3456789")
        found = s4.open().find(other)
        assert found is not None
        assert (found.key, found.adopted) == (known.key, True)
        nobody = replace(other, email="x@example.com", phone="000", tax_number="0")
        assert s4.open().find(nobody) is None


def test_what_a_customer_is_matched_by_stands_in_no_audited_address(s4: S4) -> None:
    for match_by in ("email", "phone", "tax_number"):
        s4.open().find(customer("S1-8-C", match_by=match_by, tax_number="12-3456789"))
    audited = " ".join(redact_url(call.url) for call in s4.calls)
    assert "S1-8-C" in audited
    assert [secret for secret in ("ada@example.com", "5125550100", "12-3456789") if secret in audited] == []


def test_a_customer_with_a_number_of_SAPs_is_found_by_it(s4: S4) -> None:
    known = make(s4, customer("S1-7-C"))
    found = s4.open().find(customer("S1-8-C", code=known.key))
    assert found is not None
    assert found.key == known.key


def test_several_matches_are_for_a_person(s4: S4) -> None:
    for reference in ("S1-7-C", "S1-8-C"):
        make(s4, customer(reference))
    with pytest.raises(Refused, match="S1-9-C"):
        s4.open().find(customer("S1-9-C", match_by="email"))


def test_a_match_that_is_no_customer_is_for_a_person(s4: S4) -> None:
    make(s4, customer("S1-7-C"))
    [row] = rows(s4)
    s4.system.storage.put("A_BusinessPartner", row["BusinessPartner"], row | {"Customer": ""})
    with pytest.raises(Refused, match="FLCU00"):
        s4.open().find(customer("S1-7-C"))


def test_quotes_in_an_email_address_are_only_quotes(s4: S4) -> None:
    make(s4, customer("S1-7-C", email="o'hara@example.com"))
    assert s4.open().find(customer("S1-8-C", match_by="email", email="o'hara@example.com")) is not None
    assert s4.open().find(customer("S1-8-C", match_by="email", email="' or '1' eq '1")) is None


def test_a_change_in_the_store_changes_name_address_and_contact_data(s4: S4) -> None:
    made = make(s4, customer("S1-7-C"))
    moved = replace(HOME, last_name="King", street="9 New St", city="Dallas")
    changed = customer("S1-7-C", name="Ada King", email="king@example.com", phone="999", billing=moved)
    s4.open().update(changed, made, before_sending=lambda: None)
    [row] = rows(s4)
    [address] = row["to_BusinessPartnerAddress"]
    assert (row["LastName"], address["StreetName"], address["CityName"]) == ("King", "9 New St", "Dallas")
    assert address["to_EmailAddress"][0]["EmailAddress"] == "king@example.com"
    assert address["to_PhoneNumber"][0]["PhoneNumber"] == "999"


def test_somebody_elses_change_meanwhile_waits(s4: S4) -> None:
    made = make(s4, customer("S1-7-C"))

    def meanwhile() -> None:
        [row] = rows(s4)
        s4.system.storage.put("A_BusinessPartner", row["BusinessPartner"], row | {"changes": 9})

    with pytest.raises(TryLater, match="412"):
        s4.open().update(customer("S1-7-C", name="Ada King"), made, before_sending=meanwhile)
    assert rows(s4)[0]["LastName"] == "Lovelace"


def test_a_lost_answer_is_looked_up_and_makes_no_second_partner(s4: S4) -> None:
    s4.system.faults.add("drop", moment="after", method="POST", path=r"A_BusinessPartner$")
    with pytest.raises(OutcomeUnknown):
        make(s4, customer("S1-7-C"))
    found = s4.open().find(customer("S1-7-C"))
    assert found is not None
    assert found.adopted
    assert len(rows(s4)) == 1


def test_customers_that_are_only_matched_need_no_reconciliation_account(s4: S4) -> None:
    known = make(s4, customer("S1-7-C"))
    erp = s4.open({"reconciliation_account": ""})
    facts = replace(s4.facts(), settings={**s4.facts().settings, "reconciliation_account": ""})
    stranger = customer("S1-8-C", match_by="email")
    assert SPEC.translator.problems(stranger, facts) == ()
    found = erp.find(stranger)
    assert found is not None
    assert found.key == known.key
    before = len(rows(s4))
    with pytest.raises(Refused, match="reconciliation account"):
        erp.create(customer("S1-9-C"), facts=facts, links={}, before_sending=lambda: None)
    assert len(rows(s4)) == before


def test_an_unknown_reconciliation_account_is_refused_in_SAPs_words(s4: S4) -> None:
    erp = s4.open()
    facts = s4.facts()
    facts = replace(facts, settings={**facts.settings, "reconciliation_account": "1"})
    with pytest.raises(Refused, match="Reconciliation account"):
        erp.create(customer("S1-7-C"), facts=facts, links={}, before_sending=lambda: None)
    assert rows(s4) == []


def test_a_customer_is_looked_up_by_its_number(s4: S4) -> None:
    made = make(s4, customer("S1-7-C"))
    found = s4.open().look_up(DocumentKind.PARTNER, made.number)
    assert found is not None
    assert found.key == made.key
    assert s4.open().look_up(DocumentKind.PARTNER, "no number") is None


def test_facts_say_whether_the_guests_customer_is_open_in_the_company_code(s4: S4) -> None:
    facts = s4.facts(partners=frozenset({GUEST, "4711", "S1-7-C"}))
    assert set(facts.partners) == {GUEST}
    asked = [call.url for call in s4.calls if "A_CustomerCompany" in call.url]
    assert len(asked) == 1
    assert "S1-7-C" not in asked[0]
