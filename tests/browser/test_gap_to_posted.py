"""The operator's morning in a real browser: a gap is seen with its money, fixed, and what it blocked is posted."""

from decimal import Decimal

import pytest
from playwright.sync_api import expect

from erp.models import ErpConnection
from sandbox.bigcommerce import Line, Shopping, Tax
from sandbox.service_layer.reference_data import add_item
from sync.models import Gap
from sync.tasks import read_reference_values
from tests.browser.person import PATIENCE, Browser
from tests.e2e.world import World
from tests.waiting import wait_until

TEXAS = Tax("Texas", "8.25")
PASSWORD = "a-long-first-password"  # of the set-up file

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.enable_socket,
    pytest.mark.timeout(240),
]


def hats(quantity: int) -> Shopping:
    """An order for a SKU that no mapping knows."""
    return Shopping(
        lines=(Line("HAT-BLUE", "24.50", quantity, name="Blue hat", taxes=(TEXAS,)),),
        shipping="9.95",
        shipping_taxes=(TEXAS,),
    )


def test_a_gap_fixed_in_the_browser_posts_the_orders_it_blocked(world: World, browser: Browser) -> None:
    add_item(world.company, "HAT-100", "Hat blue wool")
    orders = _blocked_orders(world)
    totals = {order: Decimal(world.store.order(order)["order"]["total_inc_tax"]) for order in orders}
    money = f"{sum(totals.values()):,.2f} USD"
    page = browser.page

    browser.sign_in(world.product.url, "olga", PASSWORD)

    expect(page.get_by_role("heading", name="What needs me?")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="HAT-BLUE")
    expect(row).to_contain_text("SKU HAT-BLUE has no item in SAP Business One.")
    expect(row).to_contain_text(money)
    row.get_by_role("link").click()

    expect(page.get_by_text(f"2 orders ({money}) wait for it.").first).to_be_visible()
    page.get_by_label("HAT-100").check()
    page.get_by_role("button", name=f"Save and reprocess 2 orders ({money})").click()

    expect(page.locator("[data-finished=true]")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("2 of 2 done: 2 posted.")).to_be_visible()
    for order, total in totals.items():
        assert world.posting(order).status == "posted"
        [invoice] = world.company.documents("Invoices", NumAtCard=f"S1-{order}-I")
        assert invoice["DocTotal"] == total
        assert {line["ItemCode"] for line in invoice["DocumentLines"]} >= {"HAT-100"}
    assert sum(payment["TransferSum"] for payment in world.company.documents("IncomingPayments")) == sum(
        totals.values()
    )
    assert len(world.company.documents("Invoices")) == len(orders)

    page.get_by_role("link", name="What needs me").click()
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()


def test_five_wrong_passwords_close_the_door_for_a_while(world: World, browser: Browser) -> None:
    world.product.start_web()

    for _ in range(5):
        browser.sign_in(world.product.url, "olga", "a-wrong-password")
    browser.sign_in(world.product.url, "olga", PASSWORD)

    expect(browser.page.get_by_text("Account locked: too many login attempts.")).to_be_visible()
    assert {complaint.split()[0] for complaint in browser.complaints} <= {"429", "console:"}
    browser.complaints.clear()


def _blocked_orders(world: World) -> list[int]:
    """Two orders that came by webhook and wait for the same mapping."""
    world.product.start_worker()
    world.register_hooks()
    read_reference_values(company_id=ErpConnection.objects.get(key="main").pk)
    orders = [world.store.place(hats(1)), world.store.place(hats(3))]
    for order in orders:
        world.wait_for(order, "blocked")
    wait_until(lambda: Gap.objects.filter(blocks__posting__record_id__in=map(str, orders)).count() == 2)
    return orders
