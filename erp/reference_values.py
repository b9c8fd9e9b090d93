"""Reading an ERP's reference values into the database, for the mapping screens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.utils import timezone

from audit.actions import Action
from audit.recording import record
from erp.contract.adapter import Adapter
from erp.contract.adapter import ReferenceValue as Value
from erp.models import ErpConnection, ReferenceValue

BATCH = 500
LONGEST_CODE = 100


def refresh(connection: ErpConnection, adapter: Adapter) -> int:
    """Read every kind the system declares; returns how many values there are now. What the ERP no longer has is removed.

    Each kind replaces its old values only after it was read to its end: a broken read leaves what was known.

    :raises erp.contract.errors.RemoteError: if the ERP could not be read
    """
    started = timezone.now()
    total = 0
    for kind in sorted(connection.spec.reference_kinds):
        count = 0
        for batch in _batches(adapter.reference_values(kind)):
            _keep(connection, batch, timezone.now())
            count += len(batch)
        with transaction.atomic():
            ReferenceValue.objects.filter(connection=connection, kind=kind, read_at__lt=started).delete()
        total += count
    record(
        Action.REFERENCE_VALUES_READ,
        tenant_id=connection.tenant_id,
        subject=f"company:{connection.pk}",
        details={"values": total},
    )
    return total


def _keep(connection: ErpConnection, batch: list[Value], now: datetime) -> None:
    unique = {value.code[:LONGEST_CODE]: value for value in batch}
    ReferenceValue.objects.bulk_create(
        [
            ReferenceValue(
                tenant_id=connection.tenant_id,
                connection=connection,
                kind=value.kind,
                code=code,
                name=value.name.replace("\x00", ""),
                active=value.active,
                barcode=value.barcode[:254],
                details=dict(value.details),
                read_at=now,
            )
            for code, value in sorted(unique.items())
        ],
        update_conflicts=True,
        unique_fields=["connection", "kind", "code"],
        update_fields=["name", "active", "barcode", "details", "read_at"],
    )


def _batches(values: Iterable[Value]) -> Iterator[list[Value]]:
    iterator = iter(values)
    while batch := list(islice(iterator, BATCH)):
        yield batch
