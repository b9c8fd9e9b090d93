"""What happened to a person, in the audit trail of everybody they work for."""

from __future__ import annotations

from audit import Action
from audit.recording import record
from tenants.models import User


def of_user(action: Action, user: User, *, actor: str | None = None) -> None:
    """One entry for each tenant the person works for, where its administrators see it; else one without."""
    tenant_ids = sorted(set(user.memberships.values_list("tenant_id", flat=True))) or [None]
    for tenant_id in tenant_ids:
        record(action, tenant_id=tenant_id, subject=("user", user.username), actor=actor)
