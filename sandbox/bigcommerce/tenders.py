"""Money that comes in: from what the shopper paid with to the transactions of an order.

Source: BigCommerce "Orders V3" specification, transactions (2026-02). Which events a gateway writes is not
spelled out
there; the chains are authorization -> capture(s) -> settled by ``reference_transaction_id`` [assumed].
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.bigcommerce.shopping import Shopping, Tender

ZERO = Decimal(0)
Row = dict[str, Any]

STATUS_OF_PAYMENT = {
    "purchase": ("captured", 11), "captured": ("captured", 11), "settled": ("paid", 11), "parts":
    ("authorized", 7), "authorized": ("authorized", 7), "voided": ("void", 5), "pending": ("pending", 7),
    "declined": ("declined", 6), "offline": ("", 7), "offline_silent": ("", 7),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """The money side of an order: its transactions and what follows for its status."""

    transactions: list[Row]
    payment_status: str
    status_id: int
    payment_method: str
    gift_certificate: Decimal
    store_credit: Decimal


def pay(shopping: Shopping, total: Decimal, *, order_id: int, at: datetime) -> Paid:
    """Pay ``total`` with gift certificate, store credit and the tenders, in that order."""
    gift_certificate = min(shopping.gift_certificate, total)
    store_credit = min(shopping.store_credit, total - gift_certificate)
    owed = total - gift_certificate - store_credit
    write = TransactionWriter(order_id=order_id, currency=shopping.currency, at=at)
    for trouble in shopping.before_success:
        write("purchase", Tender(), owed, **({"status": "error"} if trouble == "error" else {"test": True}))
    if shopping.money_in_transactions:
        _from_the_wallet(write, gift_certificate, store_credit)
    ways = [_use(write, tender, amount) for tender, amount in _amounts(shopping, owed)]
    unpaid, covered = ("", 0), ("captured" if total else "", 11)
    payment_status, status_id = STATUS_OF_PAYMENT[ways[-1]] if ways else unpaid if owed else covered
    return Paid(
        transactions=write.rows,
        payment_status=payment_status,
        status_id=status_id,
        payment_method=_method_name(shopping, gift_certificate, store_credit, bool(ways)),
        gift_certificate=gift_certificate,
        store_credit=store_credit,
    )


def _amounts(shopping: Shopping, owed: Decimal) -> Iterator[tuple[Tender, Decimal]]:
    """Each tender with its amount; those without one pay what is still owed."""
    for tender in shopping.tenders:
        amount = owed if tender.amount is None else tender.amount
        owed -= amount
        if amount:
            yield tender, amount


def _method_name(shopping: Shopping, gift_certificate: Decimal, store_credit: Decimal, tendered: bool) -> str:
    if tendered:
        return shopping.tenders[-1].name
    if gift_certificate:
        return "Gift Certificate"
    return "Store Credit" if store_credit else ""


class TransactionWriter:
    """Writes transactions of one order, numbered."""

    def __init__(self, *, order_id: int, currency: str, at: datetime, written: int = 0) -> None:
        self.rows: list[Row] = []
        self._order_id, self._currency, self._at, self._written = order_id, currency, at, written

    def __call__(self, event: str, tender: Tender, amount: Decimal, **more: Any) -> int:
        number = self._order_id * 1000 + self._written + len(self.rows) + 1
        self.rows.append(
            {
                "id": number, "order_id": str(self._order_id), "event": event, "method": tender.method,
                "amount": amount, "currency": self._currency, "gateway": tender.gateway,
                "gateway_transaction_id": f"gw-{number}", "date_created": iso(self._at), "test": False,
                "status": "ok", "fraud_review": False, "reference_transaction_id": None,
            } | _details(tender) | more
        )  # fmt: skip
        return number


def _details(tender: Tender) -> Row:
    match tender.method:
        case "offline":
            return {"offline": {"display_name": tender.name}}
        case "custom":
            return {"custom": {"payment_method": tender.name}}
        case "credit_card":
            card = {"card_type": "visa", "card_iin": "411111", "card_last4": "1111"}
            return {"credit_card": card | {"card_expiry_month": 12, "card_expiry_year": 2030}}
    return {}


def _from_the_wallet(write: TransactionWriter, gift_certificate: Decimal, store_credit: Decimal) -> None:
    if gift_certificate:
        voucher = Tender(method="gift_certificate", gateway="giftcertificate", name="Gift Certificate")
        balance = {"original_balance": gift_certificate, "starting_balance": gift_certificate}
        details = {"code": "GC-2F4-9A1", **balance, "remaining_balance": ZERO, "status": "active"}
        write("purchase", voucher, gift_certificate, gift_certificate=details)
    if store_credit:
        wallet = Tender(method="store_credit", gateway="storecredit", name="Store Credit")
        write("purchase", wallet, store_credit, store_credit={"remaining_balance": ZERO})


def _use(write: TransactionWriter, tender: Tender, amount: Decimal) -> str:
    """Write what one tender does; returns its way, or "captured" once several captures are complete."""
    ways: dict[str, Callable[[], object]] = {
        "purchase": lambda: write("purchase", tender, amount),
        "authorized": lambda: write("authorization", tender, amount),
        "captured": lambda: _capture(write, tender, amount, amount),
        "settled": lambda: _settle(write, tender, amount),
        "parts": lambda: _capture(write, tender, amount, *tender.parts),
        "voided": lambda: _void(write, tender, amount),
        "pending": lambda: write("pending", tender, amount),
        "declined": lambda: write("purchase", tender, amount, status="error"),
        "offline": lambda: write("purchase", tender, amount, gateway_transaction_id=""),
        "offline_silent": lambda: None,
    }
    ways[tender.way]()
    complete = tender.way == "parts" and sum(tender.parts, ZERO) == amount
    return "captured" if complete else tender.way


def _capture(write: TransactionWriter, tender: Tender, authorized: Decimal, *captured: Decimal) -> int:
    reference = number = write("authorization", tender, authorized)
    for part in captured:
        number = write("capture", tender, part, reference_transaction_id=reference)
    return number


def _settle(write: TransactionWriter, tender: Tender, amount: Decimal) -> None:
    captured = _capture(write, tender, amount, amount)
    write("settled", tender, amount, reference_transaction_id=captured)


def _void(write: TransactionWriter, tender: Tender, amount: Decimal) -> None:
    authorized = write("authorization", tender, amount)
    write("void", tender, amount, reference_transaction_id=authorized)


def later(rows: list[Row], event: str, amount: Decimal, *, of: str, at: datetime, **more: Any) -> Row:
    """A further transaction about the last one with event ``of`` (a capture or void of an authorization, a
    refund).

    :raises LookupError: when there is no such transaction
    """
    first = next((row for row in reversed(rows) if row["event"] == of and row["status"] == "ok"), None)
    if first is None:
        raise LookupError(f"no transaction with event {of}")
    number = max(row["id"] for row in rows) + 1
    fresh = {"id": number, "event": event, "amount": amount, "date_created": iso(at), "status": "ok"}
    return (
        first
        | fresh
        | {"gateway_transaction_id": f"gw-{number}", "reference_transaction_id": first["id"]}
        | more
    )


def iso(at: datetime) -> str:
    """The way v3 writes a time."""
    return at.replace(microsecond=0).isoformat()
