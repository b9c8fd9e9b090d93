"""The sandbox's rows and the adapter's questions use no name and no length that SAP's published EDMX does not have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import etree

from erp.contract.adapter import ReferenceKind
from erp.contract.documents import DocumentKind
from sandbox.s4hana import partners
from sandbox.s4hana.server import SERVICES
from sandbox.s4hana.wrapper import SERVICE as OF_THE_CUSTOMER
from tests.erp.sap_s4.s4_system import S4, customer, running, sale

NOT_PROPERTIES = frozenset({"__metadata"})

pytestmark = pytest.mark.public_contract


@pytest.fixture(scope="module")
def s4() -> Iterator[S4]:
    """After everything the adapter does was done once."""
    with running() as system:
        erp, facts = system.open(), system.facts(partners=frozenset({"17100001"}))
        for document in (sale(DocumentKind.INVOICE, "S1-1-I"), customer("S1-1-C", tax_number="12-34")):
            made = erp.create(document, facts=facts, links={}, before_sending=lambda: None)
        erp.update(customer("S1-1-C", email="new@example.com"), made, before_sending=lambda: None)
        for match_by in ("email", "phone", "tax_number"):
            erp.find(customer("S1-2-C", match_by=match_by, tax_number="12-34"))
        order = erp.create(
            sale(DocumentKind.SALES_ORDER, "S1-1-O"), facts=facts, links={}, before_sending=lambda: None
        )
        erp.cancel(DocumentKind.SALES_ORDER, order, before_sending=lambda: None)
        for kind in (ReferenceKind.ITEM, ReferenceKind.ACCOUNT, ReferenceKind.COST_CENTER):
            list(erp.reference_values(kind))
        erp.test_connection()
        yield system


def sets_of(contracts: Path, service: str) -> dict[str, dict[str, str | None]]:
    """Entity sets of a service: properties with their longest text, navigation properties with None."""
    root = etree.parse(contracts / "sap-s4hana" / f"{service}.edmx").getroot()
    types = {node.get("Name"): node for node in root.iter("{*}EntityType")}
    found = {}
    for entity_set in root.iter("{*}EntitySet"):
        node = types[entity_set.get("EntityType").rpartition(".")[2]]
        properties = {each.get("Name"): each.get("MaxLength") for each in node.iter("{*}Property")}
        found[entity_set.get("Name")] = {
            **properties,
            **{each.get("Name"): None for each in node.iter("{*}NavigationProperty")},
        }
    return found


def published() -> list[str]:
    return [service for service in SERVICES if service != OF_THE_CUSTOMER]


@pytest.mark.parametrize("service", published())
def test_every_row_of_the_sandbox_has_the_names_and_lengths_of_the_edmx(
    s4: S4, contracts: Path, service: str
) -> None:
    known = sets_of(contracts, service)
    for name in SERVICES[service]:
        for row in s4.system._rows(name):
            check(row, known, name)


def check(row: Mapping[str, Any], known: Mapping[str, Mapping[str, str | None]], name: str) -> None:
    for field, value in row.items():
        if field in NOT_PROPERTIES:
            continue
        assert field in known[name], f"{name}.{field}"
        longest = known[name][field]
        if isinstance(value, str) and longest:
            assert len(value) <= int(longest), f"{name}.{field}: {value!r}"


@pytest.mark.parametrize("service", published())
def test_every_question_of_the_adapter_names_what_the_edmx_has(s4: S4, contracts: Path, service: str) -> None:
    known = sets_of(contracts, service)
    asked = [urlsplit(call.url) for call in s4.calls if f"/{service}/" in call.url and call.method == "GET"]
    assert asked
    for parts in asked:
        name = re.sub(r"\(.*", "", parts.path.rpartition(f"/{service}/")[2])
        if not name:
            continue
        query = parse_qs(parts.query)
        used = ",".join(query.get("$select", []) + query.get("$orderby", []) + query.get("$expand", []))
        used += "," + ",".join(
            re.findall(r"(\w+) (?:eq|ne|le|ge|lt|gt) ", " ".join(query.get("$filter", [])))
        )
        for field in filter(None, used.split(",")):
            assert field.partition("/")[0] in known[name], f"{name}.{field}"


def properties_of(contracts: Path, service: str, *types: str) -> set[str]:
    """What may be said when rows of these types are created, nested ones too."""
    root = etree.parse(contracts / "sap-s4hana" / f"{service}.edmx").getroot()
    sap = "{http://www.sap.com/Protocols/SAPData}creatable"
    return {
        each.get("Name")
        for node in root.iter("{*}EntityType")
        if node.get("Name") in types
        for each in [*node.iter("{*}Property"), *node.iter("{*}NavigationProperty")]
        if each.get(sap) != "false"
    }


def test_a_new_sales_order_says_only_what_the_edmx_lets_be_created(contracts: Path, s4: S4) -> None:
    [call] = s4.system.calls.select("POST", "A_SalesOrder$")
    body = json.loads(call.body)
    item = body["to_Item"][0]
    types = "A_SalesOrderType", "A_SalesOrderItemType", "A_SalesOrderItemPrElementType"
    for row, name in zip((body, item, item["to_PricingElement"][0]), types, strict=True):
        assert set(row) <= properties_of(contracts, "API_SALES_ORDER_SRV", name), name


def test_a_new_partner_says_only_what_the_edmx_lets_be_created(contracts: Path, s4: S4) -> None:
    creatable = properties_of(
        contracts, "API_BUSINESS_PARTNER", "A_BusinessPartnerType", "A_BusinessPartnerAddressType"
    )
    assert {*partners.TEXTS, *partners.OF_ADDRESS} <= creatable
