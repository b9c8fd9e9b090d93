"""Without their variables, traces and error reports are not even imported."""

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]


def imported(**environment: str) -> set[str]:
    """Which of the two a process has imported when Django is up and its addresses are known.

    redis-py imports OpenTelemetry's metrics wherever they are installed (2.6 MB a process, measured with redis 8.1); what
    makes spans and sends them is ours to import.
    """
    ask = (
        "import sys, django; django.setup()\n"
        "from django.urls import resolve; resolve('/metrics')\n"
        "import config.celery\n"
        "print(*[name for name in ('opentelemetry.sdk.trace', 'sentry_sdk') if name in sys.modules])"
    )
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", **environment}
    done = subprocess.run(
        [sys.executable, "-c", ask],
        cwd=PROJECT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stdout.split())


def test_what_is_switched_off_is_not_imported():
    assert imported() == set()


def test_each_is_imported_by_its_own_variable_alone():
    assert imported(TIEOUT_OTLP_URL="http://127.0.0.1:1") == {"opentelemetry.sdk.trace"}
    assert imported(TIEOUT_SENTRY_DSN="http://key@127.0.0.1:1/1") == {"sentry_sdk"}
