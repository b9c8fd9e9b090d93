"""Stand-ins of the planning tests: an ERP company that computes as SAP Business One does, and orders to plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from erp.contract.adapter import PredictedTotals, Receipt
from erp.contract.documents import AnyDocument, SalesDocument
from erp.contract.facts import Account, Item, LedgerFacts, Period, TaxCode
from erp.contract.money import quantum, rounded
from erp.contract.order import (
    Charge,
    ChargeKind,
    LineKind,
    Order,
    OrderLine,
    OrderState,
    Refund,
    RefundLine,
    RefundPart,
    RefundPayment,
    TaxShare,
    Tender,
    TenderKind,
)
from erp.contract.plan import Plan, Problem, content_hash
from mappings.resolver import Rule, Rules
from sync.planning import PipelineSettings, PostedDocument, plan_order

D = Decimal
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Ledger:
    """Computes as the Service Layer does: tax of a line is net times rate, half up, by line or by document and code."""

    def fit(self, document: AnyDocument) -> tuple[AnyDocument, tuple[str, ...]]:
        return document, ()

    def problems(self, document: AnyDocument, facts: LedgerFacts) -> tuple[Problem, ...]:
        if not isinstance(document, SalesDocument):
            return ()
        unknown = sorted({x.item for x in document.lines if x.item and x.item not in facts.items})
        return tuple(
            Problem(code="unknown_item", sentence=f"The ERP has no item {code}.") for code in unknown
        )

    def payload(
        self, document: AnyDocument, facts: LedgerFacts, links: Mapping[str, Receipt]
    ) -> Mapping[str, object]:
        return {}

    def predict(self, document: SalesDocument, facts: LedgerFacts) -> PredictedTotals:
        net = sum((x.net for x in document.lines), D(0))
        if document.tax_override:
            taxes = {x.key: x.tax for x in document.lines}
        elif facts.tax_rounding == "line":
            taxes = {x.key: rounded(self._exact(x, facts), document.currency) for x in document.lines}
        else:
            taxes = self._by_document(document, facts)
        tax = sum(taxes.values(), D(0))
        return PredictedTotals(total=net + tax, tax=tax, line_taxes=taxes)

    def _exact(self, line: Any, facts: LedgerFacts) -> Decimal:
        return line.net * facts.tax_codes[line.tax_code].rate / 100

    def _by_document(self, document: SalesDocument, facts: LedgerFacts) -> dict[str, Decimal]:
        """The tax of each code rounded once; its lines get their shares, the last one what is left."""
        lines = defaultdict(list)
        for line in document.lines:
            lines[line.tax_code].append(line)
        taxes: dict[str, Decimal] = {}
        for of_code in lines.values():
            left = rounded(sum((self._exact(x, facts) for x in of_code), D(0)), document.currency)
            for line in of_code[:-1]:
                taxes[line.key] = self._exact(line, facts).quantize(
                    quantum(document.currency), rounding=ROUND_FLOOR
                )
                left -= taxes[line.key]
            taxes[of_code[-1].key] = left
        return taxes


def facts(**changes: Any) -> LedgerFacts:
    usual: dict[str, Any] = {
        "company": "Books",
        "local_currency": "USD",
        "time_zone": "America/New_York",
        "amount_places": 2,
        "price_places": 4,
        "quantity_places": 3,
        "tax_codes": {
            code: TaxCode(code=code, name=code, rate=D(rate))
            for code, rate in {"EX": "0", "CA": "8.25", "NY": "8.875", "V19": "19", "V7": "7"}.items()
        },
        "items": {code: Item(code=code, name=code) for code in ("A-HAT", "A-MUG", "A-BOOK")},
        "accounts": {code: Account(code=code, name=code) for code in ("1110", "4100", "6990")},
        "periods": (Period(first=date(2026, 1, 1), last=date(2026, 12, 31), open=True),),
    }
    return LedgerFacts(**{**usual, **changes})


_MAPPED = {
    "item": {"HAT": "A-HAT", "MUG": "A-MUG", "BOOK": "A-BOOK"},
    "tax_code": {"exempt": "EX", "CA Sales Tax": "CA", "NY Sales Tax": "NY", "VAT 19": "V19", "VAT 7": "V7"},
    "account.shipping": {"*": "4200"},
    "account.handling": {"*": "4210"},
    "account.wrapping": {"*": "4220"},
    "account.fee": {"*": "4230"},
    "account.discount": {"*": "4800"},
    "account.gift_certificate": {"*": "2400"},
    "account.store_credit": {"*": "2410"},
    "account.rounding": {"*": "6990"},
    "account.tax_liability": {"*": "2200"},
    "account.unattributed_refund": {"*": "4900"},
    "clearing": {"credit_card": "1110", "paypal": "1120", "Bank Deposit": "1130", "cash": "1140"},
}


def rules(*, without: tuple[str, ...] = (), **added: Mapping[str, str]) -> Rules:
    """The usual mappings; `without` leaves out kinds ("item") or keys ("item HAT")."""
    wanted = {**_MAPPED, **{k: {**_MAPPED.get(k, {}), **v} for k, v in added.items()}}
    return Rules.of(
        (
            Rule(kind=kind, key=key, target=target, version=1)
            for kind, targets in wanted.items()
            for key, target in targets.items()
            if kind not in without and f"{kind} {key}" not in without
        ),
        version="7",
    )


def line(id: str = "1", sku: str = "HAT", net: str = "20.00", tax: str = "1.65", **changes: Any) -> OrderLine:
    key = changes.pop("key", "CA Sales Tax")
    rate = changes.pop("rate", "8.25")
    usual: dict[str, Any] = {
        "id": id,
        "kind": LineKind.GOODS,
        "sku": sku,
        "name": f"The {sku}",
        "quantity": D(1),
        "net": D(net),
        "tax": D(tax),
        "gross": D(net) + D(tax),
        "list_net": D(net),
        "taxes": (TaxShare(key=key, name=key, rate=D(rate), amount=D(tax)),) if key else (),
        "source": f"products[{int(id) - 1}]",
    }
    return OrderLine(**{**usual, **changes})


def charge(net: str = "10.00", tax: str = "0.83", **changes: Any) -> Charge:
    key = changes.pop("key", "CA Sales Tax")
    rate = changes.pop("rate", "8.25")
    usual: dict[str, Any] = {
        "id": "5",
        "kind": ChargeKind.SHIPPING,
        "name": "Ground",
        "net": D(net),
        "tax": D(tax),
        "gross": D(net) + D(tax),
        "taxes": (TaxShare(key=key, name=key, rate=D(rate), amount=D(tax)),) if key else (),
        "source": "shipping_addresses[0]",
    }
    return Charge(**{**usual, **changes})


def tender(amount: str = "32.48", id: str = "77", **changes: Any) -> Tender:
    usual: dict[str, Any] = {
        "id": id,
        "kind": TenderKind.TRANSACTION,
        "method": "credit_card",
        "amount": D(amount),
        "captured_at": NOON,
        "gateway": "stripe",
        "gateway_reference": "ch_1",
        "source": "transactions[0]",
    }
    return Tender(**{**usual, **changes})


def order(**changes: Any) -> Order:
    """A hat for 20.00 and shipping for 10.00, 8.25 % tax, captured by card."""
    lines = changes.get("lines", (line(),))
    charges = changes.get("charges", (charge(),))
    total = sum((x.gross for x in (*lines, *charges)), D(0))
    usual: dict[str, Any] = {
        "id": "100234",
        "currency": "USD",
        "prices_include_tax": False,
        "total": total,
        "tax": sum((x.tax for x in (*lines, *charges)), D(0)),
        "lines": lines,
        "charges": charges,
        "tenders": (tender(str(total)),) if total else (),
        "refunds": (),
        "state": OrderState.OPEN,
        "status_id": "11",
        "payment_status": "captured",
        "created_at": datetime(2026, 11, 19, 3, 30, tzinfo=UTC),
        "modified_at": NOON,
        "payment_method": "Credit Card",
        "channel_id": "1",
    }
    return Order(**{**usual, **changes})


def settings(**changes: Any) -> PipelineSettings:
    return replace(PipelineSettings(one_time_partner="GUEST"), **changes)


def plan(of: Order | None = None, **changes: Any) -> Plan:
    given: dict[str, Any] = {
        "store_key": "S1",
        "rules": rules(),
        "settings": settings(),
        "facts": facts(),
        "translator": Ledger(),
        "posted": (),
        "go_live": None,
        "now": NOON,
    }
    return plan_order(of or order(), **{**given, **changes})


def posted(
    plan: Plan, *, cancelled: tuple[str, ...] = (), without: tuple[str, ...] = ()
) -> tuple[PostedDocument, ...]:
    """The plan's documents as the ERP holds them afterwards."""
    return tuple(
        PostedDocument(
            reference=document.reference,
            kind=document.kind,
            document_hash=content_hash(document),
            document=document,
            cancelled=document.reference in cancelled,
        )
        for document in plan.documents
        if document.reference not in without
    )


def references(plan: Plan) -> list[str]:
    return [document.reference for document in plan.documents]


def refund(id: str = "9", net: str = "20.00", tax: str = "1.65", **changes: Any) -> Refund:
    """The hat goes back."""
    total = D(net) + D(tax)
    given = RefundLine(part=RefundPart.PRODUCT, of="1", quantity=D(1), net=D(net), tax=D(tax), gross=total)
    usual: dict[str, Any] = {
        "id": id,
        "created_at": datetime(2026, 11, 24, 12, 0, tzinfo=UTC),
        "total": total,
        "tax": D(tax),
        "lines": (given,),
        "payments": (RefundPayment(method="credit_card", kind=TenderKind.TRANSACTION, amount=total),),
    }
    return Refund(**{**usual, **changes})


def part(kind: RefundPart, net: str, tax: str, of: str = "") -> RefundLine:
    return RefundLine(part=kind, of=of, quantity=D(1), net=D(net), tax=D(tax), gross=D(net) + D(tax))
