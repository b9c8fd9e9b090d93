"""Taking the next posting of a company: who may work on what, decided in one short transaction.

The statements are written out: every worker asks them for every order, and what Django needs to put them together was a
fifth of an order's cost.
"""

from __future__ import annotations

from django.db import connection, transaction

from audit import waiting
from erp import breaker
from erp.models import BreakerState
from sync import lease as leases
from sync import set_up
from sync.failures import MOST_CRASHES
from sync.finishing import hold_as_our_bug
from sync.lease import Lease
from sync.models import Mode, Posting

# Not the row's key: whoever inserts rows that refer to the company does not wait for us.
_LOCK = """
SELECT company.parallel_calls, company.paused_at IS NOT NULL, breaker.state
FROM erp_erpconnection company LEFT JOIN erp_breaker breaker ON breaker.connection_id = company.id
WHERE company.id = %(company)s
FOR NO KEY UPDATE OF company
"""

# What `sweeper.due_postings` says in Django's words; a test compares them.
_DUE = """
FROM sync_posting due
JOIN sync_pipeline pipeline ON pipeline.id = due.pipeline_id
JOIN storefront_store store ON store.id = pipeline.store_id
WHERE due.company_id = %(company)s
AND due.due_at <= statement_timestamp() + make_interval(secs => %(ahead)s)
AND (due.lease_until IS NULL OR due.lease_until <= statement_timestamp())
AND pipeline.paused_at IS NULL AND store.paused_at IS NULL AND pipeline.mode <> %(off)s
"""

_CLAIM = f"""
WITH next AS (
    SELECT due.id, due.pipeline_id {_DUE}
    AND %(parallel)s > (
        SELECT count(*) FROM sync_posting
        WHERE company_id = %(company)s AND lease_until > statement_timestamp()
    )
    AND (due.crashes = 0 OR NOT EXISTS (
        SELECT 1 FROM sync_posting other
        WHERE other.company_id = %(company)s AND other.lease_until > statement_timestamp() AND other.crashes > 1
    ))
    ORDER BY due.due_at LIMIT 1
    FOR UPDATE OF due SKIP LOCKED
)
UPDATE sync_posting taken
SET lease_fence = taken.lease_fence + 1, crashes = taken.crashes + 1, lease_until = statement_timestamp() + %(usual)s
FROM next {set_up.JOINS}
WHERE taken.id = next.id
RETURNING taken.*, {set_up.VERSION} AS set_up_version
"""  # noqa: S608 - put together from constants

_IS_DUE = f"""
SELECT EXISTS (
    SELECT 1 {_DUE} AND EXISTS (SELECT 1 FROM erp_erpconnection WHERE id = %(company)s AND paused_at IS NULL)
)
"""  # noqa: S608 - put together from constants


def take_next(company_id: int) -> tuple[Posting, Lease] | None:
    """Lease the longest-due posting of a company, within its limit of parallel work; None if there is none to take.

    A posting whose workers died three times is held as our own bug instead. Of those that lost a worker, one at a time is taken: what kills
    workers does not take the orders beside it along until they are held too.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, {"company": company_id})
            parallel, is_paused, state = cursor.fetchone()
        posting = None if is_paused else _claim(company_id, parallel)
        if posting is None:
            return None
        if posting.crashes > MOST_CRASHES:
            hold_as_our_bug(posting)
            return take_next(company_id)
        is_probe = state not in (None, BreakerState.CLOSED)
        if is_probe and not breaker.allow(company_id):
            transaction.set_rollback(True)  # it was not taken
            return None
        return posting, leases.of_claimed(posting, is_probe=is_probe)


def is_any_due(company_id: int) -> bool:
    """Whether a company has something to take now, its limit of parallel work aside."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_DUE, _values(company_id))
        return bool(cursor.fetchone()[0])


def _claim(company_id: int, parallel: int) -> Posting | None:
    """The posting that has been due for longest, leased; None if there is none, or as many are at work as may be."""
    values = _values(company_id) | {"parallel": parallel, "usual": leases.usual_time()}
    posting = next(iter(Posting.objects.raw(_CLAIM, values)), None)
    if posting is not None:
        posting.pipeline = set_up.pipeline_of(posting.pipeline_id, posting.set_up_version)
        posting.company = posting.pipeline.company  # a pipeline with postings keeps its company
    return posting


def _values(company_id: int) -> dict[str, object]:
    return {"company": company_id, "ahead": waiting.seconds_ahead(), "off": Mode.OFF.value}
