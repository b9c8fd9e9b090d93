"""The end of a journey: status, the next due date, and the lease given back, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Case, DateTimeField, F, Value, When
from django.db.models.functions import Now

from audit import waiting
from audit.collecting import step
from audit.redaction import redact_text
from erp.contract.errors import RemoteError
from erp.contract.money import Money
from erp.contract.order import Order
from erp.contract.plan import Outcome, Plan
from sync import gaps, trail
from sync.connections import pause_connection
from sync.desired import PlannedWork
from sync.failures import MOST_CRASHES, decide
from sync.lease import Lease, LeaseLost
from sync.measures import count_status
from sync.models import Document, DocumentState, Mode, Posting, Status
from sync.proof import difference
from sync.statuses import STATUS_OF_OUTCOME

PLAN_ONLY = "plan_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the posting's list row says."""

    status: Status
    reason: str = ""
    code: str = ""


def show(posting: Posting, lease: Lease, work: PlannedWork) -> None:
    """Let people see the newest snapshot, plan and gaps from now on, whatever becomes of it. The lease begins anew.

    :raises LeaseLost: another worker took over
    """
    columns: dict[str, object] = {"snapshot": work.snapshot, "plan": work.stored}
    columns |= {"read_at": posting.read_at, "record_modified_at": posting.record_modified_at}
    if isinstance(work.record, Order):
        columns |= {
            "placed_at": work.record.created_at,
            "currency": work.record.currency,
            "total": work.record.total,
        }
    with step():
        ours = Posting.objects.filter(pk=posting.pk, lease_fence=lease.fence)
        if not ours.update(lease_until=Now() + lease.lasting, **columns):
            raise LeaseLost(f"posting {posting.pk} was taken over")
        gaps.update_blocks(posting, work.plan, _money(work))
        if gaps.were_filled_meanwhile(posting, work.plan):
            ours.update(wanted_version=F("wanted_version") + 1)


def finish(posting: Posting, lease: Lease, version: int, work: PlannedWork, rows: Sequence[Document]) -> None:
    """Mark the version that was fetched as done. If a newer one was wanted meanwhile, the posting is due at once.

    :param rows: the posting's documents as they are now
    :raises LeaseLost: another worker took over; its verdict stands
    """
    verdict = _verdict(posting, work.plan, rows)
    with step():
        _close(
            posting,
            lease,
            verdict,
            done_version=version,
            tries=0,
            due_at=Case(When(wanted_version__gt=version, then=Now()), default=Value(None)),
        )


def fail(posting: Posting, lease: Lease, error: RemoteError) -> None:
    """Write down what the failure leads to. The wanted version stays wanted, and a newer one is due at once.

    :raises LeaseLost: another worker took over; its verdict stands
    """
    decision = decide(error, posting.tries)
    later = (
        waiting.now() + decision.wait
        if decision.wait is not None
        else Value(None, output_field=DateTimeField())
    )
    with step():
        if decision.pauses_connection:
            pause_connection(posting, error)
        _close(
            posting,
            lease,
            Verdict(
                status=decision.status,
                reason=redact_text(error.sentence),
                code=error.code or type(error).__name__,
            ),
            tries=F("tries") + 1,
            due_at=Case(When(wanted_version__gt=posting.wanted_version, then=Now()), default=later),
        )


def hold_as_our_bug(posting: Posting) -> None:
    """A posting whose workers died three times is taken out of the way and shown: our bug, as far as we know.

    A worker that is killed takes down whatever it works on, so the sentence does not blame the order.
    """
    Posting.objects.filter(pk=posting.pk).update(
        status=Status.HELD,
        reason=(
            f"{MOST_CRASHES} times a worker ended while it worked on this: by an error of Tieout, or because the process was "
            "killed (a restart, no memory left). Press Reprocess: nothing is posted twice. If it is held again, send us trace "
            f"{posting.correlation_id}."
        ),
        reason_code="our_bug",
        due_at=None,
        lease_until=None,
        crashes=0,
    )
    trail.status_changed(posting, Status.HELD, "our_bug")
    transaction.on_commit(lambda: count_status(posting, Status.HELD), robust=True)


def _close(posting: Posting, lease: Lease, verdict: Verdict, **columns: object) -> None:
    ours = Posting.objects.filter(pk=posting.pk, lease_fence=lease.fence)
    if not ours.update(
        status=verdict.status,
        reason=verdict.reason,
        reason_code=verdict.code[:60],
        lease_until=None,
        crashes=0,
        changed_at=Now(),
        **columns,
    ):
        raise LeaseLost(f"posting {posting.pk} was taken over")
    transaction.on_commit(lambda: count_status(posting, verdict.status), robust=True)
    if (verdict.status, verdict.reason) != (posting.status, posting.reason):
        trail.status_changed(posting, verdict.status, verdict.code, verdict.reason)


def _verdict(posting: Posting, plan: Plan, rows: Sequence[Document]) -> Verdict:
    if plan.outcome is Outcome.READY and posting.pipeline.mode != Mode.POST:
        return Verdict(
            status=Status.NOT_DUE, reason="Planned. This pipeline does not post yet.", code=PLAN_ONLY
        )
    if plan.outcome is Outcome.READY and (difference := _difference(rows)):
        return Verdict(status=Status.HELD, reason=difference, code="erp_differs")
    if plan.outcome is Outcome.READY and plan.problems:
        return Verdict(status=Status.HELD, reason=plan.problems[0].sentence, code=plan.problems[0].code)
    problem = next(iter(plan.problems), None)
    sentence = problem.sentence if problem else next(iter(plan.notes), "") if not plan.documents else ""
    if plan.gaps:
        sentence = " ".join(gap.sentence or gap.label for gap in plan.gaps).replace(
            "the ERP", posting.company.spec.label
        )
    return Verdict(
        status=STATUS_OF_OUTCOME[plan.outcome], reason=sentence, code=problem.code if problem else ""
    )


def _difference(rows: Sequence[Document]) -> str:
    posted = (row for row in rows if row.state == DocumentState.POSTED)
    found = next(filter(None, map(difference, posted)), "")
    return f"{found} Correct it there, or cancel it there and reprocess." if found else ""


def _money(work: PlannedWork) -> Money | None:
    return Money(work.record.total, work.record.currency) if isinstance(work.record, Order) else None
