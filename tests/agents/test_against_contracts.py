"""The simulated systems have no table, column, function or parameter that the real ones have not."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from agents.rfc.interface import EXPORTING, IMPORTING
from agents.rfc.interface import TABLES as RFC_TABLES
from agents.rfc.simulated.interfaces import FUNCTIONS, STRUCTURES
from agents.sage.tables import DATE, DECIMAL, TABLES
from tests.conftest import CONTRACTS

pytestmark = [
    pytest.mark.public_contract,
    pytest.mark.skipif(not CONTRACTS.is_dir(), reason="the vendors' public contracts are not here"),
]


def contract(path: str) -> dict:
    return json.loads((Path(CONTRACTS) / path).read_text(encoding="utf-8"))


def type_of(column) -> str:
    """A column as the public description writes it."""
    if column.kind == DATE:
        return "date"
    return (
        f"decimal({column.length}, {column.scale})" if column.kind == DECIMAL else f"varchar({column.length})"
    )


@pytest.mark.parametrize("name", TABLES)
def test_sage_tables_have_these_keys_and_columns(name: str):
    described = contract("sage100/sage100-tables.json")["tables"][name]
    columns = dict(described["columns"])
    assert list(TABLES[name].key) == described["primaryKey"]
    ours = {column.name: type_of(column) for column in TABLES[name].columns.values()}
    assert ours == {column: columns.get(column) for column in ours}


def described_functions() -> list[str]:
    known = contract("sap-ecc/function-interfaces.json") if CONTRACTS.is_dir() else {}
    return [name for name in FUNCTIONS if "import" in known.get(name, {}) or "tables" in known.get(name, {})]


@pytest.mark.parametrize("name", described_functions())
def test_sap_functions_have_these_parameters(name: str):
    described = contract("sap-ecc/function-interfaces.json")[name]
    for direction, part in ((IMPORTING, "import"), (EXPORTING, "export"), (RFC_TABLES, "tables")):
        known = {each["name"]: each for each in described.get(part, [])}
        for parameter, field in FUNCTIONS[name].those(direction).items():
            assert parameter in known, f"{name} has no {parameter}"
            if field.kind == "CHAR" and "length" in known[parameter]:
                assert field.length == known[parameter]["length"], parameter


def test_sap_structures_have_these_lengths():
    described = contract("sap-ecc/function-interfaces.json")
    texts = {**described["key_fields"], "BAPIRET2": described["BAPIRET2"]["fields"]}
    for structure, lines in texts.items():
        for line in lines:
            found = re.match(r"(\w+) C(\d+)", line)
            if found and found[1] in STRUCTURES[structure]:
                assert STRUCTURES[structure][found[1]].length == int(found[2]), f"{structure}-{found[1]}"
