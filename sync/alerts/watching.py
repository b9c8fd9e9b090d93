"""One round of the watch: what is so now is compared with the alerts there are; only changes are told.

A round is one transaction, and one at a time: whoever comes meanwhile leaves. It waits for no network.
"""

from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from audit import Action
from audit.recording import record
from sync.alerts import telling
from sync.alerts.condition import Condition
from sync.alerts.conditions import conditions
from sync.alerts.kinds import SPECS, Kind
from sync.alerts.turns import Standing, Turn, turn
from sync.models import Alert, AlertState, Change

Key = tuple[str, str]
Told = list[tuple[Alert, Change]]


def watch(now: datetime | None = None) -> None:
    """Bring the alerts to what is so now, and write the messages that say what changed."""
    now = now or timezone.now()
    with transaction.atomic():
        if not _is_the_only_one():
            return
        _settle({(c.kind, c.subject): c for c in conditions(now)}, now)


def _is_the_only_one() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('tieout watch'))")
        return bool(cursor.fetchone()[0])


def _settle(met: dict[Key, Condition], now: datetime) -> None:
    known = {(alert.kind, alert.subject): alert for alert in Alert.objects.exclude(state=AlertState.CLEARED)}
    told: Told = []
    fresh = [_new(met[key], now) for key in met if key not in known]
    for alert in _with_mutes(fresh, now):
        told += _take_turn(alert, None, met[alert.kind, alert.subject], now)
    for key, alert in known.items():
        told += _take_turn(alert, _standing(alert), met.get(key), now)
        told += _unmute(alert, now)
    telling.write(told, now)
    telling.remind(now)


def _new(condition: Condition, now: datetime) -> Alert:
    alert = Alert(
        tenant_id=condition.tenant_id,
        kind=condition.kind,
        subject=condition.subject,
        severity=SPECS[condition.kind].severity,
        noticed_at=now,
    )
    _describe(alert, condition)
    return alert


def _with_mutes(fresh: list[Alert], now: datetime) -> list[Alert]:
    """What was muted until later and came back before is muted still."""
    muted = {(old.kind, old.subject): old for old in Alert.objects.filter(muted_until__gt=now).order_by("id")}
    for alert in fresh:
        if old := muted.get((alert.kind, alert.subject)):
            alert.muted_until, alert.muted_by, alert.muted_why = old.muted_until, old.muted_by, old.muted_why
    return fresh


def _standing(alert: Alert) -> Standing:
    return Standing(
        noticed_at=alert.noticed_at, is_raised=alert.state == AlertState.OPEN, gone_at=alert.gone_at
    )


def _take_turn(alert: Alert, standing: Standing | None, condition: Condition | None, now: datetime) -> Told:
    """Write what becomes of one alert; what is to be told of it."""
    spec = SPECS[Kind(alert.kind)]
    holds = spec.holds if condition is None or condition.holds is None else condition.holds
    step = turn(standing, condition is not None, now=now, holds=holds, rests=spec.rests)
    changed = _describe(alert, condition) if condition else False
    match step:
        case Turn.FORGET:
            alert.delete()
            return []
        case Turn.RAISE:
            alert.state, alert.raised_at = AlertState.OPEN, now
        case Turn.REST:
            alert.gone_at = now
        case Turn.RETURN:
            alert.gone_at = None
        case Turn.CLEAR:
            alert.state, alert.gone_at, alert.cleared_at = AlertState.CLEARED, alert.gone_at or now, now
    if changed or step is not Turn.STAY:
        alert.save()
    said = {Turn.RAISE: Change.RAISED, Turn.CLEAR: Change.CLEARED}.get(step)
    if said is None:
        return []
    _note(alert, Action.ALERT_RAISED if step is Turn.RAISE else Action.ALERT_CLEARED)
    return [(alert, said)]


def _describe(alert: Alert, condition: Condition) -> bool:
    """Say of the alert what is so now; whether that is news."""
    said = {
        "sentence": condition.sentence,
        "since": min(alert.since, condition.since) if alert.since else condition.since,
        "orders": condition.orders,
        "money": [{"amount": f"{m.amount:f}", "currency": m.currency} for m in condition.money],
        "path": condition.path[:400],
    }
    changed = any(getattr(alert, name) != value for name, value in said.items())
    for name, value in said.items():
        setattr(alert, name, value)
    return changed


def _unmute(alert: Alert, now: datetime) -> Told:
    """A mute that ended while it is still so: say it now."""
    if alert.muted_until is None or alert.muted_until > now or alert.state != AlertState.OPEN:
        return []
    Alert.objects.filter(pk=alert.pk).update(muted_until=None)
    alert.muted_until = None
    return [(alert, Change.STILL)]


def _note(alert: Alert, action: Action) -> None:
    record(
        action,
        tenant_id=alert.tenant_id,
        subject=[f"alert:{alert.kind}", alert.subject],
        details={"sentence": alert.sentence, "since": alert.since.isoformat(timespec="seconds")},
    )
