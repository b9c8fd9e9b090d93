"""Outward calls in the audit trail: the facts in an entry, the bodies encrypted beside it."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection, transaction

from audit.actions import Action
from audit.encryption import decrypt, encrypt
from audit.models import AuditEntry, CallBody
from audit.recording import record
from audit.redaction import redact_body, redact_url
from audit.subjects import Subject


class BodyAltered(Exception):
    """A stored body is not what its hash says."""


def record_call(
    *,
    method: str,
    url: str,
    status: int | None,
    seconds: float,
    sent: bytes,
    received: bytes,
    error: str = "",
    tenant_id: int | None,
    correlation_id: str = "",
    subject: Subject | Iterable[Subject] | None = None,
    details: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Append the entry of one call.

    :param status: None if no answer came
    :param seconds: how long it took
    :param error: the class of the error, "" for an answer
    :return: the entry; its details name both bodies by SHA-256 ("" for an empty one)
    """
    with transaction.atomic():
        return record(
            Action.CALL_MADE,
            tenant_id=tenant_id,
            subject=subject,
            correlation_id=correlation_id,
            details={
                "method": method,
                "url": redact_url(url),
                "status": status,
                "milliseconds": round(seconds * 1000),
                "error": error,
                "sent_sha256": _store(sent, tenant_id),
                "received_sha256": _store(received, tenant_id),
                **(details or {}),
            },
        )


def body_of(sha256: str, *, tenant_id: int | None) -> bytes | None:
    """A stored body, or None if it is not there (any more): detached with its month, pruned, or erased.

    :raises audit.encryption.WrongKey: if no key of this process made its token
    :raises BodyAltered: if it is not what the hash says
    """
    stored = CallBody.objects.filter(sha256=sha256, tenant_id=tenant_id).order_by("-id").first()
    if stored is None or not stored.token:
        return None
    body = zlib.decompress(decrypt(bytes(stored.token)))
    if hashlib.sha256(body).hexdigest() != sha256:
        raise BodyAltered(f"The stored body {sha256} was altered.")
    return body


def _store(body: bytes, tenant_id: int | None) -> str:
    """Keep a body unless this month already has it; its hash."""
    if not body:
        return ""
    body = redact_body(body)
    sha256 = hashlib.sha256(body).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(_IS_STORED, [sha256, tenant_id])
        if cursor.fetchone() is None:
            token = encrypt(zlib.compress(body))
            CallBody.objects.create(tenant_id=tenant_id, sha256=sha256, size=len(body), token=token)
    return sha256


# Per month, so that detaching a month's partition takes no body away that a later month refers to.
_IS_STORED = """
SELECT 1 FROM audit_callbody
WHERE sha256 = %s AND tenant_id IS NOT DISTINCT FROM %s
  AND at >= date_trunc('month', statement_timestamp(), 'UTC') AND octet_length(token) > 0 LIMIT 1
"""
