"""Writing rows as the Service Layer answers them: every property of the type, absent values as null."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.service_layer import jsontext
from sandbox.service_layer.catalogue import USER_FIELD_TABLES, EntitySet
from sandbox.service_layer.fields import TYPES, Field

if TYPE_CHECKING:
    from sandbox.service_layer.company import Company


def write_row(
    company: Company,
    type_name: str,
    row: Mapping[str, Any],
    *,
    only: Collection[str] | None = None,
    v2: bool = False,
) -> dict[str, Any]:
    """One row in the order of the type's table, user fields last; `only` is `$select`."""
    table = USER_FIELD_TABLES.get(type_name, "")
    fields = [*TYPES[type_name].fields.values(), *company.active_user_fields(table)]
    return {
        field.name: _written(company, field, row.get(field.name), v2=v2)
        for field in fields
        if (only is None or field.name in only) and (not field.newer or company.switches.paid_to_date)
    }


def _written(company: Company, field: Field, value: Any, *, v2: bool) -> Any:
    if field.kind == "many":
        return [write_row(company, field.of, item, v2=v2) for item in value or ()]
    if field.kind == "one":
        return write_row(company, field.of, value, v2=v2) if value else {}
    if v2 and field.kind == "date" and value is not None:
        return f"{value}T00:00:00Z"
    return value


def etag(row: Mapping[str, Any]) -> str:
    """A weak ETag over the row's whole content."""
    text = jsontext.dumps({name: row[name] for name in sorted(row)})
    return f'W/"{hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest().upper()}"'


def key_text(entity_set: EntitySet, row: Mapping[str, Any]) -> str:
    """The key as it stands in an address: `(12)`, `('C1')` or `(TableName='OINV',FieldID=0)`."""

    def literal(value: Any) -> str:
        return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"

    if len(entity_set.key) == 1:
        return f"({literal(row[entity_set.key[0]])})"
    return "(" + ",".join(f"{name}={literal(row[name])}" for name in entity_set.key) + ")"
