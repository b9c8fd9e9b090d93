"""Nobody sees or changes another tenant's rows: every page of the console, every role, guessed ids included.

The pages are found by walking the URLs of the admin site, so pages added later are covered; the rows are one of
every tenant-owned model there is. Beta is the tenant whose rows nobody of Alpha may see: each text in them carries
the marker.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection, models
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from audit.models import AuditEntry, CallBody
from tenants.models import Membership, Tenant, User
from tenants.roles import Role
from tenants.scoped_admin import SuperuserOnly, TenantAdmin
from tenants.scoping import tenant_path
from tests.factories import World, tenant_owned_models

THEIRS = "mark-beta-0417"
OURS = "mark-alpha-0417"
UNKNOWN_ID = "987654321"
SOME_ID = "123456789"  # of rows that belong to no tenant
FIRST_OF_THEIRS = 417_000_000
NOBODY = "nobody"
PEOPLE = [*Role.values, NOBODY]


@dataclass(frozen=True)
class Page:
    """One route of the admin site: its name, its address with `{}` for each argument, and its arguments."""

    name: str
    template: str
    arguments: tuple[str, ...]

    def url(self, **values: str) -> str:
        """The address; an argument without a value is made up."""
        return self.template.format(*(values.get(name, made_up(name)) for name in self.arguments))

    @property
    def is_of_a_row(self) -> bool:
        """Whether it takes a row's id."""
        return any(name.endswith("id") and name != "content_type_id" for name in self.arguments)


def made_up(argument: str) -> str:
    """A value for an argument that is no id."""
    return {"app_label": "tenants", "content_type_id": "1", "url": "nowhere"}.get(argument, "1")


def pages() -> list[Page]:
    """Every route below /admin/, also those that model admins add."""
    (resolver,) = [
        entry for entry in get_resolver().url_patterns if getattr(entry, "namespace", None) == "admin"
    ]
    return sorted(walk(resolver, "/"), key=lambda page: page.template)


def walk(entry: URLResolver | URLPattern, prefix: str) -> Iterator[Page]:
    """The routes at and below an entry of the URL configuration."""
    route = str(entry.pattern)
    if isinstance(entry, URLPattern):
        yield page_of(prefix + route, entry.name or "")
        return
    for inner in entry.url_patterns:
        yield from walk(inner, prefix + route)


def page_of(route: str, name: str) -> Page:
    """`<path:object_id>/change/` and `^(?P<app_label>auth|tenants)/$` alike."""
    arguments: list[str] = []

    def argument(found: re.Match[str]) -> str:
        arguments.append(found[1])
        return "{}"

    route = re.sub(r"\(\?P<(\w+)>[^)]*\)", argument, route)
    route = re.sub(r"<(?:\w+:)?(\w+)>", argument, route)
    return Page(name, re.sub(r"[\^$]|\\Z", "", route), tuple(arguments))


PAGES = pages()
OF_ROWS = [page for page in PAGES if page.is_of_a_row]
OF_NO_ROW = [page for page in PAGES if not page.is_of_a_row and page.name not in ("logout",)]


@pytest.fixture
def worlds(db: None) -> tuple[World, World]:
    alpha = World(Tenant.objects.create(slug="alpha", name=OURS), OURS, "AL")
    alpha.rows()
    make_ids_unmistakable()
    beta = World(Tenant.objects.create(slug="beta", name=THEIRS), THEIRS, "BE")
    beta.rows()
    return alpha, beta


def make_ids_unmistakable() -> None:
    """Rows made from now on have ids of nine digits, which stand for nothing else on a page."""
    with connection.cursor() as cursor:
        for model in [*tenant_owned_models(), AuditEntry, CallBody, User, Tenant]:
            ids = f"pg_get_serial_sequence('{model._meta.db_table}', 'id')"
            cursor.execute(f"SELECT setval({ids}, greatest(nextval({ids}) + 1000, %s))", [FIRST_OF_THEIRS])


def signed_in(role: str, *tenants: Tenant) -> Client:
    """Somebody who holds this role in these tenants, or the installation's administrator."""
    if role == "superuser":
        user = User.objects.create_superuser("root", password="correct horse 17")
    else:
        user = User.objects.create_user(f"a-{role}", password="correct horse 17")
        for tenant in tenants if role != NOBODY else ():
            Membership.objects.create(tenant=tenant, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


def content(response: Any) -> str:
    """What came back, streamed or not, with where it leads to."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return body.decode(errors="replace") + response.headers.get("Location", "")


def answer(client: Client, method: str, url: str, data: dict[str, Any] | None = None) -> tuple[int, str]:
    """Status and what people see: the page, where a redirect leads, and the messages waiting to be shown."""
    response = getattr(client, method)(url, data or {})
    shown = content(response)
    if response.wsgi_request._messages.added_new:
        shown += " ".join(str(message) for message in response.wsgi_request._messages._queued_messages)
        client.cookies.pop("messages", None)
    return response.status_code, re.sub(r'(name="csrfmiddlewaretoken" value=|nonce=)"[^"]*"', "", shown)


def state_of(world: World) -> dict[str, list[Any]]:
    """Every row of a tenant, as the database has it."""
    state = {}
    with connection.cursor() as cursor:
        for model in [*tenant_owned_models(), AuditEntry, CallBody]:
            table = model._meta.db_table
            cursor.execute(
                f"SELECT to_jsonb(t)::text FROM {table} t WHERE tenant_id = %s ORDER BY 1", [world.tenant.pk]
            )
            state[table] = cursor.fetchall()
        cursor.execute("SELECT to_jsonb(t)::text FROM tenants_tenant t WHERE id = %s", [world.tenant.pk])
        state["tenants_tenant"] = cursor.fetchall()
        cursor.execute("SELECT to_jsonb(t)::text FROM tenants_user t WHERE id = %s", [world.row(User).pk])
        state["tenants_user"] = cursor.fetchall()
    return state


def without_trail(state: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """The rows without the audit trail, which also tells what a viewer looked at or exported."""
    return {table: rows for table, rows in state.items() if not table.startswith("audit_")}


def ids_on(page: Page, world: World) -> list[str]:
    """The ids to try on a page: of the model's row if the route tells it, else of every row there is."""
    for model in admin.site._registry:
        if f"/{model._meta.app_label}/{model._meta.model_name}/" in page.template:
            return [str(world.row(model).pk)] if belongs_to_a_tenant(model) else [SOME_ID]
    return sorted({str(row.pk) for row in world.rows()})


def belongs_to_a_tenant(model: type[models.Model]) -> bool:
    """Whether a world has a row of it."""
    return tenant_path(model) is not None


EVERYTHING_CONFIRMED = {"post": "yes", "confirmed": "1", "_save": "1", "confirm": "1"}


def test_the_walk_finds_the_pages_of_every_registered_admin() -> None:
    for model in admin.site._registry:
        where = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert [page for page in PAGES if page.template == where], f"{where} was not walked"
    assert len(OF_ROWS) >= 3 * len(admin.site._registry)


def test_every_admin_is_scoped_or_for_superusers_only() -> None:
    for model, registered in admin.site._registry.items():
        assert isinstance(registered, TenantAdmin | SuperuserOnly), f"{model._meta.label} is neither"


@pytest.mark.parametrize("role", PEOPLE)
def test_no_page_without_an_id_shows_anything_of_another_tenant(
    role: str, worlds: tuple[World, World]
) -> None:
    alpha, _ = worlds
    client = signed_in(role, alpha.tenant)
    for page in OF_NO_ROW:
        for method in ("get", "post"):
            status, shown = answer(client, method, page.url())
            assert THEIRS not in shown, f"{role} {method} {page.url()} ({status})"


@pytest.mark.parametrize("role", PEOPLE)
def test_a_guessed_id_gets_the_answer_of_an_unknown_one_and_changes_nothing(
    role: str, worlds: tuple[World, World]
) -> None:
    alpha, beta = worlds
    client = signed_in(role, alpha.tenant)
    before = state_of(beta)
    for page in OF_ROWS:
        for method, data in (("get", {}), ("post", EVERYTHING_CONFIRMED)):
            for pk in ids_on(page, beta):
                url, unknown = page_url(page, pk), page_url(page, UNKNOWN_ID)
                guessed = answer(client, method, url, data)
                assert THEIRS not in guessed[1], f"{role} {method} {url}"
                assert same_but_for_id(guessed, pk) == same_but_for_id(
                    answer(client, method, unknown, data), UNKNOWN_ID
                ), f"{role} {method} {url} differs from {unknown}"
    assert state_of(beta) == before


def page_url(page: Page, pk: str) -> str:
    """The page with this id wherever it takes one."""
    return page.url(
        **{name: pk for name in page.arguments if name.endswith("id") and name != "content_type_id"}
    )


def same_but_for_id(answered: tuple[int, str], pk: str) -> tuple[int, str]:
    """An answer without the id that was asked for."""
    return answered[0], re.sub(rf"(?<!\d){pk}(?!\d)", "ID", answered[1])


@pytest.mark.parametrize("role", PEOPLE)
def test_no_list_finds_another_tenants_rows_by_search_filter_or_guess(
    role: str, worlds: tuple[World, World]
) -> None:
    alpha, beta = worlds
    client = signed_in(role, alpha.tenant)
    for model in admin.site._registry:
        url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for query in questions(model, beta):
            status, shown = answer(client, "get", url, query)
            (asked,) = query.values()
            told = shown.replace(asked, "").replace(quote(asked, safe=""), "")  # the question comes back
            assert THEIRS not in told, f"{role} {url} {query} ({status})"


def questions(model: type[models.Model], world: World) -> Iterator[dict[str, str]]:
    """Ways to ask a list for another tenant's rows."""
    yield {"q": THEIRS}
    yield {"tenant": str(world.tenant.pk)}
    yield {"tenant__id__exact": str(world.tenant.pk)}
    yield {"story": f"order:{THEIRS}"}
    if belongs_to_a_tenant(model):
        yield {"id__exact": str(world.row(model).pk)}
    for field in model._meta.concrete_fields:
        if field.is_relation and belongs_to_a_tenant(field.related_model):
            yield {f"{field.name}__id__exact": str(world.row(field.related_model).pk)}


@pytest.mark.parametrize("role", PEOPLE)
def test_autocomplete_offers_nothing_of_another_tenant(role: str, worlds: tuple[World, World]) -> None:
    alpha, _ = worlds
    client = signed_in(role, alpha.tenant)
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, models.ForeignKey | models.ManyToManyField):
                asked = {"app_label": model._meta.app_label, "model_name": model._meta.model_name}
                for term in ("", "mark-beta"):
                    query = {**asked, "field_name": field.name, "term": term}
                    assert THEIRS not in answer(client, "get", "/admin/autocomplete/", query)[1], (
                        f"{role} {field}"
                    )


@pytest.mark.parametrize("role", PEOPLE)
def test_no_action_reaches_another_tenants_rows(role: str, worlds: tuple[World, World]) -> None:
    alpha, beta = worlds
    client = signed_in(role, alpha.tenant)
    before = state_of(beta)
    for model, registered in admin.site._registry.items():
        if not belongs_to_a_tenant(model):
            continue
        for action in action_names(registered):
            data = {**EVERYTHING_CONFIRMED, "action": action, ACTION_CHECKBOX_NAME: str(beta.row(model).pk)}
            for extra in ({}, {"select_across": "1"}, {"index": "0"}):
                url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
                assert THEIRS not in answer(client, "post", url, {**data, **extra})[1], (
                    f"{role} {action} on {url}"
                )
    assert state_of(beta) == before


def action_names(registered: Any) -> list[str]:
    """The actions of a list, also those that this person is not offered."""
    return ["delete_selected", *(a if isinstance(a, str) else a.__name__ for a in registered.actions or [])]


def test_an_administrator_cannot_put_a_row_into_another_tenant_or_tie_it_to_one(
    worlds: tuple[World, World],
) -> None:
    alpha, beta = worlds
    client = signed_in(Role.ADMINISTRATOR, alpha.tenant)
    before = state_of(beta)
    for model in admin.site._registry:
        if belongs_to_a_tenant(model):
            base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
            for url in (f"{base}add/", f"{base}{alpha.row(model).pk}/change/"):
                for data in stolen(client, url, model, beta):
                    assert THEIRS not in answer(client, "post", url, data)[1], url
    assert state_of(beta) == before


def stolen(client: Client, url: str, model: type[models.Model], beta: World) -> Iterator[dict[str, Any]]:
    """What a form would send, with the other tenant's ids in the places of its links, one by one and together."""
    response = client.get(url)
    if response.status_code != 200 or "adminform" not in (response.context or {}):
        return
    form = response.context["adminform"].form
    plain = {name: form[name].value() for name in form.fields}
    plain = {
        name: value
        for name, value in plain.items()
        if isinstance(value, str | int | bool) and value is not False
    }
    theirs = {
        field.name: str(beta.row(field.related_model).pk)
        for field in model._meta.concrete_fields
        if field.is_relation and belongs_to_a_tenant(field.related_model)
    }
    for field, pk in theirs.items():
        yield {**plain, field: pk, "_save": "1"}
    yield {**plain, **theirs, "_save": "1"}


def test_people_see_their_own_tenants_rows(worlds: tuple[World, World]) -> None:
    alpha, _ = worlds
    ours = signed_in(Role.ADMINISTRATOR, alpha.tenant)
    root = signed_in("superuser")
    seen = 0
    for model, registered in admin.site._registry.items():
        if isinstance(registered, TenantAdmin):
            shown = content(ours.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/"))
            everything = content(root.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/"))
            assert (OURS in shown) == (OURS in everything), model._meta.label
            assert (THEIRS in everything) == (OURS in everything), model._meta.label
            seen += OURS in shown
    assert seen >= 3


def test_somebody_of_both_tenants_sees_both_and_may_only_do_what_each_allows(
    worlds: tuple[World, World],
) -> None:
    alpha, beta = worlds
    user = User.objects.create_user("both")
    Membership.objects.create(tenant=alpha.tenant, user=user, role=Role.ADMINISTRATOR)
    Membership.objects.create(tenant=beta.tenant, user=user, role=Role.VIEWER)
    client = Client()
    client.force_login(user)
    before = without_trail(state_of(beta))
    tenants = content(client.get("/admin/tenants/tenant/"))
    assert OURS in tenants
    assert THEIRS in tenants
    for page in OF_ROWS:
        for pk in ids_on(page, beta):
            client.post(page_url(page, pk), EVERYTHING_CONFIRMED)
    assert without_trail(state_of(beta)) == before


def test_the_installations_pages_answer_only_superusers(worlds: tuple[World, World]) -> None:
    alpha, _ = worlds
    client = signed_in(Role.ADMINISTRATOR, alpha.tenant)
    for model, registered in admin.site._registry.items():
        if isinstance(registered, SuperuserOnly):
            for page in PAGES:
                if page.template.startswith(f"/admin/{model._meta.app_label}/{model._meta.model_name}/"):
                    assert client.get(page_url(page, "1")).status_code == 403, page.template
                    assert client.post(page_url(page, "1"), EVERYTHING_CONFIRMED).status_code == 403, (
                        page.template
                    )
