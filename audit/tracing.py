"""Spans of the journey, for OpenTelemetry where it is switched on (`config.telemetry.tracing`); else one question and nothing more.

A span carries names of the set-up, statuses and addresses without secrets; never what was sent or answered, and no person's data.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from audit import correlation
from audit.redaction import redact_url


class Tracer(Protocol):
    """The two of OpenTelemetry's methods that are needed here."""

    def start_as_current_span(self, name: str, **options: Any) -> Any: ...

    def start_span(self, name: str, **options: Any) -> Any: ...


_tracer: Tracer | None = None


def use(tracer: Tracer | None) -> None:
    """Make spans with this tracer from now on; None: make none."""
    global _tracer
    _tracer = tracer


@contextmanager
def span(name: str, **attributes: str | int) -> Iterator[dict[str, str | int]]:
    """One span around a block. What the block puts into the dictionary becomes attributes too.

    An exception ends the span with the exception's class and nothing of what it says.
    """
    told: dict[str, str | int] = {}
    if _tracer is None:
        yield told
        return
    with _tracer.start_as_current_span(
        name, attributes=_named(attributes), record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield told
        except BaseException as error:
            current.set_attribute("error.type", type(error).__name__)
            raise
        finally:
            current.set_attributes(_named(told))


def call_span(
    *, side: str, tenant: str, connection: str, method: str, url: str, status: int | None, seconds: float
) -> None:
    """One call outward that is over: as long as it took, ending when it is recorded."""
    if _tracer is None:
        return
    now = time.time_ns()
    attributes = _named({"side": side, "tenant": tenant, "connection": connection})
    attributes |= {"http.request.method": method, "url.full": redact_url(url)}
    attributes |= {"error.type": "no answer"} if status is None else {"http.response.status_code": status}
    _tracer.start_span(f"{side} {method}", attributes=attributes, start_time=now - int(seconds * 1e9)).end(
        now
    )


def _named(attributes: dict[str, str | int]) -> dict[str, str | int]:
    named = {f"tieout.{name}": value for name, value in attributes.items()}
    return {**named, "tieout.correlation_id": correlation.get()}
