"""A lease gives a posting to one worker at a time. Time is the database's, so clocks of workers do not matter.

A fence protects our rows, not the ERP: that is why `check` is the last act before bytes leave, and why a document that was being sent by a
worker that lost its lease is looked up, after a settling time, before anything is sent again.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from erp.models import ErpConnection
from sync.models import Posting

DEFAULT_DEADLINE_SECONDS = 90.0  # of one write, where the ERP company has no setting of its own


# Written out: it is asked four times for each order.
_CHECK = """
UPDATE sync_posting SET lease_until = statement_timestamp() + %s
WHERE id = %s AND lease_fence = %s AND lease_until IS NOT NULL
"""


class LeaseLost(Exception):
    """Another worker has taken the posting over: this one stops without a trace."""


def lease_time(company: ErpConnection) -> timedelta:
    """How long a lease lasts from its last check: a write's whole deadline, and what the ERP may still take to finish it after that.

    However short that deadline: a store and an ERP that are slow to read must not look like a worker that died.
    """
    return _time(float(company.known_settings.get("deadline") or DEFAULT_DEADLINE_SECONDS))


def usual_time() -> timedelta:
    """The lease of a company that has no deadline of its own."""
    return _time(DEFAULT_DEADLINE_SECONDS)


def _time(deadline: float) -> timedelta:
    whole = deadline + settings.TIEOUT_SETTLING_SECONDS
    return timedelta(seconds=max(whole, settings.TIEOUT_SHORTEST_LEASE_SECONDS))


@dataclass(frozen=True, slots=True)
class Lease:
    """One worker's claim on one posting, known by its fencing token; it lasts for `lasting` from its last check."""

    posting_id: int
    fence: int
    lasting: timedelta
    is_probe: bool = False  # the company's breaker let this one through to try

    def check(self) -> None:
        """Prove that the posting is still ours and stay its owner for another whole lease, also when the last one ran out and nobody took it.

        :raises LeaseLost: if it is not
        """
        with connection.cursor() as cursor:
            cursor.execute(_CHECK, [self.lasting, self.posting_id, self.fence])
            if not cursor.rowcount:
                raise LeaseLost(f"posting {self.posting_id} was taken over")

    def stand(self) -> None:
        """Prove, until the end of the transaction, that nobody took the posting over: enough to write to our own rows.

        :raises LeaseLost: if somebody did
        """
        mine = Posting.objects.select_for_update(no_key=True).filter(
            pk=self.posting_id, lease_fence=self.fence
        )
        if not mine.exists():
            raise LeaseLost(f"posting {self.posting_id} was taken over")

    def give_back(self) -> None:
        """End the lease early; nothing happens if it was lost."""
        Posting.objects.filter(pk=self.posting_id, lease_fence=self.fence).update(lease_until=None, crashes=0)


def of_claimed(posting: Posting, *, is_probe: bool = False) -> Lease:
    """The lease of a posting that this transaction has claimed for the usual time; a company's own deadline changes it."""
    lasting = lease_time(posting.company)
    if lasting != usual_time():
        Posting.objects.filter(pk=posting.pk).update(lease_until=Now() + lasting)
    return Lease(posting.pk, posting.lease_fence, lasting, is_probe)


def take(posting: Posting) -> Lease | None:
    """Claim one posting whatever its due date; None if another worker has it."""
    lasting = lease_time(posting.company)
    free = Posting.objects.filter(pk=posting.pk).exclude(lease_until__gt=Now())
    if not free.update(
        lease_fence=F("lease_fence") + 1, lease_until=Now() + lasting, crashes=F("crashes") + 1
    ):
        return None
    posting.refresh_from_db(fields=["lease_fence", "lease_until", "crashes", "wanted_version"])
    return Lease(posting.pk, posting.lease_fence, lasting)
