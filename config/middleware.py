"""What every request passes through: its correlation id, the address it came from, and whom its failed sign-in counts for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse
from django.urls import resolve
from django.utils.crypto import salted_hmac

from audit import correlation
from audit.redaction import storable

HEADER = "X-Correlation-Id"
WEBHOOKS = "/webhooks/"


class WebhookHostMiddleware:
    """Webhooks are taken under whatever host name they arrive: each store may deliver to a domain of its own.

    BigCommerce blocks by domain, so a store gets another one with its public address and a proxy, without a new
    setting here. What proves a delivery is its signature under an unguessable path; nothing of it is built from the host.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(WEBHOOKS):
            request.META["HTTP_HOST"] = urlsplit(settings.BASE_URL).netloc
        return self.get_response(request)


class ReceiverMiddleware:
    """Webhooks turn off here: they need no session, person, language or page policy, and leave no line in the log.

    A store's delivery is in the audit trail under its own correlation id; a forged one is a counter and nothing that
    could fill a disk.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        # What nobody foresaw becomes an answer in here, while it is still known whose request it was.
        self.answer = convert_exception_to_response(_call_view)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(WEBHOOKS):
            return self.get_response(request)
        with correlation.bind(_asked_for(request)):
            response: HttpResponse = self.answer(request)
        response.headers["Content-Length"] = str(len(response.content))  # else the server sends chunks
        return response


class CorrelationMiddleware:
    """Binds the caller's correlation id, or a new one, and who acts, while a request is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = getattr(request, "user", None)
        actor = user.get_username() if user is not None and user.is_authenticated else ""
        with correlation.bind(_asked_for(request), actor=actor) as bound:
            response = self.get_response(request)
            response.headers[HEADER] = bound
        return response


def _call_view(request: HttpRequest) -> HttpResponse:
    found = request.resolver_match = resolve(request.path_info)
    response = found.func(request, *found.args, **found.kwargs)
    return response.render() if isinstance(response, SimpleTemplateResponse) else response


def _asked_for(request: HttpRequest) -> str:
    """The caller's correlation id, if it is one; else "", for a new one."""
    asked = request.headers.get(HEADER, "")
    return asked if correlation.is_well_formed(asked) else ""


def client_address(request: HttpRequest) -> str:
    """The address the outermost trusted proxy saw; further left in the header stands the caller's word."""
    forwarded = [
        part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()
    ]
    trusted = settings.TRUSTED_PROXIES
    if trusted and len(forwarded) >= trusted:
        return forwarded[-trusted]
    return request.META.get("REMOTE_ADDR", "")


def name_to_count_for(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str | None:
    """Whom a failed sign-in is counted for: a person, or else a digest of what was typed, which may well be a password."""
    typed = (credentials or request.POST).get("username")
    if typed is None or get_user_model().objects.filter(username=storable(typed)).exists():
        return typed
    return salted_hmac("tieout.sign_in", typed, algorithm="sha256").hexdigest()[:32]
