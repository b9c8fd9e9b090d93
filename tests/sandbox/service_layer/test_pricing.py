"""The arithmetic of documents: examples worked by hand, and laws that hold for all of them."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from sandbox.service_layer.pricing import FreightEntry, LineEntry, Method, price_line, total_up
from sandbox.service_layer.rounding import Places, half_up

D = Decimal
PER_LINE = Method(places=Places())
PER_CODE = Method(places=Places(), by_tax_code=True)
YEN = Method(places=Places(sums=0))

rates = st.sampled_from([D("0"), D("5"), D("7.25"), D("8.875"), D("19"), D("20")])
amounts = st.decimals(min_value=D("0"), max_value=D("99999"), places=2)
quantities = st.integers(min_value=1, max_value=500).map(D)


def test_a_line_is_quantity_times_the_rounded_discounted_price():
    priced = price_line(
        LineEntry(quantity=D(3), unit_price=D("9.99"), discount_percent=D("33.33"), tax_rate=D("8.875")),
        PER_LINE,
    )
    assert priced.price == D("6.6603")  # 9.99 x 0.6667 = 6.660333
    assert priced.net == D("19.98")  # 19.9809
    assert priced.tax == D("1.77")  # 1.773225


def test_halves_are_rounded_away_from_zero():
    assert half_up(D("0.125"), 2) == D("0.13")
    assert half_up(D("-0.125"), 2) == D("-0.13")
    assert price_line(LineEntry(unit_price=D("-0.50"), tax_rate=D(5)), PER_LINE).tax == D("-0.03")


def test_a_given_line_total_is_kept_and_sets_the_price():
    priced = price_line(LineEntry(quantity=D(3), line_total=D("10.00")), PER_LINE)
    assert (priced.net, priced.price, priced.unit_price) == (D("10.00"), D("3.3333"), D("3.3333"))


def test_a_line_total_beside_a_unit_price_sets_the_discount():
    priced = price_line(LineEntry(quantity=D(2), unit_price=D(10), line_total=D("15.00")), PER_LINE)
    assert (priced.net, priced.discount_percent) == (D("15.00"), D("25.0000"))


def test_a_gross_price_is_taken_apart():
    priced = price_line(LineEntry(quantity=D(3), gross_price=D("9.99"), tax_rate=D(20)), PER_LINE)
    assert (priced.gross, priced.tax, priced.net) == (D("29.97"), D("5.00"), D("24.97"))


def test_a_company_that_goes_by_net_prices_misses_the_gross_by_cents():
    method = Method(places=Places(prices=2), gross_by_net_price=True)
    priced = price_line(LineEntry(quantity=D(100), gross_price=D("9.99"), tax_rate=D(20)), method)
    assert priced.price == D("8.33")  # 8.325
    assert priced.gross == D("999.60")  # and not 999.00


def test_tax_is_rounded_per_line_or_once_per_code():
    lines = [LineEntry(unit_price=D("0.07"), tax_rate=D(7), tax_code="A") for _ in range(10)]
    assert total_up(lines, [], PER_LINE).tax == D("0.00")
    grouped = total_up(lines, [], PER_CODE)
    assert grouped.tax == D("0.05")
    assert grouped.lines[-1].tax == D("0.05")


def test_the_document_discount_reduces_lines_but_not_freight():
    lines = [LineEntry(unit_price=D(100), tax_rate=D(10))]
    totals = total_up(lines, [FreightEntry(net=D(10), tax_rate=D(10))], PER_LINE, discount_percent=D(20))
    assert (totals.discount, totals.tax, totals.total) == (D("20.00"), D("9.00"), D("99.00"))


def test_an_overridden_tax_stands():
    lines = [LineEntry(unit_price=D(100), tax_rate=D(10), tax_override=D("9.37"), tax_code="A")]
    assert total_up(lines, [], PER_CODE).total == D("109.37")


def test_yen_have_no_decimals():
    totals = total_up([LineEntry(quantity=D(3), unit_price=D("333.5"), tax_rate=D(10))], [], YEN)
    assert (totals.lines[0].net, totals.tax, totals.total) == (D(1001), D(100), D(1101))


lines = st.lists(
    st.builds(
        LineEntry,
        tax_code=st.sampled_from("AB"),
        tax_rate=st.just(D(0)),
        quantity=quantities,
        unit_price=amounts,
        discount_percent=st.sampled_from([None, D("10"), D("33.3333")]),
    ),
    min_size=1,
    max_size=8,
)


def with_rates(entries, rate_a, rate_b):
    from dataclasses import replace

    return [replace(entry, tax_rate=rate_a if entry.tax_code == "A" else rate_b) for entry in entries]


@given(lines, rates, rates, st.sampled_from([PER_LINE, PER_CODE, YEN]))
def test_a_total_is_the_sum_of_what_is_shown(entries, rate_a, rate_b, method):
    totals = total_up(with_rates(entries, rate_a, rate_b), [], method)
    assert totals.total == sum(line.net for line in totals.lines) + totals.tax
    assert totals.tax == sum(line.tax for line in totals.lines)
    assert totals.total == half_up(totals.total, method.places.sums)


@given(lines, rates, rates)
def test_grouping_moves_the_tax_by_less_than_half_a_cent_per_line(entries, rate_a, rate_b):
    entries = with_rates(entries, rate_a, rate_b)
    apart, together = total_up(entries, [], PER_LINE), total_up(entries, [], PER_CODE)
    assert abs(apart.tax - together.tax) <= D("0.005") * (len(entries) + 2)
    assert apart.total - apart.tax == together.total - together.tax


@given(quantities, amounts, rates)
def test_a_gross_line_keeps_its_gross(quantity, gross_price, rate):
    priced = price_line(LineEntry(quantity=quantity, gross_price=gross_price, tax_rate=rate), PER_LINE)
    assert priced.gross == half_up(quantity * gross_price, 2)


@given(quantities, amounts)
def test_a_line_total_survives_any_quantity(quantity, total):
    assert price_line(LineEntry(quantity=quantity, line_total=total), PER_LINE).net == total
