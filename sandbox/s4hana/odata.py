"""The gateway's OData V2: pages, projections, JSON in V2's way, and errors."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from werkzeug import Request, Response

from sandbox.s4hana import filters
from sandbox.wire import Refusal, answer_json

Row = dict[str, Any]
MOST = 1000


def collection(request: Request, rows: list[Row], path: str, *, page: int = MOST) -> Response:
    """The rows asked for, in pages with a link to the next.

    :raises Refusal: 400 for a filter nobody can read
    """
    query = dict(request.args)
    try:
        wanted = filters.parse(query["$filter"]) if query.get("$filter") else None
    except filters.BadFilter as error:
        raise refusal(400, "005056A509B11EE1B9A8FEC11C21578E", str(error)) from error
    found = [row for row in rows if wanted is None or wanted(row)]
    for name in reversed(query.get("$orderby", "").split(",")):
        if name:
            found.sort(key=lambda row: str(row.get(name.split(" ")[0], "")))
    skip = int(query.get("$skiptoken", "0")) or int(query.get("$skip", "0"))
    top = int(query.get("$top", str(len(found))))
    most = min(top, page)
    shown = found[skip : skip + most]
    answer: Row = {"results": [as_json(row, query) for row in shown]}
    if query.get("$inlinecount") == "allpages":
        answer["__count"] = str(len(found))
    if len(found) > skip + most and top > most:
        # The link names the host as the system knows itself, which behind a gateway is not the one that was asked.
        more = urlencode({**query, "$skiptoken": str(skip + most)})
        answer["__next"] = f"https://my300000.s4hana.cloud.sap{path}?{more}"
    return answer_json({"d": answer})


def one(request: Request, row: Row | None) -> Response:
    """One row.

    :raises Refusal: 404 if there is none
    """
    if row is None:
        raise refusal(404, "/IWBEP/CM_MGW_RT/020", "Resource not found for the segment")
    return answer_json({"d": as_json(row, dict(request.args))})


def as_json(row: Row, query: dict[str, str]) -> Row:
    """A row as V2 writes it: dates as `/Date(ms)/`, decimals as text, expanded rows under `results`, others deferred."""
    columns = set(filter(None, query.get("$select", "").split(",")))
    expanded = set(filter(None, query.get("$expand", "").split(",")))
    shown: Row = {}
    for name, value in row.items():
        if isinstance(value, list):
            if name in expanded:
                inner = {c.partition("/")[2] for c in columns if c.startswith(f"{name}/")}
                part = {"$select": ",".join(inner)}
                shown[name] = {"results": [as_json(each, part) for each in value]}
            elif not columns:
                shown[name] = {"__deferred": {"uri": name}}
        elif not columns or name in columns or name == "__metadata":
            shown[name] = _value(value)
    return shown


def nested(value: Any) -> list[Row]:
    """Rows inside a deep insert: a list, or under `results`."""
    return list(value.get("results", [])) if isinstance(value, dict) else list(value or [])


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"/Date({int(value.timestamp()) * 1000})/"
    return format(value, "f") if isinstance(value, Decimal) else value


def refusal(status: int, code: str, message: str, *details: tuple[str, str]) -> Refusal:
    """An error as the gateway writes it."""
    inner = {
        "transactionid": "8E9B0C1D2E3F4A5B6C7D8E9F0A1B2C3D",
        "timestamp": "20261127120000.0000000",
        "errordetails": [
            {"code": c, "message": m, "propertyref": "", "severity": "error", "target": ""}
            for c, m in details
        ],
    }
    error = {"code": code, "message": {"lang": "en", "value": message}, "innererror": inner}
    return Refusal(answer_json({"error": error}, status))
