"""Cases about who buys and how money comes in."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from sandbox.bigcommerce import Line, Person, Shopping, Store, Tender
from sandbox.scenarios.amounts import GROSS, SEVERAL
from sandbox.scenarios.case import TX, Case, Then

PLAIN = Shopping(lines=(Line("SKU-1", "50.00", 2, (TX,)),), shipping="10.00", shipping_taxes=(TX,))  # 119.08
BANK = Tender("offline", method="offline", gateway="bankdeposit", name="Bank Deposit")
CASH = Tender("offline_silent", method="offline", gateway="cod", name="Cash on Delivery")
PAYPAL = Tender("purchase", method="electronic_wallet", gateway="paypalexpress", name="PayPal")


def _paid(*tenders: Tender, **more: object) -> Shopping:
    return replace(PLAIN, tenders=tenders, **more)  # type: ignore[arg-type]


def _capture(amount: str | None = None) -> Then:
    return lambda store, order_id: store.capture(order_id, None if amount is None else Decimal(amount))


def _void(store: Store, order_id: int) -> None:
    store.void(order_id)


def _settle(store: Store, order_id: int) -> None:
    store.settle(order_id)


REGISTERED = replace(PLAIN, person=Person(customer_id=7, email="registered@example.com"))

CASES = {
    "guest": Case(sentence="A guest buys.", shopping=PLAIN),
    "registered": Case(
        sentence="A registered customer buys.",
        shopping=REGISTERED,
    ),
    "gift_certificate_redeemed": Case(
        sentence="Part of the order is paid with a gift certificate.",
        shopping=_paid(Tender(), gift_certificate="40.00"),
    ),
    "gift_certificate_told_by_the_order_only": Case(
        sentence="The gift certificate stands in no transaction.",
        shopping=_paid(Tender(), gift_certificate="40.00", money_in_transactions=False),
    ),
    "store_credit": Case(
        sentence="Part is paid with store credit.", shopping=_paid(Tender(), store_credit="25.00")
    ),
    "gift_certificate_pays_all": Case(
        sentence="A gift certificate pays everything.", shopping=_paid(Tender(), gift_certificate="500.00")
    ),
    "store_credit_told_by_the_order_pays_all": Case(
        sentence="Store credit pays everything; no transaction tells of it.",
        shopping=_paid(Tender(), store_credit="500.00", money_in_transactions=False),
    ),
    "split_tender": Case(
        sentence="Gift certificate, store credit, card and PayPal in one order.",
        shopping=_paid(Tender(amount="30.00"), PAYPAL, gift_certificate="20.00", store_credit="10.00"),
    ),
    "authorized_only": Case(
        sentence="Authorised, not captured: no money yet.", shopping=_paid(Tender("authorized"))
    ),
    "authorized_then_captured": Case(
        sentence="Authorised, captured later.", shopping=_paid(Tender("authorized")), then=(_capture(),)
    ),
    "authorized_then_voided": Case(
        sentence="Authorised, then voided.", shopping=_paid(Tender("authorized")), then=(_void,)
    ),
    "captured": Case(sentence="Authorised and captured: counted once.", shopping=_paid(Tender("captured"))),
    "settled": Case(
        sentence="Authorised, captured and settled: counted once.",
        shopping=_paid(Tender("captured")),
        then=(_settle,),
    ),
    "purchase_then_settled": Case(
        sentence="A purchase that settles: counted once.", shopping=_paid(Tender()), then=(_settle,)
    ),
    "partly_captured": Case(
        sentence="Only a part is captured.", shopping=_paid(Tender("parts", parts=("60.00",)))
    ),
    "captured_in_parts": Case(
        sentence="Captured in three parts.",
        shopping=_paid(Tender("authorized")),
        then=(_capture("60.00"), _capture("40.00"), _capture()),
    ),
    "pending": Case(sentence="A payment that is pending.", shopping=_paid(Tender("pending"))),
    "offline_with_transaction": Case(sentence="Bank deposit, with a transaction.", shopping=_paid(BANK)),
    "offline_without_transaction": Case(sentence="Cash on delivery, no transaction.", shopping=_paid(CASH)),
    "failed_attempts_first": Case(
        sentence="Declined attempts and a test transaction before the real one.",
        shopping=_paid(Tender(), before_success=("error", "test", "error")),
    ),
    "only_a_test_transaction": Case(
        sentence="Paid through the test gateway alone: no money.",
        shopping=replace(PLAIN, tenders=(), before_success=("test",), status_id=11),
    ),
    "gift_certificate_of_a_tax_inclusive_order": Case(
        sentence="A gift certificate pays a part of an order with tax inside.",
        shopping=replace(GROSS, gift_certificate="11.11"),
    ),
    "invoice_order": Case(
        sentence="The payment of an ERP invoice in the buyer portal: cash, not a sale.",
        shopping=replace(SEVERAL, is_invoice_order=True),
    ),
    "another_channel": Case(sentence="Sold through another channel.", shopping=replace(PLAIN, channel_id=2)),
}
