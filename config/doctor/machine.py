"""This process and this machine: settings, disk, clock."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core import checks
from django.db import connection

from config.doctor.finding import Finding, good, note, problem

LEAST_FREE = 0.05
LEAST_FREE_BYTES = 1 << 30
CLOCKS_APART = timedelta(seconds=2)


def look_at_settings() -> Iterator[Finding]:
    """Django's and our own checks, and what is allowed and yet seldom meant."""
    found = checks.run_checks(include_deployment_checks=settings.IS_PRODUCTION)
    for message in found:
        if not message.is_silenced():
            say = problem if message.is_serious() else note
            yield say(f"{message.msg} ({message.id})", message.hint or "See docs/deploy.md.")
    yield good(f"Tieout {settings.VERSION}, profile {'production' if settings.IS_PRODUCTION else 'local'}.")
    if settings.IS_PRODUCTION:
        yield from _of_production()


def _of_production() -> Iterator[Finding]:
    if settings.USES_HTTPS and not settings.TRUSTED_PROXIES:
        yield note(
            "TIEOUT_TRUSTED_PROXIES is 0: behind a reverse proxy, the sign-in lockout takes everybody for one caller.",
            "Set it to the number of proxies that append to X-Forwarded-For.",
        )
    if not settings.TIEOUT_METRICS_TOKEN:
        yield note("Nobody can read /metrics.", "Set TIEOUT_METRICS_TOKEN if Prometheus is to watch.")


def look_at_the_disk() -> Iterator[Finding]:
    """Free room where this process may write. PostgreSQL's own disk cannot be seen from here."""
    for place in sorted({Path(tempfile.gettempdir()), settings.BASE_DIR}):
        usage = shutil.disk_usage(place)
        free = f"{usage.free / (1 << 30):.1f} GB ({usage.free / usage.total:.0%})"
        if usage.free < LEAST_FREE_BYTES or usage.free / usage.total < LEAST_FREE:
            yield problem(f"The disk of {place} has {free} left.", "Make room: logs and old releases first.")
        else:
            yield good(f"The disk of {place} has {free} left.")


def look_at_the_clock() -> Iterator[Finding]:
    """This machine's clock beside the database's, which decides leases and due dates."""
    before = datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        theirs = cursor.fetchone()[0]
    after = datetime.now(UTC)
    yield compared(before, theirs, after, whose="the database's")


def compared(before: datetime, theirs: datetime, after: datetime, *, whose: str) -> Finding:
    """Two clocks, the other one read between `before` and `after` of ours."""
    apart = max(before - theirs, theirs - after, timedelta(0))
    if apart <= CLOCKS_APART:
        return good(f"This machine's clock agrees with {whose}.")
    return problem(
        f"This machine's clock and {whose} are {apart.total_seconds():.0f} seconds apart.",
        "Keep both by NTP: signatures of webhooks and the limits of stores depend on it.",
    )
