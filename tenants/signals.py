"""Roles and sign-ins in the audit trail, whichever way they come about."""

from __future__ import annotations

from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from prometheus_client import Counter

from audit import Action
from audit.recording import record
from tenants.models import Membership, User
from tenants.trail import of_user

SIGN_INS = Counter(
    "tieout_sign_ins", "Tries to sign in to the console: good, failed, or locked_out", ["outcome"]
)


@receiver(post_save, sender=Membership)
def _granted(instance: Membership, raw: bool = False, **_: Any) -> None:
    if not raw:
        _of_membership(Action.MEMBERSHIP_GRANTED, instance)


@receiver(post_delete, sender=Membership)
def _revoked(instance: Membership, **_: Any) -> None:
    _of_membership(Action.MEMBERSHIP_REVOKED, instance)


@receiver(post_save, sender=User)
def _password_changed(instance: User, created: bool, raw: bool = False, **_: Any) -> None:
    """`_password` holds what was set until the save is over; an upgrade of the hash leaves it None."""
    if not raw and not created and instance._password is not None:
        of_user(Action.USER_PASSWORD_CHANGED, instance)


@receiver(user_logged_in)
def _signed_in(user: User, **_: Any) -> None:
    SIGN_INS.labels("good").inc()
    of_user(Action.USER_SIGNED_IN, user, actor=user.username)


@receiver(user_logged_out)
def _signed_out(user: User | None, **_: Any) -> None:
    if user is not None:
        of_user(Action.USER_SIGNED_OUT, user, actor=user.username)


@receiver(user_login_failed)
def _sign_in_failed(credentials: dict[str, Any], **_: Any) -> None:
    """For people who exist: what else is typed may be a password, and strangers could fill the trail."""
    SIGN_INS.labels("failed").inc()
    if user := User.objects.filter(username=str(credentials.get("username", ""))).first():
        of_user(Action.USER_SIGN_IN_FAILED, user)


@receiver(user_locked_out)
def _locked_out(username: str | None = None, **_: Any) -> None:
    SIGN_INS.labels("locked_out").inc()
    if user := User.objects.filter(username=username or "").first():
        of_user(Action.USER_LOCKED_OUT, user)


def _of_membership(action: Action, membership: Membership) -> None:
    record(
        action,
        tenant_id=membership.tenant_id,
        subject=("user", membership.user.username),
        details={"role": membership.role},
    )
