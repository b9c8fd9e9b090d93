"""Resolve as already in the ERP: a person says the document is there; we look, compare, and bind it."""

from django.db.models.functions import Now

from erp.contract.errors import Refused
from erp.opening import open_adapter
from sync import trail
from sync.models import Attempt, Document, DocumentState
from sync.reprocess import reprocess


def resolve(row: Document, *, number: str, by: str) -> Document:
    """Bind the ERP's document with that number to ours, if its money agrees; then the rest of the order goes on.

    :raises Refused: there is no such document, or it is over another amount
    :raises RemoteError: the ERP could not be asked
    """
    posting = row.posting
    with open_adapter(
        posting.company, correlation_id=posting.correlation_id, subject=trail.subject(posting)
    ) as erp:
        found = erp.look_up(row.kind, number)
    if found is None:
        raise Refused(f"{posting.company.name} has no {row.kind} {number}.")
    if found.total is not None and row.total is not None and found.total != row.total:
        raise Refused(
            f"{row.kind} {number} is over {found.total} {found.currency}, this order needs {row.total} {row.currency}."
        )
    Document.objects.filter(pk=row.pk).update(
        state=DocumentState.POSTED,
        posted_at=Now(),
        erp_key=found.key,
        erp_number=found.number,
        erp_total=found.total,
        erp_tax=found.tax,
        adopted=True,
    )
    row.refresh_from_db()
    Attempt.objects.create(
        tenant_id=row.tenant_id,
        document=row,
        number=row.attempts.count() + 1,
        fence=posting.lease_fence,
        finished_at=Now(),
        outcome="resolved",
        sentence=f"{by} found it in the ERP as {number}.",
        correlation_id=posting.correlation_id,
    )
    trail.resolved(row, posting, by)
    reprocess([posting], by=by, what=f"{posting} after {row.kind} {number} was found")
    return row
