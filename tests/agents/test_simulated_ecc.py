"""The simulated SAP refuses what SAP refuses, in its manner, and keeps what it took as SAP keeps it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.agents.running import Agent, posting, reading

NUMBER = itertools.count(1)


def post(sap: Agent, change: Any = lambda call: None, **header: str) -> dict[str, Any]:
    """Post one document; the answer of its unit."""
    unit = posting(f"S1-{next(NUMBER)}", **header)
    change(unit["calls"][0])
    return sap.post("/v1/units", unit).json()


def call(sap: Agent, function: str, importing: dict[str, Any], **tables: Any) -> dict[str, Any]:
    """One call in a unit that commits; its answer."""
    calls = [{"function": function, "importing": importing, "tables": tables}]
    unit = {"unit_id": f"S1-{next(NUMBER)}", "commit": "on_success", "calls": calls}
    return sap.post("/v1/units", unit).json()


def set_item(table: str, **values: str):
    return lambda call: call["tables"][table][0].update(values)


def drop_amount(call: dict[str, Any]) -> None:
    call["tables"]["CURRENCYAMOUNT"].pop()


def double_item(call: dict[str, Any]) -> None:
    call["tables"]["ACCOUNTGL"].append(dict(call["tables"]["ACCOUNTGL"][0]))


def nothing(call: dict[str, Any]) -> None: ...


@pytest.mark.parametrize(
    ("change", "header", "message"),
    [
        (nothing, {"COMP_CODE": "9999"}, "F5 165"),
        (nothing, {"PSTNG_DATE": "20191231"}, "F5 201"),
        (nothing, {"BUS_ACT": "SD00"}, "RW 602"),
        (nothing, {"DOC_STATUS": "9"}, "RW 637"),
        (nothing, {"DOC_TYPE": ""}, "RW 010"),
        (set_item("ACCOUNTGL", GL_ACCOUNT="800000"), {}, "F5 506"),  # a key without its zeros is another key
        (set_item("ACCOUNTGL", GL_ACCOUNT="0000140000"), {}, "F5 351"),
        (set_item("ACCOUNTGL", GL_ACCOUNT="0000175000"), {}, "FF 747"),
        (set_item("ACCOUNTGL", COSTCENTER="0000009999"), {}, "KI 235"),
        (set_item("ACCOUNTGL", TAX_CODE="ZZ"), {}, "FF 713"),
        (set_item("ACCOUNTRECEIVABLE", CUSTOMER="1000"), {}, "F5 102"),
        (set_item("ACCOUNTRECEIVABLE", CUSTOMER="0000099999"), {}, "F5 117"),
        (set_item("CURRENCYAMOUNT", AMT_DOCCUR="108.01"), {}, "F5 702"),
        (set_item("CURRENCYAMOUNT", AMT_DOCCUR="108.005"), {}, "00 088"),
        (drop_amount, {}, "RW 033"),
        (double_item, {}, "RW 634"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_a_wrong_document_is_refused_with_the_generic_row_first(
    sap: Agent, change: Any, header: dict, message: str
):
    answer = post(sap, change, **header)
    rows = answer["calls"][0]["return"]
    assert answer["outcome"] == "rolled_back"
    assert (rows[0]["ID"], rows[0]["NUMBER"]) == ("RW", "609")
    assert message in [f"{row['ID']} {row['NUMBER']}" for row in rows[1:]]
    assert answer["calls"][0]["exporting"]["OBJ_KEY"] == "$"
    assert sap.rows("BKPF") == []


def test_a_check_says_the_same_and_posts_nothing(sap: Agent):
    def check(call: dict[str, Any]) -> None:
        call["function"] = "BAPI_ACC_DOCUMENT_CHECK"

    assert [row["NUMBER"] for row in post(sap, check)["calls"][0]["return"]] == ["614"]
    assert [row["NUMBER"] for row in post(sap, check, COMP_CODE="9999")["calls"][0]["return"]] == [
        "609",
        "165",
    ]
    assert sap.rows("BKPF") == []


def test_a_document_is_found_by_its_reference_and_has_open_items_with_signs(sap: Agent):
    key = post(sap, REF_DOC_NO="s1-ref")["calls"][0]["exporting"]["OBJ_KEY"]
    fields = ("BELNR", "GJAHR", "STBLG")
    unit = reading(f"S1-{next(NUMBER)}", "BKPF", "BUKRS EQ '1000' AND XBLNR EQ 'S1-REF'", *fields)
    (found,) = sap.post("/v1/units", unit).json()["calls"][0]["tables"]["DATA"]
    assert found["WA"] == f"{key[:10]}{key[14:]}" + " " * 10
    assert [(row["SHKZG"], row["WRBTR"]) for row in sap.rows("BSID")] == [("S", "108.00")]
    assert [(row["SHKZG"], row["WRBTR"]) for row in sap.rows("BSIS")] == [("H", "108.00")]


def test_yen_stand_in_the_tables_with_two_decimals_as_everything(sap: Agent):
    def in_yen(call: dict[str, Any]) -> None:
        for amount, value in zip(call["tables"]["CURRENCYAMOUNT"], ("1000", "-1000"), strict=True):
            amount.update(CURRENCY="JPY", AMT_DOCCUR=value)

    assert post(sap, in_yen)["outcome"] == "committed"
    assert [row["WRBTR"] for row in sap.rows("BSID")] == ["10.00"]


PERSON = {
    "LASTNAME": "Doe",
    "FIRSTNAME": "Jane",
    "CITY": "Austin",
    "POSTL_COD1": "73301",
    "STREET": "1 Main St",
    "COUNTRY": "US",
    "CURRENCY": "USD",
    "E_MAIL": "jane@example.com",
}
REFERENCE = {"REF_CUSTMR": "0000001000", "SALESORG": "1000", "DISTR_CHAN": "10", "DIVISION": "00"}


def test_a_customer_is_made_after_the_reference_and_changed_where_an_x_stands(sap: Agent):
    new = {"PI_PERSONALDATA": PERSON, "PI_COPYREFERENCE": REFERENCE}
    answer = call(sap, "BAPI_CUSTOMER_CREATEFROMDATA1", new)
    number = answer["calls"][0]["exporting"]["CUSTOMERNO"]
    assert (answer["outcome"], answer["calls"][0]["return"]) == ("committed", [])
    change = {
        "CUSTOMERNO": number,
        "PI_SALESORG": "1000",
        "PI_PERSONALDATA": {"CITY": "Dallas", "STREET": "not marked"},
        "PI_PERSONALDATAX": {"CITY": "X"},
    }
    assert call(sap, "BAPI_CUSTOMER_CHANGEFROMDATA1", change)["outcome"] == "committed"
    (customer,) = [row for row in sap.rows("KNA1") if row["KUNNR"] == number]
    assert [customer[name] for name in ("NAME1", "ORT01", "STRAS")] == ["Doe", "Dallas", "1 Main St"]
    assert {"ADDRNUMBER": number, "SMTP_ADDR": "jane@example.com"} in sap.rows("ADR6")


@pytest.mark.parametrize(
    "wrong",
    [
        {"PI_COPYREFERENCE": REFERENCE | {"SALESORG": "2000"}},
        {"PI_COMPANYDATA": {"NAME": "Acme"}},
        {"PI_PERSONALDATA": PERSON | {"CITY": ""}},
    ],
    ids=["reference", "both", "city"],
)
def test_a_wrong_customer_is_refused_in_one_row_from_a_structure(sap: Agent, wrong: dict[str, Any]):
    answer = call(
        sap,
        "BAPI_CUSTOMER_CREATEFROMDATA1",
        {"PI_PERSONALDATA": PERSON, "PI_COPYREFERENCE": REFERENCE} | wrong,
    )
    assert answer["outcome"] == "rolled_back"
    assert [row["TYPE"] for row in answer["calls"][0]["return"]] == ["E"]


@pytest.mark.parametrize(("place", "quantity"), [("", "150.000"), ("0002", "30.000"), ("0009", "0.000")])
def test_availability_is_the_stock_of_plant_or_place(sap: Agent, place: str, quantity: str):
    where = {"PLANT": "1000", "MATERIAL": "HON-H252", "UNIT": "EA", "STGE_LOC": place}
    assert call(sap, "BAPI_MATERIAL_AVAILABILITY", where)["calls"][0]["exporting"]["AV_QTY_PLT"] == quantity


@pytest.mark.parametrize(
    ("fields", "where", "key"),
    [
        (["NO_SUCH"], "", "FIELD_NOT_VALID"),
        (["KUNNR"], "KUNNR='1'", "OPTION_NOT_VALID"),  # SAP wants blanks round an operator
        (["KUNNR"], "KUNNR EQ", "OPTION_NOT_VALID"),
        (["KUNNR"], "NO_SUCH EQ '1'", "OPTION_NOT_VALID"),
        (["KUNNR"], "1 = 1 ) OR ( 1", "OPTION_NOT_VALID"),
        (["SMTP_ADDR"] * 3, "", "DATA_BUFFER_EXCEEDED"),
    ],
)
def test_a_wrong_read_raises_saps_exception(sap: Agent, fields: list[str], where: str, key: str):
    table = "ADR6" if "SMTP_ADDR" in fields else "KNA1"
    answer = sap.post("/v1/units", reading(f"S1-{next(NUMBER)}", table, where, *fields))
    assert (answer.status_code, answer.json()["error"]["rfc"]["key"]) == (422, key)
