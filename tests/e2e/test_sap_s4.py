"""Orders into SAP S/4HANA: the same journey, another ERP. Whatever is lost on the way, each is in the books once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from config.declarative.applying import apply
from config.declarative.reading import read_setup
from erp.models import ErpConnection
from erp.testing_connection import check_connection
from mappings.changes import set_mapping
from mappings.models import MappingSet
from sandbox.bigcommerce import BigCommerce, Line, Person, Shopping, Tax
from sandbox.s4hana import S4Hana
from sandbox.s4hana.company import TAX_CODES, close_period, open_period
from sandbox.scenarios import CASES
from sandbox.wire import serve
from sync import reprocess
from sync.flows import read_reference_values
from sync.models import Attempt, Document, Posting
from tests.e2e.processes import Product
from tests.e2e.test_every_case import consistent, held, rates
from tests.e2e.world import SECRET, Installation
from tests.waiting import wait_until

SET_UP = Path(__file__).parent / "s4hana.yaml"
TEXAS = Tax("Texas", "8.25")
JOURNAL = "journalentrycreaterequestconfi"
GUEST = "0017100001"
CASE_STEP = int(os.environ.get("CASE_STEP", "4"))

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class S4Installation(Installation):
    """A store, S/4HANA, and the product between them."""

    s4: S4Hana

    def entries(self, reference: str) -> list[dict[str, Decimal]]:
        """The standing entries with this reference: account or customer, and amount (debit positive)."""
        rows = self.s4.journal(DocumentReferenceID=reference, IsReversal=False, IsReversed=False)
        found: dict[str, dict[str, Decimal]] = {}
        for row in rows:
            entry = found.setdefault(row["AccountingDocument"], {})
            account = (row["Customer"] or row["GLAccount"]).lstrip("0")
            entry[account] = entry.get(account, Decimal(0)) + row["AmountInTransactionCurrency"]
        return list(found.values())

    def owes(self, customer: str = GUEST) -> Decimal:
        rows = self.s4.journal(Customer=customer)
        return sum((row["AmountInTransactionCurrency"] for row in rows), Decimal(0))


@pytest.fixture(params=[("invoice", "accounts")])
def world(
    request: Any, process_environment: dict[str, str], tmp_path: Path, settings: Any
) -> Iterator[S4Installation]:
    """A pipeline of the posting style and the goods that the parameter says: entries on accounts unless it does."""
    settings.TIEOUT_SETTLING_SECONDS = settings.TIEOUT_SHORTEST_LEASE_SECONDS = 1
    bigcommerce, s4 = BigCommerce(), S4Hana()
    store = bigcommerce.add_store("e2e1", client_secret=SECRET, local_hooks=True)
    soon = {"TIEOUT_SETTLING_SECONDS": "1", "TIEOUT_SHORTEST_LEASE_SECONDS": "1"}
    product = Product({**process_environment, **soon}, tmp_path)
    with serve(bigcommerce) as store_server, serve(s4) as erp_server:
        variables = {
            "BIGCOMMERCE_URL": store_server.url,
            "S4HANA_URL": erp_server.url,
            "CLIENT_SECRET": SECRET,
            "POSTING_STYLE": request.param[0],
            "GOODS": request.param[1],
        }
        apply(read_setup(SET_UP, variables))
        try:
            yield S4Installation(bigcommerce, store, product, s4)
        finally:
            product.stop()


def hat(**changes: Any) -> Shopping:
    usual: dict[str, Any] = {
        "lines": (Line("SKU-1", "19.99", 2, taxes=(TEXAS,)),),
        "shipping": "9.95",
        "shipping_taxes": (TEXAS,),
    }
    return Shopping(**{**usual, **changes})


def assert_in_the_books_once(world: S4Installation, order_id: int) -> None:
    """One entry for the sale and one for the money, over the store's own total and tax."""
    order = world.store.order(order_id)["order"]
    total, tax = Decimal(order["total_inc_tax"]), Decimal(order["total_tax"])
    [sale] = world.entries(f"S1-{order_id}-I")
    assert sale == {
        "17100001": total,
        "41000000": -Decimal("39.98"),
        "41001000": -Decimal("9.95"),
        "22000000": -tax,
    }
    [reference] = Document.objects.filter(kind="payment", posting__record_id=order_id).values_list(
        "reference", flat=True
    )
    assert world.entries(reference) == [{"17100001": -total, "11001000": total}]


def test_a_guests_order_is_posted_to_the_cent(world: S4Installation) -> None:
    order_id = world.store.place(hat())
    posting = world.post(order_id)
    assert posting.status == "posted", posting.reason
    assert_in_the_books_once(world, order_id)
    assert world.owes() == 0
    numbers = dict(Document.objects.values_list("kind", "erp_number"))
    assert set(numbers) == {"invoice", "payment"}
    assert all(number.startswith("10000000") for number in numbers.values())


@pytest.mark.parametrize("shape", ["dropped", "proxy page", "blank number", "SOAP fault after commit"])
def test_an_order_whose_answer_was_lost_is_posted_exactly_once(world: S4Installation, shape: str) -> None:
    page = {"status": 502, "body": "<html><h1>502 Bad Gateway</h1></html>"}
    match shape:
        case "dropped":
            world.s4.faults.add("drop", moment="after", method="POST", path=JOURNAL)
        case "proxy page":
            world.s4.faults.add("answer", moment="after", method="POST", path=JOURNAL, **page)
        case "blank number":
            world.s4.faults.add("blank_number", path=JOURNAL)
        case _:
            fault = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault>'
            fault += "<faultcode>e:Server</faultcode><faultstring>SRT</faultstring></e:Fault></e:Body></e:Envelope>"
            world.s4.faults.add("answer", moment="after", method="POST", path=JOURNAL, status=500, body=fault)
    order_id = world.store.place(hat())
    world.notice(order_id)
    world.settle()
    assert world.posting(order_id).status == "posted", world.posting(order_id).reason
    assert_in_the_books_once(world, order_id)
    outcomes = Attempt.objects.filter(document__kind="invoice").order_by("number")
    assert list(outcomes.values_list("outcome", flat=True)) == ["unknown", "adopted"]


def test_a_worker_killed_between_sent_and_recorded_leaves_one_entry(world: S4Installation) -> None:
    hold = world.s4.faults.add("hold", moment="after", method="POST", path=JOURNAL)
    order_id = world.store.place(hat())
    world.notice(order_id)
    worker = world.product.start_worker()
    wait_until(lambda: hold.hits == 1, seconds=40, say=world.product.logs, meanwhile=world.ring)

    worker.kill()  # the entry is in the books, nobody heard the answer
    world.s4.faults.release(hold)
    assert Document.objects.get(reference=f"S1-{order_id}-I").state == "sending"
    world.product.start_worker()
    world.wait_for(order_id, "posted", seconds=60)

    assert_in_the_books_once(world, order_id)
    outcomes = Attempt.objects.filter(document__kind="invoice").order_by("number")
    assert list(outcomes.values_list("outcome", flat=True)) == ["", "adopted"]


def test_an_entry_that_shows_late_in_the_look_up_is_not_posted_again(world: S4Installation) -> None:
    """Nothing is sent again before the deadline and the settling time of the first try are over."""
    world.s4.shows_after = timedelta(seconds=2)
    world.s4.faults.add("drop", moment="after", method="POST", path=JOURNAL)
    order_id = world.store.place(hat())
    world.notice(order_id)
    world.settle()
    assert world.posting(order_id).status == "posted", world.posting(order_id).reason
    assert_in_the_books_once(world, order_id)


def test_a_fault_before_anything_was_posted_ends_in_one_entry_too(world: S4Installation) -> None:
    world.s4.faults.add("soap_fault")
    order_id = world.store.place(hat())
    world.notice(order_id)
    world.settle()
    assert world.posting(order_id).status == "posted", world.posting(order_id).reason
    assert_in_the_books_once(world, order_id)


def test_a_refund_turns_the_sale_round_and_pays_out(world: S4Installation) -> None:
    order_id = world.store.place(hat())
    world.post(order_id)
    world.store.refund(order_id)
    posting = world.post(order_id)
    assert posting.status == "posted", posting.reason
    [refund] = Document.objects.filter(kind="credit_memo")
    [payout] = Document.objects.filter(kind="payout")
    [sale] = world.entries(f"S1-{order_id}-I")
    assert world.entries(refund.reference) == [{account: -amount for account, amount in sale.items()}]
    assert world.entries(payout.reference) == [{"17100001": refund.total, "11001000": -refund.total}]
    assert world.owes() == 0


def test_a_customers_order_makes_one_business_partner_and_is_booked_to_it(world: S4Installation) -> None:
    person = world.store.add_customer(Person(email="ada@example.com"))
    orders = [world.store.place(hat(person=person)) for _ in range(2)]
    for order_id in orders:
        posting = world.post(order_id)
        assert posting.status == "posted", posting.reason
    [partner] = world.s4.storage.rows("A_BusinessPartner")
    assert world.owes(partner["Customer"]) == 0
    assert len(world.s4.journal(Customer=partner["Customer"])) == 4
    assert world.s4.journal(Customer=GUEST) == []


@pytest.mark.parametrize("world", [("sales_order", "items")], indirect=True)
def test_a_sales_order_whose_answer_was_lost_is_made_exactly_once(world: S4Installation) -> None:
    world.s4.faults.add("drop", moment="after", method="POST", path="A_SalesOrder$")
    order_id = world.store.place(hat())
    world.notice(order_id)
    world.settle()
    assert world.posting(order_id).status == "posted", world.posting(order_id).reason
    order = world.store.order(order_id)["order"]
    [made] = world.s4.storage.rows("A_SalesOrder")
    assert made["PurchaseOrderByCustomer"] == f"S1-{order_id}-O"
    tax = sum((item["TaxAmount"] for item in made["to_Item"]), Decimal(0))
    assert (made["TotalNetAmount"] + tax, tax) == (
        Decimal(order["total_inc_tax"]),
        Decimal(order["total_tax"]),
    )
    assert world.owes() == -Decimal(
        order["total_inc_tax"]
    )  # money on account until SAP has invoiced the order


def test_a_closed_period_is_refused_in_SAPs_words_and_posted_once_it_is_open(world: S4Installation) -> None:
    now = world.s4.clock.now()
    close_period(world.s4.storage, "1710", now.year, now.month)
    order_id = world.store.place(hat())
    posting = world.post(order_id)
    assert posting.status == "refused"
    assert "is not open (201(F5))" in posting.reason
    open_period(world.s4.storage, "1710", now.year, now.month)
    reprocess.reprocess([posting], by="olga", what="the order")
    world.settle()
    assert world.posting(order_id).status == "posted"
    assert_in_the_books_once(world, order_id)


def test_the_cases_of_what_an_order_can_be_tie_out_in_the_books(world: S4Installation) -> None:
    """Cases of SAP Business One's test, in one company code that fills up: every fourth, all with `CASE_STEP=1`."""
    name_the_tax_codes(world)
    wrong = []
    for name, case in islice(CASES.items(), None, None, CASE_STEP):
        order_id = case.play(world.store)
        posting = world.post(order_id)
        problem = consistent(posting, sold(world, posting)) if case.consistent else held(posting)
        if problem:
            wrong.append(f"{name}: {problem}")
    assert not wrong, "\n".join(wrong)
    entries: dict[str, Decimal] = {}
    for row in world.s4.journal():
        key = f"{row['AccountingDocument']} {row['FiscalYear']}"
        entries[key] = entries.get(key, Decimal(0)) + row["AmountInTransactionCurrency"]
    assert set(entries.values()) == {Decimal(0)}


def sold(world: S4Installation, posting: Posting) -> list[tuple[Decimal, Decimal]]:
    """Total and tax of the order's sales, by the ledger's own rows."""
    found = []
    for reference in posting.documents.filter(kind="invoice").values_list("reference", flat=True):
        rows = world.s4.journal(DocumentReferenceID=reference, IsReversal=False, IsReversed=False)
        total, tax = (
            sum((row["AmountInTransactionCurrency"] for row in rows if row[name] == value), Decimal(0))
            for name, value in (("FinancialAccountType", "D"), ("AccountingDocumentItemType", "T"))
        )
        found.append((total, -tax))
    return found


def name_the_tax_codes(world: S4Installation) -> None:
    """A tax code for every rate of the cases, in the ledger and on the connection."""
    mapping_set, company = MappingSet.objects.get(), ErpConnection.objects.get()
    codes = {key: f"Z{number}" for number, key in enumerate(sorted(rates()))}
    lines = [f"{codes[key]} {rate.normalize():f} - {key}" for key, rate in rates().items()]
    for code in codes.values():
        world.s4.storage.put(TAX_CODES, code, {"code": code})
    named = "\n".join([company.settings["tax_codes"].strip(), *lines])
    company.settings = {**company.settings, "tax_codes": named}
    company.save()
    read_reference_values(company)
    for key, code in codes.items():
        set_mapping(mapping_set, "tax_code", key, code, by="test", why="case")


def test_the_connection_test_says_what_can_be_posted(world: S4Installation) -> None:
    checks = check_connection(ErpConnection.objects.get())
    assert {check.name: check.ok for check in checks}["Sign-in"] is True
    assert [check.sentence for check in checks if check.ok is False] == []
