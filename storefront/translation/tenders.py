"""Money that was captured, each chain counted once.

An authorisation is not money; its captures are, and a settlement only repeats them. Transactions count with
status `ok` and outside test mode ("Orders V3", transactions, 2026-02). Gift certificate and store credit come
from the order where no transaction tells of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from erp.contract.order import Tender, TenderKind
from storefront.translation.reading import ZERO, Complaints, Row, identifier, is_true, moment, rows, text

_KINDS = {
    "gift_certificate": TenderKind.GIFT_CERTIFICATE,
    "store_credit": TenderKind.STORE_CREDIT,
    "offline": TenderKind.OFFLINE,
}
_FROM_ORDER = (
    (TenderKind.GIFT_CERTIFICATE, "giftcertificate", "gift_certificate_amount"),
    (TenderKind.STORE_CREDIT, "storecredit", "store_credit_amount"),
)
_METHODS = {TenderKind.GIFT_CERTIFICATE: "gift_certificate", TenderKind.STORE_CREDIT: "store_credit"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One transaction that counts: status ok, not a test."""

    id: str
    event: str
    amount: Decimal
    refers_to: str
    row: Row
    position: int

    @property
    def place(self) -> str:
        """Where it stands in the payloads."""
        return f"transactions[{self.position}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What came in for an order and what is only authorised."""

    tenders: tuple[Tender, ...]
    authorised: Decimal


def money_of(body: Row, *, currency: str, placed_at: datetime, complaints: Complaints) -> Money:
    """The tenders of an order, oldest first."""
    found = _transactions(body, currency, complaints)
    chains = _chains(found)
    captured = [t for chain in chains for t in _captured(chain)]
    order: Row = body["order"]
    tenders = [_tender(t, order, placed_at) for t in sorted(captured, key=lambda t: t.position)]
    tenders += _from_order(order, tenders, currency, placed_at, complaints)
    return Money(
        tenders=tuple(sorted(tenders, key=lambda t: t.captured_at)),
        authorised=sum((_open_authorisation(chain) for chain in chains), ZERO),
    )


def method_of(row: Row) -> str:
    """The payment method as the store names it: what a merchant typed for offline and manual payments, else its kind."""
    for part, name in (("offline", "display_name"), ("custom", "payment_method")):
        details = row.get(part)
        if isinstance(details, dict) and text(details.get(name)):
            return text(details[name])
    return text(row.get("method"))


def _transactions(body: Row, currency: str, complaints: Complaints) -> list[Transaction]:
    found = []
    for i, row in enumerate(rows(body, "transactions")):
        place = f"transactions[{i}]"
        if text(row.get("status")) != "ok" or is_true(row.get("test")):
            continue
        paid_in = text(row.get("currency")) or currency
        if paid_in != currency:
            complaints.add(f"{place} is in {paid_in}, the order in {currency}.")
        found.append(
            Transaction(
                id=identifier(row.get("id")),
                event=text(row.get("event")),
                amount=complaints.money(row, "amount", currency, of=place),
                refers_to=identifier(row.get("reference_transaction_id")),
                row=row,
                position=i,
            )
        )
    return found


def _chains(transactions: Sequence[Transaction]) -> list[list[Transaction]]:
    """Transactions that act upon each other; without a reference, those the gateway gave one id."""
    known = {t.id: t for t in transactions}
    chains: dict[str, list[Transaction]] = defaultdict(list)
    by_gateway: dict[tuple[str, str], str] = {}
    for transaction in transactions:
        root = _root(transaction, known)
        gateway_id = text(transaction.row.get("gateway_transaction_id"))
        if root == transaction.id and gateway_id:
            root = by_gateway.setdefault((text(transaction.row.get("gateway")), gateway_id), root)
        chains[root].append(transaction)
    return list(chains.values())


def _root(transaction: Transaction, known: dict[str, Transaction]) -> str:
    seen = set()
    while transaction.refers_to in known and transaction.id not in seen:
        seen.add(transaction.id)
        transaction = known[transaction.refers_to]
    return transaction.refers_to or transaction.id


def _captured(chain: Sequence[Transaction]) -> list[Transaction]:
    """The money of one chain: its purchase, else its captures, else what was settled; less what was voided."""
    for event in ("purchase", "capture", "settled"):
        found = [t for t in chain if t.event == event and t.amount > 0]
        if found:
            voided = {t.refers_to for t in chain if t.event == "void"}
            return [t for t in found if t.id not in voided]
    return []


def _open_authorisation(chain: Sequence[Transaction]) -> Decimal:
    if any(t.event == "void" for t in chain):
        return ZERO
    authorised = sum((t.amount for t in chain if t.event == "authorization"), ZERO)
    return max(ZERO, authorised - sum((t.amount for t in _captured(chain)), ZERO))


def _tender(transaction: Transaction, order: Row, placed_at: datetime) -> Tender:
    row = transaction.row
    return Tender(
        id=transaction.id,
        kind=_KINDS.get(text(row.get("method")), TenderKind.TRANSACTION),
        method=method_of(row) or text(order.get("payment_method")),
        amount=transaction.amount,
        captured_at=moment(row.get("date_created")) or placed_at,
        gateway=text(row.get("gateway")),
        gateway_reference=text(row.get("gateway_transaction_id")),
        source=transaction.place,
    )


def _from_order(
    order: Row, tenders: Sequence[Tender], currency: str, placed_at: datetime, complaints: Complaints
) -> list[Tender]:
    found = []
    for kind, tender_id, field in _FROM_ORDER:
        amount = complaints.money(order, field, currency, of="order")
        told = sum((t.amount for t in tenders if t.kind is kind), ZERO)
        if told and amount and told != amount:
            what = _METHODS[kind].replace("_", " ")
            complaints.add(f"The order says {amount:f} {currency} by {what}, its transactions say {told:f}.")
        if amount > 0 and not told:
            found.append(
                Tender(
                    id=tender_id,
                    kind=kind,
                    method=_METHODS[kind],
                    amount=amount,
                    captured_at=placed_at,
                    source=f"order.{field}",
                )
            )
    return found
