"""BigCommerce stores: credentials that are written and never shown, and their webhooks."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from erp.contract.errors import RemoteError
from storefront.models import Store
from storefront.opening import open_client
from sync.console.connections import PREFIX, ConnectionAdmin
from tenants.actions import NotDone, row_action
from tenants.forms import SecretField, StoredSecret, apply_secrets
from tenants.roles import May

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
    actions_detail = ("test", "resume")

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
