"""Ledger facts: few reads, the truth in time, and what a plan saw kept for later."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from erp import facts
from erp.contract.facts import FactsNeeded, LedgerFacts
from erp.models import CompanyFacts, ErpConnection, FactsSnapshot, ReferenceValue
from erp.opening import open_adapter
from erp.reference_values import refresh
from sandbox.service_layer import Company
from tests.erp.sap_b1.b1_company import B1, today

NEEDED = FactsNeeded(
    items=frozenset({"SKU-1", "NOSUCH"}),
    partners=frozenset({"WEBGUEST"}),
    rates=frozenset({("EUR", today())}),
)


def load(connection: ErpConnection, needed: FactsNeeded = NEEDED) -> LedgerFacts:
    with open_adapter(connection) as erp:
        return facts.load(connection, needed, erp)


def reads(b1: B1) -> int:
    return sum("Login" not in call.path for call in b1.service.calls.select())


def test_facts_hold_what_was_needed_and_nothing_that_is_not_there(connection: ErpConnection) -> None:
    found = load(connection)
    assert set(found.items) == {"SKU-1"}
    assert found.items["SKU-1"].available[""] == 1000
    assert found.partners["WEBGUEST"].active
    assert found.rates == {("EUR", today()): Decimal("1.1")}
    assert found.time_zone == "America/Chicago"
    assert found.tax_codes["TX"].rate == Decimal("8.25")


def test_a_second_order_costs_one_read_where_stock_decides(connection: ErpConnection, b1: B1) -> None:
    load(connection)
    before = reads(b1)
    load(connection)
    assert reads(b1) - before == 1


def test_a_second_order_costs_no_read_where_stock_does_not_decide(connection: ErpConnection, b1: B1) -> None:
    b1.company.switches.block_negative_stock = False
    needed = FactsNeeded(items=frozenset({"SKU-1"}), partners=NEEDED.partners, rates=NEEDED.rates)
    load(connection, needed)
    before = reads(b1)
    assert load(connection, needed).items["SKU-1"].sellable
    assert reads(b1) == before


def test_stock_is_always_as_it_is_now(connection: ErpConnection, b1: B1) -> None:
    load(connection)
    for row in b1.company.get("Items", "SKU-1")["ItemWarehouseInfoCollection"]:
        row["InStock"] = Decimal(7)
    assert load(connection).items["SKU-1"].available[""] == 7


def test_a_changed_company_is_seen_after_an_hour_or_when_forgotten(connection: ErpConnection, b1: B1) -> None:
    load(connection)
    b1.company.get("SalesTaxCodes", "TX")["Rate"] = Decimal(9)
    assert load(connection).tax_codes["TX"].rate == Decimal("8.25")
    facts.forget(connection)
    assert load(connection).tax_codes["TX"].rate == Decimal(9)
    b1.company.get("SalesTaxCodes", "TX")["Rate"] = Decimal(10)
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert load(connection).tax_codes["TX"].rate == Decimal(10)


def test_a_rate_that_is_missing_is_asked_for_again(connection: ErpConnection, b1: B1) -> None:
    b1.company.set_rate("EUR", None)
    assert load(connection).rates == {}
    b1.company.set_rate("EUR", "1.20")
    assert load(connection).rates == {("EUR", today()): Decimal("1.2")}


def test_indirect_rates_are_turned_round(connection: ErpConnection, b1: B1) -> None:
    b1.company.switches.direct_rate = False
    b1.company.set_rate("EUR", "0.8")
    assert load(connection).rates == {("EUR", today()): Decimal("1.25")}


def test_what_a_plan_saw_can_be_seen_again(connection: ErpConnection) -> None:
    found = load(connection)
    assert facts.at(connection, found.version) == found
    assert facts.at(connection, "no such version") is None


def test_equal_facts_are_kept_once(connection: ErpConnection) -> None:
    assert load(connection).version == load(connection).version
    assert (
        FactsSnapshot.objects.filter(connection=connection).count() == 2
    )  # the company's part, and the rows


def test_a_setting_counts_at_once(connection: ErpConnection) -> None:
    load(connection)
    connection.settings["service_item"] = "SHIPPING"
    connection.save()
    assert load(connection).settings["service_item"] == "SHIPPING"


def test_another_company_database_is_another_company(connection: ErpConnection, b1: B1) -> None:
    load(connection)
    b1.service.add(Company.default("OTHER", currency="EUR"))
    connection.settings["company_db"] = "OTHER"
    connection.save()
    assert load(connection).local_currency == "EUR"


def test_the_company_teaches_the_connection(connection: ErpConnection) -> None:
    load(connection)
    connection.refresh_from_db()
    assert connection.learned["approvals"] == "no"
    assert connection.local_currency == "USD"
    assert CompanyFacts.objects.get(connection=connection).data["local_currency"] == "USD"


def test_reference_values_are_read_whole_and_what_is_gone_is_removed(
    connection: ErpConnection, b1: B1
) -> None:
    b1.company.switches.page_size = 3
    with open_adapter(connection) as erp:
        first = refresh(connection, erp)
    assert ReferenceValue.objects.filter(connection=connection).count() == first
    item = ReferenceValue.objects.get(connection=connection, kind="item", code="SKU-1")
    assert (item.name, item.barcode, item.active) == ("Article 1", "400000000001", True)
    assert not ReferenceValue.objects.get(connection=connection, kind="tax_code", code="OLD").active
    assert not ReferenceValue.objects.get(connection=connection, kind="account", code="120000").active
    del b1.company.tables["Items"]["SKU-2",]
    with open_adapter(connection) as erp:
        assert refresh(connection, erp) == first - 1
    assert not ReferenceValue.objects.filter(connection=connection, kind="item", code="SKU-2").exists()


def test_a_broken_read_leaves_what_was_known(connection: ErpConnection, b1: B1) -> None:
    with open_adapter(connection) as erp:
        known = refresh(connection, erp)
    b1.service.faults.add("answer", path="/Items", status=500, body="<html>", count=None)
    with pytest.raises(Exception, match="HTTP 500"), open_adapter(connection) as erp:
        refresh(connection, erp)
    assert ReferenceValue.objects.filter(connection=connection).count() == known
