"""Text for CSV files that people open in a spreadsheet, where `=cmd|...` would be run."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator

# OWASP, "CSV Injection" (read 2026-11): these begin a formula, the full-width forms in some locales too.
_STARTS_FORMULA = tuple("=+-@\t\r\n|＝＋－＠")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def cell(value: object) -> str:
    """A cell as text; what a spreadsheet would take for a formula gets an apostrophe. Numbers stay."""
    text = "" if value is None else str(value)
    if text.lstrip(" ").startswith(_STARTS_FORMULA) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """CSV text, row by row, for a streamed answer. The byte order mark tells Excel that it is UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff"
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        """The text itself."""
        return text
