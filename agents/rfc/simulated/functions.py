"""Which code runs for which function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from agents.rfc.interface import Function, Outcome
from agents.rfc.simulated import customers, documents, reading
from agents.rfc.simulated.context import Context
from agents.rfc.simulated.interfaces import initial_exports

Tables = Mapping[str, Sequence[Mapping[str, Any]]]
Run = Callable[[Context, Function, Mapping[str, Any], Tables], Outcome]


def _availability(
    context: Context, function: Function, importing: Mapping[str, Any], tables: Tables
) -> Outcome:
    """Unrestricted stock of the plant, or of one storage location; without a check of receipts."""
    wanted = {"MATNR": importing.get("MATERIAL", ""), "WERKS": importing.get("PLANT", "")}
    if importing.get("STGE_LOC"):
        wanted["LGORT"] = importing["STGE_LOC"]
    stock = [
        Decimal(row["LABST"])
        for row in context.rows.select("MARD")
        if all(row[name] == value for name, value in wanted.items())
    ]
    exports = {**initial_exports(function), "RETURN": {}}
    if not stock:
        message = f"Material {wanted['MATNR']} is not maintained in plant {wanted['WERKS']}"
        exports["RETURN"] = {
            "TYPE": "E",
            "CODE": "61501",
            "MESSAGE": message,
            "LOG_NO": "",
            "LOG_MSG_NO": "000000",
        }
    exports["AV_QTY_PLT"] = f"{sum(stock, Decimal()):.3f}"
    return Outcome(exports, {"WMDVSX": tables.get("WMDVSX", []), "WMDVEX": []})


RUNS: Mapping[str, Run] = {
    "BAPI_ACC_DOCUMENT_CHECK": documents.check,
    "BAPI_ACC_DOCUMENT_POST": documents.post,
    "BAPI_CUSTOMER_CREATEFROMDATA1": customers.create,
    "BAPI_CUSTOMER_CREATE": customers.create,
    "BAPI_CUSTOMER_CHANGEFROMDATA1": customers.change,
    "BAPI_CUSTOMER_CHANGE": customers.change,
    "BAPI_MATERIAL_AVAILABILITY": _availability,
    "RFC_READ_TABLE": reading.read_table,
}
