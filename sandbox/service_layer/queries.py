"""Reading collections: `$filter $select $orderby $top $skip $inlinecount`, paging and its headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sandbox.service_layer import errors
from sandbox.service_layer.filters import order_rows, parse_filter
from sandbox.service_layer.reading import field_of
from sandbox.service_layer.writing import write_row

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers

    from sandbox.service_layer.catalogue import EntitySet
    from sandbox.service_layer.company import Company

Row = dict[str, Any]
_KNOWN = {"$filter", "$select", "$orderby", "$top", "$skip", "$inlinecount", "$count", "$format"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    rows: list[Row]  # as they are written
    count: int  # of all rows that match
    next_skip: int | None = None
    page_size: int | None = None  # as asked for by the client


def read_page(
    company: Company,
    entity_set: EntitySet,
    query: Mapping[str, str],
    headers: Headers,
    *,
    v2: bool = False,
) -> Page:
    """One page of a collection.

    :raises B1Error: -1000 for an option that cannot be read
    """
    _refuse_unknown(query)
    matched = _matching(company, entity_set, query, headers)
    page, next_skip, asked = paged(company, matched, query, headers)
    only = selected(company, entity_set, query)
    rows = [write_row(company, entity_set.type_name, row, only=only, v2=v2) for row in page]
    return Page(rows=rows, count=len(matched), next_skip=next_skip, page_size=asked)


def paged(
    company: Company, matched: list[Row], query: Mapping[str, str], headers: Headers
) -> tuple[list[Row], int | None, int | None]:
    """One page of what matched, where the next one begins, and the page size the client asked for."""
    skip = _whole(query, "$skip", 0)
    rest = matched[skip:]
    if "$top" in query:
        rest = rest[: _whole(query, "$top", 0)]
    asked = _asked_page_size(headers)
    size = company.switches.page_size if asked is None else asked
    page = rest[:size] if size else rest
    return page, skip + size if len(rest) > len(page) else None, asked


def count(company: Company, entity_set: EntitySet, query: Mapping[str, str], headers: Headers) -> int:
    """`/Orders/$count`."""
    _refuse_unknown(query)
    return len(_matching(company, entity_set, query, headers))


def selected(company: Company, entity_set: EntitySet, query: Mapping[str, str]) -> set[str] | None:
    """The properties of `$select`; None for all.

    :raises B1Error: -1000 for an unknown one
    """
    text = query.get("$select", "").strip()
    if not text or text == "*":
        return None
    names = {part.strip() for part in text.split(",")}
    for name in names:
        if field_of(company, entity_set.type_name, name) is None:
            raise errors.unknown_property(name, entity_set.type_name)
    return names


def next_link(
    company: Company, entity_set: EntitySet, query: Mapping[str, str], page: Page, root: str
) -> str:
    """The link to the next page, relative to the service root or from the host's root."""
    options = {name: value for name, value in query.items() if name not in ("$inlinecount", "$count")}
    if "$top" in options:
        options["$top"] = str(_whole(query, "$top", 0) - len(page.rows))
    return link(company, entity_set.name, options, page.next_skip or 0, root)


def link(company: Company, path: str, options: Mapping[str, str], skip: int, root: str) -> str:
    """A link to the same query from row `skip` on."""
    written = {**options, "$skip": str(skip)}
    text = "&".join(f"{name}={quote(value, safe=chr(39) + '(),')}" for name, value in written.items())
    before = f"{root}/" if company.switches.next_link == "rooted" else ""
    return f"{before}{path}?{text}"


def _matching(
    company: Company, entity_set: EntitySet, query: Mapping[str, str], headers: Headers
) -> list[Row]:
    rows = list(company.rows(entity_set.name))
    if "$filter" in query:
        ignore_case = (
            company.switches.case_insensitive or headers.get("B1S-CaseInsensitive", "").lower() == "true"
        )
        test = parse_filter(company, entity_set.type_name, query["$filter"], ignore_case=ignore_case)
        rows = [row for row in rows if test(row)]
    if "$orderby" in query:
        rows = order_rows(company, entity_set.type_name, query["$orderby"], rows)
    return rows


def _refuse_unknown(query: Mapping[str, str]) -> None:
    for name in query:
        if name.startswith("$") and name not in _KNOWN:
            raise errors.bad_query(f"query option '{name}' is not supported")


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"\d+", text):
        raise errors.bad_query(f"'{text}' is no value for {name}")
    return int(text)


def _asked_page_size(headers: Headers) -> int | None:
    found = re.search(r"odata\.maxpagesize\s*=\s*(\d+)", headers.get("Prefer", ""))
    text = found[1] if found else headers.get("B1S-PageSize")
    return int(text) if text and text.isdigit() else None
