"""What people read on the console's pages, and what they are offered there."""

from decimal import Decimal

import pytest
from django.test import Client
from django.utils.html import escape

from erp.models import ErpConnection
from storefront.models import Store
from sync.models import AlertDestination, AlertNotice, Gap, Pipeline, Posting, Reprocess
from tenants.models import Tenant
from tenants.roles import Role
from tests.sync.console.making import make_document, make_gap, make_person, make_posting

HOSTILE = "<script>alert(1)</script> =cmd|' /C calc'!A0 \u202e" + "x" * 2000


def visitor(tenant: Tenant, *roles: Role) -> Client:
    client = Client()
    client.force_login(make_person(tenant, *roles))
    return client


def shown(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def test_the_home_page_names_each_gap_once_with_its_orders_and_money(pipeline: Pipeline) -> None:
    blocked = [make_posting(pipeline, number) for number in (1, 2, 3)]
    make_gap(pipeline, "HAT", *blocked)

    page = shown(visitor(pipeline.tenant, Role.VIEWER), "/admin/")

    assert page.count("SKU HAT has no item in SAP Business One.") == 1
    assert "30.06 USD" in page


def test_the_gap_page_says_what_its_button_touches_before_it_is_pressed(pipeline: Pipeline) -> None:
    gap = make_gap(pipeline, "HAT", make_posting(pipeline, 1), make_posting(pipeline, 2))

    page = shown(visitor(pipeline.tenant, Role.OPERATOR), f"/admin/sync/gap/{gap.pk}/change/")

    assert "SKU HAT has no item in SAP Business One. 2 orders (20.03 USD) wait for it." in page


def test_the_home_page_names_what_is_paused(pipeline: Pipeline) -> None:
    Store.objects.update(paused_at="2026-11-20T10:00:00Z", pause_reason="The token was refused.")
    Pipeline.objects.update(paused_at="2026-11-20T10:00:00Z")

    page = shown(visitor(pipeline.tenant, Role.VIEWER), "/admin/")

    assert "Acme web shop is paused: The token was refused." in page
    assert "Web shop to Acme Inc. is paused: What comes in waits until somebody resumes it." in page


def test_gaps_are_listed_by_the_money_that_waits(pipeline: Pipeline) -> None:
    make_gap(pipeline, "SMALL", make_posting(pipeline, 1))
    make_gap(pipeline, "LARGE", make_posting(pipeline, 2, total=Decimal("900.00")))

    page = shown(visitor(pipeline.tenant, Role.VIEWER), "/admin/sync/gap/?state__exact=open")

    assert page.index("SKU LARGE") < page.index("SKU SMALL")
    assert "900.00 USD" in page


def test_a_currency_without_decimals_is_written_without_them(pipeline: Pipeline) -> None:
    make_posting(pipeline, 1, currency="JPY", total=Decimal("8400"))

    assert "8,400 JPY" in shown(visitor(pipeline.tenant, Role.VIEWER), "/admin/sync/posting/")


def test_text_from_outside_is_shown_escaped_and_cut(pipeline: Pipeline) -> None:
    posting = make_posting(pipeline, 1, reason=HOSTILE)
    gap = make_gap(pipeline, "HAT", posting)
    Gap.objects.filter(pk=gap.pk).update(label=HOSTILE[:300], sentence=HOSTILE, key=HOSTILE[:400])
    client = visitor(pipeline.tenant, Role.ADMINISTRATOR)

    for url in (
        "/admin/",
        "/admin/sync/posting/",
        f"/admin/sync/posting/{posting.pk}/change/",
        "/admin/sync/gap/",
        f"/admin/sync/gap/{gap.pk}/change/",
        f"/admin/sync/gap/{gap.pk}/reprocess/",
    ):
        page = shown(client, url)
        assert "<script>alert(1)" not in page, url
        assert escape("<script>alert(1)") in page, url
        assert "x" * 1000 not in page, url


def test_times_are_those_of_the_tenant(pipeline: Pipeline) -> None:
    Tenant.objects.filter(pk=pipeline.tenant_id).update(time_zone="Asia/Tokyo")
    make_posting(pipeline, 1, placed_at="2026-11-20T23:30:00+00:00")

    assert "21 Nov 2026, 08:30" in shown(visitor(pipeline.tenant, Role.VIEWER), "/admin/sync/posting/")


@pytest.mark.parametrize(
    ("status", "excluded_by", "offered", "hidden"),
    [
        ("blocked", "", {"reprocess", "exclude"}, {"take-back", "resolve"}),
        ("excluded", "olga", {"take-back"}, {"reprocess", "exclude", "resolve"}),
        ("excluded", "", {"reprocess", "exclude"}, {"take-back", "resolve"}),
    ],
)
def test_an_order_offers_what_can_be_done_with_it_now(
    pipeline: Pipeline, status: str, excluded_by: str, offered: set[str], hidden: set[str]
) -> None:
    posting = make_posting(pipeline, 1, status=status, excluded_by=excluded_by)
    base = f"/admin/sync/posting/{posting.pk}/"

    page = shown(visitor(pipeline.tenant, Role.OPERATOR), f"{base}change/")

    assert {name for name in offered | hidden if f'href="{base}{name}/"' in page} == offered


def test_an_order_with_an_open_document_can_be_resolved(pipeline: Pipeline) -> None:
    posting = make_posting(pipeline, 1, status="refused")
    make_document(posting, state="refused", erp_number="")

    page = shown(visitor(pipeline.tenant, Role.OPERATOR), f"/admin/sync/posting/{posting.pk}/change/")

    assert f"/admin/sync/posting/{posting.pk}/resolve/" in page


def test_resume_is_offered_only_for_what_is_paused(pipeline: Pipeline) -> None:
    client = visitor(pipeline.tenant, Role.ADMINISTRATOR)
    pages = {
        f"/admin/erp/erpconnection/{pipeline.company_id}/": ErpConnection,
        f"/admin/storefront/store/{pipeline.store_id}/": Store,
        f"/admin/sync/pipeline/{pipeline.pk}/": Pipeline,
    }
    for base, model in pages.items():
        assert f"{base}resume/" not in shown(client, f"{base}change/")
        model.objects.update(paused_at="2026-11-20T10:00:00Z")
        assert f"{base}resume/" in shown(client, f"{base}change/")


def test_what_a_person_has_excluded_is_left_alone_by_a_selection(pipeline: Pipeline) -> None:
    mine = make_posting(pipeline, 1, status="excluded", excluded_by="olga")
    other = make_posting(pipeline, 2)
    client = visitor(pipeline.tenant, Role.OPERATOR)
    chosen = {"action": "reprocess_selected", "_selected_action": [mine.pk, other.pk]}

    asked = client.post("/admin/sync/posting/", chosen).content.decode()
    client.post("/admin/sync/posting/", {**chosen, "confirmed": "1"})

    assert "1 order (10.02 USD)" in asked
    assert "1 excluded by hand are left alone" in asked
    assert [item.posting_id for item in Reprocess.objects.get().items.all()] == [other.pk]
    assert Posting.objects.get(pk=mine.pk).status == "excluded"


def test_a_gap_with_the_longest_label_is_reprocessed(pipeline: Pipeline) -> None:
    gap = make_gap(pipeline, "HAT", make_posting(pipeline, 1))
    Gap.objects.filter(pk=gap.pk).update(label="x" * 300)
    client = visitor(pipeline.tenant, Role.OPERATOR)

    client.post(f"/admin/sync/gap/{gap.pk}/reprocess/", {"confirmed": "1"})

    assert len(Reprocess.objects.get().what) == 300


def test_a_viewer_is_offered_no_action_and_may_do_none(pipeline: Pipeline) -> None:
    posting = make_posting(pipeline, 1)
    gap = make_gap(pipeline, "HAT", posting)
    client = visitor(pipeline.tenant, Role.VIEWER)

    assert "Save and reprocess" not in shown(client, f"/admin/sync/gap/{gap.pk}/change/")
    for url in (f"/admin/sync/posting/{posting.pk}/reprocess/", f"/admin/sync/gap/{gap.pk}/change/"):
        assert client.post(url, {"confirmed": "1", "target": "A", "key": "HAT"}).status_code == 403
    assert not Reprocess.objects.exists()


def test_an_empty_list_says_why_it_is_empty(pipeline: Pipeline) -> None:
    client = visitor(pipeline.tenant, Role.VIEWER)

    assert "No mapping is missing." in shown(client, "/admin/sync/gap/")
    make_gap(pipeline, "HAT", make_posting(pipeline, 1))
    assert "Nothing fits." in shown(client, "/admin/sync/gap/?state__exact=closed")


@pytest.mark.parametrize(
    ("rows", "where_they_come_from"),
    [
        ("alert", "What goes wrong appears here by itself"),
        ("alertdestination", "Nobody is told of alerts"),
        ("alertnotice", "under “Who is alerted”"),
        ("certificate", "Check completeness on a store&#x27;s page"),
        ("erasure", "nothing is erased before you confirm it"),
        ("historyimport", "Import history on a store&#x27;s page"),
        ("reprocess", "Reprocess is on an order&#x27;s page"),
        ("retention", "prunes by the defaults"),
        ("retentionrun", "every night at 3:10 UTC"),
    ],
)
def test_an_empty_list_says_where_its_rows_come_from(
    tenant: Tenant, rows: str, where_they_come_from: str
) -> None:
    client = visitor(tenant, Role.ADMINISTRATOR, Role.OPERATOR)
    assert where_they_come_from in shown(client, f"/admin/sync/{rows}/")


def test_an_alert_s_message_is_named_by_what_it_says(pipeline: Pipeline) -> None:
    destination = AlertDestination.objects.create(
        tenant=pipeline.tenant, key="ops", address="ops@example.com"
    )
    notice = AlertNotice(
        destination=destination, change="raised", content={"data": {"what": "2 orders are held."}}
    )
    assert str(notice) == "Raised: 2 orders are held."


def test_what_the_erp_offers_is_read_when_it_never_was(pipeline: Pipeline) -> None:
    gap = make_gap(pipeline, "HAT", make_posting(pipeline, 1))

    page = shown(visitor(pipeline.tenant, Role.ACCOUNTANT), f"/admin/sync/gap/{gap.pk}/change/")

    assert "What Acme Inc. offers has not been read yet." in page
