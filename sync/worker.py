"""Taking the next posting of a company and working it off. Everything that can go wrong ends here, by name."""

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from audit import correlation
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


def take_next(company_id: int) -> tuple[Posting, Lease] | None:
    """Lease the longest-due posting of a company, within its limit of parallel work; None if there is none to take.

    A posting whose workers died three times is held as our own bug instead.
    """
    with transaction.atomic():
        # Not the row's key: whoever inserts rows that refer to the company does not wait for us.
        company = ErpConnection.objects.select_for_update(no_key=True).get(pk=company_id)
        if company.paused_at or _at_work(company_id) >= company.parallel_calls:
            return None
        posting = due_postings(company_id).select_for_update(skip_locked=True, of=("self",)).first()
        if posting is None:
            return None
        if posting.crashes >= MOST_CRASHES:
            hold_as_our_bug(posting)
            return take_next(company_id)
        if not breaker.allow(company_id):
            return None
        lease = leases.take(posting)
    return (posting, lease) if lease else None


def due_postings(company_id: int) -> QuerySet[Posting]:
    """What is due for one company, the longest-waiting first."""
    return (
        sweeper.due_postings()
        .filter(company_id=company_id)
        .select_related(
            "pipeline__store__tenant",
            "pipeline__company",
            "pipeline__mapping_set",
            "company__tenant",
        )
        .order_by("due_at")
    )


def _at_work(company_id: int) -> int:
    return Posting.objects.filter(company_id=company_id, lease_until__gt=Now()).count()


def work(posting: Posting, lease: Lease) -> None:
    """Work off one leased posting. A named failure becomes its status; an unnamed one is our bug and propagates."""
    reached(Step.TAKEN)
    with correlation.bind(posting.correlation_id), journey_of(posting) as journey:
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
