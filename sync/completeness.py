"""The completeness pass: every order of a store, in a window, is accounted for in exactly one status, or we say which is not.

The store's list is read by rising order number, which nothing can shift, and kept as lines. Everything else is set
operations of the database on lines and postings. What is missing is wanted like a webhook's, and looked at again until it is
accounted for. Numbers that the list leaves out (archived orders, maybe) are asked for one by one.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import BigIntegerField, Count, F, Q, QuerySet, Sum
from django.db.models.functions import Cast, Now
from django.utils import timezone

from audit import correlation
from erp.contract.errors import RemoteError
from erp.contract.money import Money, parse_amount
from storefront import changes
from storefront.client import BigCommerceClient, Row
from storefront.models import Store
from storefront.opening import open_client
from storefront.translation.reading import identifier, moment, text
from sync import bell, inbox
from sync.models import (
    Certificate,
    CertificateLine,
    CertificateState,
    Finding,
    Flow,
    FlowKind,
    Mode,
    Pipeline,
    Posting,
    RecordKind,
)

NIGHTLY_WINDOW = timedelta(days=7)
# What was placed a moment ago may still be on its way here.
ON_ITS_WAY = timedelta(minutes=15)
MOST_PROBED = 200
LINES_KEPT = timedelta(days=35)
UNSETTLED = (Finding.MISSING, Finding.STALE, Finding.COMING, Finding.DOUBLED)
BATCH = 1000
SILENT = timedelta(minutes=10)  # a worker that has kept no page for so long is taken for dead


class NothingToCheck(Exception):
    """No pipeline is responsible for orders of the store in the window; the text says so."""


def begin(
    store: Store, *, since: datetime | None = None, until: datetime | None = None, by: str = ""
) -> Certificate:
    """A certificate to fill: an unfinished one of the same kind goes on, otherwise a new one.

    Without a window, the last week, and no earlier than the store's pipelines are responsible.

    :raises NothingToCheck: no pipeline takes orders of the store, or the window is empty
    """
    responsible_since = _responsible_since(store)
    nightly = since is None
    until = until or timezone.now() - ON_ITS_WAY
    since = since or max(until - NIGHTLY_WINDOW, responsible_since)
    if since >= until:
        raise NothingToCheck(f"There is no order of {store.name} to check yet.")
    unfinished = Certificate.objects.filter(store=store, state=CertificateState.LISTING)
    unfinished = unfinished.filter(by="") if nightly else unfinished.filter(since=since, until=until)
    return unfinished.first() or Certificate.objects.create(
        tenant_id=store.tenant_id,
        store=store,
        since=since,
        until=until,
        by=by,
        responsible_since=responsible_since,
    )


def _responsible_since(store: Store) -> datetime:
    followers = Pipeline.objects.filter(
        store=store, flows__in=Flow.objects.filter(kind=FlowKind.ORDERS, enabled=True)
    ).exclude(mode=Mode.OFF)
    begun = [p.start_at or _made_at(p) for p in followers]
    if not begun:
        raise NothingToCheck(f"No pipeline takes orders of {store.name}.")
    return min(begun)


def _made_at(pipeline: Pipeline) -> datetime:
    first = pipeline.versions.order_by("version").first()
    return first.at if first else timezone.now()


def fill(certificate: Certificate) -> bool:
    """List the store's orders, ask for the numbers that the list leaves out, compare, and have what is missing read.

    False if there is nothing to list, or another worker does it now.

    :raises RemoteError: the store cannot be read (on): the certificate goes on from its last page
    """
    if not _unattended().filter(pk=certificate.pk).update(running_until=Now() + SILENT):
        return False
    certificate.refresh_from_db()
    mine = Certificate.objects.filter(pk=certificate.pk)
    try:
        _list_and_compare(certificate)
    except RemoteError as error:
        mine.update(last_error=error.sentence)
        raise
    finally:
        mine.update(running_until=None)
    mine.update(last_error="")
    return True


def left_behind() -> list[int]:
    """Certificates that people asked for and whose listing nobody goes on with; the nightly ones have their flow."""
    return list(
        _unattended().exclude(by="").filter(store__paused_at=None).order_by("pk").values_list("pk", flat=True)
    )


def _unattended() -> QuerySet[Certificate]:
    silent = Q(running_until=None) | Q(running_until__lte=Now())
    return Certificate.objects.filter(silent, state=CertificateState.LISTING)


def _list_and_compare(certificate: Certificate) -> None:
    store = certificate.store
    subject = f"store:{store.key}"
    with open_client(store, correlation_id=correlation.get(), subject=subject, background=True) as client:
        # A little more than the window, as whether the ends are inside is not documented: each order's own time counts.
        window = {
            "min_date_created": changes.iso(certificate.since - changes.SECOND),
            "max_date_created": changes.iso(certificate.until),
        }
        for rows in changes.pages_by_id(client, window, after=certificate.last_id):
            _keep(certificate, rows)
        certificate.store_count = client.count_orders(window)
        _add_unlisted(certificate, client)
    Certificate.objects.filter(pk=certificate.pk).update(
        store_count=certificate.store_count,
        not_probed=certificate.not_probed,
        listed_at=Now(),
    )
    certificate.refresh_from_db()
    # It stays in listing until what is missing is wanted: a worker that dies in between leaves nothing unread.
    _judge(certificate, settled=())
    certificate.lines.filter(found_as="").update(found_as=F("finding"))
    _have_read(certificate)
    compare(certificate)
    _forget_old_lines(store)


def _keep(certificate: Certificate, rows: list[Row], *, is_listed: bool = True) -> None:
    lines = [line for row in rows if (line := _line(certificate, row, is_listed)) is not None]
    with transaction.atomic():
        CertificateLine.objects.bulk_create(lines, ignore_conflicts=True)
        if is_listed:
            certificate.last_id = max(int(identifier(row.get("id")) or 0) for row in rows)
            certificate.rows_listed += len(rows)
            Certificate.objects.filter(pk=certificate.pk).update(
                last_id=certificate.last_id,
                rows_listed=certificate.rows_listed,
                running_until=Now() + SILENT,
            )


def _line(certificate: Certificate, row: Row, is_listed: bool) -> CertificateLine | None:
    record_id, placed_at = identifier(row.get("id")), moment(row.get("date_created"))
    if not record_id.isdigit() or (placed_at and not certificate.since <= placed_at < certificate.until):
        return None
    return CertificateLine(
        tenant_id=certificate.tenant_id,
        certificate=certificate,
        record_id=record_id,
        is_listed=is_listed,
        placed_at=placed_at,
        modified_at=moment(row.get("date_modified")),
        currency=text(row.get("default_currency_code"))[:3],
        total=_amount(row.get("total_inc_tax")),
        channel=text(row.get("channel_id"))[:20],
    )


def _amount(value: object) -> Decimal | None:
    try:
        return parse_amount(value)
    except (ValueError, TypeError):
        return None


def _add_unlisted(certificate: Certificate, client: BigCommerceClient) -> None:
    """Numbers within the list that it does not have: known here, or asked for one by one, up to a limit."""
    absent = _absent_numbers(certificate)
    known = Posting.objects.filter(
        pipeline__store=certificate.store, record_kind=RecordKind.ORDER, record_id__in=absent
    ).values_list("record_id", flat=True)
    unknown = sorted(set(absent) - set(known), key=int)
    asked = [*sorted(set(known), key=int), *unknown][:MOST_PROBED]
    for record_id in asked:
        if (order := client.order_alone(record_id)) is not None:
            _keep(certificate, [order], is_listed=False)
    certificate.not_probed = len(absent) - len(asked)


def _absent_numbers(certificate: Certificate) -> list[str]:
    """Order numbers between the first and the last of the list that are not in it, at most some thousands."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH listed AS (
                SELECT record_id::bigint AS number, lead(record_id::bigint) OVER (ORDER BY record_id::bigint) AS following
                FROM sync_certificateline WHERE certificate_id = %s AND is_listed
            )
            SELECT absent::text FROM listed, generate_series(number + 1, least(following - 1, number + 5000)) AS absent
            WHERE following > number + 1 ORDER BY absent LIMIT 10000
            """,
            [certificate.pk],
        )
        return [row[0] for row in cursor.fetchall()]


_COMPARE = """
WITH known AS (
    SELECT line.id AS line_id, posting.id, posting.status, posting.tenant_id, posting.due_at, posting.read_at,
        NOT (posting.status = 'excluded' AND posting.reason_code = 'other_pipeline') AS owns,
        pipeline.mode = 'post' AS posts,
        posting.wanted_version > posting.done_version AND posting.due_at IS NOT NULL AS is_pending,
        posting.record_modified_at < line.modified_at
            AND NOT (posting.status = 'excluded' AND posting.reason_code = 'by_hand') AS is_older
    FROM sync_certificateline line
    JOIN sync_posting posting ON posting.record_id = line.record_id AND posting.record_kind = 'order'
    JOIN sync_pipeline pipeline ON pipeline.id = posting.pipeline_id AND pipeline.store_id = %(store)s
    WHERE line.certificate_id = %(certificate)s AND line.finding <> ALL(%(settled)s)
), judged AS (
    SELECT line_id, count(*) FILTER (WHERE owns AND posts AND read_at IS NOT NULL) AS posting_owners,
        bool_or(owns) AS is_owned, bool_or(is_pending) AS is_pending, coalesce(bool_or(is_older), false) AS is_older,
        (array_agg(id ORDER BY posts DESC, id) FILTER (WHERE owns))[1] AS owner,
        (array_agg(status ORDER BY posts DESC, id) FILTER (WHERE owns))[1] AS status
    FROM known GROUP BY line_id
)
UPDATE sync_certificateline line SET
    posting_id = judged.owner,
    status = coalesce(judged.status, CASE WHEN judged.line_id IS NULL AND before THEN 'before_go_live' ELSE '' END),
    finding = CASE
        WHEN judged.line_id IS NULL THEN CASE WHEN before THEN 'accounted' ELSE 'missing' END
        WHEN judged.is_pending AND line.found_as IN ('missing', 'stale') THEN 'coming'
        WHEN judged.is_older AND NOT judged.is_pending THEN 'stale'
        WHEN judged.posting_owners > 1 THEN 'doubled'
        WHEN judged.is_owned THEN 'accounted'
        ELSE 'unowned'
    END
FROM (
    SELECT id, coalesce(placed_at < %(responsible)s, false) AS before FROM sync_certificateline
    WHERE certificate_id = %(certificate)s AND finding <> ALL(%(settled)s)
) mine LEFT JOIN judged ON judged.line_id = mine.id
WHERE line.id = mine.id
"""


def _judge(certificate: Certificate, *, settled: Iterable[Finding]) -> None:
    """Say of every line that is not settled what it is now."""
    with connection.cursor() as cursor:
        cursor.execute(
            _COMPARE,
            {
                "store": certificate.store_id,
                "certificate": certificate.pk,
                "settled": [str(finding) for finding in settled],
                "responsible": certificate.responsible_since,
            },
        )


def compare(certificate: Certificate) -> Certificate:
    """Say of every line that was open what it is now, and seal the certificate when nothing is open any more.

    What was accounted for stays as it was sealed.
    """
    with transaction.atomic():
        _judge(certificate, settled=(Finding.ACCOUNTED, Finding.UNOWNED))
        certificate.state = CertificateState.OPEN if is_open(certificate) else CertificateState.COMPLETE
        certificate.hash = seal(certificate)
        certificate.settled_at = timezone.now()
        certificate.save(update_fields=["state", "hash", "settled_at"])
    return certificate


def is_open(certificate: Certificate) -> bool:
    """Whether an order is not accounted for, or the store counts other orders than it lists."""
    return certificate.lines.filter(finding__in=UNSETTLED).exists() or count_differs(certificate)


def count_differs(certificate: Certificate) -> bool:
    """Whether the store counts another number of orders than it listed, asked for with the same filters."""
    return certificate.store_count is not None and certificate.store_count != certificate.rows_listed


def _have_read(certificate: Certificate) -> None:
    """Have what is missing or was changed since, read again, by every pipeline that takes orders of the store."""
    wanted = certificate.lines.filter(finding__in=(Finding.MISSING, Finding.STALE)).order_by("pk")
    pipelines = inbox.followers(certificate.store, RecordKind.ORDER)
    for ids in _batches(wanted.values_list("record_id", flat=True).iterator()):
        with transaction.atomic():
            for pipeline in pipelines:
                inbox.raise_wanted_versions(
                    pipeline, RecordKind.ORDER, ids, correlation.get() or correlation.new()
                )
        for company_id in {pipeline.company_id for pipeline in pipelines}:
            bell.ring(company_id)


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for record_id in ids:
        batch.append(record_id)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def settle_open() -> None:
    """Compare again what was still open; a few statements each, and no call of a store."""
    recent = timezone.now() - LINES_KEPT
    for certificate in Certificate.objects.filter(state=CertificateState.OPEN, started_at__gte=recent):
        compare(certificate)


def seal(certificate: Certificate) -> str:
    """SHA-256 over the lines as the CSV file has them, by rising order number."""
    digest = hashlib.sha256()
    for row in rows_of(certificate):
        digest.update(("\t".join(row) + "\n").encode())
    return digest.hexdigest()


COLUMNS = ("Order", "Placed", "Currency", "Total", "Channel", "Listed", "Was", "Is", "Status", "Pipeline")


def rows_of(certificate: Certificate) -> Iterator[tuple[str, ...]]:
    """Every line as text, by rising order number; see `COLUMNS`."""
    lines = certificate.lines.annotate(number=Cast("record_id", BigIntegerField())).order_by("number")
    names = (
        "record_id", "placed_at", "currency", "total", "channel", "is_listed", "found_as", "finding", "status",
        "posting__pipeline__key",
    )  # fmt: skip
    for line in lines.values_list(*names).iterator(chunk_size=BATCH):
        record_id, placed_at, currency, total, channel, is_listed, found_as, finding, status, pipeline = line
        yield (
            record_id,
            placed_at.isoformat() if placed_at else "",
            currency,
            "" if total is None else f"{total:f}",
            channel,
            "yes" if is_listed else "no",
            found_as,
            finding,
            status,
            pipeline or "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Orders and money of one finding and status."""

    finding: str
    status: str
    orders: int
    money: tuple[Money, ...]


def shares(lines: QuerySet[CertificateLine]) -> list[Share]:
    """How many orders, and how much money by currency, are where."""
    rows = (
        lines.order_by("finding", "status", "currency")
        .values("finding", "status", "currency")
        .annotate(orders=Count("id"), amount=Sum("total"))
    )
    found: dict[tuple[str, str], Share] = {}
    for row in rows:
        place = (row["finding"], row["status"])
        before = found.get(place) or Share(finding=place[0], status=place[1], orders=0, money=())
        more = (Money(row["amount"] or Decimal(0), row["currency"]),) if row["currency"] else ()
        found[place] = Share(
            finding=place[0], status=place[1], orders=before.orders + row["orders"], money=before.money + more
        )
    return list(found.values())


def _forget_old_lines(store: Store) -> None:
    """Lines of the nightly runs are for some weeks; what they came to, and their hash, stays."""
    old = Certificate.objects.filter(store=store, by="", started_at__lt=timezone.now() - LINES_KEPT)
    CertificateLine.objects.filter(certificate__in=old, finding=Finding.ACCOUNTED).delete()
