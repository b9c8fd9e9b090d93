"""Rounding lines: the smallest pair that makes the ERP compute the store's tax, and what is never adjusted."""

from decimal import Decimal as D

import pytest

from erp.contract.documents import Use
from erp.contract.plan import Outcome
from tests.sync.planning import books


def rounding_of(plan):
    return [(x.key, x.net, x.tax_code) for x in plan.documents[0].lines if x.use is Use.ROUNDING]


def test_a_cent_the_erp_would_not_compute_is_made_by_the_smallest_pair_of_rounding_lines():
    plan = books.plan(books.order(lines=(books.line(net="20.00", tax="1.66"),), charges=()))
    # The ERP makes 1.65 of 20.00 at 8.25 %. 0.07 is the smallest net of which it makes 0.01 more (0.005775).
    assert rounding_of(plan) == [("rounding:CA", D("0.07"), "CA"), ("rounding", D("-0.07"), "EX")]
    assert [x.account for x in plan.documents[0].lines if x.use is Use.ROUNDING] == ["6990", "6990"]
    assert (plan.tie_out.planned_total, plan.tie_out.planned_tax) == (D("21.66"), D("1.66"))
    assert plan.tie_out.rounding == 0  # what the pair took, it gave back
    assert plan.notes == (
        "S1-100234-I: rounding makes the ERP's tax differ by 0.01 USD; a pair of lines closes it.",
    )


def test_a_cent_too_much_is_taken_back_the_same_way():
    plan = books.plan(books.order(lines=(books.line(net="20.00", tax="1.64"),), charges=()))
    assert rounding_of(plan) == [("rounding:CA", D("-0.07"), "CA"), ("rounding", D("0.07"), "EX")]
    assert plan.tie_out.ties


def test_a_residue_of_the_total_goes_to_an_untaxed_rounding_line():
    plan = books.plan(books.order(total=D("32.50"), tenders=(books.tender("32.50"),)))
    assert rounding_of(plan) == [("rounding", D("0.02"), "EX")]
    assert plan.documents[0].total == D("32.50")
    assert plan.tie_out.rounding == D("0.02")
    assert plan.notes == ("S1-100234-I: 0.02 USD of rounding go to the rounding account.",)


def test_tax_of_the_total_that_no_line_shows_is_put_on_the_line_with_the_most_tax():
    plan = books.plan(books.order(tax=D("2.49"), total=D("32.49"), tenders=(books.tender("32.49"),)))
    goods = plan.documents[0].lines[0]
    assert goods.tax == D("1.66")
    assert plan.documents[0].tax == plan.tie_out.planned_tax == D("2.49")


@pytest.mark.parametrize(("net", "tax", "missing"), [("20.00", "1.78", "0.13"), ("20.00", "0.00", "-1.65")])
def test_a_tax_that_rounding_does_not_explain_is_held_with_its_arithmetic(net, tax, missing):
    line = books.line(net=net, tax=tax, rate="8.25" if tax != "0.00" else "0", key="CA Sales Tax")
    plan = books.plan(
        books.order(lines=(line, books.line(id="2", sku="MUG", net="100.00", tax="8.25")), charges=())
    )
    if tax == "0.00":  # the store took no tax on this line: it is exempt, and nothing differs
        assert plan.outcome is Outcome.READY
        assert [x.tax_code for x in plan.documents[0].lines] == ["EX", "CA"]
        return
    assert plan.outcome is Outcome.HELD
    (problem,) = plan.problems
    assert problem.code == "tax_rate_differs"
    assert problem.sentence == (
        "Tax code CA (8.25 % in the ERP) makes 9.90 USD tax where the store took 10.03 USD."
    )
    assert ("Difference", f"{missing} USD") in problem.arithmetic
    assert plan.documents == ()


def test_a_rate_the_store_itself_names_differently_is_no_rounding_even_below_the_limit():
    line = books.line(net="10.00", tax="0.86", rate="8.625")
    plan = books.plan(books.order(lines=(line,), charges=()))
    assert (plan.outcome, plan.problems[0].code) == (Outcome.HELD, "tax_rate_differs")


def test_swapped_tax_codes_are_held_although_the_sum_of_the_taxes_is_right():
    lines = (
        books.line(id="1", net="100.00", tax="7.00", key="VAT 7", rate="7"),
        books.line(id="2", net="100.00", tax="19.00", key="VAT 19", rate="19"),
    )
    swapped = books.rules(tax_code={"VAT 7": "V19", "VAT 19": "V7"})
    plan = books.plan(books.order(lines=lines, charges=()), rules=swapped)
    assert [p.code for p in plan.problems] == ["tax_rate_differs", "tax_rate_differs"]


def test_an_order_whose_lines_miss_its_total_is_held_and_never_adjusted():
    plan = books.plan(books.order(total=D("40.00"), tenders=(books.tender("40.00"),)))
    assert plan.outcome is Outcome.HELD
    (problem,) = plan.problems
    assert problem.code == "does_not_tie"
    assert ("Difference of the totals", "7.52 USD") in problem.arithmetic


def many_lines(count):
    """Lines of 0.07 net: the store rounds 0.005775 up to 0.01 on each of them."""
    return tuple(books.line(id=str(n), net="0.07", tax="0.01") for n in range(1, count + 1))


def test_sixty_honestly_rounded_lines_may_leave_more_than_the_limit_in_a_company_that_rounds_by_document():
    order = books.order(lines=many_lines(60), charges=())
    plan = books.plan(order, facts=books.facts(tax_rounding="document"))
    assert plan.outcome is Outcome.READY
    assert "tax differ by 0.25 USD" in plan.notes[0]  # 0.60 in the store, 0.35 in the ERP
    strict = books.plan(
        order, facts=books.facts(tax_rounding="document"), settings=books.settings(rounding_scope="strict")
    )
    assert (strict.outcome, strict.problems[0].code) == (Outcome.HELD, "tax_rate_differs")


def test_the_rounding_limit_is_in_minor_units_of_the_currency():
    yen = books.order(
        currency="JPY",
        lines=(books.line(net="1000", tax="104", key="JP", rate="10"),),
        charges=(),
    )
    rules = books.rules(tax_code={"JP": "V10"})
    codes = {**books.facts().tax_codes, "V10": books.TaxCode(code="V10", name="V10", rate=D(10))}
    facts = books.facts(tax_codes=codes, rates={("JPY", books.NOON.date()): D("0.0067")})
    plan = books.plan(yen, rules=rules, facts=facts)
    assert rounding_of(plan) == [("rounding:V10", D(35), "V10"), ("rounding", D(-35), "EX")]
    assert "tax differ by 4 JPY" in plan.notes[0]
    held = books.plan(yen, rules=rules, facts=facts, settings=books.settings(rounding_limit=3))
    assert held.problems[0].code == "tax_rate_differs"


def test_a_rounding_line_without_an_account_is_a_gap():
    order = books.order(lines=(books.line(net="20.00", tax="1.66"),), charges=())
    plan = books.plan(order, rules=books.rules(without=("account.rounding",)))
    assert plan.outcome is Outcome.BLOCKED
    assert [(gap.kind, gap.key) for gap in plan.gaps] == [("account.rounding", "USD")]


def test_the_stores_tax_is_sent_where_the_company_allows_it():
    order = books.order(lines=(books.line(net="20.00", tax="3.00"),), charges=())
    plan = books.plan(
        order, settings=books.settings(tax_mode="override"), facts=books.facts(allows_tax_override=True)
    )
    assert plan.documents[0].tax_override
    assert plan.tie_out.ties
    refused = books.plan(order, settings=books.settings(tax_mode="override"))
    assert (refused.outcome, refused.problems[0].code) == (Outcome.REFUSED, "no_tax_override")


def test_tax_liability_lines_carry_a_tax_that_no_code_reproduces():
    order = books.order(lines=(books.line(net="20.00", tax="3.00", key="Odd tax", rate="15"),), charges=())
    plan = books.plan(order, settings=books.settings(tax_mode="liability_line"))
    assert [(x.key, x.net, x.tax, x.tax_code, x.account) for x in plan.documents[0].lines] == [
        ("line:1", D("20.00"), D(0), "EX", ""),
        ("tax:Odd tax", D("3.00"), D(0), "EX", "2200"),
    ]
    assert (plan.documents[0].total, plan.documents[0].tax) == (D("23.00"), D(0))
    assert (plan.tie_out.planned_total, plan.tie_out.planned_tax) == (D("23.00"), D("3.00"))
