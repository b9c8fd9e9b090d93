"""`$crossjoin(Invoices,Invoices/DocumentLines)`: rows of a document's lines beside the document.

SAP "Working with Service Layer" 1.28, 3.7.10: `$expand` names the properties of each part, `$filter` and `$orderby`
qualify every property with its part, and the filter joins the two by the document's key. Without that condition the
real server answers every pairing; this one refuses, because no client can mean it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sandbox.service_layer import errors
from sandbox.service_layer.catalogue import DOCUMENTS, EntitySet
from sandbox.service_layer.fields import Field
from sandbox.service_layer.filters import Predicate, parse_joined
from sandbox.service_layer.reading import field_of
from sandbox.service_layer.writing import write_row

if TYPE_CHECKING:
    from sandbox.service_layer.company import Company

Row = dict[str, Any]
PATH = re.compile(r"^\$crossjoin\((?P<head>\w+),(?P<again>\w+)/DocumentLines\)$")
_KNOWN = {"$expand", "$filter", "$orderby", "$top", "$skip"}
_EXPAND = re.compile(r"([\w/]+)\(\$select=([\w,\s]+)\)")


class CrossJoin:
    """One query over an entity set of documents and its lines."""

    def __init__(self, company: Company, path: str, query: Mapping[str, str]) -> None:
        found = PATH.match(path)
        if found is None or found["head"] != found["again"] or found["head"] not in DOCUMENTS:
            raise errors.no_such_path()
        for name in query:
            if name.startswith("$") and name not in _KNOWN:
                raise errors.bad_query(f"query option '{name}' is not supported")
        self.company = company
        self.query = query
        self.head: EntitySet = DOCUMENTS[found["head"]]
        self.lines = f"{self.head.name}/DocumentLines"

    def rows(self) -> list[Row]:
        """The pairs that the filter lets through, written as `$expand` asks, all of them.

        :raises B1Error: -1000 for an option that cannot be read, or without the joining condition
        """
        test = self._filter()
        matched = [pair for pair in self._pairs() if test(pair)]
        for part in reversed(self.query.get("$orderby", "").split(",")):
            if part.strip():
                name, _, direction = part.strip().partition(" ")
                self._field(name)
                matched.sort(key=lambda pair, name=name: pair[name], reverse=direction.strip() == "desc")
        expanded = self._expanded()
        return [
            {
                name: write_row(self.company, type_name, pair[name], only=only)
                for name, type_name, only in expanded
            }
            for pair in matched
        ]

    def _pairs(self) -> Iterator[Row]:
        for document in self.company.rows(self.head.name):
            flat = {f"{self.head.name}/{name}": value for name, value in document.items()}
            for line in document["DocumentLines"]:
                of_line = {f"{self.lines}/{name}": value for name, value in line.items()}
                yield {**flat, **of_line, self.head.name: document, self.lines: line}

    def _filter(self) -> Predicate:
        text = self.query.get("$filter", "")
        mine, its = f"{self.head.name}/DocEntry", f"{self.lines}/DocEntry"
        if f"{mine} eq {its}" not in text and f"{its} eq {mine}" not in text:
            raise errors.bad_query("the cross join has no condition that joins its parts")
        return parse_joined(self.company, self._field, text)

    def _field(self, name: str) -> Field:
        part, _, own = name.rpartition("/")
        kinds = {self.head.name: "Document", self.lines: "DocumentLine"}
        found = field_of(self.company, kinds[part], own) if part in kinds else None
        if found is None:
            raise errors.unknown_property(name, self.head.name)
        return replace(found, name=name)

    def _expanded(self) -> list[tuple[str, str, set[str]]]:
        kinds = {self.head.name: "Document", self.lines: "DocumentLine"}
        asked = [
            (part, names) for part, names in _EXPAND.findall(self.query.get("$expand", "")) if part in kinds
        ]
        if not asked:
            raise errors.bad_query("the cross join expands nothing")
        result = []
        for part, names in asked:
            only = {name.strip() for name in names.split(",")}
            for name in only:
                self._field(f"{part}/{name}")
            result.append((part, kinds[part], only))
        return result
