"""Structured logs: one line per event, with its correlation id, without secrets or personal data."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any

import structlog

from audit.correlation import add_to_log
from audit.redaction import redact, redact_text

Event = MutableMapping[str, Any]

# PostgreSQL repeats the row it refused: "DETAIL:  Failing row contains (...)", "Key (email)=(...) exists".
_ROW_IN_MESSAGE = re.compile(r"^\s*(DETAIL|CONTEXT):.*$", re.MULTILINE)
# What somebody searched for, or a token that was sent in an address by mistake.
_QUERY = re.compile(r"([?&][\w.:%-]+=)[^&\s\"'<>]+")
# The last part of a receiver's address is its key.
_WEBHOOK_KEY = re.compile(r"(/webhooks/[a-z_0-9]+/)[^/\s\"']+")


def logging_settings(*, level: str, log_format: str) -> dict[str, Any]:
    """Django's `LOGGING`: every logger writes to standard error through the same processors.

    :param log_format: `json`, one object per line, or `console`, for a person
    """
    renderer: Any = structlog.processors.JSONRenderer()
    if log_format == "console":
        renderer = structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
    final = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, without_secrets, renderer]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _common_processors(),
                "processors": final,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # RequestMiddleware writes one line per request; Django's and gunicorn's own would repeat it.
            "django.server": {"handlers": [], "propagate": False},
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.request": {"level": "ERROR"},
            "gunicorn.access": {"handlers": [], "propagate": False},
            "gunicorn.error": {"handlers": [], "level": level, "propagate": True},
            "celery.app.trace": {"level": "WARNING"},
            "axes": {"level": "ERROR"},  # its lines name the person and the address
        },
    }


def configure_structlog() -> None:
    """Send `structlog.get_logger()` through the standard library, where `logging_settings` takes over."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_common_processors(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _common_processors() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        add_to_log,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        without_noise,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]


def without_noise(logger: Any, method: str, event: Event) -> Event:
    """A processor: one line per request, when it ends, and none for questions about our health.

    What Django calls suspicious, such as an unknown host name, is a stranger's doing: no traceback for each.
    """
    if str(event.get("logger", "")).startswith("django.security."):
        event.pop("exc_info", None)
    is_question = str(event.get("request", "")).startswith(("GET /health/", "HEAD /health/", "GET /metrics"))
    if event.get("event") == "request_started" or (is_question and event.get("event") == "request_finished"):
        raise structlog.DropEvent
    return event


def without_secrets(logger: Any, method: str, event: Event) -> Event:
    """A processor, last before the renderer: names decide first, then what a text looks like."""
    exception = event.pop("exception", None)
    found = redact(dict(event))
    for name, value in found.items():
        if isinstance(value, str):
            found[name] = _without_keys(value)
    if exception:
        found["exception"] = cleaned(str(exception))
    return found


def cleaned(text: str) -> str:
    """An exception's or a server's words, line by line, without secrets and personal data."""
    return "\n".join(redact_text(line) for line in _without_keys(text).splitlines())


def _without_keys(text: str) -> str:
    return _QUERY.sub(r"\1[value]", _WEBHOOK_KEY.sub(r"\1[key]", _ROW_IN_MESSAGE.sub(r"\1: [row]", text)))
