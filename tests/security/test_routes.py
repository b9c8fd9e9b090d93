"""Every address there is, found by walking the URL configuration: what is open to everybody is a closed list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import get_resolver

from tenants.models import Tenant
from tenants.roles import Role
from tests.factories import World
from tests.security.wire import request, web_process
from tests.tenants.test_admin_isolation import (
    OURS,
    SOME_ID,
    THEIRS,
    Page,
    content,
    page_url,
    signed_in,
    walk,
)

pytestmark = [pytest.mark.security, pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]

ROUTES: list[Page] = sorted(walk(get_resolver(), ""), key=lambda page: page.template)
# What each answers to a stranger's GET and POST. A new public route needs a line here, and a reason.
PUBLIC: dict[str, tuple[int, int]] = {
    "/": (302, 302),  # leads to the console, which asks who it is
    "/admin/login/": (200, 200),
    "/admin/logout/": (302, 302),  # ends a session, if there is one
    "/health/live": (200, 405),
    "/health/ready": (200, 405),
    "/metrics": (401, 405),  # for whoever has the token
    # These prove themselves by their signature.
    "/webhooks/bigcommerce/{}/": (405, 400),
    "/webhooks/bigcommerce/{}/exceptions/": (405, 400),
}


def url_of(page: Page) -> str:
    return "/" + page_url(page, SOME_ID).lstrip("/")


@pytest.fixture(autouse=True)
def metrics_token(settings: Any) -> None:
    """As in production: without a token nobody reads them there."""
    settings.TIEOUT_METRICS_TOKEN = "a token"


@pytest.fixture
def worlds() -> tuple[World, World]:
    with connection.cursor() as cursor:
        # The walk over pages that ask nothing is no process that stands still, however slow the machine.
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    alpha = World(Tenant.objects.create(slug="alpha", name=OURS), OURS, "AL")
    beta = World(Tenant.objects.create(slug="beta", name=THEIRS), THEIRS, "BE")
    alpha.rows()
    beta.rows()
    return alpha, beta


def test_the_walk_finds_what_there_is() -> None:
    templates = {"/" + page.template.lstrip("/") for page in ROUTES}
    assert set(PUBLIC) <= templates, set(PUBLIC) - templates
    assert "/admin/second-factor/" in templates
    assert len(templates) > 100


def test_a_stranger_is_sent_to_the_sign_in_from_everywhere_but_the_public_addresses(
    worlds: tuple[World, World],
) -> None:
    wrong = []
    for page in ROUTES:
        public = PUBLIC.get("/" + page.template.lstrip("/"))
        for index, method in enumerate(("get", "post")):
            answer = getattr(Client(), method)(url_of(page))
            shown = content(answer)
            if OURS in shown or THEIRS in shown:
                wrong.append(f"{method} {url_of(page)} shows rows")
            if public:
                if answer.status_code != public[index]:
                    wrong.append(f"{method} {url_of(page)}: {answer.status_code}, not {public[index]}")
            elif not _asks_who(answer):
                wrong.append(
                    f"{method} {url_of(page)}: {answer.status_code} {answer.headers.get('Location', '')}"
                )
    assert not wrong, "\n".join(wrong)


def _asks_who(answer: Any) -> bool:
    return answer.status_code == 302 and answer.headers["Location"].startswith("/admin/login/?next=")


@pytest.mark.parametrize("role", [*Role.values, "nobody"])
def test_no_route_outside_the_admin_site_shows_rows_to_the_wrong_people(
    role: str, worlds: tuple[World, World]
) -> None:
    """Those of the admin site are tried one by one in tests/tenants/test_admin_isolation.py."""
    alpha, _ = worlds
    client = signed_in(role, alpha.tenant)
    others = [
        page
        for page in ROUTES
        if not page.template.lstrip("/").startswith("admin/") or "second" in page.template
    ]
    assert len(others) >= 6
    for page in others:
        for method in ("get", "post"):
            assert THEIRS not in content(getattr(client, method)(url_of(page))), url_of(page)


@pytest.mark.parametrize(
    "path",
    ["/api/schema/", "/schema/", "/api/docs/", "/swagger/", "/redoc/", "/api/", "/__debug__/", "/admin/doc/"],
)
def test_there_is_no_page_that_describes_the_api_to_strangers(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code in (302, 404)
    assert b"openapi" not in answer.content


@pytest.mark.parametrize(
    "path", ["/nothing-here/", "/admin/nothing/here/", "/static/nothing.js", "/webhooks/other/x/"]
)
def test_an_address_that_is_not_there_tells_nothing_about_those_that_are(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code in (302, 404)
    assert b"urlpatterns" not in answer.content
    assert b"Traceback" not in answer.content


@pytest.mark.django_db(transaction=True)
def test_static_files_are_files_of_the_interface_and_nothing_else(
    django_db_setup: None, tmp_path: Path
) -> None:
    tries = [
        "/static/../config/settings.py", "/static/..%2f..%2fconfig/settings.py", "/static/%2e%2e/%2e%2e/.env",
        "/static//etc/passwd", "/static/%2fetc%2fpasswd", "/static/..\\..\\.env", "/static/tieout/../../../manage.py",
        "/static/tieout/console.css%00.py", "/.env", "/.git/config", "/manage.py", "/static/", "/static/tieout/",
    ]  # fmt: skip
    with web_process(tmp_path) as web:
        for path in tries:
            assert web.statuses(request(path, method="GET")) in ([404], [400], [301]), path
        assert web.statuses(request("/static/tieout/console.css", method="GET")) == [200]
        assert "Traceback" not in web.said()
