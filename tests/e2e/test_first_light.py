"""One signed webhook becomes an A/R invoice and an incoming payment, through the real receiver, broker, worker and HTTP."""

from decimal import Decimal

import pytest

from sandbox.bigcommerce import Line, Shopping, Tax
from tests.e2e.world import World

TEXAS = Tax("Texas", "8.25")

pytestmark = pytest.mark.django_db(transaction=True)


def hat(quantity: int = 2) -> Shopping:
    return Shopping(
        lines=(Line("SKU-1", "19.99", quantity, taxes=(TEXAS,)),), shipping="9.95", shipping_taxes=(TEXAS,)
    )


def test_a_signed_webhook_becomes_invoice_and_payment(world: World) -> None:
    world.product.start_worker()
    world.register_hooks()

    order_id = world.store.place(hat())
    posting = world.wait_for(order_id, "posted")

    total = Decimal(world.store.order(order_id)["order"]["total_inc_tax"])
    [invoice] = world.company.documents("Invoices", NumAtCard=f"S1-{order_id}-I")
    assert (invoice["DocTotal"], invoice["VatSum"]) == (
        total,
        Decimal(world.store.order(order_id)["order"]["total_tax"]),
    )
    [payment] = world.company.documents("IncomingPayments")
    assert payment["TransferSum"] == total
    assert payment["PaymentInvoices"][0]["DocEntry"] == invoice["DocEntry"]
    assert posting.total == total
