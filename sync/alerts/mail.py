"""An e-mail that says what changed: one for all messages that are due for the same people."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.core.mail import EmailMessage

from erp.contract.money import Money
from sync.alerts.destinations import addresses_of
from sync.alerts.kinds import Kind, Severity
from sync.alerts.telling import zone_of
from sync.models import AlertDestination, AlertNotice, Change

LONGEST_SUBJECT = 120
WORDS = {Change.RAISED: "New", Change.STILL: "Still", Change.CLEARED: "Over", Change.TEST: "Test"}


def mail_of(destination: AlertDestination, notices: Sequence[AlertNotice]) -> EmailMessage:
    """The e-mail for these messages, plain text, times in the zone of the people who read it."""
    zone = zone_of(destination)
    return EmailMessage(
        subject=subject_of(notices),
        body="\n\n\n".join(_section(notice, zone) for notice in notices) + "\n",
        to=addresses_of(destination.address),
        headers={
            "Message-ID": f"<{notices[0].message_id}@tieout>",
            "Auto-Submitted": "auto-generated",  # RFC 3834: no holiday answers, please
        },
    )


def subject_of(notices: Sequence[AlertNotice]) -> str:
    """One line: the one thing there is, or how many."""
    if len(notices) == 1:
        [notice] = notices
        text = f"{WORDS[Change(notice.change)]}: {notice.content['data']['what']}"
    else:
        counts = {word: sum(WORDS[Change(n.change)] == word for n in notices) for word in WORDS.values()}
        listed = ", ".join(f"{count} {word.lower()}" for word, count in counts.items() if count)
        text = f"{len(notices)} alerts: {listed}"
    text = f"[Tieout] {' '.join(text.split())}"
    return text if len(text) <= LONGEST_SUBJECT else f"{text[: LONGEST_SUBJECT - 1]}…"


def _section(notice: AlertNotice, zone: ZoneInfo) -> str:
    data = notice.content["data"]
    head = WORDS[Change(notice.change)].upper()
    if notice.change != Change.TEST:
        grave = ", critical" if data["severity"] == Severity.CRITICAL else ""
        of = f" · {data['tenant']}" if data["tenant"] else ""
        head = f"{head}: {Kind(data['kind']).label}{grave}{of}"
    rows = [(name, text) for name, text in _facts(notice, data, zone) if text]
    return "\n".join([head, data["what"], "", *(f"{name + ':':<12}{text}" for name, text in rows)])


def _facts(notice: AlertNotice, data: dict[str, Any], zone: ZoneInfo) -> list[tuple[str, str]]:
    is_over = notice.change == Change.CLEARED
    return [
        ("Since", _local(data["since"], zone)),
        ("Over at", _local(data["over_at"], zone) if is_over else ""),
        ("Waiting", "" if is_over else _waiting(data)),
        ("By itself?", "" if is_over else data.get("heals", "")),
        ("Way out", "" if is_over else data.get("way_out", "")),
        ("Page", data["link"]),
        ("Runbook", "" if is_over else data.get("runbook", "")),
    ]


def _waiting(data: dict[str, Any]) -> str:
    orders = data.get("orders", 0)
    counted = f"{orders} order{'s' if orders != 1 else ''}" if orders else ""
    money = [str(Money(Decimal(m["amount"]), m["currency"])) for m in data.get("money", ())]
    return ", ".join(filter(None, [counted, *money]))


def _local(moment: str, zone: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(zone):%a %-d %b %Y, %H:%M %Z}"
