"""*Test connection*: what an ERP company can do, tried and kept."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models.functions import Now

from audit.actions import Action
from audit.recording import record
from erp import facts
from erp.contract.adapter import Check
from erp.models import ErpConnection
from erp.opening import open_adapter


def check_connection(connection: ErpConnection) -> Sequence[Check]:
    """Try everything, keep what was learned, and forget cached facts so that the next plan sees the ERP as it is now.

    :raises erp.contract.errors.RemoteError: if not even the first check could be tried
    """
    with open_adapter(connection, subject=f"company:{connection.pk}") as adapter:
        checks = adapter.test_connection()
    _keep(connection, checks)
    facts.forget(connection)
    return checks


def _keep(connection: ErpConnection, checks: Sequence[Check]) -> None:
    learned = {name: value for check in checks for name, value in check.learned.items()}
    shown = [{"name": check.name, "ok": check.ok, "sentence": check.sentence} for check in checks]
    with transaction.atomic():
        row = ErpConnection.objects.select_for_update().get(pk=connection.pk)
        row.learned = {**row.learned, **learned}
        row.local_currency = learned.get("local_currency", row.local_currency)
        row.last_tested_at, row.last_test = Now(), shown
        row.save(update_fields=["learned", "local_currency", "last_tested_at", "last_test"])
        record(
            Action.CONNECTION_TESTED,
            tenant_id=connection.tenant_id,
            subject=f"company:{connection.pk}",
            details={"failed": [check.name for check in checks if check.ok is False]},
        )
    connection.refresh_from_db()


def ping(connection: ErpConnection) -> None:
    """One cheap authenticated read over the shared session.

    :raises erp.contract.errors.RemoteError: the ERP does not answer as it should
    """
    with open_adapter(connection, subject=f"company:{connection.pk}") as adapter:
        adapter.ping()


def disconnect(connection: ErpConnection) -> None:
    """Log out of the ERP: the licence slot is free at once. The next call signs in again."""
    with open_adapter(connection, subject=f"company:{connection.pk}") as adapter:
        adapter.close()
    record(Action.SESSION_CLOSED, tenant_id=connection.tenant_id, subject=f"company:{connection.pk}")
