"""Carrying one document into the ERP: intend, look up, send once, bind.

The order of writes is what makes a crash harmless. The intention is a row before anything is sent. *Sending* is written, with the database's
time, as the last act before the bytes leave, together with the proof that the lease is still ours. Whoever finds a document *sending* or
*unknown* looks it up first, and creates it only when the deadline and the settling time of the last send are over.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from erp import breaker
from erp.contract.adapter import Adapter, Receipt
from erp.contract.documents import AnyDocument, DocumentKind, MoneyDocument, PartnerDocument, SalesDocument
from erp.contract.errors import Misconfigured, OutcomeUnknown, Refused, RemoteError, TryLater
from erp.contract.plan import canonical_json, content_hash
from sync import lease as leases
from sync import trail
from sync.desired import PlannedWork, receipt_of
from sync.lease import Lease
from sync.models import Attempt, Document, DocumentState, Posting, RecordKind, Status
from sync.proof import difference

APPROVAL_WAIT = timedelta(minutes=15)
OUTCOME_OF_ERROR = {
    TryLater: "later",
    OutcomeUnknown: "unknown",
    Refused: "refused",
    Misconfigured: "misconfigured",
}


class Carrier:
    """Carries the documents of one posting under one lease. `receipts` grows: reference -> the ERP's own keys."""

    def __init__(self, posting: Posting, work: PlannedWork, erp: Adapter, lease: Lease) -> None:
        self.posting = posting
        self.work = work
        self.erp = erp
        self.lease = lease
        self.receipts = {
            d.reference: receipt_of(d) for d in posting.documents.filter(state=DocumentState.POSTED)
        }

    def carry(self, document: AnyDocument) -> None:
        """Have the document in the ERP, once.

        :raises RemoteError: it is not there, or we do not know yet; the row says which
        """
        if isinstance(document, PartnerDocument) and self.posting.record_kind != RecordKind.CUSTOMER:
            with self._customer_leased() as owner:
                self._carry(document, owner)
        else:
            self._carry(document, self.posting)

    def _carry(self, document: AnyDocument, owner: Posting) -> None:
        row = self._intend(document, owner)
        if row.state == DocumentState.POSTED and row.hash == content_hash(document):
            self.receipts[row.reference] = receipt_of(row)
            return
        before, row.state = row.state, _looked_up_first(row.state)
        attempt = self._begin(row)
        try:
            receipt = self._bring(document, row)
        except RemoteError as error:
            self._fail(row, attempt, before, error)
            raise
        breaker.success(row.company_id)
        self._bind(row, attempt, document, receipt)
        self._watch_difference(row, receipt)

    def _watch_difference(self, row: Document, receipt: Receipt) -> None:
        """Equal totals are planned, and proved here. A difference is told, and cancelled where the pipeline says so.

        :raises Refused: after a cancellation: nothing more of this order is posted until a person has looked
        """
        found = difference(row)
        if not found:
            return
        trail.document_differs(row, self.posting, found)
        if not self.posting.pipeline.cancel_on_difference:
            return
        self.erp.cancel(DocumentKind(row.kind), receipt, before_sending=self.lease.check)
        Document.objects.filter(pk=row.pk).update(state=DocumentState.CANCELLED)
        trail.document_cancelled(row, self.posting, found)
        raise Refused(
            f"{found} It was cancelled there. Compare tax code, item and price list, then reprocess."
        )

    def _bring(self, document: AnyDocument, row: Document) -> Receipt:
        found = self.erp.find(document)
        if found and found.is_draft:
            row.is_draft = True
            raise _wait(
                f"{row.kind} {row.reference} waits for approval in the ERP (draft {found.number}).",
                after=APPROVAL_WAIT,
            )
        if found and isinstance(document, PartnerDocument):
            return self._update(document, row, found)
        if found:
            return _agreed(document, found)
        self._refuse_to_race(row)
        return self.erp.create(
            document,
            facts=self.work.facts,
            links=self.receipts,
            before_sending=lambda: self._sending(row),
        )

    def _update(self, document: PartnerDocument, row: Document, found: Receipt) -> Receipt:
        if self.posting.record_kind != RecordKind.CUSTOMER:
            return found  # an order needs its customer to exist; changes come with the customer's own events
        return self.erp.update(document, found, before_sending=lambda: self._sending(row))

    def _intend(self, document: AnyDocument, owner: Posting) -> Document:
        row, is_new = Document.objects.get_or_create(
            company_id=owner.company_id,
            reference=document.reference,
            defaults={
                "tenant_id": owner.tenant_id,
                "posting": owner,
                "plan": self.work.stored,
                "kind": document.kind,
                "position": self.work.plan.documents.index(document),
                **_content(document),
            },
        )
        if is_new:
            trail.document_intended(row, self.posting)
        elif row.posting_id != owner.pk:
            raise Refused(
                f"Reference {row.reference} already belongs to {row.posting}. Two stores must not share a key."
            )
        elif row.state in (DocumentState.INTENDED, DocumentState.REFUSED):
            # Nothing was sent under this reference: the newest plan is what will be.
            Document.objects.filter(pk=row.pk).update(plan=self.work.stored, **_content(document))
            row.refresh_from_db()
        return row

    def _begin(self, row: Document) -> Attempt:
        return Attempt.objects.create(
            tenant_id=row.tenant_id,
            document=row,
            number=row.attempts.count() + 1,
            fence=self.lease.fence,
            correlation_id=self.posting.correlation_id,
        )

    def _sending(self, row: Document) -> None:
        """The last act before the bytes leave: prove the lease, write down that we are sending."""
        with transaction.atomic():
            self.lease.check()
            Document.objects.filter(pk=row.pk).update(state=DocumentState.SENDING, sent_at=Now())
        row.state = DocumentState.SENDING
        trail.document_sent(row, self.posting)

    def _refuse_to_race(self, row: Document) -> None:
        """Nothing was found, but an earlier send may still be under way inside the ERP: wait until it cannot be."""
        if row.state != DocumentState.UNKNOWN or row.sent_at is None:
            return
        left = row.sent_at + self.lease.lasting - timezone.now()
        if left > timedelta(0):
            raise _wait(f"We wait whether {row.kind} {row.reference} still arrives in the ERP.", after=left)

    def _fail(self, row: Document, attempt: Attempt, before: str, error: RemoteError) -> None:
        Document.objects.filter(pk=row.pk).update(
            state=_state_after(before, row.state, error), is_draft=row.is_draft
        )
        self._end(attempt, OUTCOME_OF_ERROR[type(error)], error.sentence, error.code)
        trail.document_failed(row, self.posting, error)

    def _bind(self, row: Document, attempt: Attempt, document: AnyDocument, receipt: Receipt) -> None:
        Document.objects.filter(pk=row.pk).update(
            state=DocumentState.POSTED,
            posted_at=Now(),
            erp_key=receipt.key,
            erp_number=receipt.number,
            erp_total=receipt.total,
            erp_tax=receipt.tax,
            adopted=receipt.adopted,
            is_draft=False,
            **_content(document),
        )
        row.refresh_from_db()
        self.receipts[row.reference] = receipt
        self._end(attempt, "adopted" if receipt.adopted else "created")
        trail.document_posted(row, self.posting)

    def _end(self, attempt: Attempt, outcome: str, sentence: str = "", code: str = "") -> None:
        Attempt.objects.filter(pk=attempt.pk).update(
            outcome=outcome, sentence=sentence, code=code, finished_at=Now()
        )

    @contextmanager
    def _customer_leased(self) -> Iterator[Posting]:
        """The customer is a unit of work of its own: two orders of one new customer make one partner."""
        owner = customer_posting(self.posting, self.work.record.customer.id)
        lease = leases.take(owner)
        if lease is None:
            raise _wait("Another order of the same customer is being posted.", after=timedelta(seconds=1))
        try:
            yield owner
        finally:
            lease.give_back()


def customer_posting(order: Posting, customer_id: str) -> Posting:
    """The posting that owns the customer's partner in the company this order goes to."""
    owner, _ = Posting.objects.get_or_create(
        pipeline=order.pipeline,
        record_kind=RecordKind.CUSTOMER,
        record_id=customer_id,
        defaults={
            "tenant_id": order.tenant_id,
            "company_id": order.company_id,
            "correlation_id": order.correlation_id,
            "status": Status.POSTED,
            "wanted_version": 0,
        },
    )
    return owner


def _wait(sentence: str, *, after: timedelta) -> TryLater:
    """We wait ourselves; the ERP did nothing wrong and its breaker need not know."""
    error = TryLater(sentence, after=after)
    error.side = "tieout"
    return error


def _looked_up_first(state: str) -> str:
    """A document that was being sent by a worker which is gone may or may not have arrived."""
    return DocumentState.UNKNOWN if state == DocumentState.SENDING else state


def _state_after(before: str, now: str, error: RemoteError) -> str:
    """The state after a failure. Not sent this time: what it was. Sent: what the error says became of it."""
    if now != DocumentState.SENDING:
        return _looked_up_first(before)
    return {Refused: DocumentState.REFUSED, OutcomeUnknown: DocumentState.UNKNOWN}.get(
        type(error), DocumentState.INTENDED
    )


def _agreed(document: SalesDocument | MoneyDocument, found: Receipt) -> Receipt:
    """A document with our reference counts as ours only if its money agrees.

    :raises Refused: if it does not
    """
    wanted = document.total if isinstance(document, SalesDocument) else document.amount
    if found.total is not None and found.total != wanted:
        raise Refused(
            f"The ERP already has {document.kind} {found.number} under reference {document.reference}, over "
            f"{found.total} {found.currency} instead of {wanted} {document.currency}. Cancel it there, or exclude this order."
        )
    return found


def _content(document: AnyDocument) -> dict[str, object]:
    content: dict[str, object] = {"body": canonical_json(document), "hash": content_hash(document)}
    if isinstance(document, SalesDocument):
        content |= {
            "total": document.total,
            "tax": document.tax,
            "corrects": document.corrects,
            "replaces": document.replaces,
        }
    if isinstance(document, MoneyDocument):
        content |= {"total": document.amount, "settles": document.settles, "replaces": document.replaces}
    if not isinstance(document, PartnerDocument):
        content |= {"currency": document.currency, "posting_date": document.posting_date}
    return content
