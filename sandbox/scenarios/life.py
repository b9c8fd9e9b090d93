"""Cases about what happens to an order later: edits, cancellations, shipments, refunds."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from sandbox.bigcommerce import GiveBack, Line, PayBack, Refund, Shopping, Store, Tender
from sandbox.scenarios.amounts import ALL_CHARGES, EVERYTHING_OFF, GROSS, HAT, MUG, SEVERAL, YEN
from sandbox.scenarios.case import Case, Then
from sandbox.scenarios.money import PLAIN, REGISTERED


def _refund(*items: GiveBack, **more: object) -> Then:
    return lambda store, order_id: store.refund(order_id, Refund(items, **more))  # type: ignore[arg-type]


def _status(status_id: int) -> Then:
    return lambda store, order_id: store.set_status(order_id, status_id)


def _edit(shopping: Shopping) -> Then:
    return lambda store, order_id: store.edit(order_id, shopping)


def _pay_rest(store: Store, order_id: int) -> None:
    said = store.order(order_id)
    paid = sum((row["amount"] for row in said["transactions"]), Decimal(0))
    store.pay(order_id, Decimal(said["order"]["total_inc_tax"]) - paid)


def _archive(store: Store, order_id: int) -> None:
    store.archive(order_id)


def _ship(store: Store, order_id: int) -> None:
    store.ship(order_id)


ONE_HAT = GiveBack("PRODUCT", 0, quantity=1)

CASES = {
    "edited_before_payment": Case(
        sentence="The merchant adds a line while the order is only authorised.",
        shopping=replace(SEVERAL, tenders=(Tender("authorized"),)),
        then=(_edit(replace(SEVERAL, lines=(HAT, MUG, Line("SKU-3", "1.00")), tenders=(Tender("authorized"),))),),
    ),
    "edited_and_paid": Case(
        sentence="The merchant raises a paid order; the shopper pays the rest.",
        shopping=SEVERAL,
        then=(_edit(replace(SEVERAL, lines=(replace(HAT, quantity=5), MUG))), _pay_rest),
    ),
    "cancelled": Case(
        sentence="Cancelled before any money came.",
        shopping=replace(SEVERAL, tenders=(Tender("authorized"),)),
        then=(_status(5),),
    ),
    "cancelled_after_payment": Case(
        sentence="Paid, then cancelled and refunded.", shopping=SEVERAL, then=(_status(5), _refund())
    ),
    "declined": Case(
        sentence="The payment was declined.", shopping=replace(SEVERAL, tenders=(Tender("declined"),))
    ),
    "incomplete": Case(
        sentence="The shopper left at the payment page.", shopping=replace(SEVERAL, tenders=(), status_id=0)
    ),
    "archived": Case(sentence="Paid, then archived.", shopping=SEVERAL, then=(_archive,)),
    "shipped": Case(sentence="Paid and shipped.", shopping=SEVERAL, then=(_ship,)),
    "completed": Case(sentence="Paid and completed.", shopping=SEVERAL, then=(_ship, _status(10))),
    "refunded_wholly": Case(sentence="Everything is refunded.", shopping=ALL_CHARGES, then=(_refund(),)),
    "refunded_wholly_after_discounts": Case(
        sentence="A discounted order is refunded wholly.", shopping=EVERYTHING_OFF, then=(_refund(),)
    ),
    "refunded_in_part": Case(sentence="One piece of a line is refunded.", shopping=SEVERAL, then=(_refund(ONE_HAT),)),
    "refunded_in_part_tax_inclusive": Case(
        sentence="One piece is refunded, prices with tax inside.", shopping=GROSS, then=(_refund(ONE_HAT),)
    ),
    "refunded_several_times": Case(
        sentence="Three refunds, piece by piece, and then the rest.",
        shopping=EVERYTHING_OFF,
        then=(_refund(ONE_HAT), _refund(ONE_HAT, GiveBack("PRODUCT", 1, quantity=3)), _refund()),
    ),
    "refunded_shipping_only": Case(
        sentence="Only the shipping is refunded.", shopping=PLAIN, then=(_refund(GiveBack("SHIPPING", amount="10.83")),)
    ),
    "refunded_on_the_order": Case(
        sentence="Money back that no line explains: goodwill.",
        shopping=PLAIN,
        then=(_refund(GiveBack("ORDER", amount="15.00", reason="Goodwill")),),
    ),
    "refunded_wrapping_handling_and_fee": Case(
        sentence="Wrapping, a part of the handling and a fee are refunded.",
        shopping=ALL_CHARGES,
        then=(_refund(
            GiveBack("GIFT_WRAPPING", 0, quantity=3), GiveBack("HANDLING", amount="1.00"), GiveBack("FEE", 1, amount="3.00")
        ),),
    ),
    "refunded_tax_adjusting": Case(
        sentence="Only tax is given back: the refund has no items.",
        shopping=PLAIN,
        then=(_refund(tax_adjustment="2.00"),),
    ),
    "refunded_tax_item": Case(
        sentence="Tax is given back as an item.", shopping=PLAIN, then=(_refund(GiveBack("TAX", amount="2.00")),)
    ),
    "refunded_as_the_merchant_says": Case(
        sentence="The merchant overrides total and tax; the tax is negative.",
        shopping=PLAIN,
        then=(_refund(GiveBack("ORDER", amount="5.00"), override=("5.00", "-0.50")),),
    ),
    "refunded_less_a_restocking_fee": Case(
        sentence="A piece is refunded less a restocking fee.",
        shopping=PLAIN,
        then=(_refund(GiveBack("PRODUCT", 0, quantity=1, adjustment="-5.00")),),
    ),
    "refund_declined": Case(
        sentence="The refund's payment is declined: no money went back.",
        shopping=PLAIN,
        then=(_refund(GiveBack("PRODUCT", 0, quantity=1), payments=(PayBack(declined=True),)),),
    ),
    "refund_declined_in_part": Case(
        sentence="A refund in two payments, one of them declined.",
        shopping=REGISTERED,
        then=(_refund(
            GiveBack("PRODUCT", 0, quantity=1),
            payments=(PayBack(amount="30.00"), PayBack("storecredit", "24.13", declined=True)),
        ),),
    ),
    "refund_offline": Case(
        sentence="Refunded outside of BigCommerce.",
        shopping=PLAIN,
        then=(_refund(GiveBack("PRODUCT", 0, quantity=1), payments=(PayBack(offline=True),)),),
    ),
    "refund_to_store_credit": Case(
        sentence="Refunded as store credit.",
        shopping=REGISTERED,
        then=(_refund(GiveBack("PRODUCT", 0, quantity=1), payments=(PayBack("storecredit"),)),),
    ),
    "refund_without_decimals": Case(
        sentence="A piece paid in yen is refunded.", shopping=YEN, then=(_refund(ONE_HAT),)
    ),
}  # fmt: skip
