"""BAPI_CUSTOMER_CREATEFROMDATA1 and _CHANGEFROMDATA1, also under the names CREATE and CHANGE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agents.rfc.interface import Function, Outcome
from agents.rfc.simulated import company
from agents.rfc.simulated.context import Context
from agents.rfc.simulated.messages import row1
from agents.simulation.rows import key_of

FIRST_NUMBER = 100001
NEEDED = ("CITY", "POSTL_COD1", "STREET", "CURRENCY")
KNA1 = {  # column of KNA1: the names it comes from, the first that is filled
    "NAME1": ("NAME", "LASTNAME"),
    "NAME2": ("NAME_2", "FIRSTNAME"),
    "ORT01": ("CITY",),
    "PSTLZ": ("POSTL_COD1",),
    "REGIO": ("REGION",),
    "STRAS": ("STREET",),
    "LAND1": ("COUNTRY",),
    "TELF1": ("TEL1_NUMBR",),
    "SPRAS": ("LANGU_P", "LANGU"),
}

Tables = Mapping[str, Sequence[Mapping[str, Any]]]


def create(context: Context, function: Function, importing: Mapping[str, Any], tables: Tables) -> Outcome:
    """A new customer after the reference customer. It does not look whether the person is there already."""
    problem = _problem_of_new(context, importing)
    if problem:
        return Outcome({"CUSTOMERNO": "", "RETURN": row1("E", "F2", "042", problem)}, {})
    given = importing.get("PI_COMPANYDATA") or importing["PI_PERSONALDATA"]
    reference = importing["PI_COPYREFERENCE"]
    sales = {"VKORG": reference["SALESORG"], "VTWEG": reference["DISTR_CHAN"], "SPART": reference["DIVISION"]}
    number = f"{context.rows.next_number('customers', FIRST_NUMBER):010d}"
    context.pending.extend(company.customer(number, _general(given), given.get("E_MAIL", ""), sales))
    return Outcome({"CUSTOMERNO": number, "RETURN": row1()}, {})


def _problem_of_new(context: Context, importing: Mapping[str, Any]) -> str:
    given = [importing[name] for name in ("PI_PERSONALDATA", "PI_COMPANYDATA") if importing.get(name)]
    if len(given) != 1:
        return "Enter either personal data or company data"
    if missing := [name for name in NEEDED if not given[0].get(name)]:
        return f"Required field {missing[0]} is empty"
    if not (given[0].get("NAME") or given[0].get("LASTNAME")):
        return "Required field NAME is empty"
    reference = importing.get("PI_COPYREFERENCE", {})
    key = key_of({name: reference.get(name, "") for name in _AREA}, _AREA)
    if context.rows.get("KNVV", key) is None:
        return f"Reference customer {reference.get('REF_CUSTMR', '')} does not exist in the sales area"
    return ""


_AREA = ("REF_CUSTMR", "SALESORG", "DISTR_CHAN", "DIVISION")


def change(context: Context, function: Function, importing: Mapping[str, Any], tables: Tables) -> Outcome:
    """Change the fields that are marked with X, and no others."""
    number = importing.get("CUSTOMERNO", "")
    known = context.rows.get("KNA1", number)
    if known is None:
        return Outcome({"RETURN": row1("E", "F2", "145", f"Customer {number} does not exist")}, {})
    marked: dict[str, str] = {}
    for name in ("PI_PERSONALDATA", "PI_COMPANYDATA"):
        flags = importing.get(f"{name}X", {})
        marked |= {
            field: importing.get(name, {}).get(field, "") for field, flag in flags.items() if flag == "X"
        }
    context.pending.append(("KNA1", number, {**known, **_general(marked)}))
    if "E_MAIL" in marked:
        address = known["ADRNR"]
        context.pending.append(("ADR6", address, {"ADDRNUMBER": address, "SMTP_ADDR": marked["E_MAIL"]}))
    return Outcome({"RETURN": row1()}, {})


def _general(given: Mapping[str, Any]) -> dict[str, str]:
    """The columns of KNA1 that are given."""
    return {
        column: next(given[name] for name in names if name in given)
        for column, names in KNA1.items()
        if any(name in given for name in names)
    }
