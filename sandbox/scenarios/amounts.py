"""Cases about what an order costs: lines, taxes, discounts, charges, currencies."""

from __future__ import annotations

from dataclasses import replace

from sandbox.bigcommerce import Coupon, Fee, Line, Person, Shopping, Tax
from sandbox.bigcommerce.hostile import HOSTILE
from sandbox.scenarios.case import CA, NY, S0, S5, S20, TX, Case

HAT, MUG = Line("SKU-1", "19.99", 3, (TX,)), Line("SKU-2", "7.77", 7, (TX,))
GROSS_HAT, GROSS_BOOK = Line("SKU-1", "19.99", 3, (S20,)), Line("SKU-3", "8.49", 2, (S5,))
SEVERAL = Shopping(lines=(HAT, MUG), shipping="12.00", shipping_taxes=(TX,))
GROSS = Shopping(lines=(GROSS_HAT, GROSS_BOOK), tax_inclusive=True, shipping="4.90", shipping_taxes=(S20,))
EVERYTHING_OFF = replace(
    SEVERAL,
    lines=(replace(HAT, discount="2.50"), MUG, Line("SKU-3", "100.00", 1, (CA,))),
    order_discount="5.00",
    coupons=(Coupon("TEN", 1, "10"), Coupon("SHIP3", 3, "3.00")),
)
WRAPPED = replace(HAT, wrapping="4.50", wrapping_taxes=(TX,))
ALL_CHARGES = replace(
    SEVERAL,
    lines=(WRAPPED, MUG),
    handling="2.35",
    handling_taxes=(TX,),
    fees=(Fee("Eco fee", "1.15", (TX,)), Fee("Insurance", "3.00")),
)
YEN = Shopping(lines=(Line("SKU-1", 1980, 3, (TX,)),), currency="JPY", shipping=500, shipping_taxes=(TX,))
DINAR = Shopping(
    lines=(Line("SKU-1", "1.995", 3, (TX,)),), currency="KWD", shipping="0.750", shipping_taxes=(TX,)
)
EURO = replace(SEVERAL, currency="EUR", store_currency="USD", store_rate="0.91", display_currency="GBP")
BUNDLE = (
    Line("SKU-1", "89.00", 1, (TX,), name="Set"),
    Line("SKU-2", "0.00", 1, (TX,), name="Cup of the set", parent=0),
    Line("SKU-3", "0.00", 2, (TX,), name="Saucer of the set", parent=0),
)
MANY = tuple(Line(f"SKU-{1 + i % 5}", f"{3 + i}.37", 1 + i % 4, (TX,)) for i in range(57))
GIFT_CERTIFICATE = Line("", "50.00", name="Gift certificate", kind="giftcertificate")
HOSTILE_PERSON = Person(first_name=HOSTILE[3], last_name=HOSTILE[2], company=HOSTILE[9], city=HOSTILE[5])


def _coupon(kind: int, amount: str, **more: bool) -> Shopping:
    return replace(SEVERAL, coupons=(Coupon(f"TYPE{kind}", kind, amount, **more),))


CASES = {
    "several_lines_with_rounding": Case(
        sentence="Several lines and quantities; the tax of each line is rounded.", shopping=SEVERAL
    ),
    "price_with_four_decimals": Case(
        sentence="Unit prices with four decimals.",
        shopping=replace(SEVERAL, lines=(Line("SKU-1", "0.0375", 333, (TX,)), MUG)),
    ),
    "rounding_per_unit": Case(
        sentence="A store that rounds the tax of each unit.", shopping=replace(SEVERAL, rounding="unit")
    ),
    "rounding_per_document": Case(
        sentence="A store that rounds the tax once per order: its lines do not add up to the cent.",
        shopping=replace(SEVERAL, lines=(HAT, MUG, replace(MUG, price="0.33")), rounding="document"),
    ),
    "tax_inclusive": Case(sentence="Prices with tax inside, two rates.", shopping=GROSS),
    "tax_inclusive_per_document": Case(
        sentence="Prices with tax inside, tax rounded once per order.",
        shopping=replace(GROSS, rounding="document"),
    ),
    "mixed_rates_and_exempt": Case(
        sentence="Three rates, a zero-rated and an exempt line.",
        shopping=replace(
            SEVERAL,
            lines=(
                HAT,
                Line("SKU-2", "10.01", 3, (CA,)),
                Line("SKU-3", "5.55", 1, (NY,)),
                Line("SKU-4", "4.44", 2, (Tax("EX", "0"),)),
                Line("SKU-5", "9.99"),
            ),
        ),
    ),
    "vat_rates_and_zero": Case(
        sentence="Standard, reduced and zero rate with tax inside.",
        shopping=replace(GROSS, lines=(GROSS_HAT, GROSS_BOOK, Line("SKU-4", "12.00", 1, (S0,)))),
    ),
    "two_taxes_on_a_line": Case(
        sentence="State and county tax on one line.",
        shopping=replace(SEVERAL, lines=(replace(HAT, taxes=(TX, Tax("County", "1.25"))),)),
    ),
    "compound_tax": Case(
        sentence="A tax charged on another tax.",
        shopping=replace(
            SEVERAL, lines=(replace(HAT, taxes=(Tax("GST", "5"), Tax("QST", "9.975", priority=1))),)
        ),
    ),
    "automatic_tax": Case(
        sentence="Tax from a tax service: tax rows without order and address.",
        shopping=replace(SEVERAL, automatic_tax=True),
    ),
    "all_discounts_together": Case(
        sentence="Order, coupon, shipping coupon, manual and line discounts in one order.",
        shopping=EVERYTHING_OFF,
    ),
    "all_discounts_shown_after_tax": Case(
        sentence="The same, in a store that shows tax after discounts.",
        shopping=replace(EVERYTHING_OFF, discounts_shown="after"),
    ),
    "all_discounts_tax_inclusive": Case(
        sentence="All discounts, prices with tax inside.",
        shopping=replace(GROSS, order_discount="5.00", coupons=(Coupon("TEN", 1, "10"),)),
    ),
    "discounted_totals_missing": Case(
        sentence="BigCommerce answers null for what the shopper paid for a line.",
        shopping=replace(EVERYTHING_OFF, discounted_totals=False),
    ),
    "coupon_per_item": Case(sentence="A coupon per item.", shopping=_coupon(0, "1.00")),
    "coupon_percent": Case(sentence="A coupon in per cent.", shopping=_coupon(1, "15")),
    "coupon_per_total": Case(sentence="A coupon on the total.", shopping=_coupon(2, "9.99")),
    "coupon_shipping": Case(sentence="A coupon on shipping.", shopping=_coupon(3, "5.00")),
    "coupon_free_shipping": Case(sentence="Free shipping, shown as no cost.", shopping=_coupon(4, "0")),
    "coupon_free_shipping_as_discount": Case(
        sentence="Free shipping, shown as a cost and a discount.",
        shopping=_coupon(4, "0", cost_is_zero=False),
    ),
    "coupon_promotion": Case(sentence="A promotion.", shopping=_coupon(5, "4.20")),
    "all_charges_with_tax": Case(
        sentence="Shipping, handling, gift wrapping and two fees, with their taxes.", shopping=ALL_CHARGES
    ),
    "charges_of_another_rate": Case(
        sentence="Shipping is taxed at another rate than the goods, handling not at all.",
        shopping=replace(ALL_CHARGES, shipping_taxes=(CA,), handling_taxes=()),
    ),
    "gift_certificate_sold": Case(
        sentence="A gift certificate is sold beside goods: a liability, no tax.",
        shopping=replace(SEVERAL, lines=(HAT, GIFT_CERTIFICATE)),
    ),
    "only_a_gift_certificate": Case(
        sentence="Only a gift certificate is sold: nothing is shipped.",
        shopping=Shopping(lines=(GIFT_CERTIFICATE,)),
    ),
    "digital_only": Case(
        sentence="A download: no shipping address.",
        shopping=Shopping(lines=(Line("SKU-5", "29.00", 1, (TX,), kind="digital"),)),
    ),
    "multi_currency": Case(
        sentence="Paid in euro, shown in pounds, the store's own currency is the dollar.", shopping=EURO
    ),
    "no_decimals": Case(sentence="Yen have no decimals.", shopping=YEN),
    "three_decimals": Case(sentence="Dinars have three decimals.", shopping=DINAR),
    "zero_total": Case(
        sentence="Everything is free.",
        shopping=Shopping(lines=(replace(HAT, price="0.00"),), person=Person(email="free@example.com")),
    ),
    "fully_discounted": Case(
        sentence="A coupon takes the whole price.",
        shopping=Shopping(lines=(HAT,), coupons=(Coupon("FREE", 1, "100"),)),
    ),
    "bundle": Case(sentence="A set and the parts in it.", shopping=replace(SEVERAL, lines=BUNDLE)),
    "more_than_fifty_lines": Case(
        sentence="More lines than the API gives in one page.", shopping=replace(SEVERAL, lines=MANY)
    ),
    "hostile_text": Case(
        sentence="Names with emoji, script tags, formulas, 10,000 characters and right-to-left text.",
        shopping=replace(
            SEVERAL,
            lines=tuple(replace(HAT, name=name) for name in HOSTILE),
            person=HOSTILE_PERSON,
            customer_message=HOSTILE[1] + HOSTILE[6],
        ),
    ),
    "options_on_a_line": Case(
        sentence="A line with options.",
        shopping=replace(SEVERAL, lines=(replace(HAT, options=(("Size", "XL"), ("Colour", "Blau"))),)),
    ),
}
