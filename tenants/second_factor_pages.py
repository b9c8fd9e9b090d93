"""The page of a person's second factor: asked for at sign-in, set up, looked after and turned off."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

import segno
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django_otp import login as remember

from audit import Action
from tenants.authenticators import Authenticator
from tenants.second_factor import Standing, is_needed, standing_of
from tenants.trail import of_user

LOCKED = (
    "Too many wrong codes. Wait a quarter of an hour, or ask an administrator to reset your second factor."
)
WRONG = "This code is not right. Codes change every 30 seconds; check the clock of your phone."


class CodeForm(forms.Form):
    """A code from the app, or a recovery code."""

    code = forms.CharField(
        max_length=40,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autofocus": True,
                "spellcheck": "false",
                "autocapitalize": "off",
            }
        ),
    )

    def __init__(self, *args: Any, authenticator: Authenticator, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.authenticator = authenticator

    def clean(self) -> dict[str, Any]:
        """Judge the code once everything else is right: a code counts once."""
        cleaned = super().clean() or {}
        if not self.errors and not self.authenticator.verify_token(cleaned["code"]):
            of_user(Action.SECOND_FACTOR_FAILED, self.authenticator.user)
            self.add_error("code", LOCKED if self.authenticator.is_locked else WRONG)
        return cleaned


class TurnOffForm(CodeForm):
    """Both factors, so that an open console on somebody's desk is not enough."""

    password = forms.CharField(widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}))
    field_order = ["password", "code"]

    def clean_password(self) -> str:
        """:raises ValidationError: if it is not the person's"""
        if not self.authenticator.user.check_password(self.cleaned_data["password"]):
            of_user(Action.SECOND_FACTOR_FAILED, self.authenticator.user)
            raise forms.ValidationError("This is not your password.")
        return self.cleaned_data["password"]


@method_decorator([sensitive_post_parameters(), never_cache, login_required], name="dispatch")
class SecondFactorPage(View):
    """One address; what it shows depends on what the session has to do."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The code at sign-in, the set-up, or what there is."""
        return self._answer(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        """What the form on that page says."""
        return self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        authenticator = Authenticator.begin(request.user)
        if not authenticator.confirmed:
            return self._set_up(request, authenticator)
        if standing_of(request.user) is Standing.CODE:
            return self._ask(request, authenticator)
        return self._look_after(request, authenticator)

    def _ask(self, request: HttpRequest, authenticator: Authenticator) -> HttpResponse:
        form = CodeForm(request.POST or None, authenticator=authenticator)
        if request.method == "POST" and form.is_valid():
            _trust(request, authenticator)
            of_user(Action.SECOND_FACTOR_PASSED, request.user)
            return HttpResponseRedirect(_next(request))
        if authenticator.is_locked:
            logout(request)
            messages.error(request, LOCKED)
            return HttpResponseRedirect(reverse("admin:login"))
        return _page(request, "ask", form=form, next=_next(request))

    def _set_up(self, request: HttpRequest, authenticator: Authenticator) -> HttpResponse:
        form = CodeForm(request.POST or None, authenticator=authenticator)
        if request.method == "POST" and form.is_valid():
            codes = authenticator.confirm()
            _trust(request, authenticator)
            of_user(Action.SECOND_FACTOR_SET_UP, request.user)
            return _page(request, "codes", codes=codes, next=_next(request), is_new=True)
        return _page(
            request,
            "set_up",
            form=form,
            picture=segno.make(_address(authenticator), error="m").svg_data_uri(
                scale=5, border=4, light="#fff"
            ),
            secret=" ".join(
                authenticator.secret[at : at + 4] for at in range(0, len(authenticator.secret), 4)
            ),
            is_needed=is_needed(request.user),
            next=_next(request),
        )

    def _look_after(self, request: HttpRequest, authenticator: Authenticator) -> HttpResponse:
        wants = request.POST.get("wants", "")
        forms_ = {
            name: kind(
                request.POST if wants == name else None, authenticator=authenticator, auto_id=f"{name}_%s"
            )
            for name, kind in (("codes", CodeForm), ("off", TurnOffForm))
        }
        needed = is_needed(request.user)
        if wants == "codes" and forms_["codes"].is_valid():
            codes = authenticator.renew_recovery_codes()
            of_user(Action.SECOND_FACTOR_CODES_RENEWED, request.user)
            return _page(request, "codes", codes=codes, next=reverse("second_factor"), is_new=False)
        if wants == "off" and not needed and forms_["off"].is_valid():
            authenticator.delete()
            of_user(Action.SECOND_FACTOR_TURNED_OFF, request.user)
            messages.success(request, "Your second factor is turned off.")
            return HttpResponseRedirect(reverse("admin:index"))
        return _page(request, "look_after", authenticator=authenticator, forms=forms_, is_needed=needed)


def _trust(request: HttpRequest, authenticator: Authenticator) -> None:
    """The session has passed. It gets a new key: the one from before the code is worth nothing any more."""
    remember(request, authenticator)
    request.session.cycle_key()


def _address(authenticator: Authenticator) -> str:
    """What the picture says, in the form that authenticator apps read."""
    name = quote(f"{urlsplit(settings.BASE_URL).hostname} {authenticator.user.get_username()}")
    return f"otpauth://totp/Tieout:{name}?secret={authenticator.secret}&issuer=Tieout"


def _next(request: HttpRequest) -> str:
    """Where the person was going, if that is here."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return asked if is_ours and asked.startswith(reverse("admin:index")) else reverse("admin:index")


def _page(request: HttpRequest, name: str, **context: Any) -> HttpResponse:
    titles = {"ask": "Your code, please", "codes": "Recovery codes"}
    # How the console looks, and nothing of what stands in it: a session that has not passed sees no menu.
    every = admin.site.each_context(request)
    looks = {
        part: every[part]
        for part in ("site_title", "site_favicons", "theme", "border_radius", "colors", "styles", "scripts")
    }
    return render(
        request,
        f"tenants/second_factor/{name}.html",
        {**looks, "title": titles.get(name, "Second factor"), **context},
    )
