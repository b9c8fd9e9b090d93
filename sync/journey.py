"""The journey of one store record into the ERP. Read `work_off` top to bottom: it is the whole story.

    event -> snapshot -> translate -> plan -> compare -> post what is missing -> bind -> audit

No transaction is open while we wait for a network. What a failure leads to stands in `sync.failures`; who calls this, in `sync.worker`.
"""

from erp.contract.plan import Outcome, Plan
from erp.opening import open_adapter
from sync import trail
from sync.carrying import Carrier
from sync.desired import PlannedWork, plan_for
from sync.fetching import take_snapshot
from sync.finishing import finish, show
from sync.lease import Lease
from sync.models import Document, Mode, Posting, RecordKind
from sync.steps import Step, reached


def work_off(posting: Posting, lease: Lease) -> None:
    """Bring the ERP to what the store says now: fetch, plan, compare, create what is missing.

    :raises erp.contract.errors.RemoteError: what to do next is in its name
    :raises sync.lease.LeaseLost: another worker took over; nothing more may be written here
    """
    version, rows = posting.wanted_version, documents_of(posting)
    # An order of ours may have refunds that its own payload does not tell of ("refunded_amount" is always 0).
    snapshot = take_snapshot(posting, with_refunds=bool(rows))
    reached(Step.SNAPSHOT)
    with open_adapter(
        posting.company, correlation_id=posting.correlation_id, subject=trail.subject(posting)
    ) as erp:
        carrier = Carrier(posting, erp, lease, rows)
        carrier.settle_the_past()
        work = plan_for(posting, snapshot, erp, rows)
        reached(Step.PLANNED)
        show(posting, lease, work)
        reached(Step.SHOWN)
        if is_to_be_posted(posting, work.plan):
            post_what_is_missing(posting, work, carrier)
            reached(Step.CARRIED)
    finish(posting, lease, version, work, carrier.rows)
    reached(Step.FINISHED)


def documents_of(posting: Posting) -> list[Document]:
    """Its documents in their order. What was never leased before has none."""
    return list(posting.documents.order_by("position", "pk")) if posting.lease_fence > 1 else []


def is_to_be_posted(posting: Posting, plan: Plan) -> bool:
    """A pipeline in mode *plan* shows its plans and posts nothing."""
    return plan.outcome is Outcome.READY and posting.pipeline.mode == Mode.POST


def post_what_is_missing(posting: Posting, work: PlannedWork, carrier: Carrier) -> None:
    """Compare is a set difference by reference: a replay finds nothing missing and posts nothing."""
    for document in work.plan.documents:
        if document.reference not in carrier.receipts or posting.record_kind == RecordKind.CUSTOMER:
            carrier.carry(document, work)
