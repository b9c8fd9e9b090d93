"""What a message says and who gets it. Messages are rows: `sync.alerts.delivery` sends them."""

import uuid
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Max, QuerySet
from django.urls import reverse

from erp.contract.money import rounded
from sync.alerts.kinds import SPECS, Kind
from sync.models import Alert, AlertDestination, AlertNotice, AlertState, Change
from tenants.models import Tenant


def write(told: Iterable[tuple[Alert, Change]], now: datetime) -> None:
    """Write a message for everybody who wants to hear of these changes. An end is told to whoever was told the beginning."""
    said = [(alert, change) for alert, change in told if change == Change.CLEARED or not is_muted(alert, now)]
    if not said:
        return
    destinations = list(_destinations())
    tenants = Tenant.objects.in_bulk({alert.tenant_id for alert, _ in said if alert.tenant_id})
    cleared = [alert for alert, change in said if change == Change.CLEARED]
    heard = set(AlertNotice.objects.filter(alert__in=cleared).values_list("alert_id", "destination_id"))
    notices = [
        _notice(destination, alert, change, tenants.get(alert.tenant_id), now)
        for alert, change in said
        for destination in destinations
        if ((alert.pk, destination.pk) in heard if change == Change.CLEARED else is_meant(destination, alert))
    ]
    AlertNotice.objects.bulk_create(notices)


def remind(now: datetime) -> None:
    """Tell again what nobody has acknowledged, at the pace that each destination asked for."""
    destinations = {d.pk: d for d in _destinations().filter(remind_hours__gt=0)}
    if not destinations:
        return
    open_now = Alert.objects.filter(state=AlertState.OPEN, acknowledged_at=None)
    last = (
        AlertNotice.objects.filter(alert__in=open_now, destination__in=destinations)
        .values("alert_id", "destination_id")
        .annotate(at=Max("made_at"))
    )
    due = [
        (row["alert_id"], destinations[row["destination_id"]])
        for row in last
        if now - row["at"] >= timedelta(hours=destinations[row["destination_id"]].remind_hours)
    ]
    alerts = Alert.objects.select_related("tenant").in_bulk({alert_id for alert_id, _ in due})
    AlertNotice.objects.bulk_create(
        _notice(destination, alerts[alert_id], Change.STILL, alerts[alert_id].tenant, now)
        for alert_id, destination in due
        if not is_muted(alerts[alert_id], now)
    )


def _destinations() -> QuerySet[AlertDestination]:
    return AlertDestination.objects.filter(enabled=True).select_related("tenant").defer("secret")


def is_meant(destination: AlertDestination, alert: Alert) -> bool:
    """Whether a destination wants to hear of an alert; never that it cannot be reached itself."""
    is_in_reach = destination.tenant_id == alert.tenant_id or (
        destination.tenant_id is None and destination.every_tenant
    )
    is_wanted = not destination.kinds or alert.kind in destination.kinds
    is_grave = destination.severity == alert.severity or SPECS[Kind(alert.kind)].is_critical
    is_itself = alert.kind == Kind.UNDELIVERED and alert.subject == f"destination:{destination.pk}"
    return is_in_reach and is_wanted and is_grave and not is_itself


def is_muted(alert: Alert, now: datetime) -> bool:
    """Whether a person has asked for silence about it until later."""
    return alert.muted_until is not None and alert.muted_until > now


def trial(destination: AlertDestination, now: datetime) -> AlertNotice:
    """What "send a test" sends; not saved."""
    data = {
        "kind": "test",
        "severity": destination.severity,
        "tenant": destination.tenant.slug if destination.tenant else "",
        "what": "This is a test. Alerts of Tieout will arrive here.",
        "since": _moment(now),
        "link": _absolute(reverse("admin:sync_alertdestination_change", args=[destination.pk])),
    }
    return _message(destination, None, Change.TEST, data, now)


def _notice(
    destination: AlertDestination, alert: Alert, change: Change, tenant: Tenant | None, now: datetime
) -> AlertNotice:
    spec = SPECS[Kind(alert.kind)]
    data = {
        "alert": alert.pk,
        "kind": alert.kind,
        "severity": alert.severity,
        "tenant": tenant.slug if tenant else "",
        "what": alert.sentence,
        "since": _moment(alert.since),
        "orders": alert.orders,
        "money": [
            {"amount": f"{rounded(Decimal(m['amount']), m['currency']):f}", "currency": m["currency"]}
            for m in alert.money
        ],
        "heals": spec.heals,
        "way_out": spec.way_out,
        "link": _absolute(alert.path),
        "alert_link": _absolute(reverse("admin:sync_alert_change", args=[alert.pk])),
        "runbook": _absolute(reverse("admin:sync_alert_runbook", args=[alert.kind])),
    }
    if change == Change.CLEARED:
        data["over_at"] = _moment(alert.gone_at or now)
    notice = _message(destination, alert, change, data, now)
    if not spec.is_critical:
        notice.due_at = after_quiet_hours(destination, now)
    return notice


def _message(
    destination: AlertDestination, alert: Alert | None, change: Change, data: dict[str, Any], now: datetime
) -> AlertNotice:
    return AlertNotice(
        tenant_id=destination.tenant_id,
        destination=destination,
        alert=alert,
        change=change,
        message_id=f"msg_{uuid.uuid4().hex}",
        content={"type": f"alert.{change}", "timestamp": _moment(now), "data": data},
        made_at=now,
        due_at=now,
    )


def after_quiet_hours(destination: AlertDestination, now: datetime) -> datetime:
    """Now, or the end of the quiet hours if it is within them; they may go over midnight."""
    begin, end = destination.quiet_from, destination.quiet_until
    if begin is None or end is None or begin == end:
        return now
    local = now.astimezone(zone_of(destination))
    if not _is_within(local.time(), begin, end):
        return now
    wakes = local.replace(hour=end.hour, minute=end.minute, second=end.second, microsecond=0)
    return wakes if wakes > local else wakes + timedelta(days=1)


def _is_within(moment: time, begin: time, end: time) -> bool:
    return begin <= moment < end if begin < end else moment >= begin or moment < end


def zone_of(destination: AlertDestination) -> ZoneInfo:
    """The zone in which a destination's people read times; the installation's is UTC."""
    return ZoneInfo(destination.tenant.time_zone if destination.tenant else "UTC")


def _absolute(path: str) -> str:
    return settings.BASE_URL + path


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
