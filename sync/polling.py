"""One poll of a store for all its pipelines: what webhooks missed is found by what the store says has changed.

Each page is wanted, and the place up to which the store is read is written down, in one transaction: a poll that dies
goes on from its last page. The place is a time of the store's own clock that was seen in the list, never ours.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Greatest, Now
from django.utils import timezone

from audit import correlation
from storefront import changes
from storefront.changes import Changed, Page
from storefront.client import BigCommerceClient
from storefront.models import Store
from storefront.opening import open_client
from sync import bell, inbox
from sync.models import Flow, FlowKind, Pipeline, Posting, RecordKind

# A list may show a change late, and its times have whole seconds: every poll looks back a little further.
OVERLAP = timedelta(minutes=10)
# The store writes whole seconds: a reading within the second of a change may have been before it.
SAME_SECOND = timedelta(seconds=2)
# How long a run may be silent before another one takes over: several pages of a slow store.
RUNNING = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One list of a store. `mark` is the column of the flow that says how far it was read."""

    kind: RecordKind
    mark: str
    pages: Iterator[Page]
    is_of_record: bool = True  # False: the times are those of something beside the record, as of refunds


def poll(store: Store, kind: FlowKind, flows: list[Flow]) -> int:
    """Read what changed in a store since these flows last did, and want it for each of them; how many records.

    :raises RemoteError: the store cannot be read (on); what was read until then is kept
    """
    with open_client(store, correlation_id=correlation.get(), subject=f"store:{store.key}") as client:
        clocks_apart = timezone.now() - client.store_time()
        found: set[str] = set()
        for reading in _readings(client, kind, flows):
            for page in reading.pages:
                take(reading, page, flows, clocks_apart)
                found.update(change.record_id for change in page.changes)
    return len(found)


def _readings(client: BigCommerceClient, kind: FlowKind, flows: list[Flow]) -> Iterator[Reading]:
    if kind == FlowKind.CUSTOMERS:
        pages = changes.of_customers(client, _since(flows, "polled_until"))
        yield Reading(kind=RecordKind.CUSTOMER, mark="polled_until", pages=pages)
        return
    pages = changes.of_orders(client, _since(flows, "polled_until"))
    yield Reading(kind=RecordKind.ORDER, mark="polled_until", pages=pages)
    pages = changes.of_refunds(client, _since(flows, "refunds_until"), now=timezone.now())
    yield Reading(kind=RecordKind.ORDER, mark="refunds_until", pages=pages, is_of_record=False)


def _since(flows: Iterable[Flow], mark: str) -> datetime:
    return min(getattr(flow, mark) or flow.pipeline.start_at or _made_at(flow) for flow in flows) - OVERLAP


def _made_at(flow: Flow) -> datetime:
    """Since when the pipeline could have heard of changes, had it been switched on."""
    first = flow.pipeline.versions.order_by("version").first()
    return first.at if first else timezone.now()


def take(reading: Reading, page: Page, flows: list[Flow], clocks_apart: timedelta) -> None:
    """Have what changed and was not read since read again, and note how far the store is read, in one transaction."""
    with transaction.atomic():
        for flow in flows:
            ids = _not_read_since(flow.pipeline, reading, page.changes, clocks_apart)
            inbox.raise_wanted_versions(flow.pipeline, reading.kind, ids, correlation.get())
        rows = Flow.objects.filter(pk__in=[flow.pk for flow in flows])
        rows.update(running_until=Now() + RUNNING)
        if page.read_until is not None:
            # Two polls may be at it after a crash: the place never goes back.
            place = Greatest(Coalesce(F(reading.mark), page.read_until), page.read_until)
            rows.update(**{reading.mark: place})
    if page.changes:
        for company_id in {flow.pipeline.company_id for flow in flows}:
            bell.ring(company_id)


def _not_read_since(
    pipeline: Pipeline, reading: Reading, changed: Iterable[Changed], clocks_apart: timedelta
) -> list[str]:
    """Records that have no reading of this change, nor one that is about to be made."""
    newest: dict[str, datetime] = {}
    for change in changed:
        newest[change.record_id] = max(change.at, newest.get(change.record_id, change.at))
    postings = Posting.objects.filter(pipeline=pipeline, record_kind=reading.kind, record_id__in=list(newest))
    about_to = Q(wanted_version__gt=F("done_version"), due_at__isnull=False) & (
        Q(lease_until=None) | Q(lease_until__lte=Now())
    )
    coming = set(postings.filter(about_to).values_list("record_id", flat=True))
    read = {
        record_id
        for record_id, read_at, stamp in postings.values_list("record_id", "read_at", "record_modified_at")
        if read_at is not None
        and read_at - clocks_apart >= newest[record_id] + SAME_SECOND
        and (not reading.is_of_record or (stamp is not None and stamp >= newest[record_id]))
    }
    return [record_id for record_id in newest if record_id not in read | coming]
