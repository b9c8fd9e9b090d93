"""Hypothesis strategies: consistent shoppings over all cases, and the refunds that can follow them.

The only module of the sandbox that imports hypothesis.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from sandbox.bigcommerce.calculator import ZERO, price, rounded
from sandbox.bigcommerce.hostile import HOSTILE
from sandbox.bigcommerce.refunds import GiveBack, PayBack, Refund, facts, give_back
from sandbox.bigcommerce.shopping import Coupon, Fee, Line, Person, Shopping, Tax, Tender, places

Row = dict[str, Any]
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
# Rates the sandbox's Service Layer knows in its US and in its VAT localisation.
SALES_TAXES = tuple(
    Tax(name, rate)
    for name, rate in (("EX", "0"), ("TX", "8.25"), ("CA", "7.25"), ("NY", "8.875"), ("T5", "5"))
)
VATS = tuple(
    Tax(name, rate) for name, rate in (("S0", "0"), ("S5", "5"), ("S7", "7"), ("S19", "19"), ("S20", "20"))
)
CURRENCIES = ("USD", "EUR", "GBP", "JPY", "KWD")
WAYS = ("purchase", "captured", "settled", "offline", "offline_silent", "authorized", "pending")
names = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40)


def money(currency: str, most: int = 200_000, least: int = 0) -> st.SearchStrategy[Decimal]:
    """An amount of at most ``most`` minor units."""
    return st.integers(least, most).map(lambda units: Decimal(units).scaleb(-places(currency)))


def prices(currency: str) -> st.SearchStrategy[Decimal]:
    """A unit price; now and then with four decimals, as BigCommerce allows."""
    precise = st.integers(0, 20_000_000).map(lambda units: Decimal(units).scaleb(-4))
    return money(currency) | money(currency, 5_000) | precise if places(currency) else money(currency)


@st.composite
def tax_sets(draw: st.DrawFn, pool: tuple[Tax, ...], several: bool) -> tuple[Tax, ...]:
    """The taxes of a line or charge: mostly one, else none (exempt), and several or compound ones where wanted."""
    kind = draw(st.sampled_from(["one"] * 6 + ["none"] + (["two", "compound"] if several else [])))
    if kind == "none":
        return ()
    first = draw(st.sampled_from(pool))
    if kind == "one":
        return (first,)
    second = draw(st.sampled_from([tax for tax in pool if tax.name != first.name]))
    return (first, replace(second, priority=1 if kind == "compound" else 0))


@st.composite
def lines(
    draw: st.DrawFn,
    currency: str,
    taxes: st.SearchStrategy[tuple[Tax, ...]],
    number: int,
    skus: tuple[str, ...],
) -> Line:
    """One line of goods, now and then discounted by hand or wrapped."""
    unit, quantity = draw(prices(currency)), draw(st.integers(1, 20))
    entered = rounded(unit * quantity, places(currency))
    part = draw(st.sampled_from([0, 0, 0, 10, 25, 100]))
    wrapped = draw(st.sampled_from([False, False, False, True]))
    return Line(
        draw(st.sampled_from(skus)) if skus else f"SKU-{number}",
        unit,
        quantity,
        draw(taxes),
        name=draw(names),
        kind=draw(st.sampled_from(["physical", "physical", "physical", "digital"])),
        discount=rounded(entered * part / 100, places(currency)),
        wrapping=draw(money(currency, 900)) if wrapped else ZERO,
        wrapping_taxes=draw(taxes) if wrapped else (),
        product_id=number,
    )


@st.composite
def carts(
    draw: st.DrawFn,
    currency: str,
    taxes: st.SearchStrategy[tuple[Tax, ...]],
    skus: tuple[str, ...],
    large: bool,
) -> tuple[Line, ...]:
    """The lines of an order: a few, or more than a page of them; bundles and gift certificates among them."""
    count = draw(st.integers(51, 60)) if large else draw(st.integers(1, 5))
    cart = [draw(lines(currency, taxes, number, skus)) for number in range(1, count + 1)]
    if draw(st.sampled_from([False, False, False, True])):
        taxed = draw(taxes)
        child = Line(skus[0] if skus else "SKU-1", ZERO, 1, taxed, name="Part of the bundle", parent=0)
        cart.append(child)
    if draw(st.sampled_from([False, False, False, False, True])):
        cart.append(
            Line("", draw(money(currency, 10_000, 1)), name="Gift certificate", kind="giftcertificate")
        )
    return tuple(cart)


@st.composite
def coupons(draw: st.DrawFn, currency: str) -> Coupon:
    """A coupon of any type."""
    kind = draw(st.sampled_from([0, 1, 2, 3, 4, 5]))
    amount = Decimal(draw(st.integers(1, 100))) if kind == 1 else draw(money(currency, 3_000, 1))
    return Coupon(f"CODE{kind}", kind, amount, cost_is_zero=draw(st.booleans()))


@st.composite
def persons(draw: st.DrawFn) -> Person:
    """A guest or a registered customer, with a hostile name now and then."""
    return Person(
        first_name=draw(names), last_name=draw(names), company=draw(st.just("") | names),
        email=draw(st.sampled_from(["jane@example.com", "JOE+tag@Example.com"])),
        customer_id=draw(st.sampled_from([0, 0, 7])),
    )  # fmt: skip


@st.composite
def tenders(draw: st.DrawFn, owed: Decimal, currency: str, ways: tuple[str, ...]) -> tuple[Tender, ...]:
    """How what is owed is paid: at once, in two ways, in several captures, not yet."""
    way = draw(st.sampled_from([*ways, *(("parts", "split") if "captured" in ways else ())]))
    share = rounded(owed * draw(st.integers(1, 99)) / 100, places(currency))
    match way:
        case "parts":
            rest = draw(st.booleans())
            return (Tender("parts", parts=(share, owed - share) if rest else (share,)),)
        case "split":
            paypal = Tender("purchase", owed - share, "electronic_wallet", "paypalexpress", "PayPal")
            return (Tender("purchase", share), paypal) if owed else (Tender(),)
        case "offline" | "offline_silent":
            return (Tender(way, method="offline", gateway="bankdeposit", name="Bank Deposit"),)
    return (Tender(way),)


@st.composite
def shoppings(
    draw: st.DrawFn,
    *,
    pool: tuple[Tax, ...] | None = None,
    currencies: tuple[str, ...] = CURRENCIES,
    several_taxes: bool = True,
    roundings: tuple[str, ...] = ("line", "line", "line", "unit", "document"),
    ways: tuple[str, ...] = WAYS,
    skus: tuple[str, ...] = (),
    large: bool | None = None,
) -> Shopping:
    """A consistent order: it ties, and no more money came in than it costs.

    :param pool: the taxes to draw from; None: sales taxes without, or VAT with and without, tax in the prices
    :param several_taxes: also several and compound taxes on one line
    :param large: with more than 50 lines (None: seldom)
    """
    currency = draw(st.sampled_from(currencies))
    pool = pool or draw(st.sampled_from([SALES_TAXES, VATS]))
    taxes = tax_sets(pool, several_taxes)
    large = draw(st.sampled_from([False] * 19 + [True])) if large is None else large
    few = st.sampled_from([False, False, True])
    cart = draw(carts(currency, taxes, skus, large))
    on_goods = [line.taxes for line in cart if line.kind != "giftcertificate"]
    shopping = Shopping(
        lines=cart,
        currency=currency,
        tax_inclusive=pool != SALES_TAXES and draw(st.booleans()),
        rounding=draw(st.sampled_from(roundings)),
        order_discount=draw(money(currency, 3_000)) if draw(few) else ZERO,
        coupons=tuple(draw(st.lists(coupons(currency), max_size=2))) if draw(few) else (),
        shipping=draw(money(currency, 3_000)),
        shipping_taxes=draw(taxes),
        handling=draw(money(currency, 900)) if draw(few) else ZERO,
        handling_taxes=draw(taxes),
        fees=tuple(
            Fee(name, draw(money(currency, 900)), draw(st.sampled_from(on_goods)))
            for name in (["Eco fee"] if draw(few) else [])
        ),
        person=draw(persons()),
        placed_at=NOW,
        discounts_shown=draw(st.sampled_from(["before", "after"])),
        discounted_totals=draw(st.sampled_from([True, True, False])),
        automatic_tax=draw(few),
        display_currency=draw(st.sampled_from(["", "CAD"])),
        display_rate=Decimal("1.37"),
        store_currency=draw(st.sampled_from(["", "USD"])),
        before_success=draw(st.sampled_from([(), (), ("error",), ("test", "error")])),
        money_in_transactions=draw(st.booleans()),
    )
    return draw(_paid(with_tax_classes(shopping), ways))


def with_tax_classes(shopping: Shopping) -> Shopping:
    """Each set of taxes as a tax class of its own: in BigCommerce class and address decide the taxes.

    Of a fee's tax only the class is told, so a fee shares its class with goods, whose taxes are.
    """
    classes: dict[tuple[Tax, ...], int] = {}

    def classed(taxes: tuple[Tax, ...]) -> tuple[Tax, ...]:
        number = classes.setdefault(taxes, len(classes))
        name = f"Class {number}" if number else "Default Tax Class"
        return tuple(replace(tax, class_id=number, tax_class=name) for tax in taxes)

    return replace(
        shopping,
        lines=tuple(
            replace(line, taxes=classed(line.taxes), wrapping_taxes=classed(line.wrapping_taxes))
            for line in shopping.lines
        ),
        shipping_taxes=classed(shopping.shipping_taxes),
        handling_taxes=classed(shopping.handling_taxes),
        fees=tuple(replace(fee, taxes=classed(fee.taxes)) for fee in shopping.fees),
    )


@st.composite
def _paid(draw: st.DrawFn, shopping: Shopping, ways: tuple[str, ...]) -> Shopping:
    """Decide how a priced shopping is paid."""
    total, few = price(shopping).total.inc, st.sampled_from([False, False, True])
    percents = st.sampled_from([10, 50, 100, 150])
    certificate = rounded(total * draw(percents) / 100, shopping.places) if draw(few) else ZERO
    credit = rounded(total * draw(percents) / 100, shopping.places) if draw(few) else ZERO
    certificate = min(certificate, total)
    credit = min(credit, total - certificate)
    owed = total - certificate - credit
    return replace(
        shopping,
        gift_certificate=certificate,
        store_credit=credit,
        tenders=draw(tenders(owed, shopping.currency, ways)),
    )


@st.composite
def refunds_of(draw: st.DrawFn, shopping: Shopping, order_id: int = 100) -> list[Refund]:
    """Up to three refunds that are possible one after the other (``Store.refund`` takes each of them)."""
    priced = price(shopping)
    line_ids = [order_id * 1000 + number for number in range(1, len(shopping.lines) + 1)]
    order = facts(shopping, priced, line_ids, order_id)
    done: list[Refund] = []
    given: list[Row] = []
    for _ in range(draw(st.integers(1, 3))):
        refund = draw(_one_refund(shopping, order))
        try:
            result = give_back(order, given, refund)
        except ValueError:
            continue
        if not result.total:
            continue
        given.append({"items": result.items, "total_amount": result.total, "total_tax": result.tax})
        done.append(refund)
    return done


@st.composite
def _one_refund(draw: st.DrawFn, shopping: Shopping, order: Row) -> Refund:
    """A refund of any kind. An amount of what the order does not have is zero: nobody refunds that."""
    kind = draw(st.sampled_from(["all", "lines", "shipping", "order", "tax", "override", "declined"]))

    def some_of(whole: Decimal) -> Decimal:
        return rounded(whole * draw(st.integers(1, 60)) / 100, shopping.places)

    match kind:
        case "shipping":
            return Refund((GiveBack("SHIPPING", amount=some_of(order["SHIPPING"][0]["inc"])),))
        case "order":
            return Refund((GiveBack("ORDER", amount=some_of(order["total"]["inc"])),))
        case "tax":
            return Refund(tax_adjustment=some_of(order["total"]["tax"]))
        case "override":
            amount = some_of(order["total"]["inc"])
            return Refund(
                (GiveBack("ORDER", amount=amount),), override=(amount, -some_of(order["total"]["tax"]))
            )
        case "all":
            return Refund()
    index = draw(st.integers(0, len(shopping.lines) - 1))
    quantity = draw(st.integers(1, shopping.lines[index].quantity))
    return Refund((GiveBack("PRODUCT", index, quantity=quantity),), (PayBack(declined=kind == "declined"),))
