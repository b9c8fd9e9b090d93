"""The functions of the simulated SAP and the fields of their structures.

Parameter names and types follow SAP's documented interfaces; of long structures only fields that an
integration uses are here. A test holds them to the public descriptions where those are found.
"""

from __future__ import annotations

from typing import Any

from agents.rfc.interface import (
    CHAR,
    DATS,
    DEC,
    EXPORTING,
    IMPORTING,
    INT,
    NUMC,
    RETURN,
    STRUCTURE,
    TABLE,
    TABLES,
    Field,
    Function,
    Parameter,
)

KINDS = {"C": CHAR, "N": NUMC, "D": DATS, "P": DEC, "I": INT}


def fields_of(text: str) -> dict[str, Field]:
    """Read ``NAME:C10``: CHAR 10; N NUMC, D DATS, P23.4 DEC of 23 digits with 4 decimals, I INT4."""
    found = {}
    for item in text.split():
        name, _, type = item.partition(":")
        digits, _, decimals = type[1:].partition(".")
        length = {"D": 8, "I": 4}.get(type[0]) or int(digits)
        found[name] = Field(name, KINDS[type[0]], length, int(decimals or 0))
    return found


ADDRESS = """CITY:C40 DISTRICT:C40 POSTL_COD1:C10 POSTL_COD2:C10 PO_BOX:C10 STREET:C60 HOUSE_NO:C10 COUNTRY:C3
    COUNTRYISO:C2 REGION:C3 TEL1_NUMBR:C30 FAX_NUMBER:C30 E_MAIL:C241 CURRENCY:C5 CURRENCY_ISO:C3"""

STRUCTURES = {
    name: fields_of(text)
    for name, text in {
        "BAPIACHE09": """OBJ_TYPE:C5 OBJ_KEY:C20 OBJ_SYS:C10 BUS_ACT:C4 USERNAME:C12 HEADER_TXT:C25 COMP_CODE:C4
            DOC_DATE:D PSTNG_DATE:D TRANS_DATE:D FISC_YEAR:N4 FIS_PERIOD:N2 DOC_TYPE:C2 REF_DOC_NO:C16 AC_DOC_NO:C10
            OBJ_KEY_R:C20 REASON_REV:C2 REF_DOC_NO_LONG:C35 ACC_PRINCIPLE:C4 NEG_POSTNG:C1 OBJ_KEY_INV:C20
            VATDATE:D DOC_STATUS:C1""",
        "BAPIACPA09": """NAME:C35 NAME_2:C35 NAME_3:C35 NAME_4:C35 POSTL_CODE:C10 CITY:C35 COUNTRY:C3 COUNTRY_ISO:C2
            STREET:C35 PO_BOX:C10 REGION:C3 LANGU:C1 LANGU_ISO:C2 TAX_NO_1:C16 TAX_NO_2:C11""",
        "BAPIACGL09": """ITEMNO_ACC:N10 GL_ACCOUNT:C10 ITEM_TEXT:C50 STAT_CON:C1 REF_KEY_1:C12 REF_KEY_2:C12
            REF_KEY_3:C20 ACCT_KEY:C3 ACCT_TYPE:C1 DOC_TYPE:C2 COMP_CODE:C4 BUS_AREA:C4 FUNC_AREA:C4 PLANT:C4
            FIS_PERIOD:N2 FISC_YEAR:N4 PSTNG_DATE:D VALUE_DATE:D CUSTOMER:C10 ALLOC_NMBR:C18 TAX_CODE:C2
            TAXJURCODE:C15 COSTCENTER:C10 PROFIT_CTR:C10 WBS_ELEMENT:C24 ORDERID:C12 SALES_ORD:C10 S_ORD_ITEM:N6
            DISTR_CHAN:C2 DIVISION:C2 SALESORG:C4 QUANTITY:P13.3 BASE_UOM:C3 BASE_UOM_ISO:C3 MATERIAL:C18
            TRADE_ID:C6 ITEMNO_TAX:N6""",
        "BAPIACAR09": """ITEMNO_ACC:N10 CUSTOMER:C10 GL_ACCOUNT:C10 REF_KEY_1:C12 REF_KEY_2:C12 REF_KEY_3:C20
            COMP_CODE:C4 BUS_AREA:C4 PMNTTRMS:C4 BLINE_DATE:D DSCT_DAYS1:P3 DSCT_DAYS2:P3 NETTERMS:P3
            DSCT_PCT1:P5.3 DSCT_PCT2:P5.3 PYMT_METH:C1 PAYMT_REF:C30 DUNN_KEY:C1 DUNN_BLOCK:C1 PMNT_BLOCK:C1
            VAT_REG_NO:C20 ALLOC_NMBR:C18 ITEM_TEXT:C50 TAX_CODE:C2 TAXJURCODE:C15 TAX_DATE:D SP_GL_IND:C1
            PROFIT_CTR:C10""",
        "BAPIACTX09": """ITEMNO_ACC:N10 GL_ACCOUNT:C10 COND_KEY:C4 ACCT_KEY:C3 TAX_CODE:C2 TAX_RATE:P7.3 TAX_DATE:D
            TAXJURCODE:C15 TAXJURCODE_DEEP:C15 TAXJURCODE_LEVEL:C1 ITEMNO_TAX:N6 DIRECT_TAX:C1""",
        "BAPIACCR09": """ITEMNO_ACC:N10 CURR_TYPE:C2 CURRENCY:C5 CURRENCY_ISO:C3 AMT_DOCCUR:P23.4 EXCH_RATE:P9.5
            EXCH_RATE_V:P9.5 AMT_BASE:P23.4 DISC_BASE:P23.4 DISC_AMT:P23.4 TAX_AMT:P23.4""",
        "BAPIPAREX": "STRUCTURE:C30 VALUEPART1:C240 VALUEPART2:C240 VALUEPART3:C240 VALUEPART4:C240",
        "BAPIRET2": """TYPE:C1 ID:C20 NUMBER:N3 MESSAGE:C220 LOG_NO:C20 LOG_MSG_NO:N6 MESSAGE_V1:C50 MESSAGE_V2:C50
            MESSAGE_V3:C50 MESSAGE_V4:C50 PARAMETER:C32 ROW:I FIELD:C30 SYSTEM:C10""",
        "BAPIRETURN1": """TYPE:C1 ID:C20 NUMBER:N3 MESSAGE:C220 LOG_NO:C20 LOG_MSG_NO:N6 MESSAGE_V1:C50
            MESSAGE_V2:C50 MESSAGE_V3:C50 MESSAGE_V4:C50""",
        "BAPIRETURN": "TYPE:C1 CODE:C5 MESSAGE:C220 LOG_NO:C20 LOG_MSG_NO:N6",
        "BAPIKNA101_1": f"""TITLE_P:C30 FIRSTNAME:C40 LASTNAME:C40 MIDDLENAME:C40 SECONDNAME:C40 LANGU_P:C1
            LANGUP_ISO:C2 DATE_BIRTH:D {ADDRESS}""",
        "BAPIKNA106": f"TITLE:C30 NAME:C40 NAME_2:C40 NAME_3:C40 NAME_4:C40 LANGU:C1 LANGU_ISO:C2 {ADDRESS}",
        "BAPIKNA102": "REF_CUSTMR:C10 SALESORG:C4 DISTR_CHAN:C2 DIVISION:C2",
        "RFC_DB_OPT": "TEXT:C72",
        "RFC_DB_FLD": "FIELDNAME:C30 OFFSET:N6 LENGTH:N6 TYPE:C1 FIELDTEXT:C60",
        "TAB512": "WA:C512",
        "BAPIWMDVS": "REQ_DATE:D REQ_QTY:P13.3",
        "BAPIWMDVE": "REQ_DATE:D REQ_QTY:P13.3 COM_DATE:D COM_QTY:P13.3",
    }.items()
}
for _name in ("BAPIKNA101_1", "BAPIKNA106"):
    STRUCTURES[f"{_name}X"] = fields_of(" ".join(f"{field}:C1" for field in STRUCTURES[_name]))


def _field(name: str, type: str) -> Field:
    if type in STRUCTURES:
        return Field(name, STRUCTURE, fields=STRUCTURES[type])
    return fields_of(f"{name}:{type}")[name]


def function(name: str, *, importing: str = "", exporting: str = "", tables: str = "") -> Function:
    """An interface from its parameters, each ``NAME:TYPE``: a structure's name or an elementary type."""
    parameters = {}
    for direction, text in ((IMPORTING, importing), (EXPORTING, exporting), (TABLES, tables)):
        for item in text.split():
            parameter, _, type = item.partition(":")
            field = _field(parameter, type)
            if direction == TABLES:
                field = Field(parameter, TABLE, fields=field.fields)
            parameters[parameter] = Parameter(direction, field)
    return Function(name, parameters)


DOCUMENT = {
    "importing": "DOCUMENTHEADER:BAPIACHE09 CUSTOMERCPD:BAPIACPA09",
    "exporting": "OBJ_TYPE:C5 OBJ_KEY:C20 OBJ_SYS:C10",
    "tables": """ACCOUNTGL:BAPIACGL09 ACCOUNTRECEIVABLE:BAPIACAR09 ACCOUNTTAX:BAPIACTX09 CURRENCYAMOUNT:BAPIACCR09
        EXTENSION2:BAPIPAREX RETURN:BAPIRET2""",
}
NEW_CUSTOMER = {
    "importing": "PI_PERSONALDATA:BAPIKNA101_1 PI_COMPANYDATA:BAPIKNA106 PI_COPYREFERENCE:BAPIKNA102",
    "exporting": "CUSTOMERNO:C10 RETURN:BAPIRETURN1",
}
CHANGED_CUSTOMER = {
    "importing": """CUSTOMERNO:C10 PI_SALESORG:C4 PI_DISTR_CHAN:C2 PI_DIVISION:C2 PI_PERSONALDATA:BAPIKNA101_1
        PI_PERSONALDATAX:BAPIKNA101_1X PI_COMPANYDATA:BAPIKNA106 PI_COMPANYDATAX:BAPIKNA106X""",
    "exporting": "RETURN:BAPIRETURN1",
}
FUNCTIONS = {
    each.name: each
    for each in (
        function("BAPI_ACC_DOCUMENT_CHECK", **DOCUMENT),
        function("BAPI_ACC_DOCUMENT_POST", **DOCUMENT),
        function("BAPI_CUSTOMER_CREATEFROMDATA1", **NEW_CUSTOMER),
        function("BAPI_CUSTOMER_CREATE", **NEW_CUSTOMER),
        function("BAPI_CUSTOMER_CHANGEFROMDATA1", **CHANGED_CUSTOMER),
        function("BAPI_CUSTOMER_CHANGE", **CHANGED_CUSTOMER),
        function(
            "BAPI_MATERIAL_AVAILABILITY",
            importing="PLANT:C4 MATERIAL:C18 UNIT:C3 CHECK_RULE:C2 STGE_LOC:C4",
            exporting="AV_QTY_PLT:P13.3 DIALOGFLAG:C1 ENDLEADTME:D RETURN:BAPIRETURN",
            tables="WMDVSX:BAPIWMDVS WMDVEX:BAPIWMDVE",
        ),
        function(
            "RFC_READ_TABLE",
            importing="QUERY_TABLE:C30 DELIMITER:C1 NO_DATA:C1 ROWSKIPS:I ROWCOUNT:I",
            tables="OPTIONS:RFC_DB_OPT FIELDS:RFC_DB_FLD DATA:TAB512",
        ),
    )
}


def initial(field: Field) -> Any:
    """The initial value of a field, as SAP has it."""
    if field.kind == STRUCTURE:
        return {name: initial(each) for name, each in field.fields.items()}
    if field.kind == INT:
        return 0
    if field.kind in (NUMC, DATS):
        return "0" * field.length
    if field.kind == DEC:
        return "0" + ("." + "0" * field.decimals if field.decimals else "")
    return ""


def initial_exports(function: Function) -> dict[str, Any]:
    """Every exporting parameter with its initial value."""
    return {name: initial(field) for name, field in function.those(EXPORTING).items() if name != RETURN}
