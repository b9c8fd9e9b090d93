"""What both versions of the API share: the request in hand, refusals in each version's shape, paging."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug import Request, Response

from sandbox.bigcommerce import fields
from sandbox.bigcommerce.store import Store
from sandbox.wire import Clock, Refusal, Storage, answer_json, dumps, loads

Row = dict[str, Any]
STATUS_CODES = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"
MOST = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One authenticated request to a store.

    :ivar version: "v2" or "v3": they refuse in different shapes
    :ivar query: the query parameters, converted
    """

    store: Store
    storage: Storage
    clock: Clock
    version: str
    request: Request
    query: Mapping[str, Any]

    def body(self, table: Mapping[str, tuple[type, ...]]) -> Row:
        """The JSON body, checked against a field table."""
        try:
            return fields.body(self.json(), table)
        except fields.BadValue as bad:
            raise refusal(self.version, 400 if self.version == "v2" else 422, _invalid(bad)) from None

    def json(self) -> Any:
        """The body as JSON, whatever it is."""
        if self.request.mimetype != "application/json":
            raise refusal(self.version, 415, "The content type must be application/json.")
        try:
            return loads(self.request.get_data())
        except ValueError:
            raise refusal(self.version, 400, "Input is invalid.") from None

    def not_found(self) -> Refusal:
        """The refusal for a thing that is not there."""
        return refusal(self.version, 404, "The requested resource was not found.")

    @property
    def page(self) -> tuple[int, int]:
        """Page (from 1) and rows per page."""
        page, limit = self.query.get("page", 1), self.query.get("limit", 50)
        if limit > MOST:
            raise refusal(self.version, 413, f"The limit is over the maximum of {MOST}.")
        if page < 1 or limit < 1:
            raise refusal(self.version, 400 if self.version == "v2" else 422, "The field 'page' is invalid.")
        return page, limit

    def page_of(self, rows: Sequence[Row]) -> list[Row]:
        """The rows of the page asked for."""
        page, limit = self.page
        return list(rows[(page - 1) * limit : page * limit])

    def v2_list(self, rows: Sequence[Row]) -> Response:
        """A bare array, or 204 without a body where the page is empty."""
        rows = self.page_of(rows)
        return answer_json(rows) if rows else Response(status=204)

    def v3_list(self, rows: Sequence[Row]) -> Response:
        """``data`` and ``meta.pagination``."""
        page, limit = self.page
        here = self.page_of(rows)
        pages = max(-(-len(rows) // limit), 1)
        links = {"current": f"?page={page}&limit={limit}"}
        if page > 1:
            links["previous"] = f"?page={page - 1}&limit={limit}"
        if page < pages:
            links["next"] = f"?page={page + 1}&limit={limit}"
        pagination = {
            "total": len(rows), "count": len(here), "per_page": limit, "current_page": page,
            "total_pages": pages, "links": links,
        }  # fmt: skip
        return answer_json({"data": here, "meta": {"pagination": pagination}})

    def v3_cursor_list(self, rows: Sequence[Row]) -> Response:
        """A list that can be read by cursor (``after``), by id; without one, its first page."""
        limit = self.page[1]
        after = _from_cursor(self.query["after"]) if "after" in self.query else 0
        if after is None:
            raise refusal("v3", 422, "The field 'after' is invalid.")
        rows = [row for row in rows if "after" not in self.query or row["id"] > after]
        here = rows[:limit]
        cursors = {"start_cursor": _cursor(here[0]), "end_cursor": _cursor(here[-1])} if here else {}
        pagination = {
            "total": len(rows), "count": len(here), "per_page": limit, "current_page": 1,
            "total_pages": max(-(-len(rows) // limit), 1), "links": {"current": f"?page=1&limit={limit}"},
        }  # fmt: skip
        meta = {
            "pagination": pagination,
            "cursor_pagination": {"count": len(here), "per_page": limit, **cursors},
        }
        return answer_json({"data": here, "meta": meta})


def _cursor(row: Row) -> str:
    return base64.urlsafe_b64encode(dumps({"id": row["id"]}).encode()).decode().rstrip("=")


def _from_cursor(cursor: str) -> int | None:
    try:
        found = loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return int(found["id"])
    except (ValueError, KeyError, TypeError):
        return None


def _invalid(bad: Exception) -> str:
    return f"The field '{bad}' is invalid."


def checked_query(version: str, request: Request, table: fields.Table) -> dict[str, Any]:
    """The query parameters of a request; refused in the version's shape when one is unknown or wrong."""
    try:
        return fields.query(request.args.to_dict(), table)
    except fields.BadValue as bad:
        raise refusal(version, 400 if version == "v2" else 422, _invalid(bad)) from None


def refusal(version: str, status: int, sentence: str, headers: dict[str, str] | None = None) -> Refusal:
    """A refusal as v2 (an array of status and message) or v3 (status, title, type, errors) words it."""
    if version == "v2":
        return Refusal(answer_json([{"status": status, "message": sentence}], status, headers))
    data: Row = {"status": status, "title": sentence, "type": STATUS_CODES}
    if status == 422:
        data["errors"] = {"": sentence}
    return Refusal(answer_json(data, status, headers))
