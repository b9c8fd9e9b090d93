"""Pausing and resuming what a person must mend: a store or an ERP company whose credentials or set-up are wrong."""

from django.db import transaction
from django.db.models.functions import Now

from audit.redaction import redact_text
from erp.contract.errors import RemoteError
from erp.models import ErpConnection
from erp.testing_connection import disconnect as end_session
from storefront.models import Store
from sync import bell, trail
from sync.models import Pipeline, Posting


def pause_connection(posting: Posting, error: RemoteError) -> None:
    """Stop using the connection that failed, once, with the sentence a person needs; everything else goes on."""
    pause(posting.pipeline.store if error.side == "store" else posting.company, error)


def pause(connection: Store | ErpConnection, error: RemoteError) -> None:
    """Stop using a connection, once, with the sentence a person needs."""
    kind = "store" if isinstance(connection, Store) else "company"
    paused = type(connection).objects.filter(pk=connection.pk, paused_at=None)
    if paused.update(paused_at=Now(), pause_reason=redact_text(error.sentence)):
        trail.connection_paused(kind, connection, error)


def disconnect(company: ErpConnection, *, by: str, why: str) -> None:
    """A person takes an ERP company out of use: nothing is sent until Resume, and its session ends, so a licence is free.

    :raises RemoteError: the company is paused, the ERP could not be told to end the session
    """
    ErpConnection.objects.filter(pk=company.pk, paused_at=None).update(paused_at=Now(), pause_reason=why)
    trail.connection_disconnected(company, by, why)
    end_session(company)


def resume_connection(connection: Store | ErpConnection, *, by: str) -> None:
    """Use the connection again; what waited for it is due at once."""
    kind = "store" if isinstance(connection, Store) else "company"
    type(connection).objects.filter(pk=connection.pk).update(paused_at=None, pause_reason="")
    trail.connection_resumed(kind, connection, by)
    for company_id in (
        Pipeline.objects.filter(**{kind: connection}).values_list("company_id", flat=True).distinct()
    ):
        transaction.on_commit(lambda company_id=company_id: bell.ring(company_id), robust=True)
