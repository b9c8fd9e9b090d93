"""What a person is offered for a key, with the evidence."""

from __future__ import annotations

import pytest

from mappings.changes import set_mapping
from mappings.models import MappingSet
from mappings.suggestions import suggest
from tests.mappings.making import make_company


def offered(mapping_set: MappingSet, kind: str, key: str, **more: str) -> list[tuple[str, str]]:
    return [(s.code, s.evidence) for s in suggest(mapping_set, kind, key, **more) if s.evidence]


@pytest.mark.parametrize(
    ("sku", "code", "evidence"),
    [
        ("A1001", "A1001", "Same code"),
        ("a1001", "A1001", "Same code but for upper and lower case"),
        ("hat_green", "HAT-GREEN", "Same code but for dashes, dots and spaces"),
        ("SCARF 01", "SCARF.01", "Same code but for dashes, dots and spaces"),
        ("4006381333931", "A1001", "Same barcode 4006381333931"),
        ("000096385074", "SCARF.01", "Same barcode 96385074"),
    ],
)
def test_an_item_is_suggested_with_the_evidence(mapping_set: MappingSet, sku: str, code: str, evidence: str):
    assert offered(mapping_set, "item", sku)[0] == (code, evidence)


def test_an_item_is_suggested_by_a_similar_name(mapping_set: MappingSet):
    assert offered(mapping_set, "item", "X-77", label="Blue scarf, woollen")[0] == (
        "SCARF.01",
        "Similar name (100%)",
    )
    assert offered(mapping_set, "item", "X-77", label="Garden hose") == []


def test_words_of_the_key_find_a_name(mapping_set: MappingSet):
    assert offered(mapping_set, "item", "HAT_BLUE-7")[0] == ("A1001", "Similar name (100%)")
    assert offered(mapping_set, "account.shipping", "Shipping by air", label="Shipping")[0] == (
        "400100",
        "Similar name (80%)",
    )


def test_the_stores_barcode_beats_the_name(mapping_set: MappingSet):
    found = offered(mapping_set, "item", "X-77", label="Red hat", barcode="4006381333931")
    assert found[:2] == [("A1001", "Same barcode 4006381333931"), ("A1002", "Similar name (100%)")]


def test_inactive_values_are_never_offered(mapping_set: MappingSet):
    assert "OLD" not in {s.code for s in suggest(mapping_set, "item", "OLD")}
    assert suggest(mapping_set, "item", "x", search="OLD") == []


def test_targets_of_other_mappings_of_the_kind_are_offered(mapping_set: MappingSet):
    for method in ("Visa", "Amex"):
        set_mapping(mapping_set, "clearing", method, "120000", by="", why="")
    assert offered(mapping_set, "clearing", "PayPal") == [("120000", "2 mappings of this kind use it")]


def test_a_short_list_is_offered_whole(mapping_set: MappingSet):
    found = suggest(mapping_set, "tax_code", "GST")
    assert [(s.code, s.name, s.evidence) for s in found] == [
        ("CA", "California 8.25 %", ""),
        ("EX", "Exempt", ""),
    ]


def test_searching_finds_by_code_name_and_barcode(mapping_set: MappingSet):
    def found(search: str) -> list[str]:
        return [s.code for s in suggest(mapping_set, "item", "X", search=search)]

    assert found("hat") == ["HAT-GREEN", "A1001", "A1002"]
    assert found("blue hat") == ["A1001"]
    assert found("4006381333931") == ["A1001"]
    assert found("%") == []


def test_nothing_of_another_company_is_offered(mapping_set: MappingSet):
    rival = make_company("rival")
    rival.reference_values.filter(code="A1001").update(code="R1001", name="Rival hat")
    assert suggest(mapping_set, "item", "R1001", search="R1001") == []
    assert "R1001" not in {s.code for s in suggest(mapping_set, "item", "R1001", label="Rival hat")}


def test_hostile_keys_are_only_text(mapping_set: MappingSet):
    for key in ("'; DROP TABLE erp_referencevalue; --", "\x00", "(" * 10_000, "[[:alpha:]]", "\ud800"):
        suggest(mapping_set, "item", key, label=key)
        suggest(mapping_set, "item", key, search=key)
    assert offered(mapping_set, "item", "A1001")


def test_store_fields_are_offered_for_field_rules(mapping_set: MappingSet):
    assert [s.code for s in suggest(mapping_set, "field_rule", "invoice:U_Channel", search="channel")] == [
        "order.channel_id"
    ]
