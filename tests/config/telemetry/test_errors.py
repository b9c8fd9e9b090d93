"""What Sentry is sent when something goes wrong with secrets and personal data at hand."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.config.telemetry.listening import Listener, listening

PROJECT = Path(__file__).resolve().parents[3]
TRACE = "ab" * 16
# Each stands somewhere in tests/config/telemetry/crashing.py: in a variable, a header, a body, a query, a message.
PLANTED = """
2718281828 1414213562 1732050807 1618033988 5772156649 6180339887 3141592653 Lovelace ada@example.com
row-detail@example.com logged@example.com 203.0.113
""".split()


@pytest.fixture(scope="module")
def sent() -> Listener:
    with listening() as listener:
        env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONPATH": str(PROJECT),
            "TIEOUT_SENTRY_DSN": f"http://public@{listener.url}/1",
            "TIEOUT_LOG_LEVEL": "ERROR",
        }
        script = (
            "from django.conf import settings\n"
            "settings.ROOT_URLCONF = 'tests.config.telemetry.crashing'\n"
            "from tests.config.telemetry.crashing import main; main()"
        )
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=PROJECT,
            env=env,
            timeout=90,
            check=True,
            stderr=subprocess.DEVNULL,
        )
    return listener


def events(listener: Listener) -> list[dict[str, Any]]:
    """The events in the envelopes: lines of JSON, of which those with an id and a level are events."""
    lines = [
        json.loads(line) for body in listener.bodies() for line in body.splitlines() if line.startswith(b"{")
    ]
    return [line for line in lines if "level" in line]


def test_each_error_arrives_with_its_class_its_place_and_its_correlation_id(sent):
    found = {event.get("logger") or "": event for event in events(sent)}
    assert len(events(sent)) == 3
    crash = next(e for e in events(sent) if e.get("transaction") == "/webhooks/bigcommerce/[key]/")
    [error] = crash["exception"]["values"]
    assert error["type"] == "PlantedError"
    assert error["value"].startswith("duplicate key\nDETAIL: [row]")
    assert error["stacktrace"]["frames"][-1]["function"] == "crash"
    assert crash["tags"] == {"correlation_id": TRACE}
    assert found["sync"]["tags"] == {"correlation_id": TRACE}
    assert found["sync"]["logentry"] == {"message": "refused for [personal]"}


def test_nothing_planted_leaves(sent):
    frames = [
        frame
        for event in events(sent)
        for value in event.get("exception", {}).get("values", ())
        for frame in value["stacktrace"]["frames"]
    ]
    assert frames
    assert all("vars" not in frame for frame in frames)
    # The lines of code around the place are sent, and this test's own code names what it plants.
    told = json.loads(json.dumps(events(sent)))
    for event in told:
        for value in event.get("exception", {}).get("values", ()):
            for frame in value["stacktrace"]["frames"]:
                for name in ("pre_context", "context_line", "post_context"):
                    frame.pop(name, None)
    headers = [(path, headers) for path, headers, _ in sent.requests]
    text = json.dumps([told, headers])
    assert [planted for planted in PLANTED if planted in text] == []


def test_a_report_holds_what_is_listed_and_nothing_else(sent):
    allowed = {
        "event_id", "timestamp", "platform", "level", "logger", "release", "environment", "server_name", "sdk",
        "exception", "logentry", "transaction", "tags", "request",
    }  # fmt: skip
    for event in events(sent):
        assert set(event) <= allowed
        assert set(event.get("request", {})) <= {"method"}
