"""Whether a session has proved enough: until it has, it is nobody's.

A second factor is asked for where a person has set one up, and has to be set up where a tenant they work for, or the installation
(TIEOUT_SECOND_FACTOR), says so.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from audit import Action
from tenants.authenticators import Authenticator
from tenants.models import Membership, User
from tenants.trail import of_user


class Standing(Enum):
    """What a signed-in session still has to do."""

    NOTHING = "nothing"
    CODE = "code"
    SET_UP = "set up"


def standing_of(user: User) -> Standing:
    """What the session of this person still has to do. One query, and none once a code was given."""
    if user.is_verified():
        return Standing.NOTHING
    mine = Authenticator.objects.filter(user_id=OuterRef("pk"), confirmed=True)
    asked = Membership.objects.filter(user_id=OuterRef("pk"), tenant__requires_second_factor=True)
    has_one, of_tenant = User.objects.filter(pk=user.pk).values_list(Exists(mine), Exists(asked)).get()
    if has_one:
        return Standing.CODE
    return Standing.SET_UP if of_tenant or _installation_asks(user) else Standing.NOTHING


def is_needed(user: User) -> bool:
    """Whether this person must have a second factor."""
    return (
        _installation_asks(user)
        or Membership.objects.filter(user_id=user.pk, tenant__requires_second_factor=True).exists()
    )


def reset(user: User) -> bool:
    """Forget a person's authenticator, whose phone is lost. False if there was none.

    Sessions that were opened with it have to prove themselves anew.
    """
    deleted, _ = Authenticator.objects.filter(user=user).delete()
    if deleted:
        of_user(Action.SECOND_FACTOR_RESET, user)
    return bool(deleted)


class SecondFactorMiddleware:
    """Answers a session that has not proved enough with the page where it can; every other page finds nobody signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        if not user.is_authenticated or standing_of(user) is Standing.NOTHING:
            return self.get_response(request)
        page = reverse("second_factor")
        if request.path in (page, reverse("admin:logout")):
            return self.get_response(request)
        if request.path.startswith(reverse("admin:index")):
            if request.method not in ("GET", "HEAD"):
                return HttpResponseForbidden("Sign in with your second factor first.")
            return HttpResponseRedirect(f"{page}?{urlencode({'next': request.get_full_path()})}")
        request.user = AnonymousUser()
        return self.get_response(request)


def _installation_asks(user: User) -> bool:
    asks = settings.TIEOUT_SECOND_FACTOR
    return asks == "everybody" or (asks == "superusers" and user.is_superuser)
