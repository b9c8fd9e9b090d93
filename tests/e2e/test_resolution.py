"""Resolve as already in the ERP: looked up, compared, bound once, while nobody else works on the order."""

import json

import pytest

from audit.models import AuditEntry
from erp.contract.errors import Refused
from sandbox.bigcommerce import Line, Shopping, Tax
from sync import lease
from sync.models import Document, DocumentState, Posting
from sync.resolution import resolve
from tests.e2e.world import World

TEXAS = Tax("Texas", "8.25")

pytestmark = pytest.mark.django_db(transaction=True)


def hats(quantity: int) -> Shopping:
    return Shopping(lines=(Line("SKU-1", "19.99", quantity, taxes=(TEXAS,)),))


@pytest.fixture
def posted(world: World) -> Document:
    """An invoice over two hats that is in the ERP."""
    return invoice(world.post(world.store.place(hats(2))))


def invoice(posting: Posting) -> Document:
    return posting.documents.get(kind="invoice")


def refused(world: World, quantity: int) -> Document:
    """An invoice that the ERP refused."""
    no = {"error": {"code": -5002, "message": {"lang": "en-us", "value": "A rule of this company says no"}}}
    world.b1.faults.add(
        "answer", moment="before", method="POST", path="/Invoices", status=400, body=json.dumps(no)
    )
    posting = world.post(world.store.place(hats(quantity)))
    assert posting.status == "refused"
    return invoice(posting)


def test_a_document_that_is_there_is_bound_and_the_order_goes_on(world: World, posted: Document) -> None:
    row = refused(world, 2)
    Document.objects.filter(pk=posted.pk).update(state=DocumentState.CANCELLED)  # nobody's any more

    resolve(row, number=posted.erp_number, by="olga")

    found = Document.objects.get(pk=row.pk)
    assert (found.state, found.erp_key, found.adopted) == (DocumentState.POSTED, posted.erp_key, True)
    assert list(found.attempts.values_list("outcome", flat=True)) == ["refused", "resolved"]
    assert found.posting.due_at is not None
    assert found.posting.lease_until is None
    assert AuditEntry.objects.get(action="operator.resolve").actor == "olga"


def test_one_document_of_the_erp_is_not_bound_to_two_orders(world: World, posted: Document) -> None:
    row = refused(world, 2)
    with pytest.raises(Refused, match=f"is {posted.reference} already"):
        resolve(row, number=posted.erp_number, by="olga")
    assert Document.objects.get(pk=row.pk).state == DocumentState.REFUSED


@pytest.mark.parametrize(
    ("quantity", "number", "said"), [(3, "", "this order needs"), (2, "999999", "has no")]
)
def test_other_money_or_no_document_is_refused(
    world: World, posted: Document, quantity: int, number: str, said: str
) -> None:
    row = refused(world, quantity)
    with pytest.raises(Refused, match=said):
        resolve(row, number=number or posted.erp_number, by="olga")
    found = Document.objects.get(pk=row.pk)
    assert (found.state, found.posting.lease_until) == (DocumentState.REFUSED, None)


def test_nothing_is_bound_while_a_worker_is_at_it(world: World, posted: Document) -> None:
    row = refused(world, 2)
    assert lease.take(row.posting) is not None
    with pytest.raises(Refused, match="being worked on"):
        resolve(row, number=posted.erp_number, by="olga")


def test_what_is_posted_is_not_bound_again(world: World, posted: Document) -> None:
    with pytest.raises(Refused, match="already"):
        resolve(posted, number=posted.erp_number, by="olga")
