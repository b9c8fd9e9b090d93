"""What `sync` writes into the audit trail, in one place: the same subjects and words for the same things.

Subjects make the trail findable: `order:S1/100234`, `reference:S1-100234-I`, `erp:main/invoice/1234`, `event:…`. No personal data in details.
"""

from audit import correlation
from audit.actions import Action
from audit.collecting import keep
from audit.models import AuditEntry
from audit.recording import entry, record
from erp.contract.errors import Misconfigured, OutcomeUnknown, Refused, RemoteError, TryLater
from storefront.models import Store
from sync.models import (
    Certificate,
    Document,
    Erasure,
    Event,
    Flow,
    Gap,
    HistoryImport,
    Posting,
    Reprocess,
    RetentionRun,
    Snapshot,
    StoredPlan,
    StoreFlow,
)

_FAILED = {
    Refused: Action.DOCUMENT_REFUSED,
    OutcomeUnknown: Action.DOCUMENT_UNKNOWN,
    TryLater: Action.DOCUMENT_POSTPONED,
    Misconfigured: Action.DOCUMENT_POSTPONED,
}


def subject(posting: Posting) -> str:
    """The store record as a subject: `order:S1/100234`."""
    return f"{posting.record_kind}:{posting.pipeline.store.key}/{posting.record_id}"


def event_repeated(event: Event, store: Store) -> None:
    keep(entry_of_event(Action.EVENT_REPEATED, event, store))


def snapshot_taken(snapshot: Snapshot, posting: Posting) -> None:
    _note(
        Action.SNAPSHOT_TAKEN,
        posting.tenant_id,
        [subject(posting)],
        posting.correlation_id,
        hash=snapshot.hash,
    )


def plan_made(plan: StoredPlan, posting: Posting) -> None:
    _note(
        Action.PLAN_MADE,
        posting.tenant_id,
        [subject(posting)],
        posting.correlation_id,
        hash=plan.hash,
        outcome=str(plan.outcome),
        snapshot=plan.snapshot.hash,
        mapping=plan.mapping_version,
        settings=plan.settings_version,
        facts=plan.facts_version,
    )


def entry_of_event(action: Action, event: Event, store: Store) -> AuditEntry:
    """The entry of a delivery, for whoever writes it."""
    subjects = [f"event:{event.delivery_key}"]
    if event.record_kind:
        subjects.append(f"{event.record_kind}:{store.key}/{event.record_id}")
    return entry(
        action,
        tenant_id=event.tenant_id,
        subject=subjects,
        correlation_id=event.correlation_id,
        details={"scope": event.scope, "stale": event.is_stale},
    )


def status_changed(posting: Posting, status: str, code: str, sentence: str = "") -> None:
    _note(
        Action.POSTING_STATUS,
        posting.tenant_id,
        [subject(posting)],
        posting.correlation_id,
        status=str(status),
        code=code,
        sentence=sentence,
    )


def document_intended(row: Document, posting: Posting) -> None:
    _of_document(Action.DOCUMENT_INTENDED, row, posting)


def document_sent(row: Document, posting: Posting) -> None:
    _of_document(Action.DOCUMENT_SENT, row, posting)


def document_posted(row: Document, posting: Posting) -> None:
    _of_document(
        Action.DOCUMENT_ADOPTED if row.adopted else Action.DOCUMENT_POSTED,
        row,
        posting,
        number=row.erp_number,
        total=str(row.erp_total if row.erp_total is not None else ""),
        tax=str(row.erp_tax if row.erp_tax is not None else ""),
        currency=row.currency,
    )


def document_failed(row: Document, posting: Posting, error: RemoteError) -> None:
    _of_document(
        _FAILED[type(error)],
        row,
        posting,
        error=type(error).__name__,
        code=error.code,
        sentence=error.sentence,
        request_id=error.request_id,
    )


def document_differs(row: Document, posting: Posting, sentence: str) -> None:
    _of_document(Action.DOCUMENT_DIFFERS, row, posting, sentence=sentence)


def document_cancelled(row: Document, posting: Posting, sentence: str) -> None:
    _of_document(Action.DOCUMENT_CANCELLED, row, posting, sentence=sentence)


def gap_opened(gap: Gap, posting: Posting) -> None:
    _note(
        Action.GAP_OPENED,
        gap.tenant_id,
        [f"gap:{gap.pk}", subject(posting)],
        posting.correlation_id,
        kind=gap.kind,
        key=gap.key,
    )


def gap_closed(gap: Gap) -> None:
    _note(Action.GAP_CLOSED, gap.tenant_id, [f"gap:{gap.pk}"], correlation.get(), kind=gap.kind, key=gap.key)


def gap_ignored(gap: Gap, by: str, why: str) -> None:
    _note(
        Action.GAP_IGNORED,
        gap.tenant_id,
        [f"gap:{gap.pk}"],
        correlation.get(),
        actor=by,
        kind=gap.kind,
        why=why,
    )


def reprocess_asked(run: Reprocess, postings: list[Posting]) -> None:
    for posting in postings:
        _note(
            Action.OPERATOR_REPROCESS,
            posting.tenant_id,
            [subject(posting), f"reprocess:{run.pk}"],
            run.correlation_id,
            actor=run.by,
            what=run.what,
        )


def flow_asked(flow: Flow | StoreFlow, by: str) -> None:
    """A person had a flow run at once."""
    whose = f"store:{flow.store.key}" if isinstance(flow, StoreFlow) else f"pipeline:{flow.pipeline.key}"
    _note(Action.OPERATOR_RUN, flow.tenant_id, [whose], correlation.get(), actor=by, flow=flow.kind)


def check_asked(certificate: Certificate) -> None:
    """A person had a store's orders of some time checked for completeness."""
    _note(
        Action.OPERATOR_RUN,
        certificate.tenant_id,
        [f"store:{certificate.store.key}", f"certificate:{certificate.pk}"],
        correlation.get(),
        actor=certificate.by,
        flow="completeness",
        since=certificate.since.isoformat(),
        until=certificate.until.isoformat(),
    )


def history_import(run: HistoryImport, by: str, what: str) -> None:
    _note(
        Action.HISTORY_IMPORT,
        run.tenant_id,
        [f"store:{run.store.key}", f"import:{run.pk}"],
        run.correlation_id,
        actor=by,
        what=what,
        since=run.since.isoformat(),
        until=run.until.isoformat(),
    )


def excluded(posting: Posting, by: str, why: str) -> None:
    _note(
        Action.OPERATOR_EXCLUDE,
        posting.tenant_id,
        [subject(posting)],
        posting.correlation_id,
        actor=by,
        why=why,
    )


def taken_back(posting: Posting, by: str) -> None:
    _note(Action.OPERATOR_INCLUDE, posting.tenant_id, [subject(posting)], posting.correlation_id, actor=by)


def resolved(row: Document, posting: Posting, by: str) -> None:
    _of_document(Action.OPERATOR_RESOLVE, row, posting, actor=by, number=row.erp_number)


def connection_paused(kind: str, connection: object, error: RemoteError) -> None:
    _note(
        Action.CONNECTION_PAUSED,
        connection.tenant_id,
        [f"{kind}:{connection.key}"],
        correlation.get(),
        code=error.code,
        sentence=error.sentence,
    )


def connection_disconnected(company: object, by: str, why: str) -> None:
    _note(
        Action.CONNECTION_PAUSED,
        company.tenant_id,
        [f"company:{company.key}"],
        correlation.get(),
        actor=by,
        why=why,
    )


def connection_resumed(kind: str, connection: object, by: str) -> None:
    _note(
        Action.CONNECTION_RESUMED,
        connection.tenant_id,
        [f"{kind}:{connection.key}"],
        correlation.get(),
        actor=by,
    )


def pipeline_changed(pipeline: object, by: str, diff: dict[str, object]) -> None:
    _note(
        Action.PIPELINE_CHANGED,
        pipeline.tenant_id,
        [f"pipeline:{pipeline.key}"],
        correlation.get(),
        actor=by,
        **diff,
    )


def retention_ran(run: RetentionRun) -> None:
    """Totals only: what was pruned is named by its age and kind."""
    _note(
        Action.RETENTION_PRUNED,
        run.tenant_id,
        [f"retention:{run.pk}"],
        run.correlation_id,
        actor=run.by,
        **run.cleared,
    )


def erasure(action: Action, row: Erasure, by: str, **counts: object) -> None:
    """An erasure by its number: whom it is about is not in the trail. The orders it touched are."""
    records = [f"{kind}:{row.store.key}/{record_id}" for kind, record_id in row.records]
    _note(action, row.tenant_id, [f"erasure:{row.pk}", *records], row.correlation_id, actor=by, **counts)


def _of_document(
    action: Action, row: Document, posting: Posting, *, actor: str | None = None, **details: object
) -> None:
    subjects = [subject(posting), f"reference:{row.reference}"]
    if row.erp_number:
        subjects.append(f"erp:{posting.company.key}/{row.kind}/{row.erp_number}")
    _note(
        action,
        row.tenant_id,
        subjects,
        posting.correlation_id,
        actor=actor,
        reference=row.reference,
        **details,
    )


def _note(
    action: Action,
    tenant_id: int,
    subjects: list[str],
    correlation_id: str,
    *,
    actor: str | None = None,
    **details: object,
) -> None:
    record(
        action,
        tenant_id=tenant_id,
        subject=subjects,
        correlation_id=correlation_id,
        actor=actor,
        details=details,
    )
