"""What the Service Layer says when it refuses: HTTP status, B1 code and sentence.

Codes and sentences follow public reports of real answers (SAP knowledge base 2693418 previews, public issue
threads and client libraries, read 2026-11). Where no report was found the wording is ours and the code is the
generic -5002 or -10; clients must decide by code, never by English text, because B1 translates its sentences.
"""

from __future__ import annotations


class B1Error(Exception):
    """A refusal.

    :param code: B1's number, as in `error.code`
    :param status: the HTTP status
    """

    def __init__(self, code: int, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def at(table: str, column: str, line: int | None = None) -> str:
    """B1's way of naming the place: ` [INV1.ItemCode][line: 2]` (lines count from 1)."""
    return f"  [{table}.{column}]" + ("" if line is None else f"[line: {line + 1}]")


def session_lost() -> B1Error:
    return B1Error(301, "Invalid session or session already timeout.", status=401)


def not_found(detail: str = "") -> B1Error:
    prefix = f"{detail} , " if detail else ""
    return B1Error(-2028, f"{prefix}No matching records found (ODBC -2028)", status=404)


def no_such_path() -> B1Error:
    return B1Error(-1000, "Unrecognized resource path.", status=404)


def no_such_record(place: str) -> B1Error:
    """A request refers to a row that does not exist (the document itself is the thing refused)."""
    return B1Error(-2028, f"{place.strip()} , 'No matching records found (ODBC -2028)'")


def unknown_property(name: str, type_name: str) -> B1Error:
    return B1Error(-1000, f"Property '{name}' of '{type_name}' is invalid")


def bad_value(name: str, type_name: str) -> B1Error:
    return B1Error(-1000, f"Invalid value for property '{name}' of '{type_name}'")


def too_long(name: str, type_name: str) -> B1Error:
    return B1Error(-1013, f"Value too long in property '{name}' of '{type_name}'")


def business(message: str) -> B1Error:
    """B1's generic refusal of a business rule."""
    return B1Error(-5002, message)


def conflict(message: str) -> B1Error:
    return B1Error(-10, message)


def already_exists() -> B1Error:
    return B1Error(-2035, "This entry already exists in the following tables (ODBC -2035)")


def not_supported() -> B1Error:
    return B1Error(-5006, "The requested action is not supported for this object.")


def not_permitted() -> B1Error:
    return B1Error(-5002, "You are not permitted to perform this action  [Message 131-183]")


def bad_query(detail: str) -> B1Error:
    return B1Error(-1000, f"Query string error: {detail}")


def changed_meanwhile() -> B1Error:
    return B1Error(
        -2039,
        "Another user or another operation modified data; to continue, open the window again (ODBC -2039)",
    )


def rate_missing(currency: str) -> B1Error:
    return B1Error(-4006, f"Update the exchange rate , '{currency}'")


def period_locked() -> B1Error:
    return B1Error(-4013, "Posting period locked; specify an alternative date")


def date_out_of_range(table: str, column: str) -> B1Error:
    return conflict(f"Date deviates from permissible range{at(table, column)}")
