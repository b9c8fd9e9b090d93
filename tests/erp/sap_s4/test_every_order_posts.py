"""Every consistent order not only plans but *posts*: its entries balance and stand in the books with the store's figures.

The store's arithmetic is the sandbox calculator's, the ledger's is the sandbox S/4HANA's, which refuses what does not
balance, what has a tax base other than its rows, and unknown accounts and codes. `ORDERS_PER_CASE` sets how many are tried.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from erp.adapters.sap_s4.spec import SPEC
from erp.contract.adapter import Receipt
from erp.contract.documents import DocumentKind, SalesDocument
from erp.contract.facts import LedgerFacts
from erp.contract.order import Order
from erp.contract.plan import Outcome, Plan
from mappings.resolver import Rule, Rules
from sandbox.bigcommerce import strategies
from sandbox.bigcommerce.shopping import Shopping
from sandbox.s4hana import add_account, add_customer, company
from tests.erp.sap_s4.s4_system import S4, running
from tests.sync.planning import books, shops

EXAMPLES = int(os.environ.get("ORDERS_PER_CASE", "25"))
many = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
STORE_KEYS = (f"{a}{b}{c}" for a, b, c in itertools.product("ABCDEFGHIJKLMNOPQRSTUVWXYZ", repeat=3))
PAID = ("purchase", "captured", "settled", "offline")
SHOPPINGS = strategies.shoppings(ways=PAID)
POLICIES = [("erp", "in_price"), ("liability_line", "in_price"), ("override", "own_lines")]


@dataclass(repr=False)
class Books:
    """One company code, and what is known of it besides the tax codes."""

    s4: S4
    facts: LedgerFacts

    def __repr__(self) -> str:
        return "1710"

    def post(self, plan: Plan, facts: LedgerFacts) -> dict[str, Receipt]:
        """Carry out the plan, document after document."""
        erp = self.s4.open()
        receipts: dict[str, Receipt] = {}
        for document in plan.documents:
            receipts[document.reference] = erp.create(
                document, facts=facts, links=receipts, before_sending=lambda: None
            )
        return receipts


@pytest.fixture(scope="module")
def ledger() -> Iterator[Books]:
    with running({"exempt_tax_code": "EX"}) as s4:
        add_account(s4.system.storage, "1110", "Anything")
        add_customer(s4.system.storage, "1710", "GUEST")
        yield Books(s4, replace(s4.facts(), time_zone="America/New_York"))


def planned(
    books_of: Books, shopping: Shopping, order: Order, tax_mode: str = "erp", discounts: str = "in_price"
) -> tuple[Plan, LedgerFacts]:
    """The plan of an order in a company code that has the taxes of this shopping, on accounts."""
    suited = shops.company(shopping, "document")
    codes = suited.facts.tax_codes
    named = "\n".join(f"{code.code} {code.rate:f} - {code.name}" for code in codes.values())
    facts = replace(
        books_of.facts,
        tax_codes=codes,
        rates=suited.facts.rates,
        settings={**books_of.facts.settings, "tax_codes": named},
    )
    for code in codes:
        books_of.s4.system.storage.put(company.TAX_CODES, code, {"code": code})
    on_accounts = Rule(kind="line_account", key="default", target="1110", version=1)
    plan = books.plan(
        order,
        store_key=next(STORE_KEYS),
        translator=SPEC.translator,
        rules=Rules.of([*suited.rules.rules, on_accounts], version="1"),
        facts=facts,
        settings=books.settings(goods_lines="accounts", tax_mode=tax_mode, discounts=discounts),
    )
    return plan, facts


def has_nothing_to_post(plan: Plan) -> bool:
    """Orders over nothing at all have no place in a ledger: known before anything is sent."""
    return plan.outcome is Outcome.REFUSED and [p.code for p in plan.problems] == ["nothing_to_post"]


@pytest.mark.parametrize(("tax_mode", "discounts"), POLICIES)
@many
@given(shopping=SHOPPINGS)
def test_every_consistent_order_posts_with_the_exact_total_and_tax(
    ledger: Books, tax_mode: str, discounts: str, shopping: Shopping
) -> None:
    order = shops.sold(shopping)
    plan, facts = planned(ledger, shopping, order, tax_mode, discounts)
    assume(plan.outcome is not Outcome.NOT_DUE and not has_nothing_to_post(plan))
    assert plan.outcome is Outcome.READY, plan.problems or plan.gaps
    receipts = ledger.post(plan, facts)
    sale = next(d for d in plan.documents if isinstance(d, SalesDocument))
    posted = receipts[sale.reference]
    assert (posted.total, posted.tax) == (
        order.total,
        Decimal(0) if tax_mode == "liability_line" else order.tax,
    )
    paid = [receipts[d.reference].total or 0 for d in plan.documents if d.kind is DocumentKind.PAYMENT]
    assert sum(paid, Decimal(0)) == sum((tender.amount for tender in order.tenders), Decimal(0))
    assert ledger.s4.open().find(sale) is not None


@many
@given(data=st.data())
def test_every_refund_posts_with_its_exact_total_and_tax(ledger: Books, data: st.DataObject) -> None:
    shopping = data.draw(SHOPPINGS)
    order = shops.sold(shopping, data.draw(strategies.refunds_of(shopping)))
    assume(not any("which the order does not have" in complaint for complaint in order.complaints))
    assume(order.tax or not any(refund.tax for refund in order.refunds))
    plan, facts = planned(ledger, shopping, order)
    assume(plan.outcome is not Outcome.NOT_DUE and not has_nothing_to_post(plan))
    assert plan.outcome is Outcome.READY, plan.problems or plan.gaps
    receipts = ledger.post(plan, facts)
    store_key = plan.documents[0].reference.split("-")[0]
    for refund in order.refunds:
        credit = receipts.get(f"{store_key}-{refund.id}-R")
        if credit is not None:
            # A refund that takes tax stands on the liability account: no tax row has the other sign.
            wanted = refund.tax if refund.tax >= 0 else Decimal(0)
            assert (credit.total, credit.tax) == (refund.total, wanted)
    paid_back = sum((p.amount for r in order.refunds for p in r.payments), Decimal(0))
    outgoing = [receipts[d.reference].total or 0 for d in plan.documents if d.kind is DocumentKind.PAYOUT]
    assert sum(outgoing, Decimal(0)) == paid_back
