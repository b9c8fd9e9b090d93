"""Reading one record from the store, whole, and keeping it as an immutable snapshot."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from audit.collecting import step
from erp.contract.errors import Refused, TryLater
from erp.contract.plan import content_hash
from storefront.opening import open_client
from storefront.translation.reading import moment
from sync import trail
from sync.models import Posting, RecordKind, Snapshot
from sync.steps import Step, reached
from tenants.inserting import insert_new

# A webhook may be quicker than the store's own API: a record that is not there yet is read again for this long.
READABLE_WITHIN = timedelta(hours=1)


def take_snapshot(posting: Posting, *, with_refunds: bool = False) -> Snapshot:
    """The record as the store has it now; one row per content. The posting learns when it was read.

    :param with_refunds: read an order's refunds even if nothing in it tells of one
    :raises TryLater: the store does not answer, or does not know the record yet
    :raises Refused: the store does not know the record an hour after it told us of it
    """
    store = posting.pipeline.store
    posting.read_at = timezone.now()
    with open_client(
        store,
        correlation_id=posting.correlation_id,
        subject=trail.subject(posting),
        background=posting.in_background,
    ) as client:
        if posting.record_kind == RecordKind.ORDER:
            body = client.read_order(posting.record_id, with_refunds=with_refunds)
        else:
            body = client.read_customer(posting.record_id)
    reached(Step.FETCHED)
    if body is None:
        raise _not_there(posting)
    posting.record_modified_at = moment(body[str(posting.record_kind)].get("date_modified"))
    known_by = {
        "store": store,
        "record_kind": posting.record_kind,
        "record_id": posting.record_id,
        "hash": content_hash(body),
    }
    snapshot = Snapshot(**known_by, tenant_id=posting.tenant_id, body=body)
    with step():
        if not insert_new(snapshot, unique=tuple(known_by)):
            snapshot = Snapshot.objects.get(**known_by)
            if snapshot.body is not None:
                return snapshot
            _fill_again(snapshot, body)
        trail.snapshot_taken(snapshot, posting)
    return snapshot


def _fill_again(snapshot: Snapshot, body: dict[str, Any]) -> None:
    """The store still says what was cleared here: the same content, so the same row, kept from now on."""
    snapshot.body, snapshot.taken_at = body, timezone.now()
    snapshot.cleared_at, snapshot.cleared_by = None, ""
    snapshot.save(update_fields=["body", "taken_at", "cleared_at", "cleared_by"])


def _not_there(posting: Posting) -> Refused | TryLater:
    what = f"{posting.get_record_kind_display()} {posting.record_id}"
    if timezone.now() - posting.created_at > READABLE_WITHIN:
        return Refused(
            f"{what} is not in store {posting.pipeline.store.key}. If it was deleted there, exclude it here."
        )
    return TryLater(f"{what} cannot be read from store {posting.pipeline.store.key} yet.")
