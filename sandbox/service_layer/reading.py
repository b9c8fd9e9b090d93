"""Reading a request's body against an entity type: what it does not know or cannot hold is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.service_layer import errors
from sandbox.service_layer.catalogue import USER_FIELD_TABLES
from sandbox.service_layer.fields import TYPES, BadValue, Field, read_scalar, stored_length

if TYPE_CHECKING:
    from sandbox.service_layer.company import Company

Row = dict[str, Any]


def read_entity(company: Company, type_name: str, payload: object) -> Row:
    """The given properties in their stored form; read-only ones are dropped without a word.

    :raises B1Error: -1000 for an unknown property or a value of the wrong type, -1013 for a long text
    """
    if not isinstance(payload, Mapping):
        raise errors.B1Error(-1000, "Invalid JSON object")
    row: Row = {}
    for name, value in payload.items():
        if name.startswith(("odata.", "@odata.")):
            continue
        field = field_of(company, type_name, name)
        if field is None:
            raise errors.unknown_property(name, type_name)
        if not field.read_only:
            row[name] = _value(company, type_name, field, value)
    return row


def require_user_fields(company: Company, type_name: str, row: Row) -> None:
    """A new row has every mandatory user field of its table.

    :raises B1Error: naming the first that is missing
    """
    table = USER_FIELD_TABLES.get(type_name, "")
    for field in company.active_user_fields(table):
        if field.mandatory and row.get(field.name) in (None, ""):
            raise errors.business(f"Enter a value in the mandatory field{errors.at(table, field.name)}")


def field_of(company: Company, type_name: str, name: str) -> Field | None:
    """The property of that name: built in, or an active user field."""
    found = TYPES[type_name].fields.get(name)
    if found is not None and found.newer and not company.switches.paid_to_date:
        return None
    if found is not None or not name.startswith("U_"):
        return found
    return company.user_field(USER_FIELD_TABLES.get(type_name, ""), name)


def _value(company: Company, type_name: str, field: Field, value: object) -> Any:
    if field.kind == "many":
        if value is None:
            return []
        if not isinstance(value, list):
            raise errors.bad_value(field.name, type_name)
        return [read_entity(company, field.of, item) for item in value]
    if field.kind == "one":
        return {} if value is None else read_entity(company, field.of, value)
    try:
        read = read_scalar(field, value)
    except BadValue as error:
        raise errors.bad_value(field.name, type_name) from error
    if field.values and read not in field.values and read is not None:
        raise errors.bad_value(field.name, type_name)
    length = company.lengths.get(f"{type_name}.{field.name}", field.length)
    if isinstance(read, str) and field.kind == "text" and length is not None and stored_length(read) > length:
        if f"{type_name}.{field.name}" in company.cuts:
            return read[:length]
        raise errors.too_long(field.name, type_name)
    return read
