"""Every order of a store is accounted for in exactly one status, or the certificate says which is not."""

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from sandbox.bigcommerce import BigCommerce, Line, Shopping
from sandbox.bigcommerce import Store as OtherSide
from sandbox.wire import serve
from storefront.models import Store
from sync import completeness, store_flows, tasks
from sync.attention import needs_of
from sync.models import Certificate, Pipeline, Posting, StoreFlow
from sync.pipelines import save_pipeline
from tenants.roles import Role
from tests.sync.console.making import make_person
from tests.sync.rows import make_posting

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
HAT = Shopping(lines=(Line("SKU-1", "10.00"),), placed_at=AT)


@pytest.fixture
def bigcommerce() -> BigCommerce:
    return BigCommerce()


@pytest.fixture
def shop(pipeline: Pipeline, bigcommerce: BigCommerce) -> Iterator[OtherSide]:
    sandbox = bigcommerce.add_store("abc1", client_secret="s", local_hooks=True)
    pipeline.start_at = datetime(2026, 11, 1, tzinfo=UTC)
    pipeline.save()
    with serve(bigcommerce, port=0) as server:
        row = pipeline.store
        row.base_url, row.access_token = server.url, "sandbox-token"
        row.save()
        yield sandbox


def known(pipeline: Pipeline, order_id: int, status: str = "posted", **columns: object) -> Posting:
    """An order that was read after its last change and has no work left."""
    values = {"read_at": timezone.now(), "record_modified_at": timezone.now() + timedelta(days=1)}
    return make_posting(
        pipeline, str(order_id), status=status, due_at=None, done_version=1, **{**values, **columns}
    )


def check(
    store: Store, since: datetime = AT - timedelta(days=1), until: datetime = AT + timedelta(days=1)
) -> Certificate:
    certificate = completeness.begin(store, since=since, until=until, by="anna")
    completeness.fill(certificate)
    return certificate


def findings(certificate: Certificate) -> dict[str, tuple[str, str, str]]:
    rows = certificate.lines.values_list("record_id", "found_as", "finding", "status")
    return {row[0]: row[1:] for row in rows}


def test_each_order_is_in_exactly_one_status(pipeline: Pipeline, shop: OtherSide) -> None:
    posted, held, excluded = (shop.place(HAT) for _ in range(3))
    known(pipeline, posted)
    known(pipeline, held, "held")
    known(pipeline, excluded, "excluded", reason_code="by_hand")

    certificate = check(pipeline.store)

    assert findings(certificate) == {
        str(posted): ("accounted", "accounted", "posted"),
        str(held): ("accounted", "accounted", "held"),
        str(excluded): ("accounted", "accounted", "excluded"),
    }
    assert (certificate.state, certificate.store_count) == ("complete", 3)
    assert [(s.status, s.orders, str(s.money[0])) for s in completeness.shares(certificate.lines.all())] == [
        ("excluded", 1, "10.00 USD"), ("held", 1, "10.00 USD"), ("posted", 1, "10.00 USD"),
    ]  # fmt: skip


def test_what_is_missing_is_read_and_the_certificate_is_open_until_it_is(
    pipeline: Pipeline, shop: OtherSide
) -> None:
    order_id = shop.place(HAT)
    certificate = check(pipeline.store)
    assert findings(certificate) == {str(order_id): ("missing", "coming", "waiting")}
    assert certificate.state == "open"
    assert Posting.objects.get().due_at is not None

    Posting.objects.update(status="posted", done_version=1, due_at=None, read_at=timezone.now())
    completeness.settle_open()

    certificate.refresh_from_db()
    assert findings(certificate) == {str(order_id): ("missing", "accounted", "posted")}
    assert certificate.state == "complete"


def test_an_order_that_changed_since_it_was_read_is_read_again(pipeline: Pipeline, shop: OtherSide) -> None:
    order_id = shop.place(HAT)
    posting = known(pipeline, order_id, record_modified_at=AT - timedelta(seconds=1))
    certificate = check(pipeline.store)
    assert findings(certificate) == {str(order_id): ("stale", "coming", "posted")}
    posting.refresh_from_db()
    assert posting.wanted_version == 2


def test_orders_of_no_pipeline_and_of_two_are_said_so(pipeline: Pipeline, shop: OtherSide) -> None:
    rest = Pipeline(
        tenant=pipeline.tenant, key="second", name="Second", store=pipeline.store, company=pipeline.company,
        mapping_set=pipeline.mapping_set, mode="plan", environment="sandbox",
    )  # fmt: skip
    second = save_pipeline(rest, by="test")
    unowned, shadowed, doubled = (shop.place(HAT) for _ in range(3))
    for each in (pipeline, second):
        known(each, unowned, "excluded", reason_code="other_pipeline")
        known(each, shadowed, "posted" if each is pipeline else "not_due")
        known(each, doubled)

    certificate = check(pipeline.store)
    assert findings(certificate) == {
        str(unowned): ("unowned", "unowned", ""),
        str(shadowed): ("accounted", "accounted", "posted"),
        str(doubled): ("accounted", "accounted", "posted"),
    }
    assert certificate.state == "complete"
    person = make_person(pipeline.tenant, Role.VIEWER)
    [need] = [need for need in needs_of(person) if need.kind in ("completeness", "unowned")]
    assert (need.kind, need.orders, str(need.money[0])) == ("unowned", 1, "10.00 USD")

    Pipeline.objects.update(mode="post")
    certificate = check(pipeline.store, until=AT + timedelta(days=2))
    assert findings(certificate)[str(doubled)] == ("doubled", "doubled", "posted")
    Certificate.objects.update(listed_at=timezone.now() - timedelta(hours=1))
    needs = {need.kind: need for need in needs_of(person)}
    assert needs["completeness"].orders == 2  # the shadowed one is posted twice now, too


def test_archived_orders_that_the_list_leaves_out_are_found_by_their_number(
    pipeline: Pipeline, shop: OtherSide
) -> None:
    shop.change(lists_archived=False)
    ids = [shop.place(HAT) for _ in range(4)]
    for order_id in (ids[0], ids[3]):
        known(pipeline, order_id)
    known(pipeline, ids[1])
    shop.archive(ids[1])
    shop.archive(ids[2])

    certificate = check(pipeline.store)

    assert {k: v[0] for k, v in findings(certificate).items()} == {
        str(ids[0]): "accounted", str(ids[1]): "accounted", str(ids[2]): "missing", str(ids[3]): "accounted",
    }  # fmt: skip
    assert list(certificate.lines.filter(is_listed=False).values_list("record_id", flat=True).order_by("pk")) == [
        str(ids[1]), str(ids[2]),
    ]  # fmt: skip
    assert certificate.store_count == 2


def test_orders_from_before_anybody_was_responsible_are_not_read(pipeline: Pipeline, shop: OtherSide) -> None:
    before = shop.place(replace(HAT, placed_at=datetime(2026, 10, 30, tzinfo=UTC)))
    certificate = check(pipeline.store, since=datetime(2026, 10, 1, tzinfo=UTC))
    assert findings(certificate) == {str(before): ("accounted", "accounted", "before_go_live")}
    assert not Posting.objects.exists()


def test_the_window_is_exact_and_the_nightly_one_begins_with_the_pipelines(
    pipeline: Pipeline, shop: OtherSide
) -> None:
    inside = shop.place(HAT)
    shop.place(replace(HAT, placed_at=AT + timedelta(days=1)))
    shop.place(replace(HAT, placed_at=AT - timedelta(days=1, seconds=1)))
    assert set(findings(check(pipeline.store))) == {str(inside)}

    Pipeline.objects.update(start_at=timezone.now() - timedelta(days=2))
    certificate = completeness.begin(pipeline.store)
    assert certificate.since == Pipeline.objects.get().start_at
    assert timezone.now() - certificate.until >= completeness.ON_ITS_WAY

    Pipeline.objects.update(mode="off")
    with pytest.raises(completeness.NothingToCheck, match="No pipeline takes orders of Acme web shop"):
        completeness.begin(pipeline.store)


def test_a_pass_that_is_killed_goes_on_from_its_last_page(
    pipeline: Pipeline, shop: OtherSide, bigcommerce: BigCommerce
) -> None:
    for _ in range(260):
        shop.place(HAT)
    bigcommerce.faults.add("drop", path="min_id=[1-9][0-9]{2}", count=None)
    flow = StoreFlow.objects.select_related("store__tenant").get(kind="completeness")
    Pipeline.objects.update(start_at=AT - timedelta(days=1))
    first = completeness.begin(pipeline.store, since=AT - timedelta(days=1), until=AT + timedelta(days=1))
    with pytest.raises(Exception, match=r"answer|connection|reach"):
        completeness.fill(first)
    assert first.lines.count() == 250
    bigcommerce.faults.clear()
    bigcommerce.calls.clear()

    again = completeness.begin(pipeline.store, since=AT - timedelta(days=1), until=AT + timedelta(days=1))
    assert again == first
    completeness.fill(again)

    assert again.lines.count() == Posting.objects.count() == 260
    assert len(bigcommerce.calls.select("GET", r"v2/orders\?")) == 1
    assert flow.enabled


def test_the_nightly_run_is_a_flow_and_its_failure_a_sentence(pipeline: Pipeline, shop: OtherSide) -> None:
    Pipeline.objects.update(start_at=timezone.now() - timedelta(days=2))
    order_id = shop.place(replace(HAT, placed_at=timezone.now() - timedelta(days=1)))
    flow = StoreFlow.objects.select_related("store__tenant").get(kind="completeness")
    assert store_flows.run(flow) == "1 order: not every order is accounted for yet."
    assert Posting.objects.get().record_id == str(order_id)

    Store.objects.update(access_token="wrong")
    flow = StoreFlow.objects.select_related("store__tenant").get(kind="completeness")
    assert "does not accept the access token" in store_flows.run(flow)


def test_the_seal_is_that_of_the_lines_and_the_file_is_safe_in_a_spreadsheet(
    pipeline: Pipeline, shop: OtherSide
) -> None:
    known(pipeline, shop.place(HAT))
    certificate = check(pipeline.store)
    Store.objects.update(name="=cmd|'/c calc'!A1")
    client = Client()
    client.force_login(make_person(pipeline.tenant, Role.VIEWER))

    answer = client.get(f"/admin/sync/certificate/{certificate.pk}/csv/")
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))

    assert rows[0][1] == "'=cmd|'/c calc'!A1"
    head = rows.index(list(completeness.COLUMNS))
    lines = "".join("\t".join(row) + "\n" for row in rows[head + 1 :])
    assert hashlib.sha256(lines.encode()).hexdigest() == certificate.hash == rows[4][1]
    assert Decimal(rows[head + 1][3]) == Decimal("10.00")

    stranger = Client()
    stranger.force_login(make_person(type(pipeline.tenant).objects.create(slug="x", name="X"), Role.VIEWER))
    assert stranger.get(f"/admin/sync/certificate/{certificate.pk}/csv/").status_code == 403


def test_the_page_says_what_was_missing_and_is(pipeline: Pipeline, shop: OtherSide) -> None:
    order_id = shop.place(HAT)
    certificate = check(pipeline.store)
    client = Client()
    client.force_login(make_person(pipeline.tenant, Role.OPERATOR))
    page = client.get(f"/admin/sync/certificate/{certificate.pk}/change/").content.decode()
    for words in (
        "Not every order is accounted for yet",
        str(order_id),
        "Not known here",
        "Found, being read now",
        "10.00 USD",
    ):
        assert words in page
    assert "1 open" in client.get("/admin/sync/certificate/").content.decode()


def run_what_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that does at once what the round of the certificates asks for."""
    fill = tasks.fill_certificate
    monkeypatch.setattr(fill, "apply_async", lambda kwargs, **_: fill(**kwargs))
    tasks.settle_certificates()


def test_a_check_that_a_person_asked_for_says_why_it_waits_and_goes_on_by_itself(
    pipeline: Pipeline, shop: OtherSide, bigcommerce: BigCommerce, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.place(HAT)
    begun = completeness.begin(
        pipeline.store, since=AT - timedelta(days=1), until=AT + timedelta(days=1), by="anna"
    )
    bigcommerce.faults.add("answer", status=503, count=None)
    tasks.fill_certificate(certificate_id=begun.pk)
    client = Client()
    client.force_login(make_person(pipeline.tenant, Role.OPERATOR))
    page = client.get(f"/admin/sync/certificate/{begun.pk}/change/").content.decode()
    assert "BigCommerce answered store S1 with an error of its own (503)." in page
    assert "It goes on by itself within some minutes" in page

    bigcommerce.faults.clear()
    run_what_is_asked(monkeypatch)

    begun.refresh_from_db()
    assert (begun.state, begun.last_error, begun.running_until) == ("open", "", None)
    assert begun.lines.count() == Posting.objects.count() == 1


def test_a_check_whose_worker_was_killed_goes_on_and_one_that_is_being_listed_is_left_alone(
    pipeline: Pipeline, shop: OtherSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.place(HAT)
    begun = completeness.begin(
        pipeline.store, since=AT - timedelta(days=1), until=AT + timedelta(days=1), by="anna"
    )
    Certificate.objects.update(running_until=timezone.now() + timedelta(minutes=5))
    run_what_is_asked(monkeypatch)
    assert completeness.fill(begun) is False
    assert begun.lines.count() == 0

    Certificate.objects.update(running_until=timezone.now() - timedelta(seconds=1))
    run_what_is_asked(monkeypatch)
    assert begun.lines.count() == 1


def test_a_check_whose_worker_dies_between_finding_and_wanting_still_has_what_is_missing_read(
    pipeline: Pipeline, shop: OtherSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.place(HAT)
    begun = completeness.begin(
        pipeline.store, since=AT - timedelta(days=1), until=AT + timedelta(days=1), by="anna"
    )

    def dies(certificate: Certificate) -> None:
        raise SystemExit

    with monkeypatch.context() as killed:
        killed.setattr(completeness, "_have_read", dies)
        with pytest.raises(SystemExit):
            completeness.fill(begun)
    begun.refresh_from_db()
    assert (begun.state, Posting.objects.count()) == ("listing", 0)

    run_what_is_asked(monkeypatch)

    begun.refresh_from_db()
    [line] = begun.lines.all()
    assert (begun.state, line.found_as, line.finding) == ("open", "missing", "coming")
    assert Posting.objects.get().record_id == line.record_id
