"""Tenders, partners, mappings, discounts, currencies and fields of a plan."""

from datetime import date
from decimal import Decimal as D

import pytest

from erp.contract.documents import DocumentKind, PartnerDocument, Use
from erp.contract.order import ChargeKind, Customer, Discount, LineKind, TaxShare, TenderKind
from erp.contract.plan import Outcome
from mappings.resolver import Rule, Rules
from sync.planning import needs, needs_of_customer, plan_customer
from tests.sync.planning import books

JANE = Customer(
    id="55",
    email="jane@example.com",
    first_name="Jane",
    last_name="Doe",
    group_id="3",
    group_name="Wholesale",
)


def money(plan):
    return [(d.reference, d.amount, d.account) for d in plan.documents if d.kind is DocumentKind.PAYMENT]


def test_each_tender_goes_to_the_clearing_account_of_its_method():
    tenders = (
        books.tender("10.00", id="77"),
        books.tender("12.48", id="78", method="paypal", gateway="paypalcommerce"),
        books.tender(
            "4.00", id="giftcertificate", kind=TenderKind.GIFT_CERTIFICATE, method="gift_certificate"
        ),
        books.tender("6.00", id="79", kind=TenderKind.STORE_CREDIT, method="store_credit"),
    )
    assert money(books.plan(books.order(tenders=tenders))) == [
        ("S1-77-P", D("10.00"), "1110"),
        ("S1-78-P", D("12.48"), "1120"),
        ("S1-79-P", D("6.00"), "2410"),
        ("S1-100234-G", D("4.00"), "2400"),
    ]


def test_a_gateway_can_have_an_account_of_its_own():
    plan = books.plan(rules=books.rules(clearing={"stripe:credit_card": "1199"}))
    assert money(plan) == [("S1-77-P", D("32.48"), "1199")]


def test_more_money_than_the_total_is_held_with_its_arithmetic():
    plan = books.plan(books.order(tenders=(books.tender("32.48"), books.tender("5.00", id="78"))))
    assert plan.outcome is Outcome.HELD
    assert plan.problems[0].code == "tenders_exceed_total"
    assert plan.problems[0].arithmetic[-1] == ("Too much", "5.00 USD")


def test_what_the_store_contradicts_itself_in_is_held_in_its_own_words():
    plan = books.plan(books.order(complaints=("The tax is negative.",)))
    assert (plan.outcome, plan.problems[0].sentence) == (Outcome.HELD, "The tax is negative.")


def test_all_gaps_are_named_at_once():
    order = books.order(
        lines=(books.line(sku="NEW"), books.line(id="2", sku="NEWER", key="County Tax")),
        charges=(books.charge(), books.charge(id="6", kind=ChargeKind.FEE, name="Eco fee")),
        tenders=(books.tender("65.00", method="klarna"),),
        refunds=(
            books.refund(
                lines=(books.part(books.RefundPart.ORDER, "21.65", "0.00"),), tax="0.00", total=D("21.65")
            ),
        ),
    )
    without = books.rules(without=("account.shipping", "account.fee", "account.unattributed_refund"))
    order = books.replace(order, tenders=(books.tender("10.00", method="klarna"),))
    plan = books.plan(order, rules=without)
    assert plan.outcome is Outcome.BLOCKED
    assert [(gap.kind, gap.key) for gap in plan.gaps] == [
        ("account.fee", "Eco fee"),
        ("account.shipping", "Ground"),
        ("account.unattributed_refund", "refund"),
        ("clearing", "klarna"),
        ("item", "NEW"),
        ("item", "NEWER"),
        ("tax_code", "County Tax"),
    ]
    assert plan.gaps[4].sentence == "SKU NEW has no item in the ERP."
    assert plan.documents == ()


def test_unknown_items_are_refused_in_the_erps_words():
    plan = books.plan(rules=books.rules(item={"HAT": "GONE"}))
    assert (plan.outcome, plan.problems[0].sentence) == (Outcome.REFUSED, "The ERP has no item GONE.")


def test_a_sku_can_stand_for_the_item_of_the_same_code():
    order = books.order(lines=(books.line(sku="A-MUG"),))
    assert books.plan(order).outcome is Outcome.BLOCKED
    plan = books.plan(order, settings=books.settings(unmapped_items="same_code"))
    assert plan.documents[0].lines[0].item == "A-MUG"


def test_line_accounts_go_by_sku_then_category_then_segment_then_default():
    by = {"default": "4000", "segment:Wholesale": "4100", "category:12": "4200", "sku:HAT": "4300"}
    order = books.order(
        lines=(
            books.line(),
            books.line(id="2", sku="MUG", category_ids=("12",)),
            books.line(id="3", sku="BOOK"),
        ),
        customer=JANE,
    )
    plan = books.plan(order, rules=books.rules(line_account=by))
    assert [x.account for x in plan.documents[1].lines if x.use is Use.GOODS] == ["4300", "4200", "4100"]


def test_goods_can_be_amounts_on_accounts():
    settings = books.settings(goods_lines="accounts")
    assert [gap.kind for gap in books.plan(settings=settings).gaps] == ["line_account"]
    plan = books.plan(settings=settings, rules=books.rules(line_account={"default": "4000"}))
    assert (plan.documents[0].lines[0].item, plan.documents[0].lines[0].account) == ("", "4000")


def test_a_gift_certificate_sold_is_a_liability():
    certificate = books.line(net="50.00", tax="0.00", sku="", key="", kind=LineKind.GIFT_CERTIFICATE)
    plan = books.plan(books.order(lines=(certificate,), charges=()))
    line = plan.documents[0].lines[0]
    assert (line.use, line.item, line.account, line.tax_code) == (Use.GIFT_CERTIFICATE, "", "2400", "EX")


def test_several_taxes_on_a_line_are_one_key():
    taxes = tuple(
        TaxShare(key=k, name=k, rate=D(r), amount=D(a))
        for k, r, a in (("State", "6", "1.20"), ("City", "2.25", "0.45"))
    )
    plan = books.plan(
        books.order(lines=(books.line(taxes=taxes),)), rules=books.rules(tax_code={"City + State": "CA"})
    )
    assert plan.documents[0].lines[0].tax_code == "CA"


def test_a_wildcard_that_leads_to_a_taxed_code_does_not_make_exempt_lines_taxed():
    order = books.order(charges=(books.charge(tax="0.00", key=""),))
    rules = books.rules(without=("tax_code",))
    star = Rules.of([*rules, Rule(kind="tax_code", key="*", target="CA", version=2)], version="8")
    plan = books.plan(order, rules=star)
    assert [(gap.kind, gap.key) for gap in plan.gaps] == [("tax_code", "exempt")]
    given = books.plan(order, rules=star, facts=books.facts(settings={"exempt_tax_code": "EX"}))
    assert given.documents[0].lines[1].tax_code == "EX"


def test_discounts_can_be_lines_of_their_own_for_each_tax_code():
    line = books.line(
        net="18.00",
        tax="1.49",
        list_net=D("20.00"),
        discounts=(Discount(source="coupon", name="Ten percent", code="TEN", amount=D("2.00")),),
    )
    plan = books.plan(books.order(lines=(line,), charges=()), settings=books.settings(discounts="own_lines"))
    goods, discount = plan.documents[0].lines[:2]
    assert (goods.net, goods.tax) == (D("20.00"), D("1.66"))
    assert (discount.use, discount.net, discount.tax, discount.account) == (
        Use.DISCOUNT,
        D("-2.00"),
        D("-0.17"),
        "4800",
    )
    assert plan.documents[0].total == D("19.49")


def test_a_freight_code_carries_shipping_without_an_account():
    plan = books.plan(rules=books.rules(freight={"Ground": "1"}, without=("account.shipping",)))
    assert (plan.documents[0].lines[1].freight_code, plan.documents[0].lines[1].account) == ("1", "")


def test_a_guest_needs_the_pipelines_one_time_partner():
    plan = books.plan(settings=books.settings(one_time_partner=""))
    assert (plan.outcome, plan.problems[0].code) == (Outcome.REFUSED, "no_one_time_partner")


def test_a_registered_customer_becomes_a_partner_of_a_deterministic_code():
    plan = books.plan(books.order(customer=JANE), rules=books.rules(customer_group={"Wholesale": "101"}))
    partner, invoice, payment = plan.documents
    assert isinstance(partner, PartnerDocument)
    assert (partner.reference, partner.code, partner.name, partner.group) == (
        "S1-55-C",
        "S1-55-C",
        "Jane Doe",
        "101",
    )
    assert invoice.partner == payment.partner == "S1-55-C"


def test_a_customer_is_a_unit_of_work_of_its_own():
    given = {
        "store_key": "S1",
        "rules": books.rules(),
        "settings": books.settings(),
        "facts": books.facts(),
        "translator": books.Ledger(),
    }
    assert plan_customer(JANE, **given).outcome is Outcome.NOT_DUE
    always = plan_customer(JANE, **{**given, "settings": books.settings(new_customers="always")})
    assert [d.reference for d in always.documents] == ["S1-55-C"]
    known = plan_customer(JANE, **given, posted=books.posted(always))
    assert known.documents == always.documents
    asked = needs_of_customer(JANE, store_key="S1", rules=books.rules(), settings=books.settings())
    assert asked.partners == {"S1-55-C"}


@pytest.mark.parametrize(
    ("settings", "changes", "rate"),
    [
        ({}, {}, None),
        ({"exchange_rate": "stored", "stored_rates": (("EUR", D("1.08")),)}, {}, D("1.08")),
        ({"exchange_rate": "store"}, {"store_currency": "USD", "store_rate": D("0.8")}, D("1.250000")),
    ],
)
def test_documents_are_in_the_transactional_currency_at_the_rate_of_the_policy(settings, changes, rate):
    facts = books.facts(rates={("EUR", date(2026, 11, 20)): D("1.1")})
    plan = books.plan(
        books.order(currency="EUR", **changes), settings=books.settings(**settings), facts=facts
    )
    assert {(d.currency, d.rate) for d in plan.documents} == {("EUR", rate)}


@pytest.mark.parametrize("policy", ["erp", "store", "stored"])
def test_a_missing_rate_is_a_sentence(policy):
    plan = books.plan(books.order(currency="EUR"), settings=books.settings(exchange_rate=policy))
    assert (plan.outcome, plan.problems[0].code) == (Outcome.REFUSED, "no_rate")
    assert "no exchange rate for EUR" in plan.problems[0].sentence


def test_an_ERP_that_does_not_tell_its_rates_gets_documents_without_one():
    plan = books.plan(books.order(currency="EUR"), facts=books.facts(tells_rates=False))
    assert plan.outcome is Outcome.READY
    assert {(d.currency, d.rate) for d in plan.documents} == {("EUR", None)}


def test_sales_orders_keep_money_on_account_or_as_down_payment():
    style = {"posting_style": "sales_order"}
    plan = books.plan(settings=books.settings(**style))
    assert [(d.reference, d.kind) for d in plan.documents] == [
        ("S1-100234-O", DocumentKind.SALES_ORDER),
        ("S1-77-P", DocumentKind.PAYMENT),
    ]
    assert plan.documents[1].settles == ""
    down = books.plan(settings=books.settings(**style, sales_order_money="down_payment"))
    assert [(d.reference, getattr(d, "settles", "")) for d in down.documents] == [
        ("S1-100234-O", ""),
        ("S1-77-D", "S1-100234-O"),
        ("S1-77-P", "S1-77-D"),
    ]


def test_field_rules_write_store_fields_and_constants_and_say_what_stays_empty():
    fields = [
        Rule(
            kind="field_rule",
            key="invoice:U_Channel",
            target="order.channel_id",
            extra={"source": "field"},
            version=3,
        ),
        Rule(
            kind="field_rule", key="invoice:U_Source", target="web", extra={"source": "constant"}, version=3
        ),
        Rule(
            kind="field_rule",
            key="payment:U_Note",
            target="order.staff_notes",
            extra={"source": "field"},
            version=3,
        ),
    ]
    rules = Rules.of([*books.rules(), *fields], version="9")
    plan = books.plan(books.order(raw_fields=(("order.channel_id", "7"),)), rules=rules)
    assert plan.documents[0].fields == (("U_Channel", "7"), ("U_Source", "web"))
    assert plan.documents[1].fields == ()
    assert plan.notes[0].startswith("U_Note of S1-77-P stays empty: the store's order.staff_notes is empty")


def test_a_plan_says_beforehand_what_it_will_look_up():
    asked = needs(
        books.order(currency="EUR"),
        store_key="S1",
        rules=books.rules(),
        settings=books.settings(),
        now=books.NOON,
    )
    assert asked.items == {"A-HAT"}
    assert asked.partners == {"GUEST"}
    assert ("EUR", date(2026, 11, 20)) in asked.rates


def test_every_policy_in_force_is_shown():
    policies = dict(books.plan().policies)
    assert policies["posting_moment"] == "captured"
    assert policies["posting_statuses"] == "2, 10, 11"
    assert policies["one_time_partner"] == "GUEST"
