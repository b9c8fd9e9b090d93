"""How the console writes amounts, needs and statuses."""

from decimal import Decimal

from django import template
from django.urls import reverse

from erp.contract.money import Money
from sync.attention import Need
from sync.models import Finding, Status

register = template.Library()

LONGEST_TEXT = 400
NEED_LABELS = {
    "gap": "Gap",
    "refused": "Refused",
    "held": "Held",
    "unknown": "Unknown",
    "signatures": "Signatures",
    "completeness": "Completeness",
    "unowned": "No pipeline",
    "paused": "Paused",
}


@register.filter
def cut_text(text: str) -> str:
    """Text from outside, never longer than a paragraph."""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


@register.filter
def need_label(kind: str) -> str:
    return "Webhooks" if kind.startswith("hook_") else NEED_LABELS.get(kind, kind.capitalize())


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
