"""Who may do what, who may let whom in, and that all of it is in the trail."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from audit import Action, record
from audit.models import AuditEntry
from tenants.models import Membership, Tenant, User
from tenants.roles import RIGHTS, May, Role, rights_of
from tenants.scoping import may, visible

PASSWORD = "correct horse 17"
MEMBERSHIPS = "/admin/tenants/membership/"


@pytest.fixture
def alpha(db: None) -> Tenant:
    return Tenant.objects.create(slug="alpha", name="Alpha")


@pytest.fixture
def beta(db: None) -> Tenant:
    return Tenant.objects.create(slug="beta", name="Beta")


def person(name: str, *roles: tuple[Tenant, Role], **fields: Any) -> User:
    user = User.objects.create_user(name, password=PASSWORD, **fields)
    for tenant, role in roles:
        Membership.objects.create(tenant=tenant, user=user, role=role)
    return User.objects.get(pk=user.pk)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def said(client: Client, url: str, data: dict[str, Any]) -> str:
    """What people read after a POST, followed to the page it leads to."""
    return client.post(url, data, follow=True).content.decode()


def actions(tenant: Tenant | None) -> list[str]:
    return list(
        AuditEntry.objects.filter(tenant_id=tenant and tenant.pk)
        .order_by("id")
        .values_list("action", flat=True)
    )


def test_roles_are_not_a_ladder() -> None:
    assert May.EDIT_MAPPINGS not in RIGHTS[Role.OPERATOR]
    assert May.REPROCESS not in RIGHTS[Role.ACCOUNTANT]
    assert rights_of([Role.OPERATOR, Role.ACCOUNTANT]) >= {May.EDIT_MAPPINGS, May.REPROCESS}
    assert RIGHTS[Role.ADMINISTRATOR] == frozenset(May)
    assert rights_of(["viewer", "no such role"]) == {May.VIEW}


@pytest.mark.parametrize("permission", list(May))
@pytest.mark.parametrize("role", list(Role))
def test_a_role_counts_in_its_own_tenant_only(
    alpha: Tenant, beta: Tenant, role: Role, permission: May
) -> None:
    user = person("jane", (alpha, role))
    assert may(user, alpha, permission) == (permission in RIGHTS[role])
    assert not may(user, beta, permission)
    assert not may(user, None, permission)


def test_strangers_and_people_switched_off_see_nothing(alpha: Tenant) -> None:
    off = person("jane", (alpha, Role.ADMINISTRATOR), is_active=False)
    root = User.objects.create_superuser("root", is_active=False)
    for user in (AnonymousUser(), person("nobody"), off, root):
        assert not visible(user, Tenant.objects.all()).exists()
        assert not may(user, alpha, May.VIEW)


def test_rows_of_no_tenant_are_for_superusers(alpha: Tenant) -> None:
    from django_celery_beat.models import IntervalSchedule

    IntervalSchedule.objects.create(every=1, period="days")
    jane, root = person("jane", (alpha, Role.ADMINISTRATOR)), User.objects.create_superuser("root")
    assert not visible(jane, IntervalSchedule.objects.all()).exists()
    assert visible(root, IntervalSchedule.objects.all()).exists()


def test_people_see_colleagues_and_nobody_else(alpha: Tenant, beta: Tenant) -> None:
    jane = person("jane", (alpha, Role.VIEWER))
    joe = person("joe", (alpha, Role.OPERATOR), (alpha, Role.ACCOUNTANT), (beta, Role.VIEWER))
    person("bob", (beta, Role.VIEWER))
    assert set(visible(jane, User.objects.all())) == {jane, joe}


def test_an_administrator_makes_a_person_who_can_sign_in_and_see_the_tenant(alpha: Tenant) -> None:
    client = signed_in(person("jane", (alpha, Role.ADMINISTRATOR)))
    new = {"tenant": alpha.pk, "username": "joe", "role": "operator", "password": "a fresh one 4711"}
    assert "joe" in said(client, f"{MEMBERSHIPS}add/", new)
    joe = User.objects.get(username="joe")
    assert joe.check_password("a fresh one 4711")
    assert (joe.is_staff, joe.is_superuser) == (True, False)
    assert may(joe, alpha, May.REPROCESS)
    assert signed_in(joe).get("/admin/tenants/tenant/").status_code == 200
    assert "membership.granted" in actions(alpha)


def test_an_administrator_cannot_take_in_a_stranger_or_learn_more_than_that_the_name_is_taken(
    alpha: Tenant, beta: Tenant
) -> None:
    client = signed_in(person("jane", (alpha, Role.ADMINISTRATOR)))
    person("bob", (beta, Role.VIEWER), first_name="Robert")
    person("nobody")
    User.objects.create_superuser("root")
    for name in ("bob", "nobody", "root"):
        new = {"tenant": alpha.pk, "username": name, "role": "viewer", "password": "a fresh one 4711"}
        page = said(client, f"{MEMBERSHIPS}add/", new)
        assert "This name is taken." in page
        assert "Robert" not in page
        assert not Membership.objects.filter(tenant=alpha, user__username=name).exists()
        assert not User.objects.get(username=name).check_password("a fresh one 4711")


def test_an_administrator_of_two_tenants_takes_a_person_from_one_to_the_other(
    alpha: Tenant, beta: Tenant
) -> None:
    client = signed_in(person("jane", (alpha, Role.ADMINISTRATOR), (beta, Role.ADMINISTRATOR)))
    person("joe", (beta, Role.VIEWER))
    said(
        client,
        f"{MEMBERSHIPS}add/",
        {"tenant": alpha.pk, "username": "joe", "role": "viewer", "password": ""},
    )
    assert Membership.objects.filter(tenant=alpha, user__username="joe").exists()


def test_a_person_holds_a_role_once(alpha: Tenant) -> None:
    client = signed_in(person("jane", (alpha, Role.ADMINISTRATOR)))
    twice = {"tenant": alpha.pk, "username": "jane", "role": "administrator", "password": ""}
    assert "already exists" in said(client, f"{MEMBERSHIPS}add/", twice)
    assert Membership.objects.count() == 1


@pytest.mark.parametrize("password,complaint", [("", "give them a first password"), ("123", "too short")])
def test_a_new_person_needs_a_good_password(
    alpha: Tenant, settings: Any, password: str, complaint: str
) -> None:
    minimum = "django.contrib.auth.password_validation.MinimumLengthValidator"
    settings.AUTH_PASSWORD_VALIDATORS = [{"NAME": minimum}]
    client = signed_in(person("jane", (alpha, Role.ADMINISTRATOR)))
    new = {"tenant": alpha.pk, "username": "joe", "role": "viewer", "password": password}
    assert complaint in said(client, f"{MEMBERSHIPS}add/", new)
    assert not User.objects.filter(username="joe").exists()


def test_a_role_changes_and_a_membership_ends(alpha: Tenant) -> None:
    client = signed_in(person("jane", (alpha, Role.ADMINISTRATOR)))
    joes = Membership.objects.get(user=person("joe", (alpha, Role.VIEWER)))
    said(client, f"{MEMBERSHIPS}{joes.pk}/change/", {"role": "accountant"})
    joes.refresh_from_db()
    assert joes.role == "accountant"
    said(client, f"{MEMBERSHIPS}{joes.pk}/delete/", {"post": "yes"})
    assert not Membership.objects.filter(pk=joes.pk).exists()
    assert User.objects.filter(username="joe").exists()
    assert "membership.revoked" in actions(alpha)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.ACCOUNTANT])
def test_only_administrators_work_with_memberships(alpha: Tenant, role: Role) -> None:
    client = signed_in(person("jane", (alpha, role)))
    mine = Membership.objects.get()
    for url in (MEMBERSHIPS, f"{MEMBERSHIPS}add/", f"{MEMBERSHIPS}{mine.pk}/delete/"):
        assert client.post(url, {"role": "administrator"}).status_code == 403
    client.post(f"{MEMBERSHIPS}{mine.pk}/change/", {"role": "administrator"})
    mine.refresh_from_db()
    assert mine.role == role


def test_an_action_changes_nothing_until_it_is_confirmed(alpha: Tenant) -> None:
    client = signed_in(person("jane", (alpha, Role.ADMINISTRATOR)))
    joe = person("joe", (alpha, Role.VIEWER))
    url = f"{MEMBERSHIPS}{joe.memberships.get().pk}/give_password/"
    page = client.get(url).content.decode()
    assert "Give a new password" in page
    assert 'name="confirmed"' in page
    client.post(url, {"password": "a fresh one 4711"})  # without the page's own field
    assert not User.objects.get(pk=joe.pk).check_password("a fresh one 4711")
    page = said(client, url, {"password": "a fresh one 4711", "confirmed": "1"})
    assert "joe signs in with the new password from now on." in page
    assert User.objects.get(pk=joe.pk).check_password("a fresh one 4711")
    assert "user.password_changed" in actions(alpha)


def test_nobody_gives_a_password_to_somebody_who_also_works_elsewhere(alpha: Tenant, beta: Tenant) -> None:
    client = signed_in(person("jane", (alpha, Role.ADMINISTRATOR)))
    bob = person("bob", (alpha, Role.VIEWER), (beta, Role.ADMINISTRATOR))
    url = f"{MEMBERSHIPS}{bob.memberships.get(tenant=alpha).pk}/give_password/"
    page = said(client, url, {"password": "a fresh one 4711", "confirmed": "1"})
    assert "This person also works elsewhere." in page
    assert not User.objects.get(pk=bob.pk).check_password("a fresh one 4711")


def test_sign_ins_are_in_the_trail_of_every_tenant_of_the_person(alpha: Tenant, beta: Tenant) -> None:
    person("jane", (alpha, Role.VIEWER), (beta, Role.OPERATOR))
    client = Client()
    for password in ("wrong", PASSWORD):
        client.post("/admin/login/", {"username": "jane", "password": password})
    client.post("/admin/logout/")
    for tenant in (alpha, beta):
        told = [action for action in actions(tenant) if action.startswith("user.")]
        assert told == ["user.sign_in_failed", "user.signed_in", "user.signed_out"]


def test_what_a_stranger_types_as_a_name_is_not_recorded(db: None) -> None:
    Client().post("/admin/login/", {"username": "my-passw0rd", "password": "x"})
    assert not AuditEntry.objects.exists()


def test_the_order_s_story_is_one_click_away_and_of_this_tenant_only(alpha: Tenant, beta: Tenant) -> None:
    order = "order:S1/100234"
    for tenant, total in ((alpha, "11.11"), (beta, "22.22")):
        about = {"tenant_id": tenant.pk, "correlation_id": f"of-{tenant.slug}-0001"}
        record(Action.EVENT_RECEIVED, **about, subject="event:e-1")
        record(
            Action.DOCUMENT_POSTED,
            **about,
            subject=[order, "erp:main/invoice/1234"],
            details={"total": total},
        )
    client = signed_in(person("jane", (alpha, Role.VIEWER)))
    trail = "/admin/audit/auditentry/"
    found = client.get(trail, {"q": "1234"}).content.decode()
    assert f"{trail}?story=order%3AS1%2F100234" in found
    told = client.get(trail, {"story": order}).content.decode()
    assert told.index("event.received") < told.rindex("document.posted")
    assert "11.11" in told
    assert "22.22" not in found + told


def test_the_export_is_what_the_list_shows_and_safe_to_open(alpha: Tenant, beta: Tenant) -> None:
    record(Action.OPERATOR_EXCLUDE, tenant_id=alpha.pk, actor="=cmd|' /C calc'!A0", subject="order:S1/1")
    record(Action.OPERATOR_EXCLUDE, tenant_id=beta.pk, actor="of-beta", subject="order:S1/1")
    record(Action.PLAN_MADE, tenant_id=alpha.pk, subject="order:S1/2")
    client = signed_in(person("jane", (alpha, Role.VIEWER)))
    response = client.get("/admin/audit/auditentry/export/", {"action": "operator.exclude"})
    rows = b"".join(response.streaming_content).decode().splitlines()
    assert len(rows) == 2
    assert "'=cmd|' /C calc'!A0" in rows[1]
    assert "of-beta" not in rows[1]
    assert actions(alpha)[-1] == "operator.exported"


def test_nobody_adds_changes_or_deletes_an_entry_on_screen(alpha: Tenant) -> None:
    entry = record(Action.PLAN_MADE, tenant_id=alpha.pk)
    client = signed_in(User.objects.create_superuser("root"))
    assert client.get(f"/admin/audit/auditentry/{entry.pk}/change/").status_code == 200
    for path in ("add/", f"{entry.pk}/change/", f"{entry.pk}/delete/"):
        assert client.post(f"/admin/audit/auditentry/{path}", {"post": "yes"}).status_code == 403


def test_what_is_changed_on_screen_is_in_the_trail_with_who_did_it(alpha: Tenant) -> None:
    client = signed_in(person("jane", (alpha, Role.ADMINISTRATOR)))
    said(
        client,
        f"/admin/tenants/tenant/{alpha.pk}/change/",
        {"name": "Alpha Ltd", "time_zone": "Europe/Berlin"},
    )
    alpha.refresh_from_db()
    assert alpha.name == "Alpha Ltd"
    entry = AuditEntry.objects.get(tenant_id=alpha.pk, action="operator.changed")
    assert (entry.actor, entry.subjects) == ("jane", [f"tenant:{alpha.pk}"])
    assert entry.correlation_id
