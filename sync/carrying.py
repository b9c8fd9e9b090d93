"""Carrying one document into the ERP: intend, look up, send once, bind.

The order of writes is what makes a crash harmless. The intention is a row before anything is sent. *Sending* is written, with the database's
time, as the last act before the bytes leave, together with the proof that the lease is still ours. Whoever finds a document *sending* or
*unknown* looks it up first, and creates it only when the deadline and the settling time of the last send are over. That happens before
anything is planned: a plan is made from what is known, never from a guess.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now

from audit.collecting import step
from audit.redaction import redact_text
from erp import breaker
from erp.contract.adapter import Adapter, Receipt
from erp.contract.documents import (
    AnyDocument,
    DocumentKind,
    MoneyDocument,
    PartnerDocument,
    SalesDocument,
    SettlementDocument,
)
from erp.contract.errors import Misconfigured, OutcomeUnknown, Refused, RemoteError, TryLater
from erp.contract.plan import canonical_json, content_hash
from erp.contract.reading import read_document
from sync import lease as leases
from sync import trail
from sync.desired import PlannedWork, receipt_of
from sync.lease import Lease
from sync.measures import count_attempt
from sync.models import Attempt, Document, DocumentState, Posting, RecordKind, Status
from sync.proof import difference
from sync.steps import Step, reached
from tenants.inserting import insert_new

APPROVAL_WAIT = timedelta(minutes=15)
OUTCOME_OF_ERROR = {
    TryLater: "later",
    OutcomeUnknown: "unknown",
    Refused: "refused",
    Misconfigured: "misconfigured",
}


class Carrier:
    """Carries the documents of one posting under one lease.

    :ivar rows: the posting's own documents, those that were carried included
    :ivar receipts: reference -> the ERP's own keys; grows
    """

    def __init__(self, posting: Posting, erp: Adapter, lease: Lease, rows: Sequence[Document]) -> None:
        self.posting = posting
        self.erp = erp
        self.lease = lease
        self.customer_lease: Lease | None = None
        self.rows = list(rows)
        self.receipts: dict[str, Receipt | None] = {}

    def settle_the_past(self) -> None:
        """Find out what became of every document that was sent without an answer, and of those that people change:
        those whose money differed, and what was applied to invoices.

        :raises RemoteError: one of them may still arrive, waits for approval, or is over other money than ours
        """
        self._remember_receipts()
        for row in self.rows:
            if row.kind == DocumentKind.PARTNER:
                continue
            if row.state in (DocumentState.SENDING, DocumentState.UNKNOWN):
                self._probe(row)
            elif row.state == DocumentState.POSTED and (
                difference(row) or row.kind == DocumentKind.SETTLEMENT
            ):
                self._look_again(row)
        self._remember_receipts()

    def _remember_receipts(self) -> None:
        posted = (row for row in self.rows if row.state == DocumentState.POSTED)
        self.receipts = {row.reference: receipt_of(row) for row in posted}

    def carry(self, document: AnyDocument, work: PlannedWork) -> None:
        """Have the document in the ERP, once.

        :raises RemoteError: it is not there, or we do not know yet; the row says which
        """
        owner = self.posting
        if isinstance(document, PartnerDocument):
            owner = owner_of_partner(document, self.posting, work)
        if owner.pk == self.posting.pk:
            self._carry(document, self.posting, work)
            return
        with self._customer_leased(owner):
            self._carry(document, owner, work)
        brought = Posting.objects.filter(pk=owner.pk, status=Status.NOT_DUE)
        brought.update(status=Status.POSTED, reason="", reason_code="")

    def _carry(self, document: AnyDocument, owner: Posting, work: PlannedWork) -> None:
        with step():
            row, is_new = self._intend(document, owner, work)
            if owner is self.posting:
                self.rows = [*(known for known in self.rows if known.pk != row.pk), row]
            before, row.state = row.state, _looked_up_first(row.state)
            is_done = row.state == DocumentState.POSTED and not self._is_to_be_updated(document, row)
            attempt = None if is_done else self._begin(row, is_first=is_new)
        reached(Step.INTENDED)
        if attempt is None:
            self.receipts[row.reference] = receipt_of(row)
            return
        try:
            receipt = self._bring(document, row, work)
        except RemoteError as error:
            self._fail(row, attempt, before, error)
            raise
        breaker.success(row.company_id)
        self._bind(row, attempt, document, receipt)
        reached(Step.BOUND)
        self._watch_difference(row, receipt)

    def _is_to_be_updated(self, document: AnyDocument, row: Document) -> bool:
        """A partner changes with its customer's own events: an order needs it to exist, and no more."""
        return self.posting.record_kind == RecordKind.CUSTOMER and row.hash != content_hash(document)

    def _probe(self, row: Document) -> None:
        """Bind what arrived; what did not, and cannot any more, was never sent as far as a plan is concerned."""
        document = read_document(row.body)
        before, row.state = row.state, DocumentState.UNKNOWN
        attempt = self._begin(row)
        try:
            found = self._find(document, row)
            if found is None:
                self._refuse_to_race(row)
        except RemoteError as error:
            self._fail(row, attempt, before, error)
            raise
        breaker.success(row.company_id)
        if found:
            self._bind(row, attempt, document, found)
            self._watch_difference(row, found)
        else:
            with step():
                _keep(row, state=DocumentState.INTENDED)
                self._end(row, attempt, "absent")

    def _look_again(self, row: Document) -> None:
        """People correct or cancel a document whose money differs, and take applications back: see what became of it."""
        found = self.erp.look_up(DocumentKind(row.kind), row.erp_number)
        if found is None and self.erp.find(read_document(row.body), self.receipts) is None:
            sentence = f"{row.kind} {row.erp_number} was cancelled in the ERP."
            with step():
                _keep(row, state=DocumentState.CANCELLED)
                trail.document_cancelled(row, self.posting, sentence)
        elif found and found.key == row.erp_key and row.kind != DocumentKind.SETTLEMENT:
            _keep(row, erp_total=found.total, erp_tax=found.tax)

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
        with step():
            _keep(row, state=DocumentState.CANCELLED)
            trail.document_cancelled(row, self.posting, found)
        raise Refused(
            f"{found} It was cancelled there. Compare tax code, item and price list, then reprocess."
        )

    def _bring(self, document: AnyDocument, row: Document, work: PlannedWork) -> Receipt:
        found = self._find(document, row)
        if found and isinstance(document, PartnerDocument):
            return self._update(document, row, found)
        if found:
            return found
        self._refuse_to_race(row)
        reached(Step.LOOKED_UP)
        created = self.erp.create(
            document, facts=work.facts, links=self.receipts, before_sending=lambda: self._sending(row)
        )
        reached(Step.ANSWERED)
        return _agreed(document, created) if created.adopted else created

    def _find(self, document: AnyDocument, row: Document) -> Receipt | None:
        """What the ERP holds under the reference, if its money is ours."""
        found = self.erp.find(document, self.receipts)
        if found and found.is_draft:
            row.is_draft = True
            raise _wait(
                f"{row.kind} {row.reference} waits for approval in the ERP (draft {found.number}).",
                after=APPROVAL_WAIT,
            )
        if found is None and row.is_draft:
            row.is_draft = False
            raise Refused(
                f"The draft of {row.kind} {row.reference} is no longer in the ERP, and no document came of it. "
                "If it was rejected there, exclude this order; Reprocess sends it once more."
            )
        return _agreed(document, found) if found else None

    def _update(self, document: PartnerDocument, row: Document, found: Receipt) -> Receipt:
        if self.posting.record_kind != RecordKind.CUSTOMER:
            return found  # an order needs its customer to exist; changes come with the customer's own events
        return self.erp.update(document, found, before_sending=lambda: self._sending(row))

    def _intend(self, document: AnyDocument, owner: Posting, work: PlannedWork) -> tuple[Document, bool]:
        """The row of the document, and whether it is new."""
        row = Document(
            tenant_id=owner.tenant_id,
            company_id=owner.company_id,
            reference=document.reference,
            posting=owner,
            plan=work.stored,
            kind=document.kind,
            position=work.plan.documents.index(document),
            **_content(document),
        )
        if insert_new(row, unique=("company", "reference")):
            trail.document_intended(row, self.posting)
            return row, True
        row = Document.objects.get(company_id=owner.company_id, reference=document.reference)
        if (
            row.posting_id != owner.pk
            and isinstance(document, PartnerDocument)
            and same_customer(row.posting, owner)
        ):
            raise _wait("Another order of the same customer is being posted.", after=timedelta(seconds=1))
        if row.posting_id != owner.pk:
            raise Refused(
                f"Reference {row.reference} already belongs to {row.posting}. Two stores must not share a key."
            )
        if row.state in (DocumentState.INTENDED, DocumentState.REFUSED):
            # Nothing was sent under this reference: the newest plan is what will be.
            _keep(row, plan=work.stored, **_content(document))
        return row, False

    def _prove_leases(self) -> None:
        self.lease.check()
        if self.customer_lease:
            self.customer_lease.check()

    def _begin(self, row: Document, *, is_first: bool = False) -> Attempt:
        self._prove_leases()
        return Attempt.objects.create(
            tenant_id=row.tenant_id,
            document=row,
            number=1 if is_first else row.attempts.count() + 1,
            fence=self.lease.fence,
            correlation_id=self.posting.correlation_id,
        )

    def _sending(self, row: Document) -> None:
        """The last act before the bytes leave: prove the lease, write down that we are sending."""
        with step():
            self._prove_leases()
            Document.objects.filter(pk=row.pk).update(state=DocumentState.SENDING, sent_at=Now())
            trail.document_sent(row, self.posting)
        row.state = DocumentState.SENDING
        reached(Step.SENDING)

    def _refuse_to_race(self, row: Document) -> None:
        """Nothing was found, but an earlier send may still be under way inside the ERP: wait until it cannot be."""
        if row.state != DocumentState.UNKNOWN or row.sent_at is None:
            return
        since = ExpressionWrapper(
            Now() - F("sent_at"), output_field=DurationField()
        )  # the database's clock only
        left = self.lease.lasting - Document.objects.annotate(since=since).get(pk=row.pk).since
        if left > timedelta(0):
            raise _wait(f"We wait whether {row.kind} {row.reference} still arrives in the ERP.", after=left)

    def _fail(self, row: Document, attempt: Attempt, before: str, error: RemoteError) -> None:
        if isinstance(error, TryLater) and error.code == "draft":  # it was taken, and waits for approval
            row.is_draft, error.side = True, "tieout"
        state = DocumentState.UNKNOWN if row.is_draft else _state_after(before, row.state, error)
        with step():
            (self.customer_lease or self.lease).stand()  # else somebody knows better by now
            _keep(row, state=state, is_draft=row.is_draft)
            self._end(row, attempt, OUTCOME_OF_ERROR[type(error)], error.sentence, error.code)
            trail.document_failed(row, self.posting, error)

    def _bind(self, row: Document, attempt: Attempt, document: AnyDocument, receipt: Receipt) -> None:
        content = _content(document)
        if isinstance(document, PartnerDocument) and receipt.adopted and row.state != DocumentState.SENDING:
            content["hash"] = (
                ""  # found, not written: nobody knows that it says what the customer's record says
            )
        with step():
            _keep(
                row,
                state=DocumentState.POSTED,
                posted_at=Now(),
                erp_key=receipt.key,
                erp_number=receipt.number,
                erp_total=receipt.total,
                erp_tax=receipt.tax,
                adopted=receipt.adopted,
                is_draft=False,
                **{name: value for name, value in content.items() if getattr(row, name) != value},
            )
            self._end(row, attempt, "adopted" if receipt.adopted else "created")
            trail.document_posted(row, self.posting)
        self.receipts[row.reference] = receipt

    def _end(self, row: Document, attempt: Attempt, outcome: str, sentence: str = "", code: str = "") -> None:
        Attempt.objects.filter(pk=attempt.pk).update(
            outcome=outcome, sentence=redact_text(sentence), code=code, finished_at=Now()
        )
        count_attempt(self.posting, row, outcome)

    @contextmanager
    def _customer_leased(self, owner: Posting) -> Iterator[None]:
        """The customer is a unit of work of its own: two orders of one new customer make one partner."""
        lease = leases.take(owner)
        if lease is None:
            raise _wait("Another order of the same customer is being posted.", after=timedelta(seconds=1))
        self.customer_lease = lease
        try:
            yield
        finally:
            self.customer_lease = None
            lease.give_back()


def _keep(row: Document, **columns: object) -> None:
    """Write columns to the row and to what we hold of it, except what the database computes."""
    Document.objects.filter(pk=row.pk).update(**columns)
    for name, value in columns.items():
        if not hasattr(value, "resolve_expression"):
            setattr(row, name, value)


def owner_of_partner(document: PartnerDocument, posting: Posting, work: PlannedWork) -> Posting:
    """The customer's posting that a partner belongs to: the one that made it, whichever pipeline of the store that was."""
    is_customer = posting.record_kind == RecordKind.CUSTOMER
    own = posting if is_customer else customer_posting(posting, work.record.customer.id)
    row = Document.objects.filter(company_id=posting.company_id, reference=document.reference).first()
    return row.posting if row and same_customer(row.posting, own) else own


def same_customer(one: Posting, other: Posting) -> bool:
    """Whether two postings are of one customer of one store, over different pipelines perhaps."""
    kinds = (one.record_kind, other.record_kind)
    return kinds == (RecordKind.CUSTOMER, RecordKind.CUSTOMER) and (one.record_id, one.pipeline.store_id) == (
        other.record_id,
        other.pipeline.store_id,
    )


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
            "status": Status.NOT_DUE,
            "reason": "The business partner is made with the customer's order.",
            "reason_code": "with_order",
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


def _agreed(document: AnyDocument, found: Receipt) -> Receipt:
    """A document with our reference counts as ours only if its money agrees.

    :raises Refused: if it does not
    """
    if isinstance(document, PartnerDocument):
        return found
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
    if isinstance(document, SettlementDocument):
        content |= {"total": document.amount, "settles": document.money}
    if isinstance(document, MoneyDocument):
        content |= {"total": document.amount, "settles": document.settles, "replaces": document.replaces}
    if not isinstance(document, PartnerDocument):
        content |= {"currency": document.currency, "posting_date": document.posting_date}
    return content
