"""Secrets are compared in constant time: by what the code says, and by what a clock says."""

from __future__ import annotations

import ast
import hmac
import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storefront.verification import WebhookRejected, verify
from tests.security.deliveries import SECRET, payload, signed

pytestmark = pytest.mark.security

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("audit", "config", "erp", "mappings", "storefront", "sync", "tenants")
# What names like these hold is compared by hmac.compare_digest or not at all.
SECRET_WORDS = (
    "secret",
    "signature",
    "password",
    "token",
    "digest",
    "hmac",
    "mac",
    "otp",
    "authorization",
    "api_key",
)
# Comparisons that tell nothing about a secret: with nothing at all, of places and names, of ciphertexts.
HARMLESS = {
    ("audit/checks.py", "check_keys"),  # two settings of the operator's own, at start
    ("erp/shared_cache.py", "_release"),  # whose lock it is, among our own processes
}


def comparisons() -> list[tuple[str, str, str]]:
    """File, function and text of every == and != (and `in`) between things that are called like secrets."""
    found = []
    for package in PRODUCT:
        for path in sorted((ROOT / package).rglob("*.py")):
            tree = ast.parse(path.read_text())
            for function in ast.walk(tree):
                if isinstance(function, ast.FunctionDef):
                    found += [
                        (str(path.relative_to(ROOT)), function.name, ast.unparse(node))
                        for node in ast.walk(function)
                        if isinstance(node, ast.Compare) and _is_of_secrets(node)
                    ]
    return found


def _is_of_secrets(node: ast.Compare) -> bool:
    if not all(isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for operator in node.ops):
        return False
    sides = [node.left, *node.comparators]
    if any(isinstance(side, ast.Constant | ast.Tuple | ast.Set) for side in sides):
        return False  # with a word of the code: no secret stands in the code
    return any(_is_called_like_a_secret(side) for side in sides)


def _is_called_like_a_secret(side: ast.expr) -> bool:
    name = side.id if isinstance(side, ast.Name) else side.attr if isinstance(side, ast.Attribute) else ""
    if isinstance(side, ast.Subscript):
        name = ast.unparse(side.slice)
    if name.isupper() and name != "SECRET_KEY":
        return False  # lists of names, limits
    return any(word in name.lower().strip("'\"").split("_") or word == name.lower() for word in SECRET_WORDS)


def test_nothing_that_is_called_like_a_secret_is_compared_with_equals() -> None:
    left = [(file, name, text) for file, name, text in comparisons() if (file, name) not in HARMLESS]
    assert left == []


def test_the_search_finds_one_that_is_there() -> None:
    node = ast.parse("given_signature == expected").body[0].value  # type: ignore[attr-defined]
    assert _is_of_secrets(node)


def test_constant_time_comparison_is_what_the_receiver_and_the_second_factor_use() -> None:
    for file, times in (
        ("storefront/verification.py", 2),
        ("tenants/authenticators.py", 1),
        ("config/metrics/access.py", 1),
    ):
        assert (ROOT / file).read_text().count("hmac.compare_digest(") >= times, file


def test_a_signature_that_is_almost_right_takes_no_longer_than_one_that_is_all_wrong() -> None:
    """Medians of many pairs, taken in turn. A comparison that stops at the first difference is off by more than the bound only
    in the last bytes, so this is a check that nothing gross happens, such as looking at one kind twice."""
    body = payload()
    right = signed(body)
    digest = right["webhook-signature"]
    almost = digest[:-3] + ("AA=" if not digest.endswith("AA=") else "BB=")
    wrong = "v1," + "A" * 43 + "="
    times: dict[str, list[int]] = {almost: [], wrong: []}
    for _ in range(1500):
        for signature, taken in times.items():
            began = time.perf_counter_ns()
            with pytest.raises(WebhookRejected):
                verify(
                    {**right, "webhook-signature": signature},
                    body,
                    secrets=[SECRET],
                    now=datetime.now(UTC),
                    tolerance=timedelta(minutes=5),
                )
            taken.append(time.perf_counter_ns() - began)
    one, other = (statistics.median(taken) for taken in times.values())
    assert 0.8 < one / other < 1.25
    assert hmac.compare_digest(b"x", b"x")
