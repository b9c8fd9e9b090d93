"""Taking a posting: the written-out statements say what the sweeper's queries say, and kept set-up is never stale."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from erp.models import Breaker
from sync import set_up, taking
from sync.models import Mode, Pipeline, Posting
from sync.sweeper import due_postings
from tests.sync.test_lease import due

pytestmark = pytest.mark.django_db

SOON, PAST = Now() + timedelta(minutes=5), Now() - timedelta(minutes=5)


@pytest.mark.parametrize("paused", ["", "company", "store", "pipeline"])
@pytest.mark.parametrize("mode", [Mode.OFF, Mode.PLAN, Mode.POST])
@pytest.mark.parametrize("due_at", [None, SOON, PAST], ids=["nothing to do", "later", "due"])
@pytest.mark.parametrize("lease_until", [None, SOON, PAST], ids=["free", "leased", "lease ran out"])
def test_what_is_taken_is_what_the_sweeper_calls_due(
    pipeline: Pipeline, paused: str, mode: Mode, due_at: object, lease_until: object
) -> None:
    posting = due(pipeline, "1")
    Posting.objects.filter(pk=posting.pk).update(due_at=due_at, lease_until=lease_until)
    Pipeline.objects.filter(pk=pipeline.pk).update(mode=mode)
    if paused:
        row = {"company": pipeline.company, "store": pipeline.store, "pipeline": pipeline}[paused]
        type(row).objects.filter(pk=row.pk).update(paused_at=Now())
    is_due = due_postings().filter(pk=posting.pk).exists()

    assert taking.is_any_due(pipeline.company_id) == is_due
    assert (taking.take_next(pipeline.company_id) is not None) == is_due


def test_a_company_with_all_hands_at_work_still_has_something_due(pipeline: Pipeline) -> None:
    due(pipeline, "1", lease_until=SOON)
    due(pipeline, "2")
    type(pipeline.company).objects.filter(pk=pipeline.company_id).update(parallel_calls=1)

    assert taking.take_next(pipeline.company_id) is None
    assert taking.is_any_due(pipeline.company_id)


def test_a_posting_taken_in_an_outage_beside_the_probe_is_not_taken(pipeline: Pipeline) -> None:

    posting = due(pipeline, "1")
    Breaker.objects.create(
        tenant=pipeline.tenant, connection=pipeline.company, state="open", failures=5, probe_at=SOON
    )

    assert taking.take_next(pipeline.company_id) is None
    posting.refresh_from_db()
    assert (posting.lease_until, posting.lease_fence, posting.crashes) == (None, 0, 0)

    Breaker.objects.update(probe_at=PAST)
    taken = taking.take_next(pipeline.company_id)
    assert taken is not None
    assert taken[1].is_probe


def test_what_lost_a_worker_is_tried_again_one_at_a_time_beside_new_work(pipeline: Pipeline) -> None:
    suspects = [due(pipeline, f"suspect {n}", crashes=1) for n in range(3)]
    Posting.objects.filter(pk__in=[posting.pk for posting in suspects]).update(due_at=PAST)
    fresh = due(pipeline, "fresh")

    taken = [taking.take_next(pipeline.company_id) for _ in range(3)]

    assert [posting and posting[0].pk for posting in taken] == [suspects[0].pk, fresh.pk, None]
    assert taken[0] is not None
    taken[0][1].give_back()  # it was innocent
    Posting.objects.filter(pk=suspects[0].pk).update(due_at=None)
    following = taking.take_next(pipeline.company_id)
    assert following is not None
    assert following[0].pk == suspects[1].pk


@pytest.mark.parametrize("what", ["pipeline", "store", "company", "mapping_set", "tenant"])
def test_a_change_of_the_set_up_counts_from_the_next_posting_on(pipeline: Pipeline, what: str) -> None:
    for record_id in "12":
        due(pipeline, record_id)
    taking.take_next(pipeline.company_id)
    row = pipeline if what == "pipeline" else getattr(pipeline, what)

    type(row).objects.filter(pk=row.pk).update(name="Renamed")

    taken = taking.take_next(pipeline.company_id)
    assert taken is not None
    found = taken[0].pipeline
    found = {"pipeline": found, "tenant": found.store.tenant}.get(what) or getattr(found, what)
    assert found.name == "Renamed"


def test_an_unchanged_set_up_is_not_read_again(pipeline: Pipeline) -> None:
    for record_id in "12":
        due(pipeline, record_id)
    taking.take_next(pipeline.company_id)

    with CaptureQueriesContext(connection) as queries:
        taken = taking.take_next(pipeline.company_id)
        assert taken is not None
        assert taken[0].pipeline.store.tenant.slug == pipeline.tenant.slug
        assert taken[0].company.tenant.slug == pipeline.tenant.slug

    assert [
        query["sql"] for query in queries if 'FROM "' in query["sql"]
    ] == []  # Django put nothing together


def test_what_a_worker_sets_on_its_copy_no_other_sees(pipeline: Pipeline) -> None:
    version = "1/1/1/1/1/1"
    mine, other = (set_up.pipeline_of(pipeline.pk, version) for _ in range(2))

    mine.company.learned, mine.store.name, mine.name = {"x": "y"}, "changed", "changed"

    assert (other.company.learned, other.store.name, other.name) == (
        pipeline.company.learned,
        pipeline.store.name,
        pipeline.name,
    )
