"""The field tables tell the truth about the public `$metadata`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lxml import etree

from sandbox.service_layer import catalogue, services
from sandbox.service_layer.company import Company
from sandbox.service_layer.enums import ENUMS
from sandbox.service_layer.fields import NUMBER_KINDS, TYPES, Field

EDM = "{http://schemas.microsoft.com/ado/2009/11/edm}"
FOUND = [
    Path(os.environ.get("TIEOUT_CONTRACTS", "")) / "sap-b1",
    Path(__file__).parents[4] / "shared" / "contracts" / "sap-b1",
]
METADATA = next((p / "service-layer-v1-metadata.xml" for p in FOUND if p.is_dir()), None)
pytestmark = [
    pytest.mark.public_contract,
    pytest.mark.skipif(METADATA is None, reason="contracts ABSENT: sap-b1"),
]

PLAIN = {"text": "Edm.String", "int": "Edm.Int32", "date": "Edm.DateTime", "time": "Edm.Time"}


@pytest.fixture(scope="module")
def metadata():
    parser = etree.XMLParser(huge_tree=True, resolve_entities=False, no_network=True)
    return etree.parse(str(METADATA), parser).getroot()


@pytest.fixture(scope="module")
def contract_types(metadata):
    return {
        each.get("Name"): {prop.get("Name"): prop for prop in each.iter(f"{EDM}Property")}
        for kind in ("EntityType", "ComplexType")
        for each in metadata.iter(f"{EDM}{kind}")
    }


def edm_type(field: Field) -> str:
    if field.kind in NUMBER_KINDS:
        return "Edm.Double"
    if field.kind == "many":
        return f"Collection(SAPB1.{field.of})"
    if field.kind in ("enum", "one"):
        return f"SAPB1.{field.of}"
    return PLAIN[field.kind]


@pytest.mark.parametrize("name", sorted(TYPES))
def test_every_property_is_real_and_has_its_real_type(name, contract_types):
    known = contract_types[name]
    for field in TYPES[name].fields.values():
        if field.newer:
            assert field.name not in known
            continue
        assert known[field.name].get("Type") == edm_type(field), field.name
        assert (known[field.name].get("Writable") == "false") == field.read_only, field.name


@pytest.mark.parametrize("name", sorted(TYPES))
def test_every_column_is_the_real_one(name, contract_types):
    for field in TYPES[name].fields.values():
        if field.column != field.name and not field.newer:
            assert contract_types[name][field.name].get("Alias") == field.column


def test_every_complex_type_that_is_named_has_a_table():
    named = {f.of for t in TYPES.values() for f in t.fields.values() if f.kind in ("many", "one")}
    assert named <= set(TYPES)


@pytest.mark.parametrize("name", sorted(ENUMS))
def test_every_enumeration_member_is_real(name, metadata):
    enum = next(each for each in metadata.iter(f"{EDM}EnumType") if each.get("Name") == name)
    real = {member.get("Name"): member.get("Value") for member in enum.iter(f"{EDM}Member")}
    assert ENUMS[name].items() <= real.items()


def test_every_entity_set_and_key_is_real(metadata):
    real = {each.get("Name"): each.get("EntityType") for each in metadata.iter(f"{EDM}EntitySet")}
    keys = {
        each.get("Name"): tuple(ref.get("Name") for ref in each.iter(f"{EDM}PropertyRef"))
        for each in metadata.iter(f"{EDM}EntityType")
    }
    for entity_set in catalogue.SETS.values():
        assert real[entity_set.name] == f"SAPB1.{entity_set.type_name}"
        assert keys[entity_set.type_name] == entity_set.key


def test_every_service_operation_is_real_and_answers_in_its_return_type(metadata, contract_types):
    real = {each.get("Name"): each for each in metadata.iter(f"{EDM}FunctionImport")}
    assert set(services.OPERATIONS) <= set(real)
    company = Company.default()
    year = company.clock().year
    arguments = {
        "PeriodCategoryParams": {"AbsoluteEntry": year},
        "FinancePeriodParams": {"AbsoluteEntry": year * 100 + 1},
        "DocumentTypeParams": {"Document": "13"},
        "SeriesParams": {"Series": 1},
        "ItemPriceParams": {"ItemCode": "SKU-1", "CardCode": "C20000"},
        "InternalReconciliationOpenTransParams": {
            "CardOrAccount": "coaCard",
            "InternalReconciliationBPs": [{"BPCode": "C20000"}],
        },
    }
    for name, operation in real.items():
        answer = operation.get("ReturnType", "")
        if name not in services.OPERATIONS or "SAPB1." not in answer:
            continue
        rows = services.call(company, name, arguments)
        row = rows[0] if answer.startswith("Collection(") else rows
        assert set(row) <= set(contract_types[answer.removeprefix("Collection(").rstrip(")")[6:]]), name
