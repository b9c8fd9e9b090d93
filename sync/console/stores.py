"""BigCommerce stores: credentials that are written and never shown, and their webhooks."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action

from erp.contract.errors import RemoteError
from storefront import hooks
from storefront.client import BigCommerceClient
from storefront.models import Store
from storefront.opening import open_client
from sync.console.connections import PREFIX, ConnectionAdmin
from tenants.actions import Done, NotDone, row_action
from tenants.forms import SecretField, StoredSecret, apply_secrets
from tenants.roles import May
from tenants.scoping import may

SECRETS = ("access_token", "client_secret", "previous_client_secret", "webhook_header_secret")


class StoreForm(forms.ModelForm):
    """The store's form with its secrets."""

    class Meta:
        model = Store
        exclude = SECRETS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in SECRETS:
            if PREFIX[True] + name in self.fields and getattr(self.instance, name, ""):
                self.fields[PREFIX[True] + name].initial = StoredSecret(
                    self.instance.secrets_set_at.get(name)
                )

    def save(self, commit: bool = True) -> Store:
        stored = {name: getattr(self.instance, name) for name in SECRETS if getattr(self.instance, name)}
        entered = {name: self.cleaned_data.get(PREFIX[True] + name) for name in SECRETS}
        secrets, self.instance.secrets_set_at, _ = apply_secrets(
            stored, self.instance.secrets_set_at, entered
        )
        for name in SECRETS:
            setattr(self.instance, name, secrets.get(name, ""))
        return super().save(commit)


for _name in SECRETS:
    StoreForm.declared_fields[PREFIX[True] + _name] = SecretField(
        label=_name.replace("_", " ").capitalize(),
        required=False,
        help_text=Store._meta.get_field(_name).help_text,
    )


@admin.register(Store)
class StoreAdmin(ConnectionAdmin):
    """BigCommerce stores."""

    form = StoreForm
    list_display = ("name", "key", "environment", "chip", "store_hash")
    search_fields = ("name", "key", "store_hash")
    actions_detail = ("test", "webhooks", "repair_webhooks", "delete_webhooks", "resume")

    def get_fieldsets(
        self, request: HttpRequest, obj: Store | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        plain = ["tenant", "name", "key", "store_hash", "environment", "base_url", "client_id"]
        webhooks = ["webhook_base_url", "allow_shared_secret", "signature_tolerance_seconds"]
        return [
            (None, {"fields": plain}),
            ("Secrets", {"fields": [PREFIX[True] + name for name in SECRETS], "classes": ["tab"]}),
            ("Webhooks", {"fields": webhooks, "classes": ["tab"]}),
            (
                "What is read",
                {"fields": ["reads_categories", "erp_code_field", "tax_number_field"], "classes": ["tab"]},
            ),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Store | None = None) -> list[Any]:
        own = super().get_readonly_fields(request, obj)
        return [*own, "key"] if obj else own

    @row_action(May.EDIT_CONNECTIONS, description="Test connection", url_path="test")
    def test(self, request: HttpRequest, store: Store) -> str:
        """Ask the store who it is, with the stored token."""
        try:
            with open_client(store, subject=f"store:{store.key}") as client:
                found = client.store_information()
        except RemoteError as error:
            raise NotDone(error.sentence) from error
        return f"{store.name} answers: {found.get('name', '')}, {found.get('currency', '')}."

    def not_now(self, store: Store) -> set[str]:
        """What concerns webhooks is offered on their own page."""
        return {*super().not_now(store), "repair_webhooks", "delete_webhooks"}

    @action(description="Webhooks", url_path="webhooks", permissions=["edit_connections"])
    def webhooks(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The store's webhooks as the store has them now, what is wrong with them, and how to put it right."""
        store = self.get_object(request, object_id)
        if store is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not may(request.user, store.tenant_id, May.EDIT_CONNECTIONS):
            raise PermissionDenied
        page = {"title": f"Webhooks of {store.name}", "back": _url(store, "change"), **_registered(store)}
        urls = {name: _url(store, name) for name in ("repair_webhooks", "delete_webhooks")}
        page |= {"repair_url": urls["repair_webhooks"], "delete_url": urls["delete_webhooks"]}
        return TemplateResponse(
            request,
            "sync/webhooks.html",
            {**self.admin_site.each_context(request), "opts": self.opts, "original": store, **page},
        )

    @row_action(
        May.EDIT_CONNECTIONS,
        description="Register webhooks",
        url_path="webhooks/repair",
        confirm="about_repair",
    )
    def repair_webhooks(self, request: HttpRequest, store: Store) -> Done:
        """Create what is missing, turn on what the store turned off, correct what is old."""
        return Done(_change(store, hooks.repair), goto=_url(store, "webhooks"))

    def about_repair(self, request: HttpRequest, store: Store) -> str:
        return f"Missing webhooks of {store.name} are registered, those turned off are turned on, old ones deleted."

    @row_action(
        May.EDIT_CONNECTIONS,
        description="Delete webhooks",
        url_path="webhooks/delete",
        confirm="about_delete",
    )
    def delete_webhooks(self, request: HttpRequest, store: Store) -> Done:
        """Delete every webhook of the store that delivers here."""
        return Done(_change(store, hooks.delete_all), goto=_url(store, "webhooks"))

    def about_delete(self, request: HttpRequest, store: Store) -> str:
        return f"{store.name} tells us nothing any more. Orders are found by the poll of the pipeline's flow, if it has one."


def _url(store: Store, page: str) -> str:
    return reverse(f"admin:storefront_store_{page}", args=[store.pk])


def _registered(store: Store) -> dict[str, Any]:
    """The hooks and their problems, or why they could not be read."""
    try:
        with open_client(store, subject=f"store:{store.key}") as client:
            return {
                "destination": hooks.destination_of(store),
                "problems": hooks.problems(client, store),
                "hooks": hooks.listed(client),
            }
    except RemoteError as error:
        return {"error": error.sentence}


def _change(store: Store, change: Callable[[BigCommerceClient, Store], hooks.Changes]) -> str:
    """Change the store's hooks; the sentence that says what was done."""
    try:
        with open_client(store, subject=f"store:{store.key}") as client:
            return str(change(client, store))
    except RemoteError as error:
        raise NotDone(error.sentence) from error
