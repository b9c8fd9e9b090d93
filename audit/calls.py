"""Outward calls in the audit trail: the facts in an entry, the bodies encrypted beside it."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from audit.actions import Action
from audit.encryption import decrypt
from audit.models import AuditEntry, CallBody
from audit.recording import record
from audit.redaction import redact_url
from audit.stored_bodies import Body
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
    bodies = {
        name: Body.of(body, tenant_id) for name, body in (("sent", sent), ("received", received)) if body
    }
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
            "sent_sha256": bodies["sent"].sha256 if sent else "",
            "received_sha256": bodies["received"].sha256 if received else "",
            **(details or {}),
        },
        bodies=tuple(bodies.values()),
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
