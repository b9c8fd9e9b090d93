"""History import: orders of a time are wanted a few at once, by rising order number, so that live work hardly notices.

How far it came is written down with what was wanted, in one transaction: a killed turn is taken over where it stood. Importing a time
again wants only what was not read, or changed since. What becomes of an order is the pipeline's business, go-live included.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Now

from audit import correlation
from erp.contract.errors import RemoteError
from erp.contract.money import Money
from storefront import changes
from storefront.client import Row
from storefront.models import Store
from storefront.opening import open_client
from storefront.translation.reading import identifier, moment
from sync import bell, inbox, trail
from sync.models import HistoryImport, ImportState, Mode, Pipeline, Posting, RecordKind, Status

# So many orders wait at once for each call that an ERP company takes in parallel: a live one waits behind no more.
WAITING_FOR_EACH_CALL = 4
TURN = timedelta(minutes=2)


class CannotImport(Exception):
    """Why an import cannot be made or started, and what to do."""


def prepare(store: Store, *, since: datetime, until: datetime, by: str) -> HistoryImport:
    """An import that is ready to be started, with what the store counts.

    :raises CannotImport: no pipeline takes orders of the store, or the time is none
    :raises RemoteError: the store cannot be asked
    """
    if since >= until:
        raise CannotImport("The first moment must be before the second.")
    if not inbox.followers(store, RecordKind.ORDER):
        raise CannotImport(
            f"No pipeline takes orders of {store.name}: switch one on, with its flow for orders."
        )
    with open_client(store, subject=f"store:{store.key}", background=True) as client:
        counted = client.count_orders(
            {
                "min_date_created": changes.iso(since),
                "max_date_created": changes.iso(until - changes.SECOND),
            }
        )
    return HistoryImport.objects.create(
        tenant_id=store.tenant_id,
        store=store,
        since=since,
        until=until,
        by=by,
        store_count=counted,
        correlation_id=correlation.get() or correlation.new(),
    )


def _window(since: datetime, until: datetime) -> dict[str, str]:
    """A little more than the import's time: each order's own is looked at."""
    return {
        "min_date_created": changes.iso(since - changes.SECOND),
        "max_date_created": changes.iso(until),
    }


def what_will_happen(run: HistoryImport) -> list[str]:
    """What each pipeline will do with the orders, in sentences: said before the start."""
    return [_said_of(pipeline, run) for pipeline in inbox.followers(run.store, RecordKind.ORDER)]


def _said_of(pipeline: Pipeline, run: HistoryImport) -> str:
    does = "posts them" if pipeline.mode == Mode.POST else "plans them and posts nothing"
    start = pipeline.start_at
    if start is None:
        return f"{pipeline.name} {does}. It has no go-live: orders of any age count. Set one first if others booked them."
    day = f"{start:%Y-%m-%d %H:%M} UTC"
    if start >= run.until:
        return f"{pipeline.name} went live later, on {day}: all of these orders end in “before go-live” and are not posted."
    if start > run.since:
        return f"{pipeline.name} {does} from its go-live on {day}; earlier ones end in “before go-live” and are not posted."
    return f"{pipeline.name} {does}."


def start(run: HistoryImport, *, by: str) -> None:
    """Start it, or go on after a pause.

    :raises CannotImport: it is over, or another one of the store runs
    """
    allowed = (ImportState.READY, ImportState.PAUSED)
    columns: dict[str, Any] = {"state": ImportState.RUNNING, "last_error": ""}
    if run.started_at is None:
        columns |= {"started_at": Now(), "before": [share.plain() for share in shares(run)]}
    try:
        with transaction.atomic():
            if not HistoryImport.objects.filter(pk=run.pk, state__in=allowed).update(**columns):
                raise CannotImport(f"It is {run.get_state_display().lower()}.")
            trail.history_import(run, by, "started")
    except IntegrityError as error:
        raise CannotImport(
            f"Another import of {run.store.name} runs or is paused. End that one first."
        ) from error


def pause(run: HistoryImport, *, by: str) -> None:
    """Want no more orders until it is started again.

    :raises CannotImport: it does not run
    """
    _move(run, (ImportState.RUNNING,), ImportState.PAUSED, by)


def cancel(run: HistoryImport, *, by: str) -> None:
    """Want no more orders. Those that were wanted already are worked off.

    :raises CannotImport: it is over
    """
    _move(run, (ImportState.READY, ImportState.RUNNING, ImportState.PAUSED), ImportState.CANCELLED, by)


def _move(run: HistoryImport, allowed: Iterable[ImportState], state: ImportState, by: str) -> None:
    columns = {"finished_at": Now()} if state == ImportState.CANCELLED else {}
    with transaction.atomic():
        if not HistoryImport.objects.filter(pk=run.pk, state__in=list(allowed)).update(
            state=state, **columns
        ):
            raise CannotImport(f"It is {run.get_state_display().lower()}.")
        trail.history_import(run, by, str(state))


def advance_all() -> None:
    """One turn of every import that runs."""
    for run in HistoryImport.objects.filter(state=ImportState.RUNNING).select_related("store"):
        advance(run)


def advance(run: HistoryImport) -> None:
    """Want the next few orders, if there is room for them; end it when all are worked off."""
    mine = HistoryImport.objects.filter(pk=run.pk, state=ImportState.RUNNING)
    free = mine.filter(Q(running_until=None) | Q(running_until__lte=Now()))
    if run.store.paused_at or not free.update(running_until=Now() + TURN):
        return
    run.refresh_from_db()
    try:
        with correlation.bind(run.correlation_id):
            _take_turn(run)
        mine.update(last_error="")
    except RemoteError as error:
        mine.update(last_error=error.sentence)
    finally:
        HistoryImport.objects.filter(pk=run.pk).update(running_until=None)


def _take_turn(run: HistoryImport) -> None:
    pipelines = inbox.followers(run.store, RecordKind.ORDER)
    waiting = waiting_of(run.store)
    if run.is_listed:
        if not waiting:
            done = HistoryImport.objects.filter(pk=run.pk, state=ImportState.RUNNING)
            done.update(state=ImportState.DONE, finished_at=Now())
        return
    room = WAITING_FOR_EACH_CALL * min((p.company.parallel_calls for p in pipelines), default=1) - waiting
    if room <= 0:
        return
    subject = f"store:{run.store.key}"
    with open_client(
        run.store, correlation_id=run.correlation_id, subject=subject, background=True
    ) as client:
        for rows in changes.pages_by_id(client, _window(run.since, run.until), after=run.last_id):
            room -= _want(run, pipelines, rows, room)
            if room <= 0:
                return
    HistoryImport.objects.filter(pk=run.pk).update(is_listed=True)


def _want(run: HistoryImport, pipelines: list[Pipeline], rows: list[Row], room: int) -> int:
    """Want as many of a page's orders as there is room for, and note the place, in one transaction; how many were wanted."""
    inside = {identifier(row.get("id")): modified for row in rows if (modified := _modified_inside(row, run))}
    read = _read_as_they_are(pipelines, inside)
    wanted: list[str] = []
    seen, last = 0, run.last_id
    for number in sorted((n for row in rows if (n := identifier(row.get("id"))).isdigit()), key=int):
        if number in inside and number not in read:
            if len(wanted) == room:
                break
            wanted.append(number)
        seen += number in inside
        last = int(number)
    with transaction.atomic():
        for pipeline in pipelines:
            inbox.raise_wanted_versions(
                pipeline, RecordKind.ORDER, wanted, run.correlation_id, in_background=True
            )
        HistoryImport.objects.filter(pk=run.pk).update(
            last_id=last,
            seen=F("seen") + seen,
            known=F("known") + seen - len(wanted),
            running_until=Now() + TURN,
        )
    for company_id in {pipeline.company_id for pipeline in pipelines}:
        bell.ring(company_id)
    return len(wanted)


def _modified_inside(row: Row, run: HistoryImport) -> datetime | None:
    """When an order of the import's time was modified; None for one of another time."""
    placed_at = moment(row.get("date_created"))
    if placed_at is None or not run.since <= placed_at < run.until:
        return None
    return moment(row.get("date_modified")) or placed_at


def _read_as_they_are(pipelines: list[Pipeline], modified: dict[str, datetime]) -> set[str]:
    """Orders that every pipeline has read since they were modified last."""
    postings = Posting.objects.filter(
        pipeline__in=pipelines, record_kind=RecordKind.ORDER, record_id__in=list(modified)
    )
    readings: dict[str, int] = {}
    for number, stamp in postings.values_list("record_id", "record_modified_at"):
        if stamp is not None and stamp >= modified[number]:
            readings[number] = readings.get(number, 0) + 1
    return {number for number, count in readings.items() if count == len(pipelines)}


def waiting_of(store: Store) -> int:
    """How many orders were wanted by imports of the store and still wait to be worked off."""
    return Posting.objects.filter(pipeline__store=store, in_background=True, due_at__isnull=False).count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Orders of an import's time in one status, with their money in one currency."""

    status: str
    orders: int
    money: Money | None

    @property
    def label(self) -> str:
        """The status as people read it."""
        return str(Status(self.status).label)

    def plain(self) -> list[Any]:
        """As the import keeps what there was before: `["posted", 12, "USD", "1204.00"]`."""
        money = self.money
        return [
            self.status,
            self.orders,
            money.currency if money else "",
            f"{money.amount:f}" if money else "",
        ]


def shares(run: HistoryImport) -> list[Share]:
    """The orders of this time that are known here, by status and currency, with their money."""
    rows = (
        Posting.objects.filter(
            tenant=run.tenant_id,
            pipeline__store=run.store_id,
            record_kind=RecordKind.ORDER,
            placed_at__gte=run.since,
            placed_at__lt=run.until,
        )
        .exclude(status=Status.EXCLUDED, reason_code="other_pipeline")
        .values("status", "currency")
        .annotate(orders=Count("id"), amount=Sum("total"))
        .order_by("status", "currency")
    )
    return [
        Share(
            status=row["status"],
            orders=row["orders"],
            money=Money(row["amount"], row["currency"])
            if row["currency"] and row["amount"] is not None
            else None,
        )
        for row in rows
    ]
