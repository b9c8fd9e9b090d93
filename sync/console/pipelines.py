"""Pipelines: where orders go, under which policies, when it polls. The policies' form is generated from their declaration."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from sync.console.asking import run_flows
from sync.console.pages import Offers
from sync.models import Flow, Mode, Pipeline
from sync.pipelines import save_pipeline, set_schedule
from sync.planning import SETTINGS, BadSetting, SettingSpec, parse_settings, plain_settings
from tenants.actions import NotDone, row_action
from tenants.roles import May
from tenants.scoped_admin import TenantAdmin, TenantTabularInline

PREFIX = "policy_"
LISTS = ("channels", "currencies", "customer_groups")


class FlowInline(TenantTabularInline):
    """Each flow: on or off, how often it polls, how it went."""

    model = Flow
    fields = ("kind", "enabled", "every_minutes", "latency_minutes", "last_success_at", "last_error")
    hide_title = True
    readonly_fields = ("kind", "last_success_at", "last_error")
    change_permission = May.EDIT_PIPELINES


class ListField(forms.CharField):
    """Several values, separated by commas."""

    widget = UnfoldAdminTextInputWidget

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> list[str]:
        return [part.strip() for part in (value or "").split(",") if part.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or []) != self.to_python(data)


class RatesField(forms.CharField):
    """Currencies with their rates, one a line: `EUR 1.08`."""

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else "\n".join(f"{c} {r}" for c, r in (value or ()))

    def to_python(self, value: Any) -> dict[str, str]:
        rates = {}
        for line in filter(None, (raw.strip() for raw in (value or "").splitlines())):
            currency, _, rate = line.partition(" ")
            if not rate.strip():
                raise ValidationError(f"{line[:40]!r}: write a currency and its rate, such as EUR 1.08.")
            rates[currency] = rate.strip()
        return rates


class PipelineForm(forms.ModelForm):
    """The pipeline with a field for each policy."""

    channels = ListField(required=False, help_text="Channel ids, separated by commas; empty: all.")
    currencies = ListField(required=False, help_text="Currency codes, separated by commas; empty: all.")
    customer_groups = ListField(
        required=False, help_text="Customer group ids, separated by commas; empty: all."
    )

    class Meta:
        model = Pipeline
        exclude = ("settings",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        current = parse_settings(self.instance.settings or {})
        for spec in SETTINGS:
            if PREFIX + spec.name in self.fields:
                self.fields[PREFIX + spec.name].initial = getattr(current, spec.name)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        entered = {s.name: cleaned[PREFIX + s.name] for s in SETTINGS if PREFIX + s.name in cleaned}
        try:
            self.instance.settings = plain_settings(parse_settings(entered))
        except BadSetting as error:
            self.add_error(PREFIX + error.name, error.sentence)
        return cleaned


def _policy_field(spec: SettingSpec) -> forms.Field:
    common: dict[str, Any] = {"label": spec.label, "help_text": spec.help, "required": False}
    match spec.kind:
        case "choice":
            return forms.ChoiceField(choices=spec.choices, widget=UnfoldAdminSelectWidget, **common)
        case "number":
            common |= {"required": True, "widget": UnfoldAdminIntegerFieldWidget}
            return forms.IntegerField(min_value=0, **common)
        case "list":
            return ListField(**common)
        case "rates":
            return RatesField(widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), **common)
    return forms.CharField(widget=UnfoldAdminTextInputWidget, **common)


for _spec in SETTINGS:
    PipelineForm.declared_fields[PREFIX + _spec.name] = _policy_field(_spec)


@admin.register(Pipeline)
class PipelineAdmin(Offers, TenantAdmin):
    """From one store to one ERP company."""

    form = PipelineForm
    add_permission = May.EDIT_PIPELINES
    change_permission = May.EDIT_PIPELINES
    list_display = ("name", "key", "store", "company", "does", "environment", "start_at")
    list_filter = ("mode", "environment", "store", "company")
    list_select_related = ("store", "company")
    inlines = (FlowInline,)
    actions_detail = ("run_now", "pause", "resume")

    def get_fieldsets(
        self, request: HttpRequest, obj: Pipeline | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        where = [
            "tenant",
            "name",
            "key",
            "store",
            "company",
            "mapping_set",
            "mode",
            "environment",
            "start_at",
        ]
        owns = [*LISTS, "release_on_mapping", "cancel_on_difference"]
        sections: dict[str, list[str]] = {}
        for spec in SETTINGS:
            sections.setdefault(spec.section, []).append(PREFIX + spec.name)
        policies = [(title, {"fields": names, "classes": ["tab"]}) for title, names in sections.items()]
        return [(None, {"fields": where}), ("Which orders", {"fields": owns}), *policies]

    def get_readonly_fields(self, request: HttpRequest, obj: Pipeline | None = None) -> list[Any]:
        own = list(super().get_readonly_fields(request, obj))
        return [*own, "key"] if obj else own

    def not_now(self, pipeline: Pipeline) -> set[str]:
        return {"pause", "run_now"} if pipeline.paused_at else {"resume"}

    @admin.display(description="Mode", ordering="mode")
    def does(self, pipeline: Pipeline) -> str:
        """What it does now, in a word or two."""
        looks = {Mode.POST: "ok", Mode.PLAN: "waiting"}
        look = "paused" if pipeline.paused_at else looks.get(Mode(pipeline.mode), "")
        words = "Paused" if pipeline.paused_at else pipeline.get_mode_display().partition(":")[0]
        return format_html('<span class="t-chip {}">{}</span>', look, words)

    def save_model(self, request: HttpRequest, obj: Pipeline, form: forms.ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        save_pipeline(obj, by=request.user.get_username())

    def save_related(self, request: HttpRequest, form: forms.ModelForm, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        for flow in form.instance.flows.all():
            set_schedule(flow)

    @row_action(May.REPROCESS, description="Run now", url_path="run-now")
    def run_now(self, request: HttpRequest, pipeline: Pipeline) -> str:
        """Ask every flow of the pipeline to run once."""
        if pipeline.paused_at:
            raise NotDone(f"{pipeline.name} is paused. Resume it first.")
        on = list(pipeline.flows.filter(enabled=True).select_related("pipeline"))
        return run_flows(on, of=pipeline.name, by=request.user.get_username())

    @row_action(May.PAUSE, description="Pause", url_path="pause")
    def pause(self, request: HttpRequest, pipeline: Pipeline) -> str:
        Pipeline.objects.filter(pk=pipeline.pk).update(paused_at=timezone.now())
        return f"{pipeline.name} is paused. Webhooks are still taken; their orders wait."

    @row_action(May.PAUSE, description="Resume", url_path="resume")
    def resume(self, request: HttpRequest, pipeline: Pipeline) -> str:
        Pipeline.objects.filter(pk=pipeline.pk).update(paused_at=None)
        return f"{pipeline.name} goes on. What waited is due now."
