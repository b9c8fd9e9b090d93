"""The one way into the audit trail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from audit import correlation
from audit.actions import Action
from audit.collecting import keep
from audit.models import AuditEntry
from audit.redaction import redact, storable
from audit.stored_bodies import Body
from audit.subjects import Subject, normalised


def record(
    action: Action,
    *,
    tenant_id: int | None,
    subject: Subject | Iterable[Subject] | None = None,
    correlation_id: str = "",
    actor: str | None = None,
    details: Mapping[str, Any] | None = None,
    bodies: tuple[Body, ...] = (),
) -> AuditEntry:
    """Append one entry, in the caller's transaction; inside `audit.collecting` with the next step.

    :param bodies: what the details name by hash
    """
    made = entry(
        action,
        tenant_id=tenant_id,
        subject=subject,
        correlation_id=correlation_id,
        actor=actor,
        details=details,
    )
    return keep(made, bodies)


def entry(
    action: Action,
    *,
    tenant_id: int | None,
    subject: Subject | Iterable[Subject] | None = None,
    correlation_id: str = "",
    actor: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """An entry that is not written yet.

    :param subject: one subject or several: `order:S1/100234`, or the pair ("order", "S1/100234")
    :param correlation_id: by default the one bound in `audit.correlation`
    :param actor: a sign-in name; by default the one bound; "" is Tieout itself
    :param details: redacted here: neither secrets nor personal data are kept
    """
    return AuditEntry(
        action=Action(action),
        tenant_id=tenant_id,
        subjects=normalised(subject),
        correlation_id=storable(correlation_id or correlation.get())[:64],
        actor=storable(correlation.actor() if actor is None else actor)[:150],
        details=redact(details or {}),
    )
