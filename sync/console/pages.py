"""What the pages of the console have in common: a page of its own for each row, and actions that are offered only when they make sense."""

from datetime import datetime
from typing import Any, Protocol

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format


class OwnPage:
    """Mixed into an admin whose `change_form_template` shows more of a row than a form: `page` says what."""

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """The template's context for this row."""
        raise NotImplementedError

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page of one row."""
        row: Model | None = self.get_object(request, object_id)
        shown = {"subtitle": None, **self.page(request, row)} if row is not None else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})


class Offers:
    """Mixed into an admin with actions. The actions still refuse by themselves: a page may be old when it is used."""

    def not_now(self, row: Any) -> set[str]:
        """Names of the actions that have nothing to do for this row."""
        return set()

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The actions of the page of one row."""
        offered = super().get_actions_detail(request, object_id)
        row: Model | None = self.get_object(request, str(object_id))
        hidden = {f"_{name}" for name in self.not_now(row)} if row is not None else set()
        return [a for a in offered if not any(str(a.action_name).endswith(name) for name in hidden)]


def moment(at: datetime) -> str:
    """A time as the console writes it, in the person's time zone: `27 Nov 2026, 14:10`."""
    return date_format(timezone.localtime(at), "j M Y, H:i")


class Window(Protocol):
    """A time within which orders were placed."""

    since: datetime
    until: datetime


def window(row: Window) -> str:
    """From when until before when, in the person's time zone."""
    return f"{moment(row.since)} to {moment(row.until)}"
