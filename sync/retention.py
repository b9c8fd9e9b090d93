"""Pruning by policy: what a tenant keeps no longer is cleared or deleted, a few hundred rows at a time.

Whatever an order needs that is not finished stays, however old. References, hashes, money, documents' lines and the trail are never touched,
so what is posted stays explained and is never posted twice. A run is a row: it can be stopped anywhere and goes on where it was, because
what is left to do is what the queries still find.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from audit import correlation
from audit.bodies import bodies_about, clear_bodies, kept_bodies
from audit.models import CallBody
from erp.contract.personal import without_person
from erp.contract.plan import canonical_json
from erp.contract.reading import read_document
from sync import trail
from sync.models import (
    UNFINISHED,
    Alert,
    AlertNotice,
    AlertState,
    Attempt,
    ClearedBy,
    Document,
    DocumentState,
    Event,
    Gap,
    GapState,
    NoticeState,
    Posting,
    Reprocess,
    ReprocessItem,
    Retention,
    RetentionRun,
    Snapshot,
    Status,
    StoredPlan,
)
from tenants.models import Tenant

BATCH = 500
COUNTED_UP_TO = 100_000
_CHANGING = (*UNFINISHED, Status.NOT_DUE)


def unfinished(prefix: str = "") -> Q:
    """Postings that still change: worked on, to be worked on, or waiting for a person."""
    return (
        Q(**{f"{prefix}status__in": _CHANGING})
        | Q(**{f"{prefix}due_at__isnull": False})
        | Q(**{f"{prefix}lease_until__isnull": False})
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of row that is pruned: `due` finds what may go, `prune` does it to some of them in a transaction."""

    name: str
    policy: str  # the field of `Retention`
    label: str
    due: Callable[[int | None, datetime], QuerySet]
    prune: Callable[[list[int]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What the next run would do: counted exactly up to a bound, beyond it `is_more`."""

    label: str
    days: int
    count: int = 0
    is_more: bool = False

    def __str__(self) -> str:
        """`1,204`, or `more than 100,000`."""
        return f"more than {self.count:,}" if self.is_more else f"{self.count:,}"


def policy_of(tenant_id: int) -> Retention:
    """A tenant's policy; the defaults as long as nobody has chosen."""
    return Retention.objects.filter(tenant_id=tenant_id).first() or Retention(tenant_id=tenant_id)


def preview(policy: Retention, now: datetime | None = None) -> list[Due]:
    """What the next run of this policy, saved or not, would clear."""
    return [_due(kind, policy, now or timezone.now()) for kind in KINDS]


def _due(kind: Kind, policy: Retention, now: datetime) -> Due:
    days = getattr(policy, kind.policy)
    if not days:
        return Due(label=kind.label, days=0)
    rows = kind.due(policy.tenant_id, now - timedelta(days=days))
    count = rows.order_by().values("pk")[: COUNTED_UP_TO + 1].count()
    return Due(label=kind.label, days=days, count=min(count, COUNTED_UP_TO), is_more=count > COUNTED_UP_TO)


def start_run(tenant: Tenant, *, by: str = "") -> RetentionRun:
    """The tenant's run that is under way, or a new one: there is never more than one."""
    run, _ = RetentionRun.objects.get_or_create(
        tenant=tenant,
        finished_at=None,
        defaults={"by": by, "correlation_id": correlation.get() or correlation.new()},
    )
    return run


def go_on(run: RetentionRun, *, seconds: float) -> bool:
    """Prune for so long; whether everything is done. Two at once do no harm: rows that somebody has are passed over."""
    policy, ends = policy_of(run.tenant_id), monotonic() + seconds
    for kind in KINDS:
        days = getattr(policy, kind.policy)
        if days and not _prune_all(run, kind, timezone.now() - timedelta(days=days), ends):
            return False
    _finish(run)
    return True


def _prune_all(run: RetentionRun, kind: Kind, before: datetime, ends: float) -> bool:
    rows = kind.due(run.tenant_id, before)
    while True:
        if monotonic() > ends:
            return False
        with transaction.atomic():
            free = rows.select_for_update(skip_locked=True, of=("self",))
            ids = list(free.values_list("pk", flat=True)[:BATCH])
            kind.prune(ids)
            _count(run, kind.name, len(ids))
        if len(ids) < BATCH:
            return True


def prune_of_installation() -> None:
    """Alerts of the installation and their messages: no tenant's policy is theirs, the default is."""
    before = timezone.now() - timedelta(days=Retention().closed)
    for kind in OF_ALERTS:
        while ids := list(kind.due(None, before).values_list("pk", flat=True)[:BATCH]):
            kind.prune(ids)


def _count(run: RetentionRun, name: str, more: int) -> None:
    if more:
        row = RetentionRun.objects.select_for_update().get(pk=run.pk)
        row.cleared[name] = row.cleared.get(name, 0) + more
        row.save(update_fields=["cleared"])


def _finish(run: RetentionRun) -> None:
    with transaction.atomic():
        row = RetentionRun.objects.select_for_update().get(pk=run.pk)
        if row.finished_at is None:
            RetentionRun.objects.filter(pk=run.pk).update(finished_at=timezone.now())
            trail.retention_ran(row)


# --- what is due -------------------------------------------------------------------------------------------------------


def _due_snapshots(tenant_id: int, before: datetime) -> QuerySet[Snapshot]:
    return _not_needed(
        Snapshot.objects.filter(tenant_id=tenant_id, body__isnull=False, taken_at__lt=before).order_by(
            "taken_at"
        )
    )


def _due_plans(tenant_id: int, before: datetime) -> QuerySet[StoredPlan]:
    old = StoredPlan.objects.filter(tenant_id=tenant_id, body__isnull=False, made_at__lt=before)
    return old.exclude(_unfinished("posting_id")).order_by("made_at")


def _due_documents(tenant_id: int, before: datetime) -> QuerySet[Document]:
    in_the_erp = (DocumentState.POSTED, DocumentState.CANCELLED)
    old = Document.objects.filter(
        tenant_id=tenant_id, cleared_at=None, state__in=in_the_erp, posted_at__lt=before
    )
    return old.exclude(_unfinished("posting_id")).order_by("posted_at")


def _due_attempts(tenant_id: int, before: datetime) -> QuerySet[Attempt]:
    old = Attempt.objects.filter(tenant_id=tenant_id, cleared_at=None, started_at__lt=before)
    return old.exclude(_unfinished("document__posting_id")).order_by("started_at")


def _due_events(tenant_id: int, before: datetime) -> QuerySet[Event]:
    return _not_needed(
        Event.objects.filter(tenant_id=tenant_id, received_at__lt=before).order_by("received_at")
    )


def _due_gaps(tenant_id: int, before: datetime) -> QuerySet[Gap]:
    closed = Gap.objects.filter(tenant_id=tenant_id, state=GapState.CLOSED, closed_at__lt=before)
    return closed.filter(blocks=None).order_by("pk")


def _due_runs(tenant_id: int, before: datetime) -> QuerySet[Reprocess]:
    waits = ReprocessItem.objects.filter(unfinished("posting__"), run=OuterRef("pk"))
    return Reprocess.objects.filter(~Exists(waits), tenant_id=tenant_id, started_at__lt=before).order_by("pk")


def _due_messages(tenant_id: int | None, before: datetime) -> QuerySet[AlertNotice]:
    """What still waits to be sent stays."""
    done = AlertNotice.objects.filter(
        tenant_id=tenant_id, state__in=(NoticeState.SENT, NoticeState.DEAD), made_at__lt=before
    )
    return done.order_by("pk")


def _due_alerts(tenant_id: int | None, before: datetime) -> QuerySet[Alert]:
    over = Alert.objects.filter(tenant_id=tenant_id, state=AlertState.CLEARED, cleared_at__lt=before)
    return over.order_by("pk")


def _due_items(tenant_id: int, before: datetime) -> QuerySet[ReprocessItem]:
    return ReprocessItem.objects.filter(run__in=_due_runs(tenant_id, before).order_by()).order_by("pk")


def _unfinished(posting_id: str) -> Exists:
    return Exists(Posting.objects.filter(unfinished(), pk=OuterRef(posting_id)))


def _not_needed(rows: QuerySet) -> QuerySet:
    """Of records of the store: without those of a record that some pipeline has not finished."""
    postings = Posting.objects.filter(
        unfinished(),
        pipeline__store=OuterRef("store_id"),
        record_kind=OuterRef("record_kind"),
        record_id=OuterRef("record_id"),
    )
    return rows.exclude(Exists(postings))


def _due_calls(tenant_id: int, before: datetime) -> QuerySet[CallBody]:
    """All but those of orders that are not finished."""
    open_postings = Posting.objects.filter(unfinished(), tenant_id=tenant_id, created_at__lt=before)
    subjects = [trail.subject(row) for row in open_postings.select_related("pipeline__store")]
    needed = bodies_about(subjects, tenant_id=tenant_id, before=before) if subjects else set()
    return kept_bodies(tenant_id, before=before).exclude(sha256__in=needed)


# --- how it goes -------------------------------------------------------------------------------------------------------


def by_policy() -> dict[str, object]:
    """What the columns of a cleared row say."""
    return {"cleared_at": timezone.now(), "cleared_by": ClearedBy.POLICY}


def _clear_snapshots(ids: list[int]) -> None:
    Snapshot.objects.filter(pk__in=ids).update(body=None, **by_policy())


def _clear_plans(ids: list[int]) -> None:
    StoredPlan.objects.filter(pk__in=ids).update(body=None, **by_policy())


def _clear_documents(ids: list[int]) -> None:
    clear_persons(Document.objects.filter(pk__in=ids), **by_policy())


def clear_persons(documents: QuerySet[Document], **columns: object) -> None:
    """Take names and addresses out of documents' bodies. What they say of money, lines and accounts stays."""
    for row in documents.only("body"):
        body = canonical_json(without_person(read_document(row.body)))
        Document.objects.filter(pk=row.pk).update(body=body, **columns)


def _clear_attempts(ids: list[int]) -> None:
    Attempt.objects.filter(pk__in=ids).update(request="", answer="", sentence="", **by_policy())


def _delete(model: type[Model]) -> Callable[[list[int]], None]:
    return lambda ids: model.objects.filter(pk__in=ids).delete()


OF_ALERTS = (
    Kind(
        name="messages",
        policy="closed",
        label="Messages of alerts",
        due=_due_messages,
        prune=_delete(AlertNotice),
    ),
    Kind(name="alerts", policy="closed", label="Alerts that are over", due=_due_alerts, prune=_delete(Alert)),
)
KINDS = (
    Kind(name="snapshots", policy="snapshots", label="Snapshots", due=_due_snapshots, prune=_clear_snapshots),
    Kind(name="plans", policy="plans", label="Plans", due=_due_plans, prune=_clear_plans),
    Kind(
        name="documents",
        policy="plans",
        label="Names and addresses in documents",
        due=_due_documents,
        prune=_clear_documents,
    ),
    Kind(
        name="attempts",
        policy="attempts",
        label="What attempts sent and heard",
        due=_due_attempts,
        prune=_clear_attempts,
    ),
    Kind(name="calls", policy="calls", label="Bodies of calls", due=_due_calls, prune=clear_bodies),
    Kind(name="events", policy="events", label="Events of the stores", due=_due_events, prune=_delete(Event)),
    Kind(name="gaps", policy="closed", label="Closed gaps", due=_due_gaps, prune=_delete(Gap)),
    Kind(
        name="items",
        policy="closed",
        label="Orders of reprocess runs",
        due=_due_items,
        prune=_delete(ReprocessItem),
    ),
    Kind(name="runs", policy="closed", label="Reprocess runs", due=_due_runs, prune=_delete(Reprocess)),
    *OF_ALERTS,
)
