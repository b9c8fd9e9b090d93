"""Taking the next posting of a company and working it off. Everything that can go wrong ends here, by name."""

import structlog
from django.db import transaction
from django.db.models import Count, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from audit import correlation
from audit.collecting import collecting
from erp import breaker
from erp.contract.errors import Misconfigured, Refused, RemoteError
from erp.models import ErpConnection
from sync import lease as leases
from sync import sweeper
from sync.carrying import OUTCOME_OF_ERROR
from sync.failures import MOST_CRASHES
from sync.finishing import fail, hold_as_our_bug
from sync.journey import work_off
from sync.lease import Lease, LeaseLost
from sync.measures import journey_of
from sync.models import Posting
from sync.steps import Step, reached

log = structlog.get_logger(__name__)

# What verifies webhooks: every secret that is read costs its decryption.
_NOT_OF_A_JOURNEY = ("client_secret", "previous_client_secret", "webhook_header_secret")


def take_next(company_id: int) -> tuple[Posting, Lease] | None:
    """Lease the longest-due posting of a company, within its limit of parallel work; None if there is none to take.

    A posting whose workers died three times is held as our own bug instead.
    """
    with transaction.atomic():
        # Not the row's key: whoever inserts rows that refer to the company does not wait for us.
        company = (
            ErpConnection.objects.select_related("breaker")
            .only("paused_at", "parallel_calls", "breaker__state")
            .select_for_update(no_key=True, of=("self",))
            .get(pk=company_id)
        )
        if company.paused_at:
            return None
        posting = _next_due(company)
        if posting is None:
            return None
        if posting.crashes >= MOST_CRASHES:
            hold_as_our_bug(posting)
            return take_next(company_id)
        is_probe = not breaker.is_closed(company)
        if is_probe and not breaker.allow(company_id):
            return None
        return posting, leases.take_locked(posting, is_probe=is_probe)


def due_postings(company_id: int) -> QuerySet[Posting]:
    """What is due for one company, the longest-waiting first."""
    return (
        sweeper.due_postings()
        .filter(company_id=company_id)
        .select_related(
            "pipeline__store__tenant",
            "pipeline__company__tenant",
            "pipeline__mapping_set",
        )
        .defer(*(f"pipeline__store__{secret}" for secret in _NOT_OF_A_JOURNEY))
        .order_by("due_at")
    )


def _next_due(company: ErpConnection) -> Posting | None:
    """The posting that has been due for longest, locked; None if there is none, or as many are at work as may be."""
    at_work = Posting.objects.filter(company_id=company.pk, lease_until__gt=Now()).order_by()
    counted = at_work.values("company_id").annotate(n=Count("*")).values("n")
    posting = (
        due_postings(company.pk)
        .alias(at_work=Coalesce(Subquery(counted), 0))
        .filter(at_work__lt=company.parallel_calls)
        .select_for_update(skip_locked=True, of=("self",))
        .first()
    )
    if posting is not None:
        posting.company = posting.pipeline.company  # a pipeline with postings keeps its company
    return posting


def work(posting: Posting, lease: Lease) -> None:
    """Work off one leased posting. A named failure becomes its status; an unnamed one is our bug and propagates."""
    reached(Step.TAKEN)
    with correlation.bind(posting.correlation_id), collecting(), journey_of(posting) as journey:
        try:
            work_off(posting, lease)
            journey.outcome = "done"
        except RemoteError as error:
            journey.outcome = OUTCOME_OF_ERROR[type(error)]
            _tell_breaker(posting.company_id, error)
            _settle(posting, lease, error)
        except LeaseLost:
            journey.outcome = "lease_lost"
            log.warning("posting.lease_lost", posting=posting.pk)
        finally:
            if lease.is_probe:
                breaker.not_tried(posting.company_id)


def _settle(posting: Posting, lease: Lease, error: RemoteError) -> None:
    try:
        fail(posting, lease, error)
        reached(Step.FAILED)
    except LeaseLost:
        log.warning("posting.lease_lost", posting=posting.pk)


def _tell_breaker(company_id: int, error: RemoteError) -> None:
    """An ERP that does not answer opens the breaker; one that says no is well."""
    if error.side != "erp" or isinstance(error, Misconfigured):
        return
    if isinstance(error, Refused):
        breaker.success(company_id)
    else:
        breaker.failure(company_id)
