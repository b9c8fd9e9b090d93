"""ERP companies: their form is generated from what the system's spec declares; tested and read by hand."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from erp.contract.adapter import Field
from erp.contract.errors import RemoteError
from erp.models import ErpConnection
from erp.registry import SPECS
from erp.testing_connection import check_connection
from sync.asking import ask
from sync.connections import disconnect
from sync.console.asking import NOBODY, READ_LATER, ask_worker
from sync.console.connections import PREFIX, ConnectionAdmin
from sync.console.postings import ReasonForm
from tenants.actions import NotDone, row_action
from tenants.forms import SecretField, StoredSecret, apply_secrets
from tenants.roles import May


@admin.register(ErpConnection)
class CompanyAdmin(ConnectionAdmin):
    """ERP companies."""

    list_display = ("name", "key", "system_name", "environment", "chip", "last_tested_at")
    search_fields = ("name", "key")
    actions_detail = ("test", "read", "disconnect", "resume")

    def get_form(
        self, request: HttpRequest, obj: ErpConnection | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        form = super().get_form(request, obj, change=change, form=company_form(obj), **kwargs)
        if obj is not None and "system" in form.base_fields:
            form.base_fields["system"].disabled = True  # its settings and documents are that system's
        return form

    def get_fieldsets(
        self, request: HttpRequest, obj: ErpConnection | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        plain = [
            "tenant",
            "name",
            "key",
            "system",
            "environment",
            "time_zone",
            "parallel_calls",
            "probe_minutes",
        ]
        sections: dict[str, list[str]] = {}
        for field in SPECS[obj.system].fields if obj else ():
            sections.setdefault(field.section, []).append(PREFIX[field.secret] + field.name)
        tabs = [(title, {"fields": names, "classes": ["tab"]}) for title, names in sections.items()]
        return [(None, {"fields": plain}), *tabs]

    def get_readonly_fields(self, request: HttpRequest, obj: ErpConnection | None = None) -> list[Any]:
        own = super().get_readonly_fields(request, obj)
        return [*own, "key"] if obj else own

    @admin.display(description="System", ordering="system")
    def system_name(self, company: ErpConnection) -> str:
        return company.spec.label

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The systems that there are, by name."""
        if db_field.name != "system":
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        systems = [(key, spec.label) for key, spec in SPECS.items()]
        return forms.ChoiceField(
            choices=systems, widget=UnfoldAdminSelectWidget, label="System", initial=db_field.get_default()
        )

    def page(self, request: HttpRequest, row: ErpConnection) -> dict[str, Any]:
        return super().page(request, row) | {"checks": row.last_test}

    @row_action(May.EDIT_CONNECTIONS, description="Test connection", url_path="test", confirm="about_test")
    def test(self, request: HttpRequest, company: ErpConnection) -> str:
        checks = check_connection(company)
        failed = [check for check in checks if check.ok is False]
        if failed:
            raise NotDone(failed[0].sentence)
        is_asked = ask("read_reference_values", company_id=company.pk)
        read = "Its items, accounts and tax codes are read now." if is_asked else f"{NOBODY} {READ_LATER}"
        return f"{company.name} passed {len(checks)} checks. {read}"

    def about_test(self, request: HttpRequest, company: ErpConnection) -> str:
        return "We sign in, read, and try out what documents will need. Anything made for the test is cancelled again."

    @row_action(May.EDIT_MAPPINGS, description="Read reference values", url_path="read")
    def read(self, request: HttpRequest, company: ErpConnection) -> str:
        ask_worker("read_reference_values", otherwise=READ_LATER, company_id=company.pk)
        return f"Reading items, accounts and tax codes of {company.name}. New ones appear within a minute."

    @row_action(
        May.PAUSE,
        description="Disconnect",
        url_path="disconnect",
        form=ReasonForm,
        confirm="about_disconnect",
    )
    def disconnect(self, request: HttpRequest, company: ErpConnection, entered: dict[str, str]) -> str:
        try:
            disconnect(company, by=request.user.get_username(), why=entered["why"])
        except RemoteError as error:
            raise NotDone(
                f"{company.name} is paused. Its session could not be ended: {error.sentence}"
            ) from error
        return f"{company.name} is disconnected: we have logged out, and its orders wait until you resume it."

    def about_disconnect(self, request: HttpRequest, company: ErpConnection) -> str:
        return (
            "What is being posted this moment is finished; after that nothing is sent until you resume it, and "
            "orders wait. We log out, which frees the licence."
        )

    def not_now(self, company: ErpConnection) -> set[str]:
        return super().not_now(company) | ({"disconnect"} if company.paused_at else set())


def company_form(company: ErpConnection | None) -> type[forms.ModelForm]:
    """The company's form: a field for each setting and secret of its system."""
    declared = {PREFIX[f.secret] + f.name: f for f in SPECS[company.system].fields} if company else {}
    fields = {name: _form_field(spec) for name, spec in declared.items()}
    return type("CompanyForm", (_CompanyForm,), {**fields, "declared": declared})


class _CompanyForm(forms.ModelForm):
    declared: dict[str, Field] = {}

    class Meta:
        model = ErpConnection
        exclude = ("settings", "credentials")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, spec in self.declared.items():
            if name in self.fields:
                self.fields[name].initial = self._stored(spec)

    def _stored(self, spec: Field) -> Any:
        if not spec.secret:
            return self.instance.settings.get(spec.name, spec.default)
        known = spec.name in (self.instance.credentials or {})
        return StoredSecret(self.instance.secrets_set_at.get(spec.name)) if known else None

    def save(self, commit: bool = True) -> ErpConnection:
        entered = {
            spec.name: self.cleaned_data.get(name) for name, spec in self.declared.items() if spec.secret
        }
        plain = {
            spec.name: _as_text(self.cleaned_data.get(name))
            for name, spec in self.declared.items()
            if not spec.secret
        }
        self.instance.settings = {
            name: value for name, value in {**self.instance.settings, **plain}.items() if value
        }
        if self.declared:
            self.instance.credentials, self.instance.secrets_set_at, _ = apply_secrets(
                self.instance.credentials or {}, self.instance.secrets_set_at, entered
            )
        return super().save(commit)


def _form_field(spec: Field) -> forms.Field:
    common: dict[str, Any] = {"label": spec.label, "help_text": spec.help, "required": False}
    if spec.secret:
        return SecretField(lines=spec.kind == "lines", **common)
    match spec.kind:
        case "choice" | "boolean":
            choices = spec.choices or (("yes", "Yes"), ("no", "No"))
            return forms.ChoiceField(choices=choices, widget=UnfoldAdminSelectWidget, **common)
        case "number":
            return forms.IntegerField(widget=UnfoldAdminIntegerFieldWidget, **common)
        case "lines":
            return forms.CharField(widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}), **common)
    return forms.CharField(max_length=2000, widget=UnfoldAdminTextInputWidget, **common)


def _as_text(value: Any) -> str:
    return "" if value is None else str(value)
