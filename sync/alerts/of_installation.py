"""What can be wrong with the installation as a whole: background work, sign-ins, the audit trail, keys."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from axes.models import AccessAttempt
from django.db.models import Min, Sum
from django.urls import reverse

from audit.partitions import missing_months
from sync import heartbeats
from sync.alerts.condition import Condition
from sync.alerts.kinds import Kind
from sync.models import AlertDestination
from tenants.rotation import encrypted_columns, verify

SILENT_AFTER = timedelta(minutes=5)  # without a sweep, which beat asks for every ten seconds
MOST_SIGN_IN_FAILURES = 20  # within
SIGN_INS_WITHIN = timedelta(hours=1)
# Columns of rows that people make: few, and read with every call. Payloads are as many as orders and are left out.
CONNECTIONS = ("storefront_store", "erp_erpconnection", AlertDestination._meta.db_table)


def conditions(now: datetime) -> Iterator[Condition]:
    """All of them."""
    yield from _background(now)
    yield from _sign_ins(now)
    yield from _partitions(now)
    yield from _secrets(now)


def _background(now: datetime) -> Iterator[Condition]:
    swept_at = heartbeats.last(heartbeats.SWEEP)
    if now - swept_at < SILENT_AFTER:
        return
    culprit = "No beat runs on this database."
    if heartbeats.last_tick()[0]:
        culprit = "Beat runs, so it is the broker or the workers."
    yield _of_installation(
        Kind.BACKGROUND_SILENT,
        f"Nothing has swept for due work since {swept_at:%Y-%m-%d %H:%M} UTC. {culprit} Webhooks are still taken.",
        swept_at,
        reverse("admin:index"),
    )


def _sign_ins(now: datetime) -> Iterator[Condition]:
    recent = AccessAttempt.objects.filter(attempt_time__gt=now - SIGN_INS_WITHIN)
    found = recent.order_by().aggregate(count=Sum("failures_since_start"), since=Min("attempt_time"))
    if (found["count"] or 0) >= MOST_SIGN_IN_FAILURES:
        yield _of_installation(
            Kind.SIGN_IN_FAILURES,
            f"{found['count']} sign-ins failed within the last hour.",
            found["since"],
            f"{reverse('admin:audit_auditentry_changelist')}?action=user.sign_in_failed",
        )


def _partitions(now: datetime) -> Iterator[Condition]:
    if missing := missing_months(now, ahead=1):
        yield _of_installation(
            Kind.AUDIT_PARTITIONS,
            f"The audit trail has no partition for {', '.join(missing)}.",
            now,
            reverse("admin:audit_auditentry_changelist"),
        )


def _secrets(now: datetime) -> Iterator[Condition]:
    unreadable = []
    for column in encrypted_columns():
        if column.model._meta.db_table in CONNECTIONS:
            what = column.model._meta.verbose_name
            unreadable += [f"{what} {pk}" for pk in verify(column).unreadable]
    if unreadable:
        named = ", ".join(list(dict.fromkeys(unreadable))[:10])
        yield _of_installation(
            Kind.UNREADABLE_SECRET,
            f"Stored secrets cannot be read with the present keys: {named}.",
            now,
            reverse("admin:index"),
        )


def _of_installation(kind: Kind, sentence: str, since: datetime, path: str) -> Condition:
    return Condition(
        kind=kind, subject="installation", tenant_id=None, sentence=sentence, since=since, path=path
    )
