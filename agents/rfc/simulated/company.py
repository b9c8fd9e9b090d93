"""What stands in the simulated SAP before anybody posts: company code 1000, two customers, some materials."""

from __future__ import annotations

from typing import Any

from agents.simulation.rows import Change, key_of

COMPANY, CHART, AREA = "1000", "INT", "1000"
SALES = {"VKORG": "1000", "VTWEG": "10", "SPART": "00"}
RECONCILIATION = "0000140000"
ACCOUNTS = {  # number: balance sheet account, tax type (< output, > input, * any, blank none), reconciliation
    "0000113100": ("X", "", ""),
    "0000113200": ("X", "", ""),
    RECONCILIATION: ("X", "", "D"),
    "0000175000": ("X", "<", ""),
    "0000176000": ("X", "", ""),
    "0000800000": ("", "*", ""),
    "0000801000": ("", "*", ""),
    "0000809000": ("", "*", ""),
    "0000230000": ("", "", ""),
}
MATERIALS = {  # number: text, stock per storage location, price
    "HON-H252": ("Honey, 250 g", {"0001": "120.000", "0002": "30.000"}, "12.50"),
    "HON-H500": ("Honey, 500 g", {"0001": "48.000"}, "21.00"),
    "CANDLE-1": ("Beeswax candle", {"0001": "0.000"}, "9.95"),
}


def seed() -> list[Change]:
    """The rows of a fresh company."""
    return [*_organisation(), *_accounts(), *_customers(), *_materials()]


def _row(table: str, key: tuple[str, ...], **values: Any) -> Change:
    return (table, key_of(values, key), values)


def _organisation() -> list[Change]:
    far = {"DATAB": "20000101", "DATBI": "99991231"}
    return [
        _row("T000", ("MANDT",), MANDT="100", MTEXT="Simulated ECC", MWAER="USD"),
        _row(
            "T001",
            ("BUKRS",),
            BUKRS=COMPANY,
            BUTXT="Acme Hats",
            LAND1="US",
            WAERS="USD",
            KTOPL=CHART,
            PERIV="K4",
        ),
        _row(
            "T001B",
            ("BUKRS", "MKOAR"),
            BUKRS=COMPANY,
            MKOAR="+",
            FRYE1="2020",
            FRPE1="001",
            TOYE1="2099",
            TOPE1="012",
        ),
        _row("T001W", ("WERKS",), WERKS="1000", NAME1="Main plant", BWKEY="1000"),
        _row("TCURX", ("CURRKEY",), CURRKEY="JPY", CURRDEC="0"),
        _row("CSKS", ("KOKRS", "KOSTL", "DATBI"), KOKRS=AREA, KOSTL="0000001000", BUKRS=COMPANY, **far),
        _row("CEPC", ("PRCTR", "DATBI", "KOKRS"), PRCTR="0000001000", KOKRS=AREA, **far),
        *(
            _row("T007A", ("KALSM", "MWSKZ"), KALSM="TAXUS", MWSKZ=code, MWART="A")
            for code in ("A0", "A1", "O1")
        ),
    ]


def _accounts() -> list[Change]:
    rows = []
    for number, (balance, tax, reconciliation) in ACCOUNTS.items():
        rows.append(_row("SKA1", ("KTOPL", "SAKNR"), KTOPL=CHART, SAKNR=number, XBILK=balance))
        values = {"BUKRS": COMPANY, "SAKNR": number, "MWSKZ": tax, "MITKZ": reconciliation}
        rows.append(_row("SKB1", ("BUKRS", "SAKNR"), **values))
    return rows


def _customers() -> list[Change]:
    rows: list[Change] = []
    for number, name, one_time in (
        ("0000001000", "Reference customer", ""),
        ("0000099999", "Web guest", "X"),
    ):
        rows += customer(number, {"NAME1": name, "LAND1": "US", "XCPDK": one_time, "SPRAS": "E"}, "", SALES)
    return rows


def customer(number: str, general: dict[str, Any], email: str, sales: dict[str, str]) -> list[Change]:
    """The rows of a customer in the company code and one sales area."""
    rows = [
        _row("KNA1", ("KUNNR",), KUNNR=number, ADRNR=number, KTOKD="0001", **general),
        _row("KNB1", ("KUNNR", "BUKRS"), KUNNR=number, BUKRS=COMPANY, AKONT=RECONCILIATION, ZTERM="0001"),
        _row("KNVV", ("KUNNR", "VKORG", "VTWEG", "SPART"), KUNNR=number, WAERS="USD", **sales),
    ]
    if email:
        rows.append(_row("ADR6", ("ADDRNUMBER",), ADDRNUMBER=number, SMTP_ADDR=email))
    return rows


def _materials() -> list[Change]:
    rows: list[Change] = []
    for index, (number, (text, stock, price)) in enumerate(MATERIALS.items(), 1):
        condition = f"{index:010d}"
        rows += [
            _row("MARA", ("MATNR",), MATNR=number, MTART="HAWA", MEINS="EA", LAEDA="20260101"),
            _row("MAKT", ("MATNR", "SPRAS"), MATNR=number, SPRAS="E", MAKTX=text),
            _row("MVKE", ("MATNR", "VKORG", "VTWEG"), MATNR=number, VKORG="1000", VTWEG="10", VMSTA=""),
            *(
                _row(
                    "MARD",
                    ("MATNR", "WERKS", "LGORT"),
                    MATNR=number,
                    WERKS="1000",
                    LGORT=place,
                    LABST=quantity,
                )
                for place, quantity in stock.items()
            ),
            _row(
                "A304",
                ("KSCHL", "VKORG", "VTWEG", "MATNR", "DATBI"),
                KSCHL="PR00",
                VKORG="1000",
                VTWEG="10",
                MATNR=number,
                DATBI="99991231",
                DATAB="20260101",
                KNUMH=condition,
            ),
            _row(
                "KONP",
                ("KNUMH", "KOPOS"),
                KNUMH=condition,
                KOPOS="01",
                KSCHL="PR00",
                KBETR=price,
                KONWA="USD",
                KPEIN="00001",
                KMEIN="EA",
            ),
        ]
    return rows
