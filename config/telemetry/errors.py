"""Sentry: what nobody foresaw, with its place in the code and its correlation id, and without data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sentry_sdk
from django.conf import settings
from sentry_sdk.integrations.logging import ignore_logger

from audit import correlation
from config.logging import cleaned

# All that leaves; whatever else the library adds some day stays here.
KEPT = (
    "event_id timestamp platform level logger release environment server_name sdk exception logentry transaction tags"
).split()
KEPT_OF_A_FRAME = "filename function module lineno in_app pre_context context_line post_context".split()

Event = dict[str, Any]


def set_up(dsn: str) -> None:
    """Report exceptions and errors that are logged."""
    ignore_logger("django_structlog.middlewares.request")  # says again that a request failed
    sentry_sdk.init(
        dsn=dsn,
        release=f"tieout@{settings.VERSION}",
        environment=settings.PROFILE,
        send_default_pii=False,
        max_request_body_size="never",
        include_local_variables=False,
        max_breadcrumbs=0,  # they hold queries, addresses and log lines
        auto_session_tracking=False,
        before_send=without_data,
        before_send_transaction=lambda event, hint: None,
    )


def without_data(event: Event, hint: Mapping[str, Any]) -> Event:
    """What may leave: the exception's classes, sentences without secrets and personal data, and lines of our code."""
    kept = {name: event[name] for name in KEPT if name in event}
    if "exception" in kept:
        kept["exception"] = {"values": [_exception(one) for one in kept["exception"].get("values", ())]}
    if "logentry" in kept:
        kept["logentry"] = {"message": cleaned(_message(kept["logentry"], hint))}
    if "transaction" in kept:
        kept["transaction"] = cleaned(str(kept["transaction"]))
    if method := event.get("request", {}).get("method"):
        kept["request"] = {"method": method}
    kept["tags"] = {"correlation_id": correlation.get()} if correlation.get() else {}
    return kept


def _message(entry: Mapping[str, Any], hint: Mapping[str, Any]) -> str:
    """What was logged; of a structured line its name alone."""
    record = hint.get("log_record")
    if record is not None and isinstance(record.msg, Mapping):
        return str(record.msg.get("event", ""))
    return str(entry.get("formatted") or entry.get("message") or "")


def _exception(one: Mapping[str, Any]) -> Event:
    frames = (one.get("stacktrace") or {}).get("frames", ())
    return {
        "type": one.get("type"),
        "module": one.get("module"),
        "value": cleaned(str(one.get("value") or "")),
        "stacktrace": {
            "frames": [{name: frame[name] for name in KEPT_OF_A_FRAME if name in frame} for frame in frames]
        },
    }
