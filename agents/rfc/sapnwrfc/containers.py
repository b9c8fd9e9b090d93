"""Values into and out of the library's containers (functions, structures, rows), by the kinds of their fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ctypes import byref, c_int, c_longlong, c_ubyte, c_uint, c_uint16
from typing import Any

from agents.rfc.interface import (
    CHANGING,
    CHAR,
    DATS,
    DEC,
    EXPORTING,
    FLOAT,
    IMPORTING,
    INT,
    NUMC,
    RAW,
    STRING,
    STRUCTURE,
    TABLE,
    TABLES,
    TIMS,
    Field,
    Function,
    Parameter,
)
from agents.rfc.sapnwrfc import library as sdk
from agents.rfc.sapnwrfc.library import FieldDesc, Library, ParameterDesc, sap_text, text_of

DIRECTIONS = {
    sdk.D_IMPORT: IMPORTING,
    sdk.D_EXPORT: EXPORTING,
    sdk.D_CHANGING: CHANGING,
    sdk.D_TABLES: TABLES,
}
KINDS = {
    sdk.T_CHAR: CHAR,
    sdk.T_DATE: DATS,
    sdk.T_BCD: DEC,
    sdk.T_TIME: TIMS,
    sdk.T_BYTE: RAW,
    sdk.T_TABLE: TABLE,
    sdk.T_NUM: NUMC,
    sdk.T_FLOAT: FLOAT,
    sdk.T_INT: INT,
    sdk.T_INT2: INT,
    sdk.T_INT1: INT,
    sdk.T_INT8: INT,
    sdk.T_STRUCTURE: STRUCTURE,
    sdk.T_DECF16: FLOAT,
    sdk.T_DECF34: FLOAT,
    sdk.T_STRING: STRING,
    sdk.T_XSTRING: RAW,
}
INT_BYTES = {sdk.T_INT: 4, sdk.T_INT2: 2, sdk.T_INT1: 1, sdk.T_INT8: 8}
LONGEST_NUMBER = 64
WHOLE_WIDTH = "WA"  # the row of RFC_READ_TABLE's DATA: whoever reads it cuts it by offset and length

# -- what a function looks like ------------------------------------------------


def describe(library: Library, connection: int, name: str) -> Function:
    """The interface of a function. Parameters of kinds that have no JSON (objects) are left out.

    :raises RfcError: there is no such function, or the session broke
    """
    handle = library.handle("RfcGetFunctionDesc", connection, sap_text(name))
    parameters = {}
    for index in range(library.count("RfcGetParameterCount", handle)):
        found = ParameterDesc()
        library.call("RfcGetParameterDescByIndex", handle, index, byref(found))
        if found.type in KINDS:
            field = _field(library, found)
            direction = DIRECTIONS[found.direction]
            # An importing parameter that is a table is a table all the same.
            parameters[field.name] = Parameter(direction, field)
    return Function(name, parameters)


def _field(library: Library, found: ParameterDesc | FieldDesc) -> Field:
    name, kind, length = text_of(found.name), KINDS[found.type], found.nucLength
    if kind in (STRUCTURE, TABLE):
        return Field(name, kind, fields=_fields(library, found.typeDescHandle))
    if kind == INT:
        return Field(name, kind, INT_BYTES[found.type])
    if kind == DEC:
        return Field(name, kind, 2 * length - 1, found.decimals)  # two digits a byte, and the sign
    return Field(name, kind, 0 if found.type in (sdk.T_STRING, sdk.T_XSTRING) else length)


def _fields(library: Library, type_handle: int) -> dict[str, Field]:
    fields = {}
    for index in range(library.count("RfcGetFieldCount", type_handle)):
        found = FieldDesc()
        library.call("RfcGetFieldDescByIndex", type_handle, index, byref(found))
        if found.type in KINDS:
            field = _field(library, found)
            fields[field.name] = field
    return fields


# -- values in -----------------------------------------------------------------


def put(library: Library, container: int, field: Field, value: Any) -> None:
    """Set one field. Blank text is left initial: an empty date is one that was not set. :raises RfcError:"""
    name = sap_text(field.name)
    if field.kind == STRUCTURE:
        put_all(library, library.child("RfcGetStructure", container, field.name), field.fields, value)
    elif field.kind == TABLE:
        put_rows(library, library.child("RfcGetTable", container, field.name), field.fields, value)
    elif field.kind == INT:
        library.call("RfcSetInt8" if field.length == 8 else "RfcSetInt", container, name, value)
    elif field.kind == RAW and value:
        raw = bytes.fromhex(value)
        setter = "RfcSetBytes" if field.length else "RfcSetXString"
        library.call(setter, container, name, (c_ubyte * len(raw)).from_buffer_copy(raw), len(raw))
    elif value:
        text = sap_text(value)
        library.call("RfcSetString", container, name, text, len(text) - 1)


def put_all(library: Library, container: int, fields: Mapping[str, Field], values: Mapping[str, Any]) -> None:
    """Set the fields that are given. :raises RfcError:"""
    for name, value in values.items():
        put(library, container, fields[name], value)


def put_rows(
    library: Library, table: int, fields: Mapping[str, Field], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Append rows to a table. :raises RfcError:"""
    for row in rows:
        put_all(library, library.handle("RfcAppendNewRow", table), fields, row)


# -- values out ----------------------------------------------------------------


def get(library: Library, container: int, field: Field) -> Any:
    """One field as the protocol shows it. :raises RfcError:"""
    name = sap_text(field.name)
    match field.kind:
        case "STRUCTURE":
            return get_all(library, library.child("RfcGetStructure", container, field.name), field.fields)
        case "TABLE":
            return get_rows(library, library.child("RfcGetTable", container, field.name), field.fields)
        case "INT":
            number: c_int | c_longlong = c_longlong() if field.length == 8 else c_int()
            getter = "RfcGetInt8" if field.length == 8 else "RfcGetInt"
            library.call(getter, container, name, byref(number))
            return number.value
        case "RAW":
            return _bytes(library, container, field)
        case "CHAR":
            units = (c_uint16 * field.length)()
            library.call("RfcGetChars", container, name, units, field.length)
            text = text_of(units, field.length)
            return text if field.name == WHOLE_WIDTH else text.rstrip(" ")
    return _string(library, container, field)


def _string(library: Library, container: int, field: Field) -> str:
    name = sap_text(field.name)
    room = LONGEST_NUMBER
    if field.kind == STRING:
        length = c_uint()
        library.call("RfcGetStringLength", container, name, byref(length))
        room = length.value
    elif field.kind == NUMC:
        room = field.length
    units, written = (c_uint16 * (room + 1))(), c_uint()
    library.call("RfcGetString", container, name, units, room + 1, byref(written))
    text = text_of(units, written.value)
    return text.strip(" ") if field.kind in (DEC, FLOAT) else text


def _bytes(library: Library, container: int, field: Field) -> str:
    name, length = sap_text(field.name), c_uint(field.length)
    if not field.length:
        library.call("RfcGetStringLength", container, name, byref(length))
    raw = (c_ubyte * max(1, length.value))()
    if field.length:
        library.call("RfcGetBytes", container, name, raw, length.value)
    else:
        library.call("RfcGetXString", container, name, raw, length.value, byref(length))
    return bytes(raw)[: length.value].hex().upper()


def get_all(library: Library, container: int, fields: Mapping[str, Field]) -> dict[str, Any]:
    """Every field of a structure or row. :raises RfcError:"""
    return {name: get(library, container, field) for name, field in fields.items()}


def get_rows(library: Library, table: int, fields: Mapping[str, Field]) -> list[dict[str, Any]]:
    """Every row of a table. :raises RfcError:"""
    rows = []
    for index in range(library.count("RfcGetRowCount", table)):
        library.call("RfcMoveTo", table, index)
        rows.append(get_all(library, library.handle("RfcGetCurrentRow", table), fields))
    return rows
