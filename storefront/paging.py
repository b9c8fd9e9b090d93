"""Lists of v2 and v3, read to their end.

v2 is a bare array without a total, empty as `[]`, 204 or an empty body, 50 rows a page by default and at most
250 where stated; v3 has `data` and `meta.pagination` ("Common query parameters", 2026-04). Rows shift between
pages while a list changes, so a row that was there already is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from erp.contract.errors import Refused

PAGE = 250
SMALLEST_PAGE = 50  # what a server that ignores `limit` gives: fewer rows mean the last page
MOST_PAGES = 400

Row = Mapping[str, Any]
Get = Callable[[str, Mapping[str, str]], Any]


def v2_rows(get: Get, path: str, params: Mapping[str, str] | None = None) -> Iterator[Row]:
    """All rows of a v2 list; none if the thing itself is not there."""
    seen: set[str] = set()
    for page in range(1, MOST_PAGES + 1):
        found = list_rows(get(path, {**(params or {}), "page": str(page), "limit": str(PAGE)}))
        fresh = [row for row in found if _is_new(row, seen)]
        yield from fresh
        if len(found) < SMALLEST_PAGE or not fresh:
            return
    raise Refused(f"{path} has more than {MOST_PAGES * PAGE} rows.")


def v3_rows(
    get: Get, path: str, params: Mapping[str, str] | None = None, *, limit: int | None = PAGE
) -> Iterator[Row]:
    """All rows of a v3 list.

    :param limit: rows a page; None where the first page takes neither `page` nor `limit` (transactions and
        refunds of one order, "Orders V3"), though its answer may still announce more pages
    """
    seen: set[str] = set()
    sized = {} if limit is None else {"limit": str(limit)}
    for page in range(1, MOST_PAGES + 1):
        numbered = {} if limit is None and page == 1 else {"page": str(page)}
        answer = get(path, {**(params or {}), **numbered, **sized})
        content = answer if isinstance(answer, dict) else {}
        fresh = [row for row in list_rows(content.get("data")) if _is_new(row, seen)]
        yield from fresh
        if not fresh or page >= _total_pages(content):
            return
    raise Refused(f"{path} has more than {MOST_PAGES * PAGE} rows.")


def _total_pages(content: Row) -> int:
    meta = content.get("meta")
    pagination = meta.get("pagination") if isinstance(meta, dict) else None
    total = pagination.get("total_pages") if isinstance(pagination, dict) else None
    return total if isinstance(total, int) else 1


def list_rows(content: Any) -> list[Row]:
    """The rows of a list; anything else has none."""
    return [row for row in content if isinstance(row, dict)] if isinstance(content, list) else []


def _is_new(row: Row, seen: set[str]) -> bool:
    if "id" not in row:
        return True
    known = str(row["id"])
    if known in seen:
        return False
    seen.add(known)
    return True
