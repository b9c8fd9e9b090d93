"""Resolve as already in the ERP: a person says the document is there; we look, compare, and bind it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.models.functions import Now

from erp.contract.adapter import Receipt
from erp.contract.errors import Refused
from erp.opening import open_adapter
from sync import lease as leases
from sync import trail
from sync.lease import Lease
from sync.models import Attempt, Document, DocumentState, Posting
from sync.reprocess import reprocess


def resolve(row: Document, *, number: str, by: str) -> Document:
    """Bind the ERP's document with that number to ours, if its money agrees; then the rest of the order goes on.

    :raises Refused: there is no such document, it is over another amount, or it is another order's; or a worker is at it now
    :raises RemoteError: the ERP could not be asked
    """
    posting = row.posting
    with _leased(posting) as lease:
        row.refresh_from_db()
        if row.state == DocumentState.POSTED:
            raise Refused(f"{row} is in {posting.company.name} already.")
        with open_adapter(
            posting.company, correlation_id=posting.correlation_id, subject=trail.subject(posting)
        ) as erp:
            found = erp.look_up(row.kind, number)
        if found is None:
            raise Refused(f"{posting.company.name} has no {row.kind} {number}.")
        _refuse_other_money(row, found, number)
        _refuse_what_is_taken(row, found, number)
        _bind(row, found, lease, number=number, by=by)
    reprocess([posting], by=by, what=f"{posting} after {row.kind} {number} was found")
    return row


@contextmanager
def _leased(posting: Posting) -> Iterator[Lease]:
    """Nobody works on the order while a person binds one of its documents."""
    lease = leases.take(posting)
    if lease is None:
        raise Refused("This order is being worked on right now. Try again in a minute.")
    try:
        yield lease
    finally:
        lease.give_back()


def _refuse_other_money(row: Document, found: Receipt, number: str) -> None:
    differs = found.total is not None and row.total is not None and found.total != row.total
    if differs or (found.currency and row.currency and found.currency != row.currency):
        raise Refused(
            f"{row.kind} {number} is over {found.total} {found.currency}, this order needs {row.total} {row.currency}."
        )


def _refuse_what_is_taken(row: Document, found: Receipt, number: str) -> None:
    """One document of the ERP stands for one of ours."""
    others = Document.objects.filter(
        company=row.company_id, kind=row.kind, erp_key=found.key, state=DocumentState.POSTED
    )
    if other := others.exclude(pk=row.pk).first():
        raise Refused(f"{row.kind} {number} is {other.reference} already, of {other.posting}.")


def _bind(row: Document, found: Receipt, lease: Lease, *, number: str, by: str) -> None:
    with transaction.atomic():
        lease.stand()
        Document.objects.filter(pk=row.pk).update(
            state=DocumentState.POSTED,
            posted_at=Now(),
            erp_key=found.key,
            erp_number=found.number,
            erp_total=found.total,
            erp_tax=found.tax,
            is_draft=False,
            adopted=True,
        )
        row.refresh_from_db()
        Attempt.objects.create(
            tenant_id=row.tenant_id,
            document=row,
            number=row.attempts.count() + 1,
            fence=lease.fence,
            finished_at=Now(),
            outcome="resolved",
            sentence=f"{by} found it in the ERP as {number}.",
            correlation_id=row.posting.correlation_id,
        )
        trail.resolved(row, row.posting, by)
