"""A second factor: what a session may do before it has passed, codes that count once, and every way in, round and back."""

from __future__ import annotations

import base64
import re
import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_otp.oath import totp

from audit.models import AuditEntry
from tenants.authenticators import LOCKED_FOR, MOST_FAILURES, Authenticator
from tenants.models import Membership, Tenant, User
from tenants.roles import Role

pytestmark = [pytest.mark.security, pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]

PASSWORD = "correct horse 17"
PAGE = "/admin/second-factor/"
HOME = "/admin/"


@pytest.fixture
def tenant() -> Tenant:
    return Tenant.objects.create(slug="hats", name="Hats")


@pytest.fixture
def olga(tenant: Tenant) -> User:
    user = User.objects.create_user("olga", password=PASSWORD)
    Membership.objects.create(tenant=tenant, user=user, role=Role.OPERATOR)
    return user


def set_up(user: User) -> Authenticator:
    """The person's authenticator, as after its first code."""
    authenticator = Authenticator.begin(user)
    authenticator.confirm()
    return authenticator


def code_of(authenticator: Authenticator, *, steps: int = 0) -> str:
    """What the app shows, now or so many steps of 30 seconds later."""
    key = base64.b32decode(Authenticator.objects.get(pk=authenticator.pk).secret)
    return f"{totp(key, t0=-30 * steps):06}"


def signed_in(username: str = "olga") -> Client:
    """Past the password, through the real login page."""
    client = Client()
    answer = client.post("/admin/login/?next=/admin/", {"username": username, "password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return client


def passed(client: Client, code: str) -> bool:
    """Whether the code at sign-in was accepted."""
    return client.post(PAGE, {"code": code}).status_code == 302 and client.get(HOME).status_code == 200


def told(action: str) -> int:
    return AuditEntry.objects.filter(action=action).count()


def test_without_one_nobody_is_asked(olga: User) -> None:
    assert signed_in().get(HOME).status_code == 200


def test_the_code_is_asked_for_after_the_password_and_opens_the_console(olga: User) -> None:
    authenticator, client = set_up(olga), signed_in()
    answer = client.get("/admin/sync/posting/?q=1")
    assert answer.headers["Location"] == PAGE + "?next=%2Fadmin%2Fsync%2Fposting%2F%3Fq%3D1"
    assert "six digits" in client.get(PAGE).content.decode()
    before = client.session.session_key
    answer = client.post(PAGE, {"code": code_of(authenticator), "next": "/admin/sync/posting/?q=1"})
    assert answer.headers["Location"] == "/admin/sync/posting/?q=1"
    assert client.session.session_key != before
    assert client.get("/admin/sync/posting/").status_code == 200
    assert told("second_factor.passed") == 1


def test_a_session_that_has_not_passed_sees_nothing(olga: User, tenant: Tenant) -> None:
    from tests.tenants.test_admin_isolation import PAGES

    Tenant.objects.update(name="mark-hats-0417")
    set_up(olga)
    client = signed_in()
    for page in PAGES:
        if page.name == "logout":
            continue
        for method in ("get", "post"):
            answer = getattr(client, method)(page.url())
            shown = answer.content.decode() + answer.headers.get("Location", "")
            assert "mark-hats-0417" not in shown, page.url()
            assert answer.status_code in (302, 403), f"{method} {page.url()} {answer.status_code}"
            if answer.status_code == 302:
                assert answer.headers["Location"].startswith(PAGE)
    assert "mark-hats-0417" not in client.get(PAGE).content.decode()


def test_a_code_counts_once_also_in_another_session(olga: User) -> None:
    authenticator = set_up(olga)
    code = code_of(authenticator)
    assert passed(signed_in(), code)
    assert not passed(signed_in(), code)
    assert passed(signed_in(), code_of(authenticator, steps=1))
    assert not passed(signed_in(), code)  # an earlier step is over as well


@pytest.mark.parametrize(
    "code", ["", "000", "12345", "1234567", "abcdef", "１２３４５６", "-12345", "1e5", "\x00", "'"]
)
def test_what_is_no_code_is_refused(olga: User, code: str) -> None:
    set_up(olga)
    client = signed_in()
    assert client.post(PAGE, {"code": code}).status_code == 200
    assert client.get(HOME).status_code == 302


def test_after_five_wrong_codes_even_the_right_one_waits_and_the_session_ends(olga: User) -> None:
    authenticator, client = set_up(olga), signed_in()
    right = code_of(authenticator)
    wrong = f"{(int(right) + 500_000) % 1_000_000:06}"
    statuses = [client.post(PAGE, {"code": wrong}).status_code for _ in range(MOST_FAILURES)]
    assert statuses == [200] * (MOST_FAILURES - 1) + [302]
    assert client.get(HOME).headers["Location"].startswith("/admin/login/")  # signed out
    assert told("second_factor.failed") == MOST_FAILURES
    assert not passed(signed_in(), code_of(authenticator))
    with time_machine.travel(timezone.now() + LOCKED_FOR + timedelta(seconds=1)):
        assert passed(signed_in(), code_of(authenticator))


def test_signing_in_again_gives_no_further_guesses(olga: User) -> None:
    """The count is the person's, not the session's, and a right password does not reset it."""
    authenticator = set_up(olga)
    wrong = f"{(int(code_of(authenticator)) + 500_000) % 1_000_000:06}"
    for _ in range(MOST_FAILURES):
        signed_in().post(PAGE, {"code": wrong})
    authenticator.refresh_from_db()
    assert authenticator.is_locked
    assert not passed(signed_in(), code_of(authenticator))


def test_a_recovery_code_signs_in_once(olga: User) -> None:
    authenticator = Authenticator.begin(olga)
    codes = authenticator.confirm()
    assert len(set(codes)) == 10
    assert passed(signed_in(), codes[3].upper())
    assert not passed(signed_in(), codes[3])
    assert passed(signed_in(), codes[4])
    assert len(Authenticator.objects.get().recovery_hashes) == 8


def test_setting_one_up_shows_a_picture_then_recovery_codes_once(olga: User) -> None:
    client = signed_in()
    page = client.get(PAGE).content.decode()
    assert 'src="data:image/svg+xml' in page
    authenticator = Authenticator.objects.get()
    assert authenticator.secret[:4] in page
    assert client.get(HOME).status_code == 200  # not asked for until it works
    assert "not right" in client.post(PAGE, {"code": "000000"}).content.decode()

    shown = client.post(PAGE, {"code": code_of(authenticator)}).content.decode()
    codes = re.findall(r"<li>([a-z2-7-]{19})</li>", shown)
    assert len(codes) == 10
    again = client.get(PAGE).content.decode()
    assert not any(code in again for code in codes)
    assert authenticator.secret not in again
    assert client.get(HOME).status_code == 200  # this session has just proved it
    assert signed_in().get(HOME).status_code == 302
    assert told("second_factor.set_up") == 1


def test_the_secret_is_encrypted_and_the_recovery_codes_are_not_there(olga: User) -> None:
    authenticator = Authenticator.begin(olga)
    codes = authenticator.confirm()
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM tenants_authenticator t")
        (stored,) = cursor.fetchone()
    assert authenticator.secret not in stored
    assert not any(code in stored or code.replace("-", "") in stored for code in codes)


def test_turning_it_off_takes_the_password_and_a_code(olga: User) -> None:
    authenticator, client = set_up(olga), signed_in()
    assert passed(client, code_of(authenticator))
    for password, code in ((PASSWORD, "000000"), ("wrong", code_of(authenticator, steps=1))):
        assert client.post(PAGE, {"wants": "off", "password": password, "code": code}).status_code == 200
    assert Authenticator.objects.filter(confirmed=True).exists()
    client.post(PAGE, {"wants": "off", "password": PASSWORD, "code": code_of(authenticator, steps=1)})
    assert not Authenticator.objects.exists()
    assert signed_in().get(HOME).status_code == 200
    assert told("second_factor.turned_off") == 1


def test_new_recovery_codes_take_a_code_and_end_the_old_ones(olga: User) -> None:
    authenticator = Authenticator.begin(olga)
    old = authenticator.confirm()
    client = signed_in()
    assert passed(client, code_of(authenticator))
    assert "not right" in client.post(PAGE, {"wants": "codes", "code": "000000"}).content.decode()
    shown = client.post(PAGE, {"wants": "codes", "code": code_of(authenticator, steps=1)}).content.decode()
    assert len(re.findall(r"<li>([a-z2-7-]{19})</li>", shown)) == 10
    assert not passed(signed_in(), old[0])


def test_a_tenant_can_ask_for_one_from_everybody_who_works_there(olga: User, tenant: Tenant) -> None:
    client = signed_in()
    assert client.get(HOME).status_code == 200
    Tenant.objects.update(requires_second_factor=True)
    assert client.get(HOME).headers["Location"].startswith(PAGE)  # at once
    assert "a second factor is needed" in client.get(PAGE).content.decode()
    client.post(PAGE, {"code": code_of(Authenticator.objects.get())})
    assert client.get(HOME).status_code == 200
    client.post(
        PAGE, {"wants": "off", "password": PASSWORD, "code": code_of(Authenticator.objects.get(), steps=1)}
    )
    assert Authenticator.objects.filter(confirmed=True).exists()


@pytest.mark.parametrize(
    ("asks", "of_root", "of_olga"),
    [("optional", 200, 200), ("superusers", 302, 200), ("everybody", 302, 302)],
)
def test_the_installation_can_ask_for_one(
    asks: str, of_root: int, of_olga: int, olga: User, settings: Any
) -> None:
    settings.TIEOUT_SECOND_FACTOR = asks
    User.objects.create_superuser("root", password=PASSWORD)
    assert signed_in("root").get(HOME).status_code == of_root
    assert signed_in("olga").get(HOME).status_code == of_olga


def test_an_administrator_resets_it_for_their_own_people_only(olga: User, tenant: Tenant) -> None:
    admin = User.objects.create_user("anna", password=PASSWORD)
    Membership.objects.create(tenant=tenant, user=admin, role=Role.ADMINISTRATOR)
    other = Tenant.objects.create(slug="shoes", name="Shoes")
    both = User.objects.create_user("both", password=PASSWORD)
    Membership.objects.create(tenant=other, user=both, role=Role.VIEWER)
    shared = Membership.objects.create(tenant=tenant, user=both, role=Role.VIEWER)
    set_up(olga)
    set_up(both)
    client = signed_in("anna")
    for membership in (olga.memberships.get(), shared):
        client.post(
            f"/admin/tenants/membership/{membership.pk}/reset-second-factor", {"confirmed": "1"}, follow=True
        )
        client.post(
            f"/admin/tenants/membership/{membership.pk}/reset_second_factor/", {"confirmed": "1"}, follow=True
        )
    assert [row.user.username for row in Authenticator.objects.all()] == ["both"]
    entry = AuditEntry.objects.get(action="second_factor.reset")
    assert (entry.actor, entry.tenant_id) == ("anna", tenant.pk)


def test_a_session_that_passed_is_asked_again_after_a_reset(olga: User) -> None:
    authenticator, client = set_up(olga), signed_in()
    assert passed(client, code_of(authenticator))
    call_command("reset_second_factor", "olga")
    set_up(olga)
    assert client.get(HOME).headers["Location"].startswith(PAGE)


def test_the_page_leads_nowhere_else(olga: User) -> None:
    authenticator = set_up(olga)
    for steps, target in enumerate(
        ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)")
    ):
        client = signed_in()
        with time_machine.travel(time.time() + 60 * (steps + 1)):
            answer = client.post(PAGE, {"code": code_of(authenticator), "next": target})
        assert answer.headers["Location"] == HOME, target


def test_it_is_nobodys_page_without_a_session() -> None:
    assert Client().get(PAGE).headers["Location"] == f"/admin/login/?next={PAGE}"
    assert Client(enforce_csrf_checks=True).post(PAGE, {"code": "1"}).status_code == 403
    assert not Authenticator.objects.exists()
