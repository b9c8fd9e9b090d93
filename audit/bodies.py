"""Clearing the bodies of calls: by age, or because of whom they name. The entry, the hash and the size stay; the row says nothing more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import connection
from django.db.models import F, Func, IntegerField, QuerySet

from audit.actions import Action
from audit.encryption import CLEARING
from audit.models import AuditEntry, CallBody


def kept_bodies(tenant_id: int, *, before: datetime | None = None) -> QuerySet[CallBody]:
    """Bodies of a tenant's calls that are still there, the oldest first.

    :param before: those of calls before that moment only
    """
    length = Func(F("token"), function="octet_length", output_field=IntegerField())
    bodies = CallBody.objects.alias(length=length).filter(tenant_id=tenant_id, length__gt=0)
    return (bodies.filter(at__lt=before) if before else bodies).order_by("at")


def bodies_about(subjects: Iterable[str], *, tenant_id: int, before: datetime | None = None) -> set[str]:
    """The hashes of what was sent and received in calls about one of these subjects."""
    calls = AuditEntry.objects.filter(
        tenant_id=tenant_id, action=Action.CALL_MADE, subjects__overlap=list(subjects)
    )
    if before:
        calls = calls.filter(at__lt=before)
    pairs = calls.values_list("details__sent_sha256", "details__received_sha256")
    return {sha256 for pair in pairs for sha256 in pair if sha256}


def clear_bodies(ids: Iterable[int]) -> int:
    """Empty these bodies, in the caller's transaction. The database lets a body become empty, and nothing else; how many were."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, 'on', true)", [CLEARING])
        cleared = CallBody.objects.filter(pk__in=list(ids)).update(token=b"")
        cursor.execute("SELECT set_config(%s, '', true)", [CLEARING])
    return cleared
