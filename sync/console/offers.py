"""What a person can do on a page: actions that make no sense for the row now are not offered."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest


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
