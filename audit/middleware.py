"""Every request has a correlation id; what a person does meanwhile is recorded under their sign-in name."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from audit import correlation

HEADER = "X-Correlation-Id"


class CorrelationMiddleware:
    """Binds the request's `X-Correlation-Id`, or a new one if that is not well-formed, and answers with it.

    Stands after AuthenticationMiddleware. A request without a session cookie costs no query here.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """One request under one id."""
        given = request.headers.get(HEADER, "")
        user = getattr(request, "user", None)
        actor = user.get_username() if user is not None and user.is_authenticated else ""
        with correlation.bind(given if correlation.is_well_formed(given) else "", actor=actor) as bound:
            response = self.get_response(request)
            response[HEADER] = bound
            return response
