"""What a person may ask of orders: again, never, after all."""

from decimal import Decimal

import pytest

from audit.models import AuditEntry
from sync.models import Pipeline, Posting, ReprocessItem, Status
from sync.reprocess import exclude, progress, reprocess, scope_of, take_back
from tests.sync.rows import make_posting

pytestmark = pytest.mark.django_db


@pytest.fixture
def postings(pipeline: Pipeline) -> list[Posting]:
    amounts = (("250", "USD", "10.50"), ("251", "USD", "2000"), ("252", "EUR", "3"), ("253", "", None))
    return [
        make_posting(
            pipeline, record, currency=currency, total=total and Decimal(total), due_at=None, status="held"
        )
        for record, currency, total in amounts
    ]


def test_what_would_be_touched_is_counted_by_currency(postings: list[Posting]) -> None:
    assert str(scope_of(Posting.objects.all())) == "4 orders (3.00 EUR, 2,010.50 USD)"
    assert str(scope_of(Posting.objects.filter(record_id="253"))) == "1 order"


def test_all_that_was_asked_for_is_due_and_its_progress_is_seen(postings: list[Posting]) -> None:
    run = reprocess(postings, by="olga", what="all")

    assert not Posting.objects.filter(due_at=None).exists()
    assert (progress(run).total, progress(run).done) == (4, 0)
    Posting.objects.filter(record_id="250").update(done_version=2, due_at=None, status=Status.POSTED)
    Posting.objects.filter(record_id="251").update(due_at=None, status=Status.REFUSED)
    now = progress(run)
    assert (now.done, now.posted, now.needs_a_person) == (2, 1, 1)


def test_what_was_posted_before_the_run_is_not_counted_as_posted_by_it(postings: list[Posting]) -> None:
    Posting.objects.update(status=Status.POSTED, done_version=1)
    run = reprocess(postings, by="olga", what="all")
    assert (progress(run).done, progress(run).posted) == (0, 0)


def test_an_excluded_order_in_a_selection_stays_excluded(postings: list[Posting]) -> None:
    exclude(postings[0], by="olga", why="test order")

    run = reprocess(Posting.objects.all(), by="olga", what="all")

    excluded = Posting.objects.get(record_id="250")
    assert (excluded.due_at, excluded.status) == (None, Status.EXCLUDED)
    assert progress(run).done == 1


def test_an_exclusion_needs_a_reason(postings: list[Posting]) -> None:
    with pytest.raises(ValueError, match="Say why"):
        exclude(postings[0], by="olga", why="  ")


def test_taking_back_is_written_down_with_who_did_it(postings: list[Posting]) -> None:
    exclude(postings[0], by="olga", why="test order")
    take_back(Posting.objects.get(record_id="250"), by="arno")

    found = Posting.objects.get(record_id="250")
    assert (found.status, found.due_at is not None, found.excluded_by) == (Status.WAITING, True, "")
    assert AuditEntry.objects.get(action="operator.include").actor == "arno"


def test_nothing_chosen_is_no_run(db: None) -> None:
    with pytest.raises(ValueError, match="Nothing was chosen"):
        reprocess([], by="olga", what="nothing")
    assert not ReprocessItem.objects.exists()
