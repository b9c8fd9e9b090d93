"""A process in which things go wrong with secrets and personal data at hand, run by test_errors.

Prints nothing; what leaves it is what Sentry was sent.
"""

import logging

import django

django.setup()

import sentry_sdk  # noqa: E402
from celery import shared_task  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import path  # noqa: E402

from audit import correlation  # noqa: E402

TRACE = "ab" * 16


class PlantedError(Exception):
    pass


def crash(request: HttpRequest, key: str) -> HttpResponse:
    access_token = "local-variable-2718281828"
    password = request.POST.get("password", access_token)
    try:
        raise PlantedError(
            "duplicate key\nDETAIL:  Key (email)=(row-detail@example.com) already exists.\n"
            "for ada@example.com with Bearer bearer-token-1414213562 at /webhooks/bigcommerce/webhook-key-1732050807/"
        )
    finally:
        del password


@shared_task(name="crashing")
def crashing(*, name: str) -> None:
    raise PlantedError("in a task")


urlpatterns = [path("webhooks/bigcommerce/<str:key>/", crash)]


def main() -> None:
    client = Client(raise_request_exception=False, SERVER_NAME="localhost", REMOTE_ADDR="203.0.113.77")
    client.cookies["remembered"] = "cookie-1618033988"
    client.post(
        "/webhooks/bigcommerce/webhook-key-1732050807/?token=query-5772156649",
        {"password": "form-6180339887", "name": "Ada Lovelace-Byron"},
        HTTP_AUTHORIZATION="Basic header-3141592653",
        HTTP_X_CORRELATION_ID=TRACE,
        HTTP_X_FORWARDED_FOR="203.0.113.78",
    )
    with correlation.bind(TRACE):
        logging.getLogger("sync").error("refused for %s", "logged@example.com")
    crashing.apply(kwargs={"name": "Argument Lovelace"})
    sentry_sdk.flush(10)


if __name__ == "__main__":
    main()
