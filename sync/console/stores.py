"""BigCommerce stores: credentials that are written and never shown, and their webhooks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action

from erp.contract.errors import RemoteError
from storefront import hooks
from storefront.client import BigCommerceClient
from storefront.models import Store
from storefront.opening import open_client
from sync import completeness, history_import, trail
from sync.alerts.rhythm import verdict_of
from sync.answers import domain_of, worst_windows
from sync.categories import pipelines_without_categories, sentence_of
from sync.console.asking import ask_worker, names_of, run_flows
from sync.console.completeness import WindowForm
from sync.console.connections import PREFIX, ConnectionAdmin
from sync.flows import polls_of
from sync.hook_watch import forget_what_was_mended, lately_repaired, open_findings, webhooks_follow
from sync.models import Flow, OrderRhythm, StoreFlow, StoreFlowKind
from sync.schedules import ensure_store_flows, set_schedule
from tenants.actions import Done, NotDone, row_action
from tenants.forms import SecretField, StoredSecret, apply_secrets
from tenants.roles import May
from tenants.scoped_admin import TenantTabularInline
from tenants.scoping import may

SECRET_OF_HOOKS = f"{PREFIX[True]}webhook_header_secret"
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


class StoreFlowInline(TenantTabularInline):
    """What is done for the store as a whole: on or off, how often or when, how it went."""

    model = StoreFlow
    fields = ("kind", "enabled", "every_minutes", "latency_minutes", "at", "last_success_at", "last_error")
    hide_title = True
    readonly_fields = ("kind", "last_success_at", "last_error")
    change_permission = May.EDIT_CONNECTIONS


@admin.register(Store)
class StoreAdmin(ConnectionAdmin):
    """BigCommerce stores."""

    form = StoreForm
    list_display = ("name", "key", "environment", "chip", "store_hash")
    search_fields = ("name", "key", "store_hash")
    inlines = (StoreFlowInline,)
    actions_detail = (
        "test",
        "run_now",
        "webhooks",
        "check_completeness",
        "import_history",
        "repair_webhooks",
        "delete_webhooks",
        "resume",
    )

    def get_fieldsets(
        self, request: HttpRequest, obj: Store | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        plain = [
            "tenant",
            "name",
            "key",
            "store_hash",
            "environment",
            "base_url",
            "client_id",
            "probe_minutes",
        ]
        webhooks = [
            "webhook_base_url",
            "keeps_webhooks",
            "allow_shared_secret",
            "signature_tolerance_seconds",
        ]
        return [
            (None, {"fields": plain}),
            ("Secrets", {"fields": [PREFIX[True] + name for name in SECRETS], "classes": ["tab"]}),
            ("Webhooks", {"fields": webhooks, "classes": ["tab"]}),
            (
                "What is read",
                {
                    "fields": [
                        "reads_categories",
                        "background_percent",
                        "erp_code_field",
                        "tax_number_field",
                    ],
                    "classes": ["tab"],
                },
            ),
        ]

    def page(self, request: HttpRequest, row: Store) -> dict[str, Any]:
        """With what this hour of the week usually brings, or why nothing is said about it, and what is not read."""
        rhythm = OrderRhythm.objects.filter(store=row).select_related("store__tenant").first()
        usual = verdict_of(rhythm, timezone.now())[0] if rhythm else None
        unread = pipelines_without_categories().filter(store=row)
        return super().page(request, row) | {
            "usual": usual,
            "not_used": list(dict.fromkeys(map(sentence_of, unread))),
        }

    def get_readonly_fields(self, request: HttpRequest, obj: Store | None = None) -> list[Any]:
        own = super().get_readonly_fields(request, obj)
        return [*own, "key"] if obj else own

    def save_related(self, request: HttpRequest, form: forms.ModelForm, formsets: Any, change: bool) -> None:
        ensure_store_flows(form.instance)
        super().save_related(request, form, formsets, change)
        for flow in form.instance.flows.all():
            set_schedule(flow)
        if {"webhook_base_url", "keeps_webhooks", "allow_shared_secret", SECRET_OF_HOOKS} & set(
            form.changed_data
        ):
            webhooks_follow(form.instance)

    @row_action(May.EDIT_CONNECTIONS, description="Test connection", url_path="test")
    def test(self, request: HttpRequest, store: Store) -> str:
        """Ask the store who it is, with the stored token."""
        try:
            with open_client(store, subject=f"store:{store.key}") as client:
                found = client.store_information()
        except RemoteError as error:
            raise NotDone(error.sentence) from error
        return f"{store.name} answers: {found.get('name', '')}, {found.get('currency', '')}."

    @row_action(May.REPROCESS, description="Run now", url_path="run-now", confirm="about_run_now")
    def run_now(self, request: HttpRequest, store: Store) -> str:
        """Ask every flow of the store, and each poll of its pipelines, to run once."""
        if store.paused_at:
            raise NotDone(f"{store.name} is paused. Resume it first.")
        return run_flows(flows_of(store), of=store.name, by=request.user.get_username())

    def about_run_now(self, request: HttpRequest, store: Store) -> str:
        names = names_of(flows_of(store))
        return (
            f"A worker runs these once: {names}. Live orders come first."
            if names
            else "No flow is switched on."
        )

    @row_action(
        May.REPROCESS,
        description="Check completeness",
        url_path="completeness",
        form=WindowForm,
        confirm="about_check",
    )
    def check_completeness(self, request: HttpRequest, store: Store, entered: dict[str, Any]) -> Done:
        """Prove for a window that every order of the store is accounted for."""
        try:
            certificate = completeness.begin(store, **entered, by=request.user.get_username())
        except completeness.NothingToCheck as nothing:
            raise NotDone(str(nothing)) from nothing
        trail.check_asked(certificate)
        ask_worker(
            "fill_certificate",
            otherwise="The check begins as soon as it does.",
            certificate_id=certificate.pk,
        )
        return Done(
            "The check has started.", goto=reverse("admin:sync_certificate_change", args=[certificate.pk])
        )

    def about_check(self, request: HttpRequest, store: Store) -> str:
        return (
            "Every order that was placed in this time is listed and compared with what is known here. What is missing is read, "
            "and posted as the pipelines say."
        )

    @row_action(
        May.REPROCESS,
        description="Import history",
        url_path="import",
        form=WindowForm,
        confirm="about_import",
    )
    def import_history(self, request: HttpRequest, store: Store, entered: dict[str, Any]) -> Done:
        """Prepare an import of a time; its page says what will happen, and starts it."""
        try:
            run = history_import.prepare(store, **entered, by=request.user.get_username())
        except history_import.CannotImport as why:
            raise NotDone(str(why)) from why
        except RemoteError as error:
            raise NotDone(error.sentence) from error
        return Done(
            "The import is ready. Read what will happen, then start it.",
            goto=reverse("admin:sync_historyimport_change", args=[run.pk]),
        )

    def about_import(self, request: HttpRequest, store: Store) -> str:
        return (
            "Orders that were placed in this time are read, a few at once. Orders from before a pipeline's go-live end in “before "
            "go-live” and are not posted. Nothing starts yet: the next page says what will happen."
        )

    def not_now(self, store: Store) -> set[str]:
        """What concerns webhooks is offered on their own page."""
        hidden = {*super().not_now(store), "repair_webhooks", "delete_webhooks"}
        return {*hidden, "run_now"} if store.paused_at else hidden

    @action(description="Webhooks", url_path="webhooks", permissions=["edit_connections"])
    def webhooks(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The store's webhooks as the store has them now, what is wrong with them, and how to put it right."""
        store = self.get_object(request, object_id)
        if store is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not may(request.user, store.tenant_id, May.EDIT_CONNECTIONS):
            raise PermissionDenied
        page = {"title": f"Webhooks of {store.name}", "back": _url(store, "change"), **_registered(store)}
        page |= _watched(store)
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
        return Done(_change(store, hooks.repair, keeps=True), goto=_url(store, "webhooks"))

    def about_repair(self, request: HttpRequest, store: Store) -> str:
        return (
            f"Missing webhooks of {store.name} are registered, those turned off are turned on, old ones deleted. From then on "
            "that is done every hour."
        )

    @row_action(
        May.EDIT_CONNECTIONS,
        description="Delete webhooks",
        url_path="webhooks/delete",
        confirm="about_delete",
    )
    def delete_webhooks(self, request: HttpRequest, store: Store) -> Done:
        """Delete every webhook of the store that delivers here."""
        return Done(_change(store, hooks.delete_all, keeps=False), goto=_url(store, "webhooks"))

    def about_delete(self, request: HttpRequest, store: Store) -> str:
        return f"{store.name} tells us nothing any more. Orders are found by the poll of the pipeline's flow, if it has one."


def flows_of(store: Store) -> list[Flow | StoreFlow]:
    """What runs for the store and is on: its own flows, and of its pipelines one poll of each kind."""
    own = StoreFlow.objects.filter(store=store, enabled=True).select_related("store")
    return [*own, *polls_of(store)]


def _url(store: Store, page: str) -> str:
    return reverse(f"admin:storefront_store_{page}", args=[store.pk])


def _registered(store: Store) -> dict[str, Any]:
    """The hooks and their problems, or why they could not be read."""
    try:
        with open_client(store, subject=f"store:{store.key}") as client:
            return {
                "destination": hooks.destination_of(store),
                "destinations": set(hooks.destinations_of(store).values()),
                "problems": hooks.problems(client, store),
                "hooks": hooks.listed(client),
            }
    except RemoteError as error:
        return {"error": error.sentence}


def _watched(store: Store) -> dict[str, Any]:
    """What the hourly look and the minute-by-minute one say."""
    now = timezone.now()
    worst = worst_windows(now - timedelta(days=1)).get(domain_of(store.webhook_base_url))
    return {
        "flow": StoreFlow.objects.filter(store=store, kind=StoreFlowKind.WEBHOOKS).first(),
        "store": store,
        "findings": open_findings(store),
        "repaired": lately_repaired(store, since=now - timedelta(days=30)),
        "worst": worst,
    }


def _change(store: Store, change: Callable[[BigCommerceClient, Store], hooks.Changes], *, keeps: bool) -> str:
    """Change the store's hooks; the sentence that says what was done. From then on they are kept so."""
    try:
        with open_client(store, subject=f"store:{store.key}") as client:
            said = str(change(client, store))
    except RemoteError as error:
        raise NotDone(error.sentence) from error
    Store.objects.filter(pk=store.pk).update(keeps_webhooks=keeps)
    forget_what_was_mended(store)
    return said
