"""Working off one posting that was taken. Everything that can go wrong ends here, by name."""

import structlog

from audit import correlation
from audit.collecting import collecting
from erp import breaker
from erp.contract.errors import Misconfigured, Refused, RemoteError
from sync.carrying import OUTCOME_OF_ERROR
from sync.finishing import fail
from sync.journey import work_off
from sync.lease import Lease, LeaseLost
from sync.measures import journey_of
from sync.models import Posting
from sync.steps import Step, reached

log = structlog.get_logger(__name__)


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
