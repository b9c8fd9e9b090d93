"""OpenTelemetry: spans over OTLP/HTTP, in one trace from the webhook to the ERP's last answer."""

from __future__ import annotations

import re

from django.conf import settings
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

from audit import correlation, tracing

EXPORT_SECONDS = 5.0
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")


class CorrelationIds(RandomIdGenerator):
    """The trace's id is the correlation id, so both ways of asking find the same story, across processes."""

    def generate_trace_id(self) -> int:
        """The id bound here if it is one of ours (32 hexadecimal digits), else a random one."""
        bound = correlation.get()
        return int(bound, 16) if _TRACE_ID.fullmatch(bound) else super().generate_trace_id()


def set_up(url: str) -> TracerProvider:
    """Send spans to an OTLP/HTTP collector such as http://127.0.0.1:4318, in batches, from a thread.

    A collector that is away costs its spans and nothing else. OpenTelemetry's own variables add headers
    (OTEL_EXPORTER_OTLP_HEADERS) and sampling (OTEL_TRACES_SAMPLER).
    """
    provider = TracerProvider(
        resource=Resource.create({"service.name": "tieout", "service.version": settings.VERSION}),
        id_generator=CorrelationIds(),
    )
    exporter = OTLPSpanExporter(endpoint=f"{url.rstrip('/')}/v1/traces", timeout=EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracing.use(provider.get_tracer("tieout"))
    return provider
