"""Leases: one worker at a time, on the database's clock, and a stopped worker learns that it was overtaken."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from sync.finishing import hold_as_our_bug
from sync.lease import Lease, LeaseLost, take
from sync.models import Pipeline, Posting, Status
from sync.taking import take_next

pytestmark = pytest.mark.django_db


@pytest.fixture
def posting(pipeline: Pipeline) -> Posting:
    return due(pipeline, "250")


def due(pipeline: Pipeline, record_id: str, **columns: object) -> Posting:
    return Posting.objects.create(
        tenant=pipeline.tenant,
        pipeline=pipeline,
        company=pipeline.company,
        record_kind="order",
        record_id=record_id,
        correlation_id="c" * 32,
        due_at=Now() - timedelta(seconds=1),
        **columns,
    )


def test_a_posting_is_leased_to_one_worker_at_a_time(posting: Posting) -> None:
    assert take(posting) is not None
    assert take(posting) is None


def test_an_overtaken_worker_fails_its_check_and_writes_nothing(posting: Posting) -> None:
    first = take(posting)
    Posting.objects.update(lease_until=Now() - timedelta(seconds=1))
    second = take(posting)
    assert first is not None
    assert second is not None
    assert second.fence == first.fence + 1

    with pytest.raises(LeaseLost):
        first.check()
    second.check()
    first.give_back()
    assert Posting.objects.get().lease_until is not None


def test_a_lease_that_ran_out_and_that_nobody_took_begins_anew(posting: Posting) -> None:
    """A slow store or ERP is no crash: what was read so far is not thrown away."""
    lease = take(posting)
    assert lease
    Posting.objects.update(lease_until=Now() - timedelta(seconds=1))

    lease.check()

    assert take(posting) is None


def test_a_lease_that_ended_does_not_begin_anew(posting: Posting) -> None:
    lease = take(posting)
    assert lease
    Posting.objects.update(lease_until=None)  # held as our own bug, while its worker stood still

    with pytest.raises(LeaseLost):
        lease.check()


def test_a_short_deadline_leaves_time_to_read(posting: Posting, settings: object) -> None:
    settings.TIEOUT_SETTLING_SECONDS = 7  # type: ignore[attr-defined]
    settings.TIEOUT_SHORTEST_LEASE_SECONDS = 90  # type: ignore[attr-defined]

    lease = take(posting)

    assert lease
    assert lease.lasting == timedelta(seconds=90)


def test_a_lease_lasts_for_the_write_deadline_and_the_settling_time(
    posting: Posting, settings: object
) -> None:
    settings.TIEOUT_SETTLING_SECONDS = 7  # type: ignore[attr-defined]
    settings.TIEOUT_SHORTEST_LEASE_SECONDS = 1  # type: ignore[attr-defined]

    lease = take(posting)

    assert isinstance(lease, Lease)
    assert lease.lasting == timedelta(seconds=4 + 7)


def test_no_more_postings_are_taken_than_the_company_works_off_at_once(pipeline: Pipeline) -> None:
    pipeline.company.parallel_calls = 2
    pipeline.company.save()
    for record_id in "123":
        due(pipeline, record_id)

    taken = [take_next(pipeline.company_id) for _ in range(3)]

    assert [t is not None for t in taken] == [True, True, False]


def test_the_longest_waiting_posting_is_taken_first(pipeline: Pipeline) -> None:
    due(pipeline, "young")
    old = due(pipeline, "old")
    Posting.objects.filter(pk=old.pk).update(due_at=Now() - timedelta(hours=1))

    taken = take_next(pipeline.company_id)

    assert taken is not None
    assert taken[0].record_id == "old"


@pytest.mark.parametrize("paused", ["company", "store", "pipeline"])
def test_nothing_is_taken_while_a_person_must_mend_something(
    pipeline: Pipeline, posting: Posting, paused: str
) -> None:
    row = {"company": pipeline.company, "store": pipeline.store, "pipeline": pipeline}[paused]
    type(row).objects.filter(pk=row.pk).update(paused_at=Now())

    assert take_next(pipeline.company_id) is None


def test_three_lost_workers_make_a_posting_our_bug_and_it_blocks_nobody(pipeline: Pipeline) -> None:
    broken = due(pipeline, "broken", crashes=3)
    Posting.objects.filter(pk=broken.pk).update(due_at=Now() - timedelta(hours=1))
    due(pipeline, "next")

    taken = take_next(pipeline.company_id)

    assert taken is not None
    assert taken[0].record_id == "next"
    broken.refresh_from_db()
    assert (broken.status, broken.reason_code, broken.due_at) == (Status.HELD, "our_bug", None)
    assert broken.correlation_id in broken.reason


def test_holding_as_our_bug_can_be_reprocessed(posting: Posting) -> None:
    hold_as_our_bug(posting)
    posting.refresh_from_db()
    assert (posting.crashes, posting.lease_until) == (0, None)
    assert "the process was killed" in posting.reason
    assert "Press Reprocess: nothing is posted twice." in posting.reason
