"""Prints, at the end of a run, how many plans of each case needed a rounding line and the largest residue."""

from __future__ import annotations

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    passed = terminalreporter.stats.get("passed", [])
    sentences = sorted(
        str(value) for report in passed for name, value in report.user_properties if name == "rounding"
    )
    if sentences:
        terminalreporter.section("rounding lines by case, in minor units")
        for sentence in sentences:
            terminalreporter.write_line(sentence)
