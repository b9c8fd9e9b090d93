"""How the console writes amounts, needs and statuses."""

from decimal import Decimal

from django import template
from django.urls import reverse

from erp.contract.money import Money
from sync.alerts.kinds import SPECS
from sync.attention import Need
from sync.models import Finding, Status

register = template.Library()

LONGEST_TEXT = 400
SHORT_LABELS = {
    "gap": "Gap",
    "refused": "Refused",
    "unknown": "Unknown",
    "signatures": "Signatures",
    "completeness": "Completeness",
    "unowned": "No pipeline",
}


@register.filter
def cut_text(text: str) -> str:
    """Text from outside, never longer than a paragraph."""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


@register.filter
def need_label(need: Need) -> str:
    return SHORT_LABELS.get(need.kind, need.alert_kind.label)


@register.filter
def need_look(need: Need) -> str:
    """The colour of its chip: its own, or that of how grave it is."""
    return f"{need.kind} {SPECS[need.alert_kind].severity}"


@register.filter
def finding_label(finding: str) -> str:
    return str(Finding(finding).label)


@register.filter
def status_label(status: str) -> str:
    return str(Status(status).label)


@register.filter
def need_url(need: Need) -> str:
    url = reverse(need.page, args=need.page_args)
    return f"{url}?{need.query}" if need.query else url


@register.filter
def amount(value: Decimal | None, currency: str) -> str:
    """An amount in its currency's own places: `18,204.00 USD`."""
    return str(Money(value, currency)) if value is not None and currency else ""
