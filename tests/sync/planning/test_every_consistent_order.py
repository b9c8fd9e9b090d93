"""Every consistent order of every case plans with the exact total and tax of the store.

The store's arithmetic is the sandbox calculator's, an independent opinion; the ERP's is this folder's stand-in and the
SAP Business One translator, both with tax rounded by line and by document. `ORDERS_PER_CASE` sets how many orders of each
case are tried. How many needed a rounding line, and the largest, in minor units, is printed at the end of the run.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from erp.adapters.sap_b1.translate import B1Translator
from erp.contract.documents import DocumentKind, MoneyDocument, SalesDocument, Use
from erp.contract.money import minor_units
from erp.contract.order import Order
from erp.contract.plan import Outcome, Plan
from erp.contract.reading import read_plan
from sandbox.bigcommerce import strategies
from sandbox.bigcommerce.shopping import Shopping
from tests.sync.planning import books, shops

EXAMPLES = int(os.environ.get("ORDERS_PER_CASE", "60"))
many = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # making a failing order smaller takes minutes
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
)
PAID = ("purchase", "captured", "settled", "offline")
WORLDS = [
    (books.Ledger(), "line"),
    (books.Ledger(), "document"),
    (B1Translator(), "line"),
    (B1Translator(), "document"),
]


def shoppings(**wanted: Any) -> st.SearchStrategy[Shopping]:
    return strategies.shoppings(**{"ways": PAID, **wanted})


def _is(test: Callable[[Shopping], bool], **wanted: Any) -> st.SearchStrategy[Shopping]:
    return shoppings(**wanted).filter(test)


CASES = {
    "tax-exclusive, rounded by line": shoppings(pool=strategies.SALES_TAXES, roundings=("line",)),
    "tax-inclusive, rounded by line": _is(
        lambda s: s.tax_inclusive, pool=strategies.VATS, roundings=("line",)
    ),
    "one tax a line": shoppings(several_taxes=False),
    "several and compound taxes": shoppings(several_taxes=True),
    "rounded by unit": shoppings(roundings=("unit",)),
    "rounded by document": shoppings(roundings=("document",)),
    "order, coupon and line discounts": _is(lambda s: bool(s.coupons or s.order_discount)),
    "fees, handling and wrapping": _is(lambda s: bool(s.fees or s.handling)),
    "gift certificates and store credit": _is(lambda s: bool(s.gift_certificate or s.store_credit)),
    "split and part payments": shoppings(ways=("captured",)),
    "currency without decimals": shoppings(currencies=("JPY",)),
    "currency with three decimals": shoppings(currencies=("KWD",)),
    "more than 50 lines": shoppings(large=True),
    "every way to pay": shoppings(ways=strategies.WAYS),
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", CASES)
def test_every_consistent_order_plans_with_the_exact_total_and_tax(case: str, record_property: Any) -> None:
    report = Report()

    @settings(many, max_examples=EXAMPLES // 5 if case == "more than 50 lines" else EXAMPLES)
    @given(CASES[case])
    def tried(shopping: Shopping) -> None:
        order = shops.sold(shopping)
        for translator, tax_rounding in WORLDS:
            company = shops.company(shopping, tax_rounding)
            plan = books.plan(order, translator=translator, rules=company.rules, facts=company.facts)
            if plan.outcome is Outcome.NOT_DUE:
                continue
            assert plan.outcome is Outcome.READY, plan.problems or plan.gaps
            check_sale(order, plan, company.facts, translator)
            assert read_plan(plan.canonical()) == plan
            report.count(plan, order, company.facts, translator)

    tried()
    assert report.money <= 5
    record_property("rounding", report.sentence(case))


@pytest.mark.parametrize("mode", ["override", "liability_line"])
@many
@given(data=st.data())
def test_other_tax_modes_tie_too(mode: str, data: st.DataObject) -> None:
    shopping = data.draw(shoppings())
    order = shops.sold(shopping)
    for translator, tax_rounding in WORLDS:
        company = shops.company(shopping, tax_rounding)
        plan = books.plan(
            order,
            translator=translator,
            rules=company.rules,
            facts=books.replace(company.facts, allows_tax_override=True),
            settings=books.settings(tax_mode=mode),
        )
        assert plan.outcome is Outcome.READY, plan.problems or plan.gaps
        assert plan.tie_out is not None
        assert plan.tie_out.ties
        assert (plan.tie_out.planned_total, plan.tie_out.planned_tax) == (order.total, order.tax)


@many
@given(shoppings())
def test_discounts_on_lines_of_their_own_tie_too(shopping: Shopping) -> None:
    order = shops.sold(shopping)
    for translator, tax_rounding in WORLDS:
        company = shops.company(shopping, tax_rounding)
        plan = books.plan(
            order,
            translator=translator,
            rules=company.rules,
            facts=company.facts,
            settings=books.settings(discounts="own_lines"),
        )
        assert plan.outcome is Outcome.READY, plan.problems or plan.gaps
        check_sale(order, plan, company.facts, translator)


@many
@given(data=st.data())
def test_every_refund_plans_with_its_exact_total_and_tax(data: st.DataObject) -> None:
    shopping = data.draw(shoppings())
    refunds = data.draw(strategies.refunds_of(shopping))
    order = shops.sold(shopping, refunds)
    assume(not any("which the order does not have" in complaint for complaint in order.complaints))
    assume(order.tax or not any(refund.tax for refund in order.refunds))
    assume(all(refund.tax >= 0 for refund in order.refunds))  # SAP Business One takes no negative tax
    for translator, tax_rounding in WORLDS:
        company = shops.company(shopping, tax_rounding)
        plan = books.plan(order, translator=translator, rules=company.rules, facts=company.facts)
        assert plan.outcome is Outcome.READY, plan.problems or plan.gaps
        credits = {d.reference: d for d in plan.documents if d.kind is DocumentKind.CREDIT_MEMO}
        payouts = [d for d in plan.documents if d.kind is DocumentKind.PAYOUT]
        for refund in order.refunds:
            if refund.total and not refund.payments:
                assert f"S1-{refund.id}-R" not in credits
                continue
            credit = credits[f"S1-{refund.id}-R"]
            assert isinstance(credit, SalesDocument)
            predicted = translator.predict(credit, company.facts)
            assert (predicted.total, predicted.tax) == (refund.total, refund.tax)
        paid_back = sum((p.amount for r in order.refunds for p in r.payments), Decimal(0))
        assert sum((p.amount for p in payouts if isinstance(p, MoneyDocument)), Decimal(0)) == paid_back


@many
@given(
    shoppings(),
    st.sampled_from(["total_inc_tax", "total_tax"]),
    st.integers(-500, 500).filter(lambda n: abs(n) > 75),
)
def test_an_inconsistent_order_is_held_with_its_arithmetic(
    shopping: Shopping, field: str, units: int
) -> None:
    tampered = books.replace(shopping, tamper={field: Decimal(units).scaleb(-shopping.places)})
    order = shops.sold(tampered)
    company = shops.company(shopping, "line")
    plan = books.plan(order, rules=company.rules, facts=company.facts)
    assert plan.outcome in (Outcome.HELD, Outcome.NOT_DUE)
    assert plan.documents == ()
    assert plan.problems


@many
@given(shoppings())
def test_the_same_order_gives_the_same_plan_to_the_byte(shopping: Shopping) -> None:
    order = shops.sold(shopping)
    company = shops.company(shopping, "line")
    plans = {books.plan(order, rules=company.rules, facts=company.facts).canonical() for _ in range(3)}
    assert len(plans) == 1


def check_sale(order: Order, plan: Plan, facts: Any, translator: Any) -> None:
    """The ERP will compute the store's figures; the document's own lines add up to them; the money is all there."""
    sale = next(d for d in plan.documents if isinstance(d, SalesDocument))
    predicted = translator.predict(sale, facts)
    assert (predicted.total, predicted.tax) == (order.total, order.tax)
    assert sum((x.net + x.tax for x in sale.lines), Decimal(0)) == sale.total == order.total
    assert sum((x.tax for x in sale.lines), Decimal(0)) == sale.tax == order.tax
    assert all(line.origins for line in sale.lines)
    money = [d for d in plan.documents if d.kind is DocumentKind.PAYMENT]
    captured = sum((t.amount for t in order.tenders), Decimal(0))
    assert sum((m.amount for m in money if isinstance(m, MoneyDocument)), Decimal(0)) == captured
    assert len({d.reference for d in plan.documents}) == len(plan.documents)


class Report:
    """How many plans needed a rounding line, the most money on the rounding account and the most tax closed by pairs."""

    def __init__(self) -> None:
        self.plans = self.rounded = 0
        self.money = self.tax = Decimal(0)

    def count(self, plan: Plan, order: Order, facts: Any, translator: Any) -> None:
        sale = next(d for d in plan.documents if isinstance(d, SalesDocument))
        rounding = [line for line in sale.lines if line.use is Use.ROUNDING]
        predicted = translator.predict(sale, facts).line_taxes
        pairs = sum((abs(predicted[line.key]) for line in rounding), Decimal(0))
        self.plans += 1
        self.rounded += bool(rounding)
        self.money = max(self.money, abs(plan.tie_out.rounding if plan.tie_out else 0).scaleb(_places(order)))
        self.tax = max(self.tax, pairs.scaleb(_places(order)))

    def sentence(self, case: str) -> str:
        return (
            f"{case}: {self.rounded} of {self.plans} documents; "
            f"at most {self.money.normalize():f} on the rounding account, {self.tax.normalize():f} of tax closed"
        )


def _places(order: Order) -> int:
    return minor_units(order.currency)
