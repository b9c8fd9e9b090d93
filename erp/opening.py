"""Opening an ERP company: the adapter of its system with everything it needs handed in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from django.utils import timezone

from audit.calls import record_call
from audit.measures import count_call
from erp.contract.adapter import Adapter, Opening
from erp.contract.errors import RemoteError
from erp.contract.http import Call, Wire
from erp.models import ErpConnection
from erp.registry import SPECS
from erp.shared_cache import DjangoSharedCache
from erp.transport import session_for


@contextmanager
def open_adapter(
    connection: ErpConnection, *, correlation_id: str = "", subject: str = ""
) -> Iterator[Adapter]:
    """An adapter for this company. Every call it makes is recorded in the audit trail under the correlation id.

    The ERP session outlives it, shared by all workers. Errors that pass through are marked as the ERP's.

    :param subject: whom the calls are for: `order:S1/100234`
    :raises Misconfigured: if the settings cannot be used
    """
    try:
        yield SPECS[connection.system].open(
            opening_of(connection, correlation_id=correlation_id, subject=subject)
        )
    except RemoteError as error:
        error.side = error.side or "erp"
        raise


def opening_of(connection: ErpConnection, *, correlation_id: str = "", subject: str = "") -> Opening:
    """Everything an adapter of this company is opened with."""

    tenant = connection.tenant.slug

    def record(call: Call) -> None:
        count_call(
            side="erp",
            tenant=tenant,
            connection=connection.key,
            method=call.method,
            url=call.url,
            status=call.status,
            seconds=call.seconds,
        )
        record_call(
            **asdict(call),
            tenant_id=connection.tenant_id,
            correlation_id=correlation_id,
            subject=[s for s in (f"company:{connection.pk}", subject) if s],
        )

    credentials = {name: str(value) for name, value in (connection.credentials or {}).items()}
    name = f"company-{connection.pk}"
    wire = Wire(
        session_for(name, connection.settings, credentials), record=record, correlation_id=correlation_id
    )
    return Opening(
        connection=name,
        settings=connection.known_settings,
        credentials=credentials,
        wire=wire,
        cache=DjangoSharedCache("erp"),
        now=timezone.now,
    )
