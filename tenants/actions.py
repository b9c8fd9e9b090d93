"""Actions in the console: each asks for one right, is confirmed on a page of its own, and ends in a sentence.

A method of a `TenantAdmin` becomes an action of one row (`actions_detail`, `actions_row`) or of a selection
(`actions`). It returns the sentence people read when it is done, or raises `NotDone` with the reason::

    @row_action(May.PAUSE, description="Pause", form=ReasonForm)
    def pause(self, request, row, entered):
        ...
        return f"{row} is paused."

Opening an action changes nothing: only the POST of the confirmation page does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action as unfold_action

from tenants.long_lists import COUNTED_UP_TO, count_up_to
from tenants.roles import May
from tenants.scoping import may, tenant_id_of, visible

CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Done:
    """What an action did, in a sentence, and the page that shows it; returned instead of a mere sentence."""

    sentence: str
    goto: str


class NotDone(Exception):
    """An action was not carried out; the text says why and what to do."""


def row_action(
    permission: May,
    *,
    description: str,
    form: type[forms.Form] | None = None,
    confirm: str = "",
    **options: Any,
) -> Callable[[Callable[..., str]], Callable[..., Any]]:
    """An action of one row. The method gets the row and, with a form, its cleaned data.

    :param form: what is asked before, a reason for instance
    :param confirm: name of a method (request, row) that returns what the person should know before confirming
    :param options: for unfold's `action`: url_path, icon, variant
    """

    def decorate(method: Callable[..., str]) -> Callable[..., Any]:
        @wraps(method)
        def run(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
            row = admin.get_object(request, object_id)
            if row is None:  # also another tenant's
                return admin._get_obj_does_not_exist_redirect(request, admin.opts, object_id)
            if not may(request.user, tenant_id_of(row), permission):
                raise PermissionDenied
            back = reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_change", args=[row.pk])
            entry, ready = _entered(request, form)
            if not ready:
                about = getattr(admin, confirm)(request, row) if confirm else ""
                return _ask(admin, request, description, [row], about, entry, back)
            goto = _say(request, method, admin, row, *([entry.cleaned_data] if entry else []))
            return HttpResponseRedirect(goto or back)

        action = unfold_action(description=description, **options)(run)
        action.allowed_permissions = [permission.value]
        return action

    return decorate


def rows_action(
    permission: May,
    *,
    description: str,
    form: type[forms.Form] | None = None,
    confirm: str = "",
) -> Callable[[Callable[..., str]], Callable[..., Any]]:
    """An action of a selection in a list. The method gets the rows and, with a form, its cleaned data.

    Nothing is done if the person may not do it for every row selected.
    """

    def decorate(method: Callable[..., str]) -> Callable[..., Any]:
        @wraps(method)
        def run(admin: Any, request: HttpRequest, rows: QuerySet[Model]) -> HttpResponse | None:
            if count_up_to(rows) > COUNTED_UP_TO:
                messages.error(
                    request, f"Nothing was done: more than {COUNTED_UP_TO:,} rows. Filter or search first."
                )
                return None
            refused = rows.count() - visible(request.user, rows, permission).count()
            if refused:
                messages.error(
                    request, f"Nothing was done: you may not do this for {refused} of the rows selected."
                )
                return None
            entry, ready = _entered(request, form)
            if not ready:
                about = getattr(admin, confirm)(request, rows) if confirm else ""
                return _ask(admin, request, description, rows, about, entry, request.get_full_path())
            goto = _say(request, method, admin, rows, *([entry.cleaned_data] if entry else []))
            return HttpResponseRedirect(goto) if goto else None

        run.short_description = description
        run.allowed_permissions = [permission.value]
        return run

    return decorate


def _entered(request: HttpRequest, form: type[forms.Form] | None) -> tuple[Any, bool]:
    """The form and whether the person has confirmed with a valid one."""
    confirmed = request.method == "POST" and CONFIRMED in request.POST
    if form is None:
        return None, confirmed
    entry = form(request.POST if confirmed else None)
    return entry, confirmed and entry.is_valid()


def _say(request: HttpRequest, method: Callable[..., str | Done], *args: Any) -> str:
    """Do it and tell the person; where to go from here, "" for back."""
    admin, rest = args[0], args[1:]
    try:
        outcome = method(admin, request, *rest)
    except NotDone as why:
        messages.error(request, str(why))
        return ""
    messages.success(request, outcome.sentence if isinstance(outcome, Done) else outcome)
    return outcome.goto if isinstance(outcome, Done) else ""


def _ask(
    admin: Any, request: HttpRequest, title: str, rows: Any, about: str, entry: forms.Form | None, back: str
) -> HttpResponse:
    """The page on which an action is confirmed; a selection is carried along in hidden fields."""
    carried = [
        (name, value)
        for name in (ACTION_CHECKBOX_NAME, "action", "select_across")
        for value in request.POST.getlist(name)
    ]
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": title,
        "rows": rows[:20],
        "more": max(0, (len(rows) if isinstance(rows, list) else rows.count()) - 20),
        "about": about,
        "form": entry,
        "carried": carried,
        "confirmed": CONFIRMED,
        "back": back,
    }
    return TemplateResponse(request, "tenants/confirm_action.html", context)
