"""Lists that stay quick however long they grow: counted up to a bound, sorted only where that is possible, chosen from only in part."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import checkbox
from unfold.views import ChangeList

# Nobody leafs through more; a filter or a search finds what lies beyond.
COUNTED_UP_TO = 10_000


def count_up_to(rows: QuerySet, bound: int = COUNTED_UP_TO) -> int:
    """How many there are, `bound + 1` for any number beyond the bound. The database reads no more rows than that."""
    return rows.order_by().values("pk")[: bound + 1].count()


def row_checkbox(pk: object) -> SafeString:
    """The box that chooses a row, as the theme draws it. Drawn once: a widget for each row was a seventh of a list's time."""
    return format_html(_checkbox(), pk=pk)


@cache
def _checkbox() -> str:
    drawn = checkbox.render(ACTION_CHECKBOX_NAME, "{pk}")
    if drawn.count("{") != 1:  # or else it is no pattern to fill in
        raise ValueError(drawn)
    return drawn


class BoundedPaginator(Paginator):
    """Pages of the first 10,000 rows. `is_more` says that there are others, and so does the list."""

    template_name = "tenants/pagination_bounded.html"

    @cached_property
    def _counted(self) -> int:
        return count_up_to(self.object_list)

    @property
    def count(self) -> int:
        """At most the bound."""
        return min(self._counted, COUNTED_UP_TO)

    @property
    def is_more(self) -> bool:
        """Whether rows lie beyond the bound."""
        return self._counted > COUNTED_UP_TO


class LongList(ChangeList):
    """A list that is sorted by a column of the person's choice as long as it is short enough to be sorted at once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._ordered_by: dict[int, str] | None = None
        self._links: dict[str, str] = {}
        super().__init__(*args, **kwargs)

    def get_queryset(self, request: HttpRequest, **kwargs: Any) -> QuerySet:
        """The rows as filtered and searched; a long list keeps its own order."""
        rows = super().get_queryset(request, **kwargs)
        asked = self.get_ordering_field_columns()
        if "o" not in self.params or not asked or not asked.keys() - self._in_order():
            return rows
        if count_up_to(rows) <= COUNTED_UP_TO:
            return rows
        messages.info(
            request, f"More than {COUNTED_UP_TO:,} rows: filter or search first, then they can be sorted."
        )
        return rows.order_by(*self.model_admin.get_ordering(request))

    def get_ordering_field_columns(self) -> dict[int, str]:
        """Found out once: the theme asks again with every cell of the list."""
        if self._ordered_by is None:
            self._ordered_by = super().get_ordering_field_columns()
        return self._ordered_by

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """Written once for each link: the theme draws the heads of the columns again with every row."""
        asked = repr((new_params, remove))
        if asked not in self._links:
            self._links[asked] = super().get_query_string(new_params, remove)
        return self._links[asked]

    def _in_order(self) -> set[int]:
        """The columns that the database can give in order without sorting."""
        quick = set(self.model_admin.sorts_quickly)
        fields = [
            getattr(getattr(self.model_admin, str(name), None), "admin_order_field", name)
            for name in self.list_display
        ]
        return {position for position, field in enumerate(fields) if field in quick}
