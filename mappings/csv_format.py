"""Mappings as a CSV file, both ways. Pure: no Django, no database.

A cell that a spreadsheet would take for a formula is written with an apostrophe before it, and read without
it; so what is exported is imported again as it was, whatever the text.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from mappings.kinds import EXTRA_NAMES
from mappings.resolver import Rule

COLUMNS = ("kind", "key", "target", *EXTRA_NAMES, "effective_from", "delete")
MOST_BYTES = 20 * 1024 * 1024
MOST_ROWS = 100_000
MOST_ERRORS = 200
_LONGEST_CELL = 20_000

# What spreadsheets run as a formula, also behind blanks, and its full-width forms (OWASP, "CSV Injection").
_FORMULA = re.compile(r"'*\s*[|=+\-@\uff5c\uff1d\uff0b\uff0d\uff20\t\r\n]")
_YES = frozenset({"yes", "y", "true", "1", "x"})
_NO = frozenset({"", "no", "n", "false", "0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the file. `target` None: the rule is to be deleted."""

    line: int
    kind: str
    key: str
    target: str | None
    extra: Mapping[str, str] = field(default_factory=dict)
    effective_from: date | None = None


@dataclass(frozen=True, slots=True, order=True)
class RowError:
    """What is wrong with one line; line 0 is the file as a whole."""

    line: int
    sentence: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.sentence}" if self.line else self.sentence


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file holds: its good rows, and an error for every other."""

    rows: tuple[Row, ...]
    errors: tuple[RowError, ...]


def write(rules: Iterable[Rule]) -> Iterator[str]:
    """The file, line by line, header first."""
    yield _line(COLUMNS)
    for rule in rules:
        since = rule.effective_from.isoformat() if rule.effective_from else ""
        extras = (rule.extra.get(name, "") for name in EXTRA_NAMES)
        yield _line((rule.kind, rule.key, rule.target, *extras, since, ""))


def safe(cell: str) -> str:
    """The cell as no spreadsheet runs it; `plain` is its inverse."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def plain(cell: str) -> str:
    """What a cell stood for before `safe`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def read(content: bytes) -> Sheet:
    """The rows of a file, or what is wrong. Comma, semicolon or tab; UTF-8, or UTF-16 with its mark."""
    if len(content) > MOST_BYTES:
        return _unreadable(f"The file has more than {MOST_BYTES // 1024 // 1024} MB. Import it in parts.")
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return _unreadable("The file is not UTF-8 text here. Save it as “CSV UTF-8”.", line)
    return _read_text(text)


def _read_text(text: str) -> Sheet:
    heading = text.partition("\n")[0]
    delimiter = max(",;\t", key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    errors: list[RowError] = []
    try:
        columns = [plain(name).strip().lower() for name in next(reader, [])]
        if refusal := _bad_heading(columns):
            return _unreadable(refusal, 1)
        line = reader.line_num + 1
        for cells in reader:
            if len(rows) >= MOST_ROWS or len(errors) >= MOST_ERRORS:
                errors.append(
                    RowError(line, "The file is not read further: too many rows or errors before it.")
                )
                break
            if any(cell.strip() for cell in cells):
                _add(cells, columns, line, rows, errors)
            line = reader.line_num + 1
    except csv.Error as error:
        errors.append(RowError(reader.line_num, f"This is no CSV from here on: {error}."))
    return Sheet(tuple(rows), tuple(errors))


def _add(cells: list[str], columns: list[str], line: int, rows: list[Row], errors: list[RowError]) -> None:
    try:
        rows.append(_row(cells, columns, line))
    except ValueError as error:
        errors.append(RowError(line, str(error)))


def _row(cells: list[str], columns: list[str], line: int) -> Row:
    """One row.

    :raises ValueError: with a sentence
    """
    if len(cells) > len(columns):
        raise ValueError(f"It has {len(cells)} cells, the heading has {len(columns)}.")
    if any(len(cell) > _LONGEST_CELL for cell in cells):
        raise ValueError(f"A cell has more than {_LONGEST_CELL} characters.")
    values = {name: plain(cell) for name, cell in zip(columns, cells, strict=False)}
    target = values.get("target", "")
    deletes = _yes_or_no(values.get("delete", ""))
    if not deletes and not target.strip():
        raise ValueError("target is empty. Write yes under delete to take the mapping away.")
    return Row(
        line=line,
        kind=values.get("kind", "").strip(),
        key=values.get("key", ""),
        target=None if deletes else target,
        extra={} if deletes else {name: values[name] for name in EXTRA_NAMES if values.get(name, "").strip()},
        effective_from=_day(values.get("effective_from", "")),
    )


def _yes_or_no(cell: str) -> bool:
    word = cell.strip().lower()
    if word not in _YES | _NO:
        raise ValueError(f"delete is yes or empty, not {cell[:40]!r}.")
    return word in _YES


def _day(cell: str) -> date | None:
    if not cell.strip():
        return None
    try:
        return date.fromisoformat(cell.strip())
    except ValueError:
        raise ValueError(f"effective_from is a day such as 2026-12-01, not {cell[:40]!r}.") from None


def _bad_heading(columns: list[str]) -> str:
    """Why the first line is no heading, or nothing."""
    known = f"Columns: {', '.join(COLUMNS)}."
    if missing := [name for name in ("kind", "key", "target") if name not in columns]:
        return f"The first line names the columns; {', '.join(missing)} is missing. {known}"
    if unknown := [name for name in columns if name and name not in COLUMNS]:
        return f"Unknown column {unknown[0][:40]!r}. {known}"
    if len(set(columns)) < len(columns):
        return f"A column is named twice or has no name. {known}"
    return ""


def _unreadable(sentence: str, line: int = 0) -> Sheet:
    return Sheet((), (RowError(line, sentence),))


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([safe(cell) for cell in cells])
    return out.getvalue()
