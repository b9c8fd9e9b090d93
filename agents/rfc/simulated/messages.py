"""Rows of a RETURN as SAP fills them."""

from __future__ import annotations

from typing import Any


def row(type: str, id: str, number: str, message: str, **more: Any) -> dict[str, Any]:
    """A row of BAPIRET2. ``more``: PARAMETER, ROW, FIELD."""
    blank = {
        "LOG_NO": "",
        "LOG_MSG_NO": "000000",
        "MESSAGE_V1": "",
        "MESSAGE_V2": "",
        "MESSAGE_V3": "",
        "MESSAGE_V4": "",
        "PARAMETER": "",
        "ROW": 0,
        "FIELD": "",
        "SYSTEM": "SIMCLNT100",
    }
    return {"TYPE": type, "ID": id, "NUMBER": number, "MESSAGE": message[:220], **blank, **more}


def row1(type: str = "", id: str = "", number: str = "000", message: str = "") -> dict[str, Any]:
    """The structure BAPIRETURN1, which the customer functions have; empty means success."""
    names = ("LOG_NO", "MESSAGE_V1", "MESSAGE_V2", "MESSAGE_V3", "MESSAGE_V4")
    blank = {"LOG_MSG_NO": "000000", **dict.fromkeys(names, "")}
    return {"TYPE": type, "ID": id, "NUMBER": number, "MESSAGE": message[:220], **blank}
