"""What a person says to an alert: seen, or be silent until then."""

from datetime import datetime

from django.utils import timezone

from audit import Action
from audit.recording import record
from sync.models import Alert


def acknowledge(alert: Alert, *, by: str) -> None:
    """Somebody takes care of it: no more reminders."""
    Alert.objects.filter(pk=alert.pk).update(acknowledged_at=timezone.now(), acknowledged_by=by)
    _note(Action.ALERT_ACKNOWLEDGED, alert, by)


def mute(alert: Alert, *, until: datetime, by: str, why: str) -> None:
    """Say nothing of it until then, also if it goes away and comes back meanwhile."""
    Alert.objects.filter(pk=alert.pk).update(muted_until=until, muted_by=by, muted_why=why)
    _note(Action.ALERT_MUTED, alert, by, until=until.isoformat(timespec="minutes"), why=why)


def unmute(alert: Alert, *, by: str) -> None:
    """Speak of it again."""
    Alert.objects.filter(pk=alert.pk).update(muted_until=None)
    _note(Action.ALERT_MUTED, alert, by, until="now")


def _note(action: Action, alert: Alert, by: str, **details: str) -> None:
    record(
        action,
        tenant_id=alert.tenant_id,
        subject=[f"alert:{alert.kind}", alert.subject],
        actor=by,
        details=details,
    )
