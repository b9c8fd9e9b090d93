"""Values and conditions, whatever stands in them."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agents import exact
from agents.errors import ProtocolError
from agents.rfc.interface import CHAR, DEC, IMPORTING, Field, Function, Parameter
from agents.rfc.simulated import SimulatedEcc
from agents.rfc.simulated.interfaces import FUNCTIONS
from agents.rfc.values import check_call
from agents.sage import querying
from agents.sage.boi import reading
from agents.sage.driver import Query
from agents.sage.simulated import SimulatedSage
from agents.sage.tables import TABLES
from tests.agents.fake_sage import Connection, FakeSage, Recordset

QUICK = settings(max_examples=50, deadline=None)
TEXT = (
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
    .map(str.strip)
    .filter(bool)
)


def takes(field: Field, value: Any) -> bool:
    """Whether a function with this one parameter takes the value."""
    function = Function("F", {field.name: Parameter(IMPORTING, field)})
    try:
        check_call(function, {field.name: value}, {})
    except ProtocolError as error:
        return error.code != "unknown_parameter"
    return True


@QUICK
@given(st.integers(1, 31), st.data())
def test_a_decimal_is_taken_exactly_if_it_fits_without_being_rounded(length: int, data: st.DataObject):
    decimals = data.draw(st.integers(0, length))
    digits = data.draw(st.integers(0, 10 ** (length + 1)))
    scale = data.draw(st.integers(0, decimals + 2))
    text = f"{Decimal(digits).scaleb(-scale):f}"
    # The value is digits / 10**scale, in whole numbers.
    fits = digits % 10 ** max(0, scale - decimals) == 0 and digits < 10 ** (length - decimals + scale)
    assert takes(Field("D", DEC, length, decimals), text) is fits
    assert takes(Field("D", DEC, length, decimals), f"-{text}") is fits


@QUICK
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12))
def test_a_text_is_taken_if_sap_has_room_for_it(text: str):
    assert takes(Field("C", CHAR, 10), text) is (len(text.encode("utf-16-le")) <= 20)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=10,
)


@QUICK
@given(JSON, JSON)
def test_two_bodies_have_one_fingerprint_exactly_if_they_are_equal(one: Any, other: Any):
    assert exact.loads(exact.canonical(one).encode()) == one
    # True == 1 in Python and not in JSON
    same = repr(_sorted(one)) == repr(_sorted(other))
    assert (exact.fingerprint(one) == exact.fingerprint(other)) is same


def _sorted(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _sorted(data[name]) for name in sorted(data)}
    return [_sorted(each) for each in data] if isinstance(data, list) else data


def test_a_quoted_text_in_a_condition_means_itself():
    with tempfile.TemporaryDirectory() as folder:
        sap = SimulatedEcc(Path(folder))

        @QUICK
        @given(TEXT)
        def for_any(text: str) -> None:
            sap.rows.apply(
                [("KNA1", "1", {"KUNNR": "1", "NAME1": text}), ("KNA1", "2", {"KUNNR": "2", "NAME1": "-"})]
            )
            quoted = text.replace("'", "''")
            session = sap.open()
            tables = {
                "OPTIONS": [{"TEXT": "NAME1 EQ "}, {"TEXT": f"'{quoted}'"}],
                "FIELDS": [{"FIELDNAME": "KUNNR"}, {"FIELDNAME": "NAME1"}],
            }
            outcome = session.call(FUNCTIONS["RFC_READ_TABLE"], {"QUERY_TABLE": "KNA1"}, tables)
            session.close()
            wanted = ["1", "2"] if text == "-" else ["1"]
            assert [row["WA"][:10].strip() for row in outcome.tables["DATA"]] == wanted
            assert outcome.tables["DATA"][0]["WA"][10:].rstrip() == text[:35]

        for_any()
        sap.rows.close()


KEYS = st.lists(
    st.tuples(st.text("ABab-' 19", min_size=1, max_size=4), st.sampled_from(["000", "001"])), max_size=12
)


@settings(max_examples=15, deadline=None)
@given(KEYS, st.integers(1, 5))
def test_pages_hold_every_row_once_in_order_in_the_simulated_sage(keys: list[tuple[str, str]], limit: int):
    with tempfile.TemporaryDirectory() as folder:
        sage = SimulatedSage(Path(folder), [])
        for item, warehouse in keys:
            row = {"ItemCode": item, "WarehouseCode": warehouse}
            sage.rows.apply([("ABC:IM_ItemWarehouse", f"{item}\x1f{warehouse}", row)])
        seen: list[tuple[str, str]] = []
        after = None
        while True:
            body = {"table": "IM_ItemWarehouse", "columns": ["ItemCode"], "limit": limit, "after": after}
            page = querying.run(sage, "ABC", body)
            seen += [(row["ItemCode"], row["WarehouseCode"]) for row in page["rows"]]
            if (after := page["next"]) is None:
                break
        sage.rows.close()
    assert seen == sorted(set(keys))


@settings(max_examples=15, deadline=None)
@given(KEYS, st.integers(1, 5))
def test_pages_hold_every_row_once_over_odbc_too(keys: list[tuple[str, str]], limit: int):
    sage = FakeSage()
    there = {
        (item.rstrip().lower(), warehouse): (item.rstrip(), warehouse)
        for item, warehouse in keys
        if item.strip()
    }
    for item, warehouse in there.values():
        sage.add("IM_ItemWarehouse", ItemCode=item, WarehouseCode=warehouse)
    table, seen, after = TABLES["IM_ItemWarehouse"], [], None
    while True:
        query = Query(table, ["ItemCode", "WarehouseCode"], [], limit, after)
        records = Recordset(sage)
        records.Open(reading.sql_of(query), Connection(sage))
        page = list(reading.rows_of(records, query))[:limit]
        records.Close()
        seen += [(row["ItemCode"], row["WarehouseCode"]) for row in page]
        if len(page) < limit:
            break
        after = [page[-1]["ItemCode"], page[-1]["WarehouseCode"]]
    sage.db.close()
    assert sorted(seen) == sorted(there.values())
    assert len(seen) == len(set(seen))
