"""A person takes an ERP company out of use, and back."""

import pytest

from erp.models import ErpConnection
from sandbox.bigcommerce import Line, Shopping
from sync.connections import disconnect, resume_connection
from tests.e2e.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_disconnected_company_is_logged_out_and_its_orders_wait(world: World) -> None:
    world.post(world.store.place(Shopping(lines=(Line("SKU-1", "10.00"),))))
    company = ErpConnection.objects.get()

    disconnect(company, by="olga", why="SAP upgrade tonight")
    order_id = world.store.place(Shopping(lines=(Line("SKU-1", "12.00"),)))
    assert world.post(order_id).status == "waiting"
    assert len(world.b1.calls.select("POST", "/Logout")) == 1
    company.refresh_from_db()
    assert company.pause_reason == "SAP upgrade tonight"

    resume_connection(company, by="olga")
    world.work_off()

    assert world.posting(order_id).status == "posted"
    assert len(world.b1.calls.select("POST", "/Login")) == 2
