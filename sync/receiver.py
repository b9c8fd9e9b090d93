"""Where BigCommerce delivers: verify, record, answer. No work is done and the broker is not touched.

200 for everything genuine, whatever state the tenant, the ERP or the broker is in: BigCommerce blocks a
domain that answers less than 90 % of its deliveries with success ("Webhooks overview", Blocklist, 2026-01).
401 for what is not proved genuine, 4xx and nothing but a counter for what is no webhook at all, 503 only
while PostgreSQL cannot commit.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import InterfaceError, InternalError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from gunicorn.http.errors import ParseException
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from audit import correlation
from audit.tracing import span
from storefront.events import BadPayload, Payload, parse, store_event
from storefront.hooks import EXCEPTIONS
from storefront.models import FailureReason, Store, note_signature_failure
from storefront.verification import Verified, WebhookRejected, require_producer, verify
from sync import hook_watch, inbox
from sync.answers import tally
from sync.measures import DELIVERIES, RECEIVER_SECONDS
from sync.steps import Step, reached
from tenants.kept import Kept, version_of

CORRELATION_HEADER = "X-Correlation-Id"
LARGEST_BODY = 256 * 1024


class AnyAnswer(BaseContentNegotiation):
    """Answers have no body, so whatever a sender says it accepts is fine."""

    def select_parser(self, request, parsers):
        """None: the signature is over the raw body."""

    def select_renderer(self, request, renderers, format_suffix=None):
        """The first one, for DRF's own refusals such as 405."""
        return renderers[0], renderers[0].media_type


class BigCommerceWebhookView(APIView):
    """`POST /webhooks/bigcommerce/<key>/`: one delivery of one store. It asks for no session and reads no body itself."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    parser_classes = ()
    content_negotiation_class = AnyAnswer
    schema = None

    def post(self, request: Request, key: str) -> HttpResponse:
        """Record the delivery, and answer with nothing but a status and the correlation id."""
        with RECEIVER_SECONDS.time(), correlation.bind(correlation.get()) as bound, span("webhook") as told:
            try:
                outcome, status = _receive(request._request, key)
            except (OperationalError, InterfaceError, InternalError):  # the last: a read-only stand-by
                outcome, status = "database_away", 503
            told |= {"outcome": outcome, "status": status}
        DELIVERIES.labels(outcome).inc()
        tally.count(key, status)
        return HttpResponse(status=status, headers={CORRELATION_HEADER: bound})

    def get(self, request: Request, key: str) -> HttpResponse:
        """For a person who tries whether the address leads here."""
        return HttpResponse(
            "This address takes the webhooks of a BigCommerce store, by POST. That you read this means that it leads to Tieout.",
            status=405,
            headers={"Allow": "POST"},
            content_type="text/plain",
        )


def _receive(request: HttpRequest, key: str) -> tuple[str, int]:
    body = _body_of(request)
    if body is None:
        return "too_large", 413
    try:
        payload = parse(body)
    except BadPayload:
        return "no_webhook", 400
    store = _store_of(key)
    if store is None:
        return "unknown_key", 404
    try:
        verified = _verify(store, request, body)
        require_producer(
            payload.producer, payload.store_id, store_hash=store.store_hash, known_store_id=store.store_id
        )
    except WebhookRejected as rejected:
        note_signature_failure(store, FailureReason(rejected.reason), now=timezone.now())
        return "rejected", 401
    _record(store, payload, verified)
    return ("stale" if verified.stale else "accepted"), 200


def _store_of(key: str) -> Store | None:
    """The store that the address is of, without the secrets that verifying does not need."""
    if len(key) > 64 or not key.isprintable():
        return None
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [key])
        found = cursor.fetchone()
    return _stores.get(*found) if found else None


_FIND = f"SELECT id, {version_of('storefront_store')} FROM storefront_store WHERE webhook_key = %s"  # noqa: S608 - constants
_stores = Kept(lambda pk: Store.objects.defer("access_token").get(pk=pk))


def _body_of(request: HttpRequest) -> bytes | None:
    """The raw body, or None if it is larger than any webhook is.

    Django reads nothing of a body in chunks, which has no Content-Length; the server knows where it ends.
    """
    in_chunks = request.META.get("wsgi.input_terminated") and not request.META.get("CONTENT_LENGTH")
    stream = request.META["wsgi.input"] if in_chunks else request
    try:
        body = stream.read(LARGEST_BODY + 1)
    except (OSError, ParseException):  # the sender went away, or its chunks are none
        return b""
    return body if len(body) <= LARGEST_BODY else None


def _verify(store: Store, request: HttpRequest, body: bytes) -> Verified:
    return verify(
        request.headers,
        body,
        secrets=store.signing_secrets,
        shared_secret=store.webhook_header_secret if store.allow_shared_secret else "",
        now=timezone.now(),
        tolerance=timedelta(seconds=store.signature_tolerance_seconds),
    )


def _record(store: Store, payload: Payload, verified: Verified) -> None:
    """Durable when it returns. What fails on the way is answered 503, and all of it done again with the next delivery."""
    event = store_event(payload, delivery_id=verified.delivery_id, stale=verified.stale, now=timezone.now())
    if not store.store_id and payload.store_id:
        Store.objects.filter(pk=store.pk, store_id="").update(store_id=payload.store_id[:40])
    inbox.accept(store=store, event=event)
    if payload.scope == EXCEPTIONS:
        hook_watch.note_exception(store, payload.data)
    reached(Step.RECEIVED)
