"""What is so now: for all tenants at once, in a few set queries, however many orders there are.

Everything that "what needs me" knows, and what only a machine that watches can know.
"""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse

from audit.redaction import redact_text
from sync import attention
from sync.alerts import of_installation, of_tenants, rhythm
from sync.alerts.condition import Condition


def conditions(now: datetime) -> list[Condition]:
    """Everything that is so now."""
    return [
        *_needs(now),
        *of_tenants.conditions(now),
        *rhythm.conditions(now),
        *of_installation.conditions(now),
    ]


def _needs(now: datetime) -> Iterator[Condition]:
    for need in attention.needs(lambda rows: rows):
        path = reverse(need.page, args=need.page_args)
        yield Condition(
            kind=need.alert_kind,
            subject=need.subject,
            tenant_id=need.tenant_id,
            sentence=redact_text(need.told or need.sentence),
            since=need.since or now,
            path=f"{path}?{need.query}" if need.query else path,
            orders=need.orders,
            money=need.money,
        )
