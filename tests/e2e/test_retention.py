"""A retention policy takes bodies away, and nothing that an order still needs: it is explained, replayed and posted once as before."""

import datetime

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client

from audit.calls import body_of
from audit.models import AuditEntry, CallBody
from erp.contract.reading import read_document, read_plan
from sync import tasks
from sync.models import Attempt, Document, Event, Posting, Retention, RetentionRun, Snapshot, StoredPlan
from sync.reprocess import reprocess
from sync.retention import go_on, preview, start_run
from tenants.models import Tenant, User
from tests.e2e.test_first_light import hat
from tests.e2e.world import World

pytestmark = pytest.mark.django_db(transaction=True)

SHORT = {"snapshots": 30, "plans": 30, "attempts": 14, "calls": 14, "events": 14, "closed": 14}


def grow_older(days: int = 400) -> None:
    """As if everything so far had happened that many days ago; also in the trail, whose triggers do not look meanwhile."""
    past = datetime.timedelta(days=days)
    Snapshot.objects.update(taken_at=F("taken_at") - past)
    StoredPlan.objects.update(made_at=F("made_at") - past)
    Document.objects.update(posted_at=F("posted_at") - past)
    Attempt.objects.update(started_at=F("started_at") - past)
    Event.objects.update(received_at=F("received_at") - past)
    Posting.objects.update(created_at=F("created_at") - past, changed_at=F("changed_at") - past)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for table in ("audit_callbody", "audit_auditentry"):
            cursor.execute(f"UPDATE {table} SET at = at - %s", [past])
        cursor.execute("SET session_replication_role = origin")


def prune(tenant: Tenant) -> RetentionRun:
    run = start_run(tenant)
    assert go_on(run, seconds=30)
    run.refresh_from_db()
    return run


def test_what_is_pruned_is_gone_and_the_order_is_explained_and_replayed_without_posting_twice(
    world: World,
) -> None:
    order_id = world.store.place(hat())
    posting = world.post(order_id)
    assert posting.status == "posted"
    tenant = Tenant.objects.get()
    policy = Retention.objects.create(tenant=tenant, **SHORT)
    documents = {row.reference: (row.hash, row.total, row.erp_number) for row in Document.objects.all()}
    content = posting.snapshot.hash
    calls = CallBody.objects.count()
    grow_older()

    wanted = {line.label: line.count for line in preview(policy)}
    run = prune(tenant)

    assert run.cleared["snapshots"] == wanted["Snapshots"] == 1
    assert run.cleared["documents"] == wanted["Names and addresses in documents"] == len(documents)
    assert run.cleared["calls"] == wanted["Bodies of calls"] == calls
    posting.refresh_from_db()
    assert (posting.snapshot.body, posting.plan.body) == (None, None)
    assert {
        row.reference: (row.hash, row.total, row.erp_number) for row in Document.objects.all()
    } == documents
    invoice = read_document(Document.objects.get(kind="invoice").body)
    assert (invoice.billing.last_name, invoice.billing.street, invoice.total) == ("", "", posting.total)
    assert all(body_of(row.sha256, tenant_id=tenant.pk) is None for row in CallBody.objects.all())
    [told] = AuditEntry.objects.filter(action="retention.pruned")
    assert told.details == run.cleared

    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    page = client.get(f"/admin/sync/posting/{posting.pk}/change/").content.decode()
    assert "Pruned by the retention policy on" in page
    assert documents[f"S1-{order_id}-I"][2] in page

    reprocess([posting], by="olga", what="again")
    world.work_off()
    posting.refresh_from_db()
    assert posting.status == "posted"
    assert posting.snapshot.hash == content
    assert posting.snapshot.body is not None
    again = read_plan(posting.plan.body)  # of the pruned documents as they are now: without names
    assert again.tie_out.ties
    assert {d.reference for d in again.documents} == set(documents)
    assert len(world.documents("Invoices")) == 1
    assert len(world.documents("IncomingPayments")) == 1
    assert {
        row.reference: (row.hash, row.total, row.erp_number) for row in Document.objects.all()
    } == documents


def test_an_order_that_is_not_finished_keeps_everything(world: World) -> None:
    order_id = world.store.place(hat())
    posting = world.post(order_id)
    Posting.objects.filter(pk=posting.pk).update(status="held", reason_code="erp_differs")
    tenant = Tenant.objects.get()
    Retention.objects.create(tenant=tenant, **SHORT)
    grow_older()
    before = CallBody.objects.get(sha256=sent_body()).token

    run = prune(tenant)

    posting.refresh_from_db()
    assert posting.snapshot.body is not None
    assert posting.plan.body is not None
    assert read_document(Document.objects.get(kind="invoice").body).billing.last_name
    assert CallBody.objects.get(sha256=sent_body()).token == before
    assert not {"snapshots", "plans", "documents", "attempts", "events"} & set(run.cleared)


def sent_body() -> str:
    """The hash of what the invoice's creation sent."""
    posts = AuditEntry.objects.filter(
        action="call.made", details__url__endswith="/Invoices", details__method="POST"
    )
    return posts.values_list("details__sent_sha256", flat=True).get()


def test_the_nightly_task_goes_on_with_what_a_killed_run_left(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.post(world.store.place(hat()))
    tenant = Tenant.objects.get()
    Retention.objects.create(tenant=tenant, **SHORT)
    grow_older()
    left = start_run(tenant)
    assert go_on(left, seconds=-1) is False

    monkeypatch.setattr(tasks.prune, "apply_async", lambda kwargs, **_: tasks.prune(**kwargs))
    tasks.prune_all()

    left.refresh_from_db()
    assert left.finished_at is not None
    assert left.cleared["snapshots"] == 1
    assert RetentionRun.objects.count() == 1
