"""Which mapping applies: precedence, wildcards, effective dates."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.keys import KEY_LENGTH, Pattern, literal, tidy
from mappings.kinds import Kind
from mappings.resolver import FieldRule, Rule, Rules

DAY = date(2026, 11, 20)

texts = st.text(max_size=30)
small_texts = st.text(alphabet="AB*\\ ", max_size=8)


def rules(*found: Rule) -> Rules:
    return Rules.of(found, version="1.1")


def item(key: str, target: str, *, since: date | None = None, version: int = 1) -> Rule:
    return Rule(kind=Kind.ITEM, key=key, target=target, effective_from=since, version=version)


def account(key: str, target: str, **extra: str) -> Rule:
    return Rule(kind=Kind.LINE_ACCOUNT, key=key, target=target, extra=extra, version=3)


def test_an_exact_key_beats_every_wildcard():
    found = rules(item("HAT-BLUE", "I-1"), item("HAT-*", "I-2"), item("*", "I-3"))
    assert found.resolve("item", "HAT-BLUE", on=DAY).target == "I-1"
    assert found.resolve("item", "HAT-RED", on=DAY).target == "I-2"
    assert found.resolve("item", "SOCK", on=DAY).target == "I-3"


def test_the_wildcard_with_the_longest_beginning_wins():
    found = rules(item("*", "any"), item("HAT-*", "hat"), item("HAT-BL*", "blue"), item("*-BLUE", "ending"))
    assert found.resolve("item", "HAT-BLUE", on=DAY).target == "blue"
    assert found.resolve("item", "HAT-RED", on=DAY).target == "hat"
    assert found.resolve("item", "SOCK-BLUE", on=DAY).target == "ending"


def test_a_missing_mapping_is_none():
    assert rules(item("HAT-BLUE", "I-1")).resolve("item", "hat-blue", on=DAY) is None
    assert rules().resolve("clearing", "Visa", on=DAY) is None


def test_a_match_names_its_rule_and_version():
    assert rules(item("HAT-*", "I-2", version=12)).resolve("item", "HAT-1", on=DAY).rule == "item HAT-* v12"


def test_exact_keys_are_tried_in_the_order_given_before_any_wildcard():
    found = Rules.of(
        [
            Rule(kind=Kind.CLEARING, key="card", target="1200"),
            Rule(kind=Kind.CLEARING, key="Braintree*", target="1210"),
        ],
        version="1.1",
    )
    assert found.resolve("clearing", "Braintree visa", "card", on=DAY).target == "1200"
    assert found.resolve("clearing", "Braintree visa", on=DAY).target == "1210"


def test_without_a_key_only_the_rule_for_everything_fits():
    found = Rules.of([Rule(kind=Kind.ROUNDING_ACCOUNT, key="*", target="7990")], version="1.1")
    assert found.resolve("account.rounding", on=DAY).target == "7990"


def test_a_line_account_is_found_by_sku_then_category_then_segment_then_default():
    everything = [
        account("sku:HAT-BLUE", "4001", cost_center="HATS"),
        account("sku:HAT-*", "4002"),
        account("category:12", "4003"),
        account("category:*", "4004"),
        account("segment:Wholesale", "4005"),
        account("default", "4000"),
    ]
    found = []
    while everything:
        match = rules(*everything).line_account(
            sku="HAT-BLUE", categories=("7", "12"), segment="Wholesale", on=DAY
        )
        found.append(match.target)
        everything.pop(0)
    assert found == ["4001", "4002", "4003", "4004", "4005", "4000"]
    assert rules().line_account(sku="HAT-BLUE", on=DAY) is None


def test_a_line_account_brings_its_cost_center():
    match = rules(account("default", "4000", cost_center="SHOP")).line_account(sku="X", on=DAY)
    assert (match.target, match.extra["cost_center"], match.rule) == (
        "4000",
        "SHOP",
        "line_account default v3",
    )


def test_levels_are_strongest_first_whatever_the_order_of_the_keys():
    found = rules(account("category:1", "4003"), account("sku:*", "4002"))
    assert found.resolve("line_account", "category:1", "sku:A", on=DAY).target == "4002"


def test_a_rule_counts_from_its_effective_date_on():
    found = rules(
        item("A", "old"),
        item("A", "new", since=date(2026, 12, 1)),
        item("A", "newer", since=date(2027, 1, 1)),
    )
    assert found.resolve("item", "A", on=date(2026, 11, 30)).target == "old"
    assert found.resolve("item", "A", on=date(2026, 12, 1)).target == "new"
    assert found.resolve("item", "A", on=date(2027, 6, 1)).target == "newer"


def test_before_its_effective_date_an_exact_rule_leaves_the_wildcard_in_force():
    found = rules(item("A", "new", since=date(2026, 12, 1)), item("*", "any"))
    assert found.resolve("item", "A", on=date(2026, 11, 30)).target == "any"
    assert found.resolve("item", "A", on=date(2026, 12, 1)).target == "new"


def test_two_rules_for_one_key_and_day_are_refused():
    with pytest.raises(ValueError, match="two rules for item A"):
        rules(item("A", "1"), item("A", "2"))


def test_an_unknown_kind_is_our_own_bug():
    with pytest.raises(ValueError, match="itme"):
        rules().resolve("itme", "A", on=DAY)


def test_field_rules_come_per_document_kind_and_day():
    def rule(key: str, target: str, source: str, since: date | None = None) -> Rule:
        return Rule(
            kind=Kind.FIELD_RULE,
            key=key,
            target=target,
            extra={"source": source},
            effective_from=since,
            version=2,
        )

    found = rules(
        rule("invoice:U_Note", "order.customer_message", "field"),
        rule("invoice:U_Channel", "Web", "constant"),
        rule("invoice:U_Channel", "Web shop", "constant", since=DAY),
        rule("payment:U_Channel", "Web", "constant"),
    )
    assert found.field_rules("invoice", on=DAY - timedelta(days=1)) == (
        FieldRule(name="U_Channel", is_constant=True, value="Web", rule="field_rule invoice:U_Channel v2"),
        FieldRule(
            name="U_Note",
            is_constant=False,
            value="order.customer_message",
            rule="field_rule invoice:U_Note v2",
        ),
    )
    assert [f.value for f in found.field_rules("invoice", on=DAY)] == ["Web shop", "order.customer_message"]
    assert found.field_rules("credit_memo", on=DAY) == ()


@given(texts)
def test_a_literal_key_matches_its_own_text_and_is_no_wildcard(text: str):
    pattern = Pattern.parse(literal(text))
    assert not pattern.is_wildcard
    assert pattern.text == tidy(text)


@given(small_texts, small_texts)
def test_different_texts_have_different_literal_keys(one: str, other: str):
    assert (literal(one) == literal(other)) == (tidy(one) == tidy(other))


@given(st.text(alphabet="AB*", max_size=6), st.text(alphabet="AB", max_size=8))
def test_wildcards_match_as_a_plain_definition_says(pattern: str, text: str):
    def fits(pattern: str, text: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "*":
            return any(fits(pattern[1:], text[i:]) for i in range(len(text) + 1))
        return bool(text) and text[0] == pattern[0] and fits(pattern[1:], text[1:])

    assert Pattern.parse(pattern).matches(text) == fits(pattern, text)


@given(st.text(max_size=2000))
def test_tidying_twice_is_tidying_once_and_always_storable(text: str):
    key = tidy(text)
    assert tidy(key) == key
    assert len(key) <= KEY_LENGTH
    assert "\x00" not in key
    key.encode()


def test_long_texts_that_begin_alike_keep_different_keys():
    assert tidy("A" * 10_000 + "1") != tidy("A" * 10_000 + "2")


_keys = st.text(alphabet="AB*", min_size=1, max_size=5)
_days = st.none() | st.dates(min_value=date(2026, 1, 1), max_value=date(2026, 1, 5))


@given(
    st.dictionaries(st.tuples(_keys, _days), st.integers(0, 9), max_size=12),
    st.text(alphabet="AB", max_size=5),
    st.dates(min_value=date(2026, 1, 1), max_value=date(2026, 1, 5)),
    st.randoms(),
)
def test_the_rule_found_is_the_strongest_in_force_whatever_order_they_came_in(
    given_rules: dict[tuple[str, date | None], int], text: str, on: date, shuffler: random.Random
):
    made = [item(key, str(target), since=since) for (key, since), target in given_rules.items()]
    in_force: dict[str, Rule] = {}
    for rule in sorted(made, key=lambda r: r.effective_from or date.min):
        if rule.effective_from is None or rule.effective_from <= on:
            in_force[rule.key] = rule
    fitting = [rule for rule in in_force.values() if Pattern.parse(rule.key).matches(text)]
    strongest = min(fitting, key=lambda r: (r.key != text, *Pattern.parse(r.key).precedence), default=None)
    shuffler.shuffle(made)
    match = rules(*made).resolve("item", text, on=on)
    assert (match and match.target) == (strongest and strongest.target)


def test_a_hundred_thousand_skus_resolve_without_scanning_them():
    found = Rules.of([item(f"SKU-{n}", f"I-{n}") for n in range(100_000)], version="1.1")
    assert len(found) == 100_000
    assert {found.resolve("item", f"SKU-{n}", on=DAY).target for n in (0, 50_000, 99_999)} == {
        "I-0",
        "I-50000",
        "I-99999",
    }
