"""What works in the background: broker and cache, beat, workers, and what waits for them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Min
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from config.celery import app
from config.doctor.finding import Finding, good, note, problem
from config.health import broker_state
from sync import sweeper
from sync.heartbeats import SWEEP, last_tick
from sync.models import Gap, GapState, Heartbeat, Posting, Status

ANSWER_SECONDS = 2.0
SILENT_BEAT = timedelta(minutes=1)
SILENT_SWEEP = timedelta(minutes=5)
LONGEST_DUE = timedelta(minutes=5)


def look_at_broker_and_cache() -> Iterator[Finding]:
    """Whether they answer, and whether Redis may throw away what was put into it."""
    if broker_state() == "ok":
        yield good("The broker answers.")
    else:
        yield problem(
            "The broker does not answer: webhooks are taken, but nobody is told that there is work.",
            "Start it, and compare CELERY_BROKER_URL or REDIS_URL. docs/runbooks/broker-away.md.",
        )
    try:
        name = f"doctor-{uuid.uuid4().hex}"
        cache.set(name, "well", timeout=10)
        answered = cache.get(name) == "well"
        cache.delete(name)
        memory = Redis.from_url(
            settings.REDIS_URL, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS
        ).info("memory")
    except RedisError as error:
        yield problem(
            f"The cache does not answer ({type(error).__name__}): every worker signs in to the ERP by itself.",
            "Start Redis, and compare REDIS_URL.",
        )
        return
    if answered:
        yield good("The cache keeps what it is given.")
    else:
        yield problem("The cache answers, but forgets at once.", "See whether its memory is full.")
    yield from _eviction(memory)


def _eviction(memory: dict[str, object]) -> Iterator[Finding]:
    policy = str(memory.get("maxmemory_policy", "noeviction"))
    if memory.get("maxmemory") and not policy.startswith(("noeviction", "volatile")):
        yield note(
            f"Redis throws away any key when its memory is full (maxmemory-policy {policy}), the queue's too.",
            "Set maxmemory-policy to noeviction or volatile-lru. What is lost costs ten seconds or a login.",
        )


def look_at_beat() -> Iterator[Finding]:
    """Whether one lives, and looks at its schedule. A second one refuses to start, so there are never two."""
    lives, ticked = last_tick()
    silent = timezone.now() - ticked if ticked else timedelta(0)
    if not lives:
        yield problem(
            "No beat runs: nothing is polled, and what nobody rang for waits.",
            "Start exactly one: celery -A config beat.",
        )
    elif silent > SILENT_BEAT:
        yield problem(
            f"Beat holds its lock, but has not looked at its schedule for {silent.total_seconds():.0f} seconds.",
            "Restart it.",
        )
    else:
        yield good("Beat runs.")
    swept_at = Heartbeat.objects.filter(name=SWEEP).values_list("at", flat=True).first()
    if swept_at and timezone.now() - swept_at > SILENT_SWEEP:
        yield problem(
            f"Nothing has swept for due work since {swept_at:%Y-%m-%d %H:%M} UTC.",
            "Beat, the broker or the workers are missing. docs/runbooks/background-silent.md.",
        )


def look_at_the_workers() -> Iterator[Finding]:
    """Which workers answer over the broker."""
    try:
        answers = app.control.ping(timeout=ANSWER_SECONDS)
    except (OperationalError, OSError):
        yield note(
            "Workers could not be asked, because the broker does not answer.", "Mend the broker first."
        )
        return
    names = sorted(name for answer in answers for name in answer)
    if names:
        yield good(f"Workers that answer: {', '.join(names)}.")
    else:
        yield problem(
            f"No worker answered within {ANSWER_SECONDS:.0f} seconds: nothing is posted.",
            "Start one: celery -A config worker -P threads -c 16.",
        )


def look_at_the_queue() -> Iterator[Finding]:
    """What is due for too long, and what waits for a person."""
    oldest = sweeper.due_postings().aggregate(oldest=Min("due_at"))["oldest"]
    waits = timezone.now() - oldest if oldest else timedelta(0)
    if waits > LONGEST_DUE:
        yield problem(
            f"The oldest due order has waited for {waits.total_seconds() / 60:.0f} minutes.",
            "See whether workers run and whether its ERP answers. docs/runbooks/work-overdue.md.",
        )
    else:
        yield good("What is due is being worked off.")
    waiting = Posting.objects.filter(status__in=(Status.REFUSED, Status.HELD, Status.BLOCKED))
    for tenant, status, count in (
        waiting.order_by("tenant__slug", "status").values_list("tenant__slug", "status").annotate(Count("id"))
    ):
        what = Status(status).label.lower()
        yield note(
            f"{tenant}: {count} {'is' if count == 1 else 'are'} {what}.", "See What needs me in the console."
        )
    gaps = Gap.objects.filter(state=GapState.OPEN).count()
    if gaps:
        yield note(f"Mappings that are missing: {gaps}.", "See Gaps in the console.")
