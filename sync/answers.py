"""How we answered each store's deliveries, minute by minute: BigCommerce blocks a domain below 90 % success.

Each web process counts in memory, whatever state the database is in, and writes what it counted every few seconds: a
flood costs a number, not a write each, and fills at most a row per store and minute. A killed process loses those
seconds.
"""

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
from django.db import Error, connection, transaction
from django.utils import timezone

from storefront.models import Store
from sync.models import AnswerMinute

log = structlog.get_logger(__name__)

WRITE_EVERY_SECONDS = 5.0
# Keys that nobody made are thrown away when they are written; until then they are not kept without end.
MOST_KEYS = 5_000
LONGEST_KEY = 64

# "Blocklist" (Webhooks overview, 2026-01): below 90 % in a sliding window of 2 minutes, from 100 requests on. We look at
# whole minutes, three of them, and speak up earlier.
WINDOW = timedelta(minutes=3)
ENOUGH = 20
TOO_FEW_PERCENT = 95
KEPT = timedelta(days=7)

Place = tuple[str, datetime]  # webhook key, minute


class Tally:
    """Counts of one process that are not written yet."""

    def __init__(self) -> None:
        self._answered: Counter[Place] = Counter()
        self._succeeded: Counter[Place] = Counter()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def count(self, key: str, status: int) -> None:
        """Note one answer. Costs no input or output; never raises."""
        if len(key) > LONGEST_KEY:
            return
        place = (key, timezone.now().replace(second=0, microsecond=0))
        with self._lock:
            if place not in self._answered and len(self._answered) >= MOST_KEYS:
                return
            self._answered[place] += 1
            self._succeeded[place] += 200 <= status < 300

    def write(self) -> None:
        """Add what was counted to the rows. Counts stay where the database cannot take them now."""
        with self._lock:
            answered, self._answered = self._answered, Counter()
            succeeded, self._succeeded = self._succeeded, Counter()
        if not answered:
            return
        try:
            _add(answered, succeeded)
        except Error as error:
            log.warning("answers.not_written", error=type(error).__name__)
            with self._lock:
                self._answered.update(answered)
                self._succeeded.update(succeeded)

    def start(self) -> None:
        """Write every few seconds from now on, in a thread of its own: once per web process, after it was forked."""
        self._thread = threading.Thread(target=self._run, name="tieout-answers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is left and end the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=WRITE_EVERY_SECONDS)

    def _run(self) -> None:
        while not self._stop.wait(WRITE_EVERY_SECONDS):
            self._write_and_close()
        self._write_and_close()

    def _write_and_close(self) -> None:
        self.write()
        connection.close()


def _add(answered: Counter[Place], succeeded: Counter[Place]) -> None:
    keys = {key for key, _ in answered if key.isprintable()}
    stores = {
        store.webhook_key: store
        for store in Store.objects.only("tenant_id", "webhook_key").filter(webhook_key__in=keys)
    }
    rows = [
        (stores[key].tenant_id, stores[key].pk, minute, number, succeeded[key, minute])
        for (key, minute), number in sorted(answered.items())
        if key in stores
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(
            f"""INSERT INTO {AnswerMinute._meta.db_table} AS known (tenant_id, store_id, minute, answered, succeeded)
            VALUES (%s, %s, %s, %s, %s) ON CONFLICT (store_id, minute) DO UPDATE
            SET answered = known.answered + excluded.answered, succeeded = known.succeeded + excluded.succeeded""",  # noqa: S608
            rows,
        )


tally = Tally()


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The worst stretch of three minutes of a domain."""

    answered: int
    succeeded: int
    until: datetime

    @property
    def percent(self) -> int:
        """How many of a hundred answers were a success, rounded down."""
        return self.succeeded * 100 // self.answered

    @property
    def is_bad(self) -> bool:
        """Whether it comes near to what BigCommerce blocks a domain for."""
        return self.answered >= ENOUGH and self.percent < TOO_FEW_PERCENT


def worst_windows(since: datetime) -> dict[str, Window]:
    """By domain, as all stores behind it share its ratio: the window with the least success, of those with enough answers."""
    domains = dict(Store.objects.exclude(webhook_base_url="").values_list("pk", "webhook_base_url"))
    by_domain: dict[str, dict[datetime, tuple[int, int]]] = {}
    rows = AnswerMinute.objects.filter(minute__gte=since - WINDOW, store__in=domains)
    for store_id, minute, answered, succeeded in rows.values_list(
        "store_id", "minute", "answered", "succeeded"
    ):
        minutes = by_domain.setdefault(domain_of(domains[store_id]), {})
        before = minutes.get(minute, (0, 0))
        minutes[minute] = (before[0] + answered, before[1] + succeeded)
    return {domain: worst for domain, minutes in by_domain.items() if (worst := _worst(minutes, since))}


def _worst(minutes: dict[datetime, tuple[int, int]], since: datetime) -> Window | None:
    windows = [_window(minutes, minute) for minute in sorted(minutes) if minute >= since]
    enough = [window for window in windows if window.answered >= ENOUGH]
    return min(enough, key=lambda window: window.succeeded / window.answered, default=None)


def _window(minutes: dict[datetime, tuple[int, int]], last: datetime) -> Window:
    inside: Iterable[tuple[int, int]] = [
        counts for minute, counts in minutes.items() if last - WINDOW < minute <= last
    ]
    return Window(
        answered=sum(counts[0] for counts in inside),
        succeeded=sum(counts[1] for counts in inside),
        until=last + timedelta(minutes=1),
    )


def domain_of(address: str) -> str:
    """The host of an address, as BigCommerce blocks it."""
    return urlsplit(address).hostname or ""


def forget_old() -> None:
    """Counts are for the weeks in which they explain something."""
    AnswerMinute.objects.filter(minute__lt=timezone.now() - KEPT).delete()
