"""Equal totals are planned and proved after posting: what the ERP computed otherwise is told, and cancelled where that is set."""

from decimal import Decimal

import pytest

from sandbox.bigcommerce import Line, Shopping, Tax
from sync.models import Document, DocumentState, Pipeline
from tests.e2e.world import World

TEXAS = Tax("Texas", "8.25")

pytestmark = pytest.mark.django_db(transaction=True)


def hat() -> Shopping:
    return Shopping(lines=(Line("SKU-1", "100.00", taxes=(TEXAS,)),))


@pytest.fixture
def another_rate(world: World) -> World:
    """Somebody changes the rate of TX in the ERP just after its facts were read."""
    world.post(world.store.place(hat()))
    for row in world.company.rows("SalesTaxCodes"):
        if row["Code"] == "TX":
            row["Rate"] = Decimal("9")
    return world


def test_a_document_that_the_ERP_computed_otherwise_is_held_with_both_amounts(another_rate: World) -> None:
    posting = another_rate.post(another_rate.store.place(hat()))

    assert (posting.status, posting.reason_code) == ("held", "erp_differs")
    assert "109.00 USD" in posting.reason
    assert "108.25 USD" in posting.reason


def test_it_is_cancelled_there_and_nothing_more_is_posted_where_the_pipeline_says_so(
    another_rate: World,
) -> None:
    Pipeline.objects.update(cancel_on_difference=True)
    order_id = another_rate.store.place(hat())
    posting = another_rate.post(order_id)

    assert posting.status == "refused"
    assert "It was cancelled there" in posting.reason
    document = Document.objects.get(reference=f"S1-{order_id}-I")
    assert document.state == DocumentState.CANCELLED
    [invoice] = another_rate.company.documents("Invoices", DocEntry=int(document.erp_key))
    assert invoice["Cancelled"] == "tYES"
    assert not Document.objects.filter(posting=posting, kind="payment", state=DocumentState.POSTED).exists()
