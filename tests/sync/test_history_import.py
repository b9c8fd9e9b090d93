"""A history import wants a few orders at once, survives whatever stops it, and leaves live work its quota and its place."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from audit.models import AuditEntry
from sandbox.bigcommerce import BigCommerce, Line, Shopping
from sandbox.bigcommerce import Store as OtherSide
from sandbox.wire import serve
from storefront.models import Store
from sync import history_import, inbox
from sync.history_import import CannotImport
from sync.models import HistoryImport, Pipeline, Posting
from tenants.roles import Role
from tests.sync.console.making import make_person

pytestmark = pytest.mark.django_db
SINCE, UNTIL = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
HAT = Shopping(lines=(Line("SKU-1", "10.00"),), placed_at=SINCE + timedelta(days=3))
ROOM = 16  # four for each of the company's four parallel calls


@pytest.fixture
def bigcommerce() -> BigCommerce:
    return BigCommerce()


@pytest.fixture
def shop(pipeline: Pipeline, bigcommerce: BigCommerce) -> Iterator[OtherSide]:
    sandbox = bigcommerce.add_store("abc1", client_secret="s", local_hooks=True)
    with serve(bigcommerce, port=0) as server:
        row = pipeline.store
        row.base_url, row.access_token = server.url, "sandbox-token"
        row.save()
        yield sandbox


def prepared(store: Store) -> HistoryImport:
    return history_import.prepare(store, since=SINCE, until=UNTIL, by="anna")


def started(store: Store) -> HistoryImport:
    run = prepared(store)
    history_import.start(run, by="anna")
    return run


def work_off() -> list[str]:
    """As if the workers had read and posted all that is due."""
    due = Posting.objects.filter(due_at__isnull=False)
    ids = sorted(due.values_list("record_id", flat=True))
    later = timezone.now() + timedelta(days=1)
    due.update(due_at=None, done_version=1, status="posted", read_at=later, record_modified_at=later)
    return ids


def test_all_orders_of_the_time_are_wanted_a_few_at_once_and_then_it_is_done(
    pipeline: Pipeline, shop: OtherSide
) -> None:
    inside = [str(shop.place(HAT)) for _ in range(40)]
    shop.place(replace(HAT, placed_at=UNTIL))
    shop.place(replace(HAT, placed_at=SINCE - timedelta(seconds=1)))
    run = started(pipeline.store)
    assert run.store_count == 40

    done: list[str] = []
    for turn in (ROOM, ROOM, 8, 0):
        history_import.advance_all()
        history_import.advance_all()  # no room: nothing more
        batch = work_off()
        assert len(batch) == turn
        done += batch
    history_import.advance_all()

    run.refresh_from_db()
    assert done == inside
    assert (run.state, run.seen, run.known) == ("done", 40, 0)
    assert Posting.objects.filter(in_background=True).count() == 40


def test_importing_again_wants_only_what_was_not_read_or_changed_since(
    pipeline: Pipeline, shop: OtherSide
) -> None:
    ids = [shop.place(HAT) for _ in range(3)]
    started(pipeline.store)
    for _ in range(3):
        history_import.advance_all()
        work_off()
    changed = Posting.objects.filter(record_id=str(ids[1]))
    changed.update(record_modified_at=SINCE)

    again = started(pipeline.store)
    history_import.advance_all()

    assert work_off() == [str(ids[1])]
    again.refresh_from_db()
    assert (again.seen, again.known) == (3, 2)
    assert [Posting.objects.get(record_id=str(i)).wanted_version for i in ids] == [1, 2, 1]


def test_a_pause_stops_it_a_start_goes_on_and_a_cancel_ends_it(pipeline: Pipeline, shop: OtherSide) -> None:
    for _ in range(30):
        shop.place(HAT)
    run = started(pipeline.store)
    history_import.advance_all()
    history_import.pause(run, by="anna")
    assert len(work_off()) == ROOM
    history_import.advance_all()
    assert work_off() == []

    run.refresh_from_db()
    history_import.start(run, by="anna")
    history_import.advance_all()
    assert len(work_off()) == 14

    history_import.cancel(run, by="anna")
    run.refresh_from_db()
    assert (run.state, run.finished_at is not None) == ("cancelled", True)
    for step in (history_import.start, history_import.pause, history_import.cancel):
        with pytest.raises(CannotImport, match="It is cancelled"):
            step(run, by="anna")
    told = AuditEntry.objects.filter(action="history.import").order_by("pk")
    assert [entry.details["what"] for entry in told] == ["started", "paused", "started", "cancelled"]


def test_a_turn_that_died_is_taken_over_where_it_stood_and_one_under_way_is_not_run_beside(
    pipeline: Pipeline, shop: OtherSide, bigcommerce: BigCommerce
) -> None:
    for _ in range(20):
        shop.place(HAT)
    run = started(pipeline.store)
    history_import.advance_all()
    HistoryImport.objects.update(running_until=timezone.now() + timedelta(minutes=1))
    work_off()
    history_import.advance_all()
    assert work_off() == []

    HistoryImport.objects.update(running_until=timezone.now() - timedelta(seconds=1))  # it died
    history_import.advance_all()
    assert len(work_off()) == 4
    run.refresh_from_db()
    assert run.seen == 20


def test_a_store_that_does_not_answer_is_a_sentence_and_costs_nothing(
    pipeline: Pipeline, shop: OtherSide, bigcommerce: BigCommerce
) -> None:
    shop.place(HAT)
    run = started(pipeline.store)
    bigcommerce.faults.add("answer", status=503, path="v2/orders")
    history_import.advance_all()
    run.refresh_from_db()
    assert (run.state, run.seen) == ("running", 0)
    assert "an error of its own (503)" in run.last_error

    history_import.advance_all()
    run.refresh_from_db()
    assert (run.seen, run.last_error) == (1, "")


def test_a_live_order_stays_live_and_an_imported_one_becomes_live_with_its_webhook(
    pipeline: Pipeline, shop: OtherSide
) -> None:
    live, imported = shop.place(HAT), shop.place(HAT)

    def notice(order_id: int) -> None:
        inbox.want(
            store=pipeline.store, record_kind="order", record_id=str(order_id), correlation_id="c" * 32
        )

    def background() -> dict[str, bool]:
        return dict(Posting.objects.values_list("record_id", "in_background"))

    notice(live)
    started(pipeline.store)
    history_import.advance_all()
    assert background() == {str(live): False, str(imported): True}
    notice(imported)
    assert background() == {str(live): False, str(imported): False}


def test_what_will_happen_is_said_before_the_start(pipeline: Pipeline, shop: OtherSide) -> None:
    def said(**columns: object) -> str:
        Pipeline.objects.update(**columns)
        [sentence] = history_import.what_will_happen(prepared(pipeline.store))
        return sentence

    assert "has no go-live: orders of any age count" in said(start_at=None)
    assert "posts them from its go-live on 2026-10-15 00:00 UTC" in said(
        start_at=datetime(2026, 10, 15, tzinfo=UTC)
    )
    assert "all of these orders end in “before go-live”" in said(start_at=UNTIL)
    assert said(start_at=SINCE, mode="plan").endswith("plans them and posts nothing.")
    Pipeline.objects.update(mode="off")
    with pytest.raises(CannotImport, match="No pipeline takes orders of Acme web shop"):
        prepared(pipeline.store)


def test_one_import_of_a_store_runs_at_a_time(pipeline: Pipeline, shop: OtherSide) -> None:
    started(pipeline.store)
    with pytest.raises(CannotImport, match="Another import of Acme web shop runs or is paused"):
        started(pipeline.store)


def test_the_console_prepares_starts_and_shows_money_before_and_now(
    pipeline: Pipeline, shop: OtherSide
) -> None:
    shop.place(HAT)
    client = Client()
    client.force_login(make_person(pipeline.tenant, Role.OPERATOR))
    window = {"since": "2026-10-01T00:00", "until": "2026-11-01T00:00", "confirmed": "1"}
    page = client.post(f"/admin/storefront/store/{pipeline.store_id}/import/", window, follow=True)
    assert "The store counts 1 orders of this time." in page.content.decode()
    run = HistoryImport.objects.get()

    client.post(f"/admin/sync/historyimport/{run.pk}/start/", {"confirmed": "1"})
    history_import.advance_all()
    work_off()
    Posting.objects.update(placed_at=HAT.placed_at, currency="USD", total="1204.50")

    page = client.get(f"/admin/sync/historyimport/{run.pk}/change/").content.decode()
    for words in ("Running", "1 of 1 orders", "1,204.50 USD", "at most 25 %"):
        assert words in page
    viewer = Client()
    viewer.force_login(make_person(pipeline.tenant, Role.VIEWER))
    assert viewer.post(f"/admin/sync/historyimport/{run.pk}/pause/", {"confirmed": "1"}).status_code == 403


def test_the_command_says_what_would_happen_and_starts_only_when_asked(
    pipeline: Pipeline, shop: OtherSide
) -> None:
    shop.place(HAT)
    out = StringIO()
    call_command("import_history", "acme", "S1", "2026-10-01", "2026-11-01", stdout=out)
    assert "1 orders were placed" in out.getvalue()
    assert "Nothing was started." in out.getvalue()
    assert not HistoryImport.objects.exists()

    call_command("import_history", "acme", "S1", "2026-10-01", "2026-11-01", "--start", stdout=out)
    assert HistoryImport.objects.get().state == "running"
    for wrong, words in (
        (("acme", "S9", "2026-10-01", "2026-11-01"), "There is no such store"),
        (("acme", "S1", "yesterday", "2026-11-01"), "yesterday is no date such as 2026-01-31"),
        (("acme", "S1", "2026-11-01", "2026-10-01"), "The first moment must be before the second"),
    ):
        with pytest.raises(CommandError, match=words):
            call_command("import_history", *wrong, stdout=out)
