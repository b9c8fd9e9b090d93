"""Changing mappings: one version per change, nothing half-done, everything audited and announced."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.models import AuditEntry
from mappings.changes import Change, apply_changes, current_rules, delete_mapping, set_mapping
from mappings.history import diff, differences_of, undo
from mappings.models import Mapping, MappingSet, MappingVersion
from mappings.rules import rules_for
from mappings.signals import mapping_changed
from tests.mappings.making import make_company, make_set

DAY = date(2026, 11, 20)


def rules_now(mapping_set: MappingSet) -> dict[tuple[str, str], str]:
    return {(rule.kind, rule.key): rule.target for rule in current_rules(mapping_set)}


@pytest.fixture
def heard() -> Iterator[list[dict[str, Any]]]:
    """What `mapping_changed` said."""
    messages: list[dict[str, Any]] = []

    def listen(**message: Any) -> None:
        messages.append(message)

    mapping_changed.connect(listen)
    yield messages
    mapping_changed.disconnect(listen)


def test_a_change_makes_a_version_that_says_who_when_and_why(mapping_set: MappingSet):
    done = set_mapping(mapping_set, "item", "HAT-BLUE", "A1001", by="ann", why="new product")
    version = MappingVersion.objects.get(mapping_set=mapping_set)
    assert done.version == version
    assert (version.number, version.by, version.why) == (1, "ann", "new product")
    assert version.at is not None
    assert mapping_set.version == 1
    assert list(done) == ["item HAT-BLUE: nothing → A1001"]
    assert rules_now(mapping_set) == {("item", "HAT-BLUE"): "A1001"}


def test_what_is_already_so_makes_no_version(mapping_set: MappingSet):
    set_mapping(mapping_set, "item", "HAT-BLUE", "A1001", by="ann", why="")
    again = set_mapping(mapping_set, "item", " HAT-BLUE ", "A1001 ", by="ben", why="again")
    assert (again.version, list(again), MappingVersion.objects.count()) == (None, [], 1)


def test_several_changes_are_one_version(mapping_set: MappingSet):
    apply_changes(
        mapping_set,
        [
            Change(kind="item", key="HAT-BLUE", target="A1001"),
            Change(kind="line_account", key="default", target="400000", extra={"cost_center": "SHOP"}),
        ],
        by="ann",
        why="start",
    )
    assert MappingVersion.objects.get().changes.count() == 2
    match = rules_for(mapping_set).line_account(sku="X", on=DAY)
    assert (match.target, match.extra["cost_center"], match.rule) == (
        "400000",
        "SHOP",
        "line_account default v1",
    )


def test_all_changes_are_made_or_none_and_every_refusal_is_named(mapping_set: MappingSet):
    with pytest.raises(ValidationError) as refusal:
        apply_changes(
            mapping_set,
            [
                Change(kind="item", key="HAT-BLUE", target="A1001"),
                Change(kind="item", key="HAT-RED", target="A9999"),
                Change(kind="item", key="HAT-OLD", target="OLD"),
                Change(kind="itme", key="X", target="Y"),
                Change(kind="line_account", key="HAT-BLUE", target="400000"),
                Change(kind="clearing", key="Visa", target=" "),
                Change(kind="item", key="S", target="A1002", extra={"cost_center": "SHOP"}),
                Change(kind="line_account", key="default", target="400000", extra={"cost_center": "MOON"}),
            ],
            by="ann",
            why="",
        )
    assert refusal.value.messages == [
        "SKU → item, HAT-RED: SAP Business One has no item 'A9999'. If it is new there, "
        "read its lists again.",
        "SKU → item, HAT-OLD: item OLD is not active in SAP Business One.",
        "'itme' is no kind of mapping. Kinds: item, line_account, account.shipping, account.handling, "
        "account.wrapping, account.discount, account.fee, account.gift_certificate, account.store_credit, "
        "account.rounding, account.tax_liability, account.unattributed_refund, clearing, tax_code, freight, "
        "warehouse, customer_group, field_rule.",
        "'HAT-BLUE' does not say what it applies to. sku:HAT-BLUE, category:12, segment:Wholesale, "
        "or default. * is any text: sku:HAT-*.",
        "Payment method → clearing account, Visa: G/L account is empty.",
        "SKU → item, S: it has no 'cost_center'. Possible: nothing beside the target.",
        "Order line → G/L account, default: SAP Business One has no cost center 'MOON'. "
        "If it is new there, read its lists again.",
    ]
    assert not Mapping.objects.exists()
    assert not MappingVersion.objects.exists()


def test_a_list_that_was_never_read_refuses_nothing(mapping_set: MappingSet):
    set_mapping(mapping_set, "warehouse", "*", "01", by="", why="set-up before the first read")
    assert rules_now(mapping_set) == {("warehouse", "*"): "01"}


def test_a_target_that_became_inactive_does_not_refuse_applying_the_same_again(mapping_set: MappingSet):
    set_mapping(mapping_set, "item", "HAT-BLUE", "A1001", by="", why="")
    mapping_set.company.reference_values.filter(code="A1001").update(active=False)
    assert not set_mapping(mapping_set, "item", "HAT-BLUE", "A1001", by="", why="")


@pytest.mark.parametrize(
    ("key", "target", "source", "sentence"),
    [
        ("invoice:U_Chanel", "Web", "constant", "the ERP company has no user field U_Chanel."),
        ("invoice:U_Channel", "order.staf_notes", "field", "Nearest: order.staff_notes"),
        ("invoice:U Channel", "Web", "constant", "'U Channel' is not the name of an ERP field."),
        ("invoices:U_Channel", "Web", "constant", "does not say what it applies to"),
        ("invoice:U_*", "Web", "constant", "wildcards have no meaning here"),
        ("invoice:U_Channel", "Web", "somewhere", "source is one of field, constant, not 'somewhere'"),
        ("invoice:U_Channel", "Web", "", "source is missing"),
    ],
)
def test_an_impossible_field_rule_says_why(
    mapping_set: MappingSet, key: str, target: str, source: str, sentence: str
):
    with pytest.raises(ValidationError) as refusal:
        set_mapping(mapping_set, "field_rule", key, target, extra={"source": source}, by="", why="")
    assert sentence in refusal.value.messages[0]


@pytest.mark.parametrize(
    "name", ["order.customer_message", "shipping_address.form_fields.Door code", "customer.erp_code"]
)
def test_a_field_rule_takes_fields_of_order_addresses_customer_and_checkout_forms(
    mapping_set: MappingSet, name: str
):
    set_mapping(mapping_set, "field_rule", "invoice:Comments", name, extra={"source": "field"}, by="", why="")
    (rule,) = rules_for(mapping_set).field_rules("invoice", on=DAY)
    assert (rule.name, rule.value) == ("Comments", name)


def test_field_rules_reach_the_resolver(mapping_set: MappingSet):
    set_mapping(
        mapping_set,
        "field_rule",
        "invoice:U_Channel",
        "order.channel_id",
        extra={"source": "field"},
        by="",
        why="",
    )
    (rule,) = rules_for(mapping_set).field_rules("invoice", on=DAY)
    assert (rule.name, rule.is_constant, rule.value) == ("U_Channel", False, "order.channel_id")


def test_rules_of_an_earlier_version_stay_what_they_were(mapping_set: MappingSet):
    set_mapping(mapping_set, "item", "HAT-BLUE", "A1001", by="", why="")
    set_mapping(mapping_set, "item", "HAT-BLUE", "A1002", by="", why="")
    delete_mapping(mapping_set, "item", "HAT-BLUE", by="", why="")
    found = [rules_for(mapping_set, n).resolve("item", "HAT-BLUE", on=DAY) for n in (0, 1, 2, 3)]
    assert [match and (match.target, match.rule) for match in found] == [
        None,
        ("A1001", "item HAT-BLUE v1"),
        ("A1002", "item HAT-BLUE v2"),
        None,
    ]
    assert rules_for(mapping_set).version == f"{mapping_set.pk}.3"


def test_a_version_that_was_rolled_back_leaves_nothing_in_memory(mapping_set: MappingSet):
    with transaction.atomic():
        set_mapping(mapping_set, "item", "HAT-BLUE", "A1001", by="", why="dry run")
        assert rules_for(mapping_set).resolve("item", "HAT-BLUE", on=DAY).target == "A1001"
        transaction.set_rollback(True)
    assert rules_for(mapping_set).resolve("item", "HAT-BLUE", on=DAY) is None
    set_mapping(mapping_set, "item", "HAT-BLUE", "A1002", by="", why="")
    set_mapping(mapping_set, "item", "HAT-RED", "A1002", by="", why="")
    assert rules_for(mapping_set).resolve("item", "HAT-BLUE", on=DAY).target == "A1002"


def test_rules_in_memory_cost_one_query(mapping_set: MappingSet, django_assert_num_queries: Any):
    set_mapping(mapping_set, "item", "HAT-BLUE", "A1001", by="", why="")
    rules_for(mapping_set)
    with django_assert_num_queries(1):
        rules_for(mapping_set)


def test_a_key_may_change_its_target_on_a_day(mapping_set: MappingSet):
    set_mapping(mapping_set, "tax_code", "GST", "EX", by="", why="")
    set_mapping(mapping_set, "tax_code", "GST", "CA", by="", why="new law", effective_from=date(2027, 1, 1))
    found = rules_for(mapping_set)
    assert found.resolve("tax_code", "GST", on=date(2026, 12, 31)).target == "EX"
    assert found.resolve("tax_code", "GST", on=date(2027, 1, 1)).target == "CA"


@pytest.mark.parametrize("table", ["mappings_mappingversion", "mappings_mappingchange"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_the_database_refuses_to_alter_a_version(mapping_set: MappingSet, table: str, statement: str):
    set_mapping(mapping_set, "item", "HAT-BLUE", "A1001", by="", why="")
    with pytest.raises(DatabaseError, match="never altered or deleted"), transaction.atomic():
        connection.cursor().execute(statement.format(table))


def test_the_database_refuses_a_mapping_of_another_tenants_set(mapping_set: MappingSet):
    other = make_company("rival").tenant
    set_mapping(mapping_set, "item", "HAT-BLUE", "A1001", by="", why="")
    Mapping.objects.update(tenant=other)
    with pytest.raises(IntegrityError, match="mappings_mapping_"):
        connection.check_constraints()
    transaction.set_rollback(True)


def test_a_change_is_audited(mapping_set: MappingSet):
    set_mapping(mapping_set, "item", "HAT-BLUE", "A1001", by="ann", why="new product")
    entry = AuditEntry.objects.get(action="mapping.changed")
    assert (entry.tenant_id, entry.actor) == (mapping_set.tenant_id, "ann")
    assert entry.subjects == [f"mapping_set:{mapping_set.pk}", "mapping:item/HAT-BLUE"]
    assert entry.details == {
        "version": 1,
        "why": "new product",
        "path": "screen",
        "changed": 1,
        "changes": ["item HAT-BLUE: nothing → A1001"],
    }


def test_a_change_is_announced_after_the_commit_and_only_then(
    mapping_set: MappingSet, heard: list[dict[str, Any]], django_capture_on_commit_callbacks: Any
):
    with django_capture_on_commit_callbacks(execute=True):
        set_mapping(mapping_set, "item", "HAT-BLUE", "A1001", by="ann", why="")
        assert heard == []
    (message,) = heard
    assert message["mapping_set"] == mapping_set
    assert message["kinds"] == {"item"}
    assert message["places"] == (("item", "HAT-BLUE"),)
    assert (message["version"], message["by"]) == (1, "ann")
    with django_capture_on_commit_callbacks(execute=True):
        set_mapping(mapping_set, "item", "HAT-BLUE", "A1001", by="ann", why="")
    assert len(heard) == 1


@pytest.mark.django_db(transaction=True)
def test_changes_made_at_the_same_time_come_one_after_the_other(mapping_set: MappingSet):
    def change(worker: int) -> None:
        for n in range(4):
            set_mapping(mapping_set, "freight", f"{worker}-{n}", str(n), by=f"w{worker}", why="")
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(change, range(4)))
    mapping_set.refresh_from_db()
    assert mapping_set.version == 16
    assert list(mapping_set.versions.order_by("number").values_list("number", flat=True)) == list(
        range(1, 17)
    )
    assert rules_for(mapping_set).rules == current_rules(mapping_set)
    assert len(rules_for(mapping_set)) == 16


def test_an_undo_restores_what_was_there_in_a_new_version(mapping_set: MappingSet):
    set_mapping(mapping_set, "item", "HAT-BLUE", "A1001", by="", why="")
    wrong = apply_changes(
        mapping_set,
        [
            Change(kind="item", key="HAT-BLUE", target="A1002"),
            Change(kind="item", key="HAT-RED", target="A1002"),
        ],
        by="ben",
        why="",
    )
    undone = undo(wrong.version, by="ann", why="wrong items")
    assert rules_now(mapping_set) == {("item", "HAT-BLUE"): "A1001"}
    assert (undone.version.number, undone.version.path) == (3, "undo")
    assert undone.version.why == "Undo of v2: wrong items"
    undo(undone.version, by="ben", why="")
    assert rules_now(mapping_set) == {("item", "HAT-BLUE"): "A1002", ("item", "HAT-RED"): "A1002"}


def test_an_undo_is_refused_where_a_rule_was_changed_again(mapping_set: MappingSet):
    first = set_mapping(mapping_set, "item", "HAT-BLUE", "A1001", by="", why="")
    set_mapping(mapping_set, "item", "HAT-BLUE", "A1002", by="", why="")
    with pytest.raises(ValidationError, match="item HAT-BLUE was changed again after v1"):
        undo(first.version, by="", why="")
    assert rules_now(mapping_set) == {("item", "HAT-BLUE"): "A1002"}


def test_the_difference_of_two_versions_leaves_out_what_came_and_went(mapping_set: MappingSet):
    set_mapping(mapping_set, "item", "HAT-BLUE", "A1001", by="", why="")
    set_mapping(mapping_set, "item", "HAT-RED", "A1002", by="", why="")
    set_mapping(mapping_set, "item", "HAT-BLUE", "A1002", by="", why="")
    delete_mapping(mapping_set, "item", "HAT-RED", by="", why="")
    assert [str(d) for d in diff(mapping_set, 1, 4)] == ["item HAT-BLUE: A1001 → A1002"]
    assert [str(d) for d in diff(mapping_set, 4, 0)] == ["item HAT-BLUE: A1002 → nothing"]
    assert [str(d) for d in differences_of(MappingVersion.objects.get(number=4))] == [
        "item HAT-RED: A1002 → nothing"
    ]


def test_hostile_text_is_a_key_like_any_other(mapping_set: MappingSet):
    hostile = [
        "<script>alert(1)</script>",
        "=cmd|' /C calc'!A0",
        "שלום 🎩",
        "A" * 10_000,
        "nul\x00 half\ud800",
    ]
    for text in hostile:
        set_mapping(mapping_set, "clearing", text, "120000", by="", why=text)
    found = rules_for(mapping_set)
    assert [found.resolve("clearing", text, on=DAY).target for text in hostile] == ["120000"] * len(hostile)
    assert found.resolve("clearing", "A" * 9_999, on=DAY) is None


_changes = st.lists(
    st.lists(
        st.builds(
            Change,
            kind=st.just("freight"),
            key=st.sampled_from(["A", "B", "A*"]),
            target=st.sampled_from(["1", "2", None]),
            effective_from=st.sampled_from([None, date(2026, 1, 1)]),
        ),
        max_size=4,
    ),
    max_size=6,
)


@given(_changes)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_current_rows_and_every_version_are_what_the_changes_say(mapping_set: MappingSet, history: Any):
    with transaction.atomic():
        fresh = make_set(mapping_set.company, "Property")
        expected: dict[Any, str] = {}
        for changes in history:
            apply_changes(fresh, changes, by="", why="")
            for change in changes:
                if change.target is None:
                    expected.pop(change.place, None)
                else:
                    expected[change.place] = change.target
            for rules in (current_rules(fresh), rules_for(fresh), rules_for(fresh, fresh.version)):
                assert {(r.kind, r.key, r.effective_from): r.target for r in rules} == expected
        for version in fresh.versions.order_by("-number"):
            undo(version, by="", why="")
        assert current_rules(fresh) == ()
        transaction.set_rollback(True)
