"""Every named case of what an order can be, through the whole journey into the sandbox ERP: exact totals, or held and why."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from erp.models import ErpConnection
from mappings.changes import set_mapping
from mappings.models import MappingSet
from sandbox.scenarios import CASES
from sandbox.service_layer import Company
from storefront.translation import translate_order
from sync.flows import read_reference_values
from sync.models import Document, Posting
from tests.e2e.world import World

pytestmark = pytest.mark.django_db(transaction=True)

DONE_WITHOUT_A_DOCUMENT = ("not_due", "excluded")


def test_every_consistent_order_posts_with_the_exact_total_and_tax(world: World) -> None:
    """One world for all cases: the ERP fills up as in real life."""
    prepare(world)
    wrong: list[str] = []
    for name, case in CASES.items():
        order_id = case.play(world.store)
        posting = world.post(order_id)
        problem = consistent(posting, list(invoices(world, posting))) if case.consistent else held(posting)
        if problem:
            wrong.append(f"{name}: {problem}")
    assert not wrong, "\n".join(wrong)


def consistent(posting: Posting, sold: list[tuple[Decimal, Decimal]]) -> str:
    """What is wrong with the posting of a consistent order, or nothing.

    :param sold: total and tax of its sales as the ERP itself holds them
    """
    if posting.status in DONE_WITHOUT_A_DOCUMENT:
        return (
            ""
            if not posting.documents.exclude(kind="partner").exists()
            else "documents for an order that is not due"
        )
    if posting.status != "posted":
        return f"{posting.status}: {posting.reason}"
    order = translate_order(posting.snapshot.body)
    for row in posting.documents.filter(kind__in=("invoice", "credit_memo", "payment", "payout")):
        if (row.erp_total, row.erp_tax or row.tax) != (row.total, row.tax):
            return f"{row.reference}: the ERP has {row.erp_total} and tax {row.erp_tax}, planned {row.total} and {row.tax}"
    if len(sold) == 1 and sold[0] != (order.total, order.tax):
        return f"sold {sold[0]}, the store says {order.total} and tax {order.tax}"
    returned = sum((d.total for d in posting.documents.filter(kind="credit_memo")), Decimal(0))
    refunded = sum((r.total for r in order.refunds if r.payments), Decimal(0))  # declined: nothing came of it
    if returned != refunded and not posting.documents.filter(kind="invoice").count() > 1:
        return f"credit memos over {returned}, refunds over {refunded}"
    paid_out = sum((d.total for d in posting.documents.filter(kind="payout")), Decimal(0))
    given_back = sum((p.amount for r in order.refunds for p in r.payments), Decimal(0))
    return "" if paid_out == given_back else f"paid out {paid_out}, given back {given_back}"


def invoices(world: World, posting: Posting) -> Iterator[tuple[Decimal, Decimal]]:
    """Total and tax of the order's A/R invoices as the ERP itself holds them, in the order's currency."""
    for row in Document.objects.filter(posting=posting, kind="invoice"):
        [held_there] = world.company.documents("Invoices", DocEntry=int(row.erp_key))
        foreign = held_there["DocCurrency"] != "USD"
        yield (
            held_there["DocTotalFc" if foreign else "DocTotal"],
            held_there["VatSumFc" if foreign else "VatSum"],
        )


def held(posting: Posting) -> str:
    if posting.status == "held" and not posting.documents.exclude(kind="partner").exists():
        return ""
    return f"{posting.status} with {posting.documents.count()} documents: {posting.reason}"


def prepare(world: World) -> None:
    """Tax codes for every rate of the cases, and mappings for what the default set-up does not know."""
    mapping_set = MappingSet.objects.get()
    for number, (key, rate) in enumerate(sorted(rates().items())):
        code = f"Z{number}"
        add_tax_code(world.company, code, rate)
        set_mapping(mapping_set, "tax_code", key, code, by="test", why="case")
    set_mapping(mapping_set, "item", "*", "SKU-1", by="test", why="case")
    read_reference_values(ErpConnection.objects.get())


def rates() -> dict[str, Decimal]:
    """The rate of every tax, and of every several taxes on one line, of all cases."""
    found: dict[str, Decimal] = {}
    for case in CASES.values():
        order = translate_order(case.payloads())
        for part in (*order.lines, *order.charges):
            if part.taxes and any(share.amount for share in part.taxes):
                key = " + ".join(sorted({share.key for share in part.taxes}))
                exact = part.tax * 100 / part.net if len(part.taxes) > 1 and part.net else part.taxes[0].rate
                found.setdefault(key, round(exact or Decimal(0), 4))
    return found


def add_tax_code(company: Company, code: str, rate: Decimal) -> None:
    template: dict[str, Any] = dict(next(row for row in company.rows("SalesTaxCodes") if row["Code"] == "TX"))
    company.add("SalesTaxCodes", **{**template, "Code": code, "Name": f"{rate} percent", "Rate": rate})
