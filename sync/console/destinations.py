"""Whom alerts are told: destinations, a test of each, and the messages on their way."""

import base64
import secrets
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from audit import Action
from audit.recording import record
from sync.alerts.delivery import NotDelivered, again, send
from sync.alerts.destinations import SECRET_PREFIX
from sync.alerts.kinds import Kind
from sync.alerts.telling import trial
from sync.console.pages import Offers
from sync.models import AlertDestination, AlertNotice, Channel, NoticeState
from tenants.actions import NotDone, row_action, rows_action
from tenants.roles import May
from tenants.scoped_admin import TenantAdmin
from tenants.scoping import is_installation_administrator

LOOKS = {NoticeState.SENT: "ok", NoticeState.WAITING: "waiting", NoticeState.DEAD: "refused"}


class DestinationForm(forms.ModelForm):
    """Kinds are ticked; none ticked means all."""

    kinds = forms.MultipleChoiceField(
        choices=Kind.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="None ticked: all.",
    )

    class Meta:
        model = AlertDestination
        exclude = ("secrets_set_at",)


@admin.register(AlertDestination)
class DestinationAdmin(Offers, TenantAdmin):
    """Who is told about what, over which channel."""

    add_permission = May.EDIT_ALERTS
    change_permission = May.EDIT_ALERTS
    delete_permission = May.EDIT_ALERTS
    form = DestinationForm
    when_empty = "Nobody is told of alerts: they only stand in the list of alerts and on the home page."
    list_display = ("key", "channel", "address", "severity", "wants", "state")
    list_filter = ("channel",)
    search_fields = ("key", "address")
    actions = None
    actions_detail = ("test", "new_secret")
    fieldsets = (
        (None, {"fields": ("tenant", "key", "channel", "address", "secret", "private_network", "enabled")}),
        ("What", {"fields": ("severity", "kinds", "every_tenant")}),
        ("When", {"fields": ("quiet_from", "quiet_until", "remind_hours")}),
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """No tenant is the installation, which is its administrators' affair."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if not is_installation_administrator(request.user):
            form.base_fields.pop("every_tenant", None)
            if "tenant" in form.base_fields:
                form.base_fields["tenant"].required = True
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """All tenants are offered to who sees all tenants."""
        if is_installation_administrator(request.user):
            return self.fieldsets
        return [
            (title, {"fields": [name for name in options["fields"] if name != "every_tenant"]})
            for title, options in self.fieldsets
        ]

    def not_now(self, destination: AlertDestination) -> set[str]:
        return set() if destination.channel == Channel.WEBHOOK else {"new_secret"}

    @admin.display(description="Kinds")
    def wants(self, destination: AlertDestination) -> str:
        return ", ".join(Kind(kind).label for kind in destination.kinds) or "all"

    @admin.display(description="State")
    def state(self, destination: AlertDestination) -> str:
        look, word = ("ok", "On") if destination.enabled else ("", "Off")
        return format_html('<span class="t-chip {}">{}</span>', look, word)

    @row_action(May.EDIT_ALERTS, description="Send a test", url_path="test", confirm="about_test")
    def test(self, request: HttpRequest, destination: AlertDestination) -> str:
        """Now, in this request: the person waits for the answer."""
        _note(Action.ALERT_TESTED, destination, request)
        try:
            send(destination, [trial(destination, timezone.now())])
        except NotDelivered as error:
            raise NotDone(f"The test did not arrive. {error}") from error
        return f"The test was taken. See whether it is at {destination.address}."

    def about_test(self, request: HttpRequest, destination: AlertDestination) -> str:
        return (
            f"We send a test to {destination.address} and wait for the answer, a quarter of a minute at most."
        )

    @row_action(May.EDIT_ALERTS, description="New secret", url_path="new-secret", confirm="about_new_secret")
    def new_secret(self, request: HttpRequest, destination: AlertDestination) -> str:
        """Made here and shown once: afterwards nobody can read it."""
        destination.secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
        destination.secrets_set_at = {"secret": timezone.now().isoformat(timespec="seconds")}
        destination.save(update_fields=["secret", "secrets_set_at"])
        _note(Action.SECRET_CHANGED, destination, request, names=["secret"])
        return f"Give this secret to the receiver now, it is not shown again: {destination.secret}"

    def about_new_secret(self, request: HttpRequest, destination: AlertDestination) -> str:
        return "Messages are signed with the new secret from then on. The receiver must know it, or it refuses them."


@admin.register(AlertNotice)
class NoticeAdmin(TenantAdmin):
    """Every message: on its way, arrived, given up."""

    when_empty = "No message yet. One is written for each destination under “Who is alerted” when an alert begins or ends."
    list_display = ("made_at", "what", "destination", "chip", "tries", "problem")
    list_filter = ("state", "destination")
    list_select_related = ("destination",)
    fields = ("made_at", "destination", "change", "chip", "tries", "sent_at", "problem", "said")
    readonly_fields = fields
    actions = ("send_again", "discard")

    @admin.display(description="Message")
    def what(self, notice: AlertNotice) -> str:
        said = notice.content["data"]["what"]
        return f"{notice.get_change_display()}: {said[:160]}"

    @admin.display(description="State", ordering="state")
    def chip(self, notice: AlertNotice) -> str:
        look = LOOKS[NoticeState(notice.state)]
        return format_html('<span class="t-chip {}">{}</span>', look, notice.get_state_display())

    @admin.display(description="What is said")
    def said(self, notice: AlertNotice) -> str:
        """As a webhook's receiver gets it, word for word."""
        return notice.content["data"]["what"]

    @rows_action(May.EDIT_ALERTS, description="Send again what was given up")
    def send_again(self, request: HttpRequest, rows: QuerySet[AlertNotice]) -> str:
        count = again(rows)
        if not count:
            raise NotDone("None of these was given up.")
        return f"{count} messages are sent again within a minute."

    @rows_action(May.EDIT_ALERTS, description="Discard what was given up")
    def discard(self, request: HttpRequest, rows: QuerySet[AlertNotice]) -> str:
        count, _ = rows.filter(state=NoticeState.DEAD).delete()
        if not count:
            raise NotDone("None of these was given up.")
        return f"{count} messages are discarded."


def _note(action: Action, destination: AlertDestination, request: HttpRequest, **details: Any) -> None:
    record(
        action,
        tenant_id=destination.tenant_id,
        subject=f"destination:{destination.pk}",
        actor=request.user.get_username(),
        details={"key": destination.key, **details},
    )
