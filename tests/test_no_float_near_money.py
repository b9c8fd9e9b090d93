"""No binary fraction reaches money: the code that reads, plans and writes amounts has none, and reads JSON without one.

Seconds and likenesses may be floats, but only where the name says so: `deadline`, `*_SECONDS`, `cutoff`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OF_MONEY = ("erp/contract", "erp/adapters", "sync/planning", "storefront/translation")
# What reads and keeps amounts on their way into those.
OF_JSON = ("audit", "erp", "mappings", "storefront", "sync", "tenants")
NO_MONEY = ("deadline", "seconds", "cutoff")
# What was stored as text or whole numbers only: sessions of an ERP, and the canonical JSON of plans, whose
# amounts are text and whose writer refuses a float.
WITHOUT_FRACTIONS = {"erp/adapters/sap_b1/auth.py", "erp/contract/reading.py"}


def sources(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Every module of these packages, by its path, parsed."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def is_no_money(name: str | None) -> bool:
    """Whether a name says that it holds seconds or a likeness."""
    return bool(name) and name.lower().endswith(NO_MONEY)


def other_numbers(module: ast.Module) -> Iterator[ast.expr | None]:
    """The values that a module gives to such names."""
    for node in ast.walk(module):
        match node:
            case ast.keyword(arg=name, value=value) if is_no_money(name):
                yield value
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if is_no_money(name):
                yield value
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if is_no_money(name):
                yield value


def binary_fractions(module: ast.Module) -> list[int]:
    """The lines with a literal such as 0.5 or a call of `float`."""
    allowed = set(other_numbers(module))
    return [
        node.lineno
        for node in ast.walk(module)
        if node not in allowed and (_is_float_literal(node) or _calls(node, "float"))
    ]


def careless_json(module: ast.Module) -> list[int]:
    """The lines that read JSON and let its numbers with a point become binary fractions."""
    return [
        node.lineno
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("load", "loads")
        and ast.unparse(node.func.value) == "json"
        and "parse_float" not in {keyword.arg for keyword in node.keywords}
    ]


def _is_float_literal(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, float)


def _calls(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def test_code_that_handles_money_holds_no_binary_fraction() -> None:
    found = {path: lines for path, module in sources(*OF_MONEY) if (lines := binary_fractions(module))}
    assert found == {}


def test_json_is_read_with_exact_decimals() -> None:
    found = {path: lines for path, module in sources(*OF_JSON) if (lines := careless_json(module))}
    assert set(found) == WITHOUT_FRACTIONS


@pytest.mark.parametrize(
    "line, caught",
    [
        ("price = 0.5", True),
        ("total = float(row['total'])", True),
        ("pay(amount=1.25)", True),
        ("send(deadline=0.5)", False),
        ("READ_SECONDS = 60.0", False),
        ("price = Decimal('0.5')", False),
    ],
)
def test_the_check_tells_amounts_from_seconds(line: str, caught: bool) -> None:
    assert bool(binary_fractions(ast.parse(line))) is caught


def test_the_check_sees_json_that_is_read_carelessly() -> None:
    assert careless_json(ast.parse("json.loads(body)")) == [1]
    assert careless_json(ast.parse("json.loads(body, parse_float=Decimal)")) == []
