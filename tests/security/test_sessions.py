"""Sessions end or lose their rights at once; nobody rides on another's; what a browser is told protects people."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tenants.models import Membership, Tenant, User
from tenants.roles import Role

pytestmark = [pytest.mark.security, pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]

PASSWORD = "correct horse 17"
LIST = "/admin/sync/posting/"


@pytest.fixture
def tenant() -> Tenant:
    return Tenant.objects.create(slug="hats", name="Hats of the tenant")


@pytest.fixture
def anna(tenant: Tenant) -> User:
    user = User.objects.create_user("anna", password=PASSWORD)
    Membership.objects.create(tenant=tenant, user=user, role=Role.ADMINISTRATOR)
    return user


def signed_in(username: str = "anna", **options: Any) -> Client:
    """Past the real login page."""
    client = Client(**options)
    page = client.get("/admin/login/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]  # type: ignore[index]
    answer = client.post(
        "/admin/login/", {"username": username, "password": PASSWORD, "csrfmiddlewaretoken": token}
    )
    assert answer.status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def test_a_new_password_ends_every_other_session(anna: User) -> None:
    here, elsewhere = signed_in(), signed_in()
    new = "a very new horse 18"
    answer = here.post(
        "/admin/password_change/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    )
    assert answer.status_code == 302
    assert is_in(here)
    assert not is_in(elsewhere)


def test_a_password_given_by_an_administrator_ends_all_sessions(anna: User, tenant: Tenant) -> None:
    olga = User.objects.create_user("olga", password=PASSWORD)
    membership = Membership.objects.create(tenant=tenant, user=olga, role=Role.OPERATOR)
    hers = signed_in("olga")
    url = reverse("admin:tenants_membership_give_password", args=[membership.pk])
    signed_in().post(url, {"confirmed": "1", "password": "another long horse 19"})
    assert not is_in(hers)


def test_who_is_switched_off_is_out_at_once(anna: User) -> None:
    client = signed_in()
    User.objects.filter(pk=anna.pk).update(is_active=False)
    assert not is_in(client)
    assert client.post("/admin/login/", {"username": "anna", "password": PASSWORD}).status_code == 200


def test_a_role_taken_away_takes_its_rights_at_once(anna: User, tenant: Tenant) -> None:
    client = signed_in()
    change = f"/admin/tenants/tenant/{tenant.pk}/change/"
    Membership.objects.update(role=Role.VIEWER)
    assert 'name="_save"' not in client.get(change).content.decode()
    assert client.post(change, {"name": "Mine", "time_zone": "UTC", "_save": "1"}).status_code == 403
    Membership.objects.all().delete()
    assert "Hats of the tenant" not in client.get("/admin/", follow=True).content.decode()
    assert client.get(change).status_code in (302, 403, 404)
    tenant.refresh_from_db()
    assert tenant.name == "Hats of the tenant"


def test_a_superuser_who_is_one_no_more_sees_nothing_of_the_installation() -> None:
    root = User.objects.create_superuser("root", password=PASSWORD)
    client = signed_in("root")
    assert client.get("/admin/tenants/user/").status_code == 200
    User.objects.filter(pk=root.pk).update(is_superuser=False)
    assert client.get("/admin/tenants/user/").status_code == 403


def test_a_session_that_was_there_before_signing_in_is_not_the_one_after(anna: User) -> None:
    """Fixation: whoever plants a session key in a browser knows nothing after the person signs in there."""
    client = Client()
    client.get("/admin/login/")
    planted = client.session
    planted["planted"] = "yes"
    planted.save()
    client.cookies["sessionid"] = planted.session_key
    client.post("/admin/login/", {"username": "anna", "password": PASSWORD})
    assert client.cookies["sessionid"].value != planted.session_key
    thief = Client()
    thief.cookies["sessionid"] = planted.session_key
    assert not is_in(thief)


def test_a_session_key_that_somebody_made_up_is_worth_nothing(anna: User) -> None:
    client = Client()
    client.cookies["sessionid"] = "a" * 32
    assert not is_in(client)


def test_signing_out_ends_the_session_on_our_side(anna: User) -> None:
    client = signed_in()
    kept = client.cookies["sessionid"].value
    client.post("/admin/logout/")
    thief = Client()
    thief.cookies["sessionid"] = kept
    assert not is_in(thief)


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(anna: User) -> None:
    client = signed_in()
    session, csrf = client.cookies["sessionid"], client.cookies["csrftoken"]
    assert session["httponly"]
    assert session["samesite"] == csrf["samesite"] == "Lax"
    assert session["max-age"] == 12 * 60 * 60


@pytest.mark.parametrize("forwarded", ["1.2.3.{n}", "10.0.0.{n}, 1.2.3.{n}", "127.0.0.1", "unknown, {n}"])
def test_the_lockout_is_not_got_round_by_a_header(anna: User, forwarded: str) -> None:
    """Without a proxy that is trusted the header is a stranger's word."""
    for n in range(5):
        Client(headers={"X-Forwarded-For": forwarded.format(n=n), "X-Real-IP": f"9.9.9.{n}"}).post(
            "/admin/login/", {"username": "anna", "password": "wrong"}
        )
    locked = Client(headers={"X-Forwarded-For": "8.8.8.8"}).post(
        "/admin/login/", {"username": "anna", "password": PASSWORD}
    )
    assert locked.status_code == 429
    assert set(AccessAttempt.objects.values_list("ip_address", flat=True)) == {"127.0.0.1"}


def test_behind_a_proxy_only_what_the_proxy_adds_counts(anna: User, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    for n in range(5):
        Client(headers={"X-Forwarded-For": f"6.6.6.{n}, 203.0.113.7"}).post(
            "/admin/login/", {"username": "anna", "password": "wrong"}
        )
    same = Client(headers={"X-Forwarded-For": "203.0.113.99, 203.0.113.7"})
    assert same.post("/admin/login/", {"username": "anna", "password": PASSWORD}).status_code == 429
    other = Client(headers={"X-Forwarded-For": "203.0.113.7, 203.0.113.8"})
    assert other.post("/admin/login/", {"username": "anna", "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize("name", ["Anna", "ANNA", "anna ", " anna", "anna\x00", "ａnna"])
def test_another_spelling_of_a_name_gives_no_further_guesses(anna: User, name: str) -> None:
    """Whatever the spelling, either it is nobody, or it counts with the others."""
    for _ in range(5):
        Client().post("/admin/login/", {"username": name, "password": "wrong"})
    assert Client().post("/admin/login/", {"username": name, "password": PASSWORD}).status_code != 302


def test_no_post_of_the_console_is_taken_without_its_token(anna: User) -> None:
    from tests.tenants.test_admin_isolation import PAGES

    client = signed_in(enforce_csrf_checks=True)
    answered = set()
    for page in PAGES:
        url = page.url()
        for headers in ({}, {"Origin": "https://evil.example"}):
            answer = client.post(url, {"csrfmiddlewaretoken": "x" * 64}, headers=headers)
            answered.add(answer.status_code)
            assert answer.status_code == 403, url
    assert len(PAGES) > 50
    assert is_in(client)  # not even signed out
    assert answered == {403}


def test_every_page_refuses_to_be_framed_and_says_what_may_run(anna: User) -> None:
    client = signed_in()
    for url in ("/admin/", "/admin/login/", "/admin/second-factor/", LIST, "/admin/nothing-here/"):
        headers = client.get(url).headers
        policy = headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY", url
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
        assert "script-src 'self' 'unsafe-eval'" in policy
        assert "unsafe-inline" not in policy.split("style-src")[0]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "///evil.example", "https:evil.example",
     "javascript:alert(1)", "data:text/html,x", "\thttps://evil.example", "http://127.0.0.1@evil.example/"],
)  # fmt: skip
def test_signing_in_leads_nowhere_else(anna: User, target: str) -> None:
    answer = Client().post(
        f"/admin/login/?next={target}", {"username": "anna", "password": PASSWORD, "next": target}
    )
    assert answer.headers["Location"] in ("/admin/", reverse("admin:index"))
    out = signed_in().post("/admin/logout/", {"next": target})
    assert "evil" not in out.headers.get("Location", "")


def test_the_console_keeps_no_page_in_caches_that_others_share(anna: User) -> None:
    answer = signed_in().get("/admin/")
    assert "no-store" in answer.headers["Cache-Control"] or "private" in answer.headers["Cache-Control"]


def test_pages_cannot_be_asked_for_under_a_strangers_host_name(anna: User) -> None:
    assert Client(headers={"Host": "evil.example"}).get("/admin/login/").status_code == 400
    assert admin.site.site_url  # the site itself is there
