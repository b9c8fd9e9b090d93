"""The end of a journey: an edit is never lost, an overtaken worker writes over nothing, gaps tell the truth."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models.functions import Now

from erp.contract.documents import DocumentKind
from erp.contract.errors import Misconfigured, OutcomeUnknown, Refused, RemoteError, TryLater
from erp.contract.plan import MissingMapping, Outcome, Plan, PlanVersions
from mappings.changes import set_mapping
from mappings.rules import rules_for
from sync import gaps
from sync.carrying import Carrier
from sync.finishing import fail
from sync.inbox import raise_wanted_versions
from sync.lease import Lease, LeaseLost, take
from sync.models import Attempt, Document, DocumentState, Gap, GapState, Pipeline, Posting, Status
from sync.proof import difference
from sync.reprocess import exclude
from tests.sync.rows import make_document, make_posting

pytestmark = pytest.mark.django_db


@pytest.fixture
def posting(pipeline: Pipeline) -> Posting:
    return make_posting(pipeline, "250")


def leased(posting: Posting) -> Lease:
    lease = take(posting)
    assert lease is not None
    return lease


@pytest.mark.parametrize(
    "error", [Refused("no"), TryLater("later"), OutcomeUnknown("?"), Misconfigured("password")]
)
def test_an_event_that_came_while_the_journey_failed_is_due_at_once(
    posting: Posting, error: RemoteError
) -> None:
    lease = leased(posting)
    raise_wanted_versions(posting.pipeline, "order", ["250"], "d" * 32)

    fail(posting, lease, error)

    assert Posting.objects.filter(due_at__lte=Now()).count() == 1


def test_a_refusal_that_nothing_followed_waits_for_a_person(posting: Posting) -> None:
    fail(posting, leased(posting), Refused("no"))

    found = Posting.objects.get()
    assert (found.status, found.due_at, found.lease_until) == (Status.REFUSED, None, None)


def test_an_overtaken_worker_does_not_write_its_failure_over_what_was_bound(posting: Posting) -> None:
    document = make_document(posting, state=DocumentState.SENDING)
    attempt = Attempt.objects.create(
        tenant=posting.tenant, document=document, number=1, fence=1, correlation_id="c" * 32
    )
    overtaken = leased(posting)
    Posting.objects.update(lease_until=Now() - timedelta(seconds=1))
    leased(posting)
    Document.objects.update(
        state=DocumentState.POSTED, erp_key="7", erp_number="7"
    )  # the other worker adopted it

    with pytest.raises(LeaseLost):
        Carrier(posting, None, overtaken, [document])._fail(
            document, attempt, "sending", OutcomeUnknown("no answer")
        )

    assert Document.objects.get().state == DocumentState.POSTED


def blocked_by(sku: str, version: str) -> Plan:
    missing = MissingMapping(kind="item", key=sku, label=f"SKU {sku}", sentence=f"SKU {sku} has no item.")
    versions = PlanVersions(snapshot="s", mapping=version, settings="1", facts="f")
    return Plan(outcome=Outcome.BLOCKED, gaps=(missing,), versions=versions)


def test_a_mapping_that_came_between_plan_and_gap_is_noticed(posting: Posting) -> None:
    mappings = posting.pipeline.mapping_set
    plan = blocked_by("HAT", rules_for(mappings).version)
    assert not gaps.were_filled_meanwhile(posting, plan)

    set_mapping(mappings, "item", "HAT", "A1", by="arno", why="new")

    assert gaps.were_filled_meanwhile(posting, plan)
    Pipeline.objects.update(release_on_mapping=False)
    assert not gaps.were_filled_meanwhile(Posting.objects.get(), plan)


def test_a_gap_that_only_an_excluded_order_waited_for_is_closed(posting: Posting) -> None:
    gaps.update_blocks(posting, blocked_by("HAT", "1"), None)
    assert Gap.objects.get().state == GapState.OPEN

    exclude(posting, by="olga", why="a test order")

    assert Gap.objects.get().state == GapState.CLOSED


def test_a_gap_stays_open_while_another_order_waits_for_it(posting: Posting) -> None:
    other = make_posting(posting.pipeline, "251")
    for each in (posting, other):
        gaps.update_blocks(each, blocked_by("HAT", "1"), None)

    exclude(posting, by="olga", why="a test order")

    assert Gap.objects.get().state == GapState.OPEN


def test_other_tax_in_the_erp_is_said_with_both_amounts(posting: Posting) -> None:
    row = make_document(
        posting, erp_number="12", total=Decimal("10.83"), tax=Decimal("0.83"), erp_total=Decimal("10.83")
    )
    assert difference(row) == ""  # an ERP that does not say its tax proves nothing wrong
    row.erp_tax = Decimal("0.82")
    assert (
        difference(row) == f"The tax of {DocumentKind.INVOICE} 12 is 0.82 USD in the ERP, planned 0.83 USD."
    )
