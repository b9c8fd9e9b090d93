"""Stores and ERP companies: set up, tested, paused and resumed by hand. Forms of companies are generated from the system's spec."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from erp.contract.adapter import Field
from erp.contract.errors import RemoteError
from erp.models import ErpConnection
from erp.registry import SPECS
from erp.testing_connection import check_connection
from storefront import hooks
from storefront.models import Store
from storefront.opening import open_client
from sync.connections import resume_connection
from sync.tasks import read_reference_values
from tenants.forms import SecretField, StoredSecret, apply_secrets
from tenants.roles import May
from tenants.scoped_admin import TenantAdmin
from tenants.scoping import may

STORE_SECRETS = ("access_token", "client_secret", "previous_client_secret", "webhook_header_secret")
PREFIX = {False: "setting_", True: "secret_"}


class ConnectionAdmin(TenantAdmin):
    """What stores and ERP companies have in common: paused or not, and the way back."""

    change_permission = May.EDIT_CONNECTIONS
    add_permission = May.EDIT_CONNECTIONS
    delete_permission = None

    @admin.display(description="State")
    def chip(self, connection: Store | ErpConnection) -> str:
        if connection.paused_at:
            return format_html('<span class="t-chip paused">Paused</span> {}', connection.pause_reason)
        return format_html('<span class="t-chip ok">In use</span>')

    def _one(self, request: HttpRequest, object_id: int, right: May) -> Any:
        connection = self.get_object(request, str(object_id))
        if connection is None:
            raise Http404
        if not may(request.user, connection.tenant, right):
            raise PermissionDenied
        return connection

    def resume(self, request: HttpRequest, object_id: int) -> HttpResponse:
        connection = self._one(request, object_id, May.PAUSE)
        if request.method == "POST":
            resume_connection(connection, by=request.user.get_username())
            messages.success(request, f"{connection.name} is in use again. What waited for it goes on now.")
        return HttpResponseRedirect(
            reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[object_id])
        )


@admin.register(Store)
class StoreAdmin(ConnectionAdmin):
    """BigCommerce stores: credentials, webhooks."""

    list_display = ("name", "key", "environment", "chip", "store_hash")
    search_fields = ("name", "key", "store_hash")
    change_form_template = "sync/connection.html"

    def get_form(
        self, request: HttpRequest, obj: Store | None = None, **kwargs: Any
    ) -> type[forms.ModelForm]:
        return super().get_form(request, obj, form=_store_form(), **kwargs)

    def get_fieldsets(
        self, request: HttpRequest, obj: Store | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        plain = ["tenant", "name", "key", "store_hash", "environment", "base_url", "client_id"]
        webhooks = ["webhook_base_url", "allow_shared_secret", "signature_tolerance_seconds"]
        customers = ["reads_categories", "erp_code_field", "tax_number_field"]
        return [
            (None, {"fields": plain}),
            ("Secrets", {"fields": [PREFIX[True] + name for name in STORE_SECRETS]}),
            ("Webhooks", {"fields": webhooks}),
            ("What is read", {"fields": customers}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Store | None = None) -> tuple[str, ...]:
        return ("key",) if obj else ()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        buttons = [
            ("Test connection", reverse("admin:storefront_store_test", args=[object_id])),
            ("Webhooks", reverse("admin:storefront_store_hooks", args=[object_id])),
            ("Resume", reverse("admin:storefront_store_resume", args=[object_id])),
        ]
        return super().change_view(
            request, object_id, form_url, {"buttons": buttons, **(extra_context or {})}
        )

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("<int:object_id>/test/", self._view(self.test), name="storefront_store_test"),
            path("<int:object_id>/hooks/", self._view(self.hooks), name="storefront_store_hooks"),
            path("<int:object_id>/resume/", self._view(self.resume), name="storefront_store_resume"),
        ]
        return own + super().get_urls()

    def test(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Ask the store who it is, with the stored token."""
        store = self._one(request, object_id, May.EDIT_CONNECTIONS)
        if request.method == "POST":
            try:
                with open_client(store, correlation_id="", subject=f"store:{store.key}") as client:
                    found = client.store_information()
                messages.success(
                    request, f"{store.name} answers: {found.get('name', '')}, {found.get('currency', '')}."
                )
            except RemoteError as error:
                messages.error(request, error.sentence)
        return HttpResponseRedirect(reverse("admin:storefront_store_change", args=[object_id]))

    def hooks(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """List the store's hooks; register, repair or delete ours."""
        store = self._one(request, object_id, May.EDIT_CONNECTIONS)
        context = self._context(request, f"Webhooks of {store.name}", store=store)
        try:
            if request.method == "POST":
                self._change_hooks(request, store)
                return HttpResponseRedirect(request.path)
            context["hooks"] = hooks.list_hooks(store)
        except RemoteError as error:
            messages.error(request, error.sentence)
            if request.method == "POST":
                return HttpResponseRedirect(request.path)
        return TemplateResponse(request, "sync/hooks.html", context)

    def _change_hooks(self, request: HttpRequest, store: Store) -> None:
        match request.POST.get("do"):
            case "repair":
                done = hooks.repair_hooks(store)
                messages.success(request, f"Webhooks of {store.name}: {done}.")
            case "delete":
                hooks.delete_hook(store, request.POST.get("hook", ""))
                messages.success(request, "The webhook is deleted.")


@admin.register(ErpConnection)
class CompanyAdmin(ConnectionAdmin):
    """ERP companies. What can be set is what the system's spec declares."""

    list_display = ("name", "key", "system", "environment", "chip", "last_tested_at")
    search_fields = ("name", "key")
    change_form_template = "sync/connection.html"

    def get_form(
        self, request: HttpRequest, obj: ErpConnection | None = None, **kwargs: Any
    ) -> type[forms.ModelForm]:
        return super().get_form(request, obj, form=_company_form(obj), **kwargs)

    def get_fieldsets(
        self, request: HttpRequest, obj: ErpConnection | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        plain = ["tenant", "name", "key", "system", "environment", "time_zone", "parallel_calls"]
        sections: dict[str, list[str]] = {}
        for field in SPECS[obj.system].fields if obj else ():
            sections.setdefault(field.section, []).append(PREFIX[field.secret] + field.name)
        return [(None, {"fields": plain})] + [(title, {"fields": names}) for title, names in sections.items()]

    def get_readonly_fields(self, request: HttpRequest, obj: ErpConnection | None = None) -> tuple[str, ...]:
        return ("key", "system") if obj else ()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        connection = self.get_object(request, object_id)
        buttons = [
            ("Test connection", reverse("admin:erp_erpconnection_test", args=[object_id])),
            ("Read reference values", reverse("admin:erp_erpconnection_read", args=[object_id])),
            ("Resume", reverse("admin:erp_erpconnection_resume", args=[object_id])),
        ]
        extra = {"buttons": buttons, "checks": connection.last_test if connection else []}
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("<int:object_id>/test/", self._view(self.test), name="erp_erpconnection_test"),
            path("<int:object_id>/read/", self._view(self.read), name="erp_erpconnection_read"),
            path("<int:object_id>/resume/", self._view(self.resume), name="erp_erpconnection_resume"),
        ]
        return own + super().get_urls()

    def test(self, request: HttpRequest, object_id: int) -> HttpResponse:
        company = self._one(request, object_id, May.EDIT_CONNECTIONS)
        if request.method == "POST":
            checks = check_connection(company)
            failed = [check for check in checks if check.ok is False]
            if failed:
                messages.error(request, failed[0].sentence)
            else:
                messages.success(request, f"{company.name} passed {len(checks)} checks.")
        return HttpResponseRedirect(reverse("admin:erp_erpconnection_change", args=[object_id]))

    def read(self, request: HttpRequest, object_id: int) -> HttpResponse:
        company = self._one(request, object_id, May.EDIT_MAPPINGS)
        if request.method == "POST":
            read_reference_values.delay(company_id=company.pk)
            messages.success(
                request,
                f"Reading items, accounts and tax codes of {company.name}. New ones appear within a minute.",
            )
        return HttpResponseRedirect(reverse("admin:erp_erpconnection_change", args=[object_id]))


def _store_form() -> type[forms.ModelForm]:
    """The store's form with its secrets, written and never shown."""

    class StoreForm(forms.ModelForm):
        class Meta:
            model = Store
            exclude = STORE_SECRETS

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            for name in STORE_SECRETS:
                if getattr(self.instance, name, ""):
                    self.fields[PREFIX[True] + name].initial = StoredSecret(
                        self.instance.secrets_set_at.get(name)
                    )

        def save(self, commit: bool = True) -> Store:
            stored = {
                name: getattr(self.instance, name) for name in STORE_SECRETS if getattr(self.instance, name)
            }
            entered = {name: self.cleaned_data.get(PREFIX[True] + name) for name in STORE_SECRETS}
            secrets, dates, _ = apply_secrets(stored, self.instance.secrets_set_at, entered)
            for name in STORE_SECRETS:
                setattr(self.instance, name, secrets.get(name, ""))
            self.instance.secrets_set_at = dates
            return super().save(commit)

    for name in STORE_SECRETS:
        label = name.replace("_", " ").capitalize()
        help_text = Store._meta.get_field(name).help_text
        StoreForm.base_fields[PREFIX[True] + name] = SecretField(
            label=label, required=False, help_text=help_text
        )
    return StoreForm


def _company_form(company: ErpConnection | None) -> type[forms.ModelForm]:
    """The company's form: a field for each setting and secret of its system."""
    declared = {PREFIX[f.secret] + f.name: f for f in SPECS[company.system].fields} if company else {}

    class CompanyForm(forms.ModelForm):
        class Meta:
            model = ErpConnection
            exclude = ("settings", "credentials")

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            for form_name, spec in declared.items():
                self.fields[form_name].initial = self._stored(spec)

        def _stored(self, spec: Field) -> Any:
            if not spec.secret:
                return self.instance.settings.get(spec.name, spec.default)
            known = spec.name in (self.instance.credentials or {})
            return StoredSecret(self.instance.secrets_set_at.get(spec.name)) if known else None

        def save(self, commit: bool = True) -> ErpConnection:
            settings = {**self.instance.settings}
            entered = {}
            for form_name, spec in declared.items():
                value = self.cleaned_data.get(form_name)
                if spec.secret:
                    entered[spec.name] = value
                else:
                    settings[spec.name] = _as_text(value)
            self.instance.settings = {name: value for name, value in settings.items() if value != ""}
            if declared:
                self.instance.credentials, self.instance.secrets_set_at, _ = apply_secrets(
                    self.instance.credentials or {}, self.instance.secrets_set_at, entered
                )
            return super().save(commit)

    for form_name, spec in declared.items():
        CompanyForm.base_fields[form_name] = _form_field(spec)
    return CompanyForm


def _form_field(spec: Field) -> forms.Field:
    common: dict[str, Any] = {"label": spec.label, "help_text": spec.help, "required": False}
    if spec.secret:
        return SecretField(**common)
    match spec.kind:
        case "choice":
            return forms.ChoiceField(choices=spec.choices, **common)
        case "boolean":
            return forms.ChoiceField(choices=(("", "Default"), ("yes", "Yes"), ("no", "No")), **common)
        case "number":
            return forms.IntegerField(**common)
        case "lines":
            return forms.CharField(widget=forms.Textarea(attrs={"rows": 4}), **common)
    return forms.CharField(max_length=2000, **common)


def _as_text(value: Any) -> str:
    return "" if value is None else str(value)
