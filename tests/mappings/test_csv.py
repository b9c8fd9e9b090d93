"""Mappings out to CSV and back in: previewed, row-precise, all or nothing, and no formula."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from mappings import csv_format
from mappings.changes import current_rules, set_mapping
from mappings.csv_format import plain, read, safe, write
from mappings.importing import Outdated, import_csv, preview
from mappings.models import MappingSet, MappingVersion
from mappings.resolver import Rule

HEADING = "kind,key,target,cost_center,source,effective_from,delete\r\n"

storable = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=60).filter(
    lambda text: text == text.strip() and text != ""
)
cells = st.text(max_size=40) | st.sampled_from(
    ["=1+1", "'=1", "''@x", " =x", "\t-1", "+49", "@SUM(A1)", "＝1"]
)


def lines_of(mapping_set: MappingSet, text: str) -> list[str]:
    return [str(error) for error in preview(mapping_set, (HEADING + text).encode()).errors]


@given(cells)
def test_a_cell_comes_back_as_it_was(cell: str):
    assert plain(safe(cell)) == cell


@given(cells)
def test_no_cell_begins_as_a_formula(cell: str):
    assert safe(cell).lstrip()[:1] not in {*"=+-@\t\r\n＝＋－＠"} or not cell.strip()


@given(st.lists(st.tuples(storable, storable, storable | st.just(""), st.none() | st.dates()), max_size=8))
def test_what_is_exported_is_imported_as_it_was(rows: list[tuple[str, str, str, date | None]]):
    rules = [
        Rule(
            kind="line_account",
            key=key,
            target=target,
            extra={"cost_center": extra} if extra else {},
            effective_from=since,
        )
        for key, target, extra, since in rows
    ]
    sheet = read("".join(write(rules)).encode())
    assert sheet.errors == ()
    assert [(r.kind, r.key, r.target, dict(r.extra), r.effective_from) for r in sheet.rows] == [
        (r.kind, r.key, r.target, dict(r.extra), r.effective_from) for r in rules
    ]


@given(st.binary(max_size=300))
def test_no_file_breaks_the_reader(content: bytes):
    read(content)
    read(HEADING.encode() + content)


@given(st.lists(st.lists(cells, max_size=9), max_size=5))
def test_every_row_of_a_file_is_read_or_named(rows: list[list[str]]):
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    sheet = read((HEADING + out.getvalue()).encode("utf-8", "replace"))
    meant = sum(any(cell.strip() for cell in row) for row in rows)
    assert len(sheet.rows) + len(sheet.errors) == meant


@pytest.mark.parametrize(
    "content",
    [
        b"kind;key;target\nitem;A;A1001\n",
        "\ufeffkind\tkey\ttarget\r\nitem\tA\tA1001\r\n".encode(),
        "target,KEY,Kind\nA1001,A,item\n".encode("utf-16"),
        b'"kind","key","target"\n"item","A","A1001"',
    ],
)
def test_what_spreadsheets_write_is_read(content: bytes):
    sheet = read(content)
    assert sheet.errors == ()
    assert [(row.line, row.kind, row.key, row.target) for row in sheet.rows] == [(2, "item", "A", "A1001")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The first line names the columns; kind, key, target is missing."),
        (b"item,A,A1001\n", "The first line names the columns; kind, key, target is missing."),
        (b"kind,key,target,colour\n", "Unknown column 'colour'."),
        (b"kind,key,target,key\n", "A column is named twice"),
        (b"kind,key,target\nitem,\xe4,A1001\n", "Line 2: The file is not UTF-8 text here."),
        (b'kind,key,target\nitem,"A,A1001\n', "This is no CSV from here on"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, sentence: str):
    sheet = read(content)
    assert sheet.rows == ()
    assert sentence in str(sheet.errors[0])


def test_line_numbers_count_lines_of_the_file_also_after_a_cell_of_several(mapping_set: MappingSet):
    text = 'item,"A\nB",A1001,,,,\n\nitem,C,A9999,,,,\n'
    assert lines_of(mapping_set, text) == [
        "Line 5: SKU → item, C: SAP Business One has no item 'A9999'. "
        "If it is new there, read its lists again."
    ]


def test_the_preview_says_what_would_change_and_changes_nothing(mapping_set: MappingSet):
    for key, target in [("KEEP", "A1001"), ("ALTER", "A1001"), ("GO", "A1001")]:
        set_mapping(mapping_set, "item", key, target, by="", why="")
    content = HEADING + "item,KEEP,A1001,,,,\nitem,ALTER,A1002,,,,\nitem,GO,,,,,yes\nitem,NEW,A1002,,,,\n"
    found = preview(mapping_set, content.encode())
    assert [str(d) for d in found.differences] == [
        "item ALTER: A1001 → A1002",
        "item GO: A1001 → nothing",
        "item NEW: nothing → A1002",
    ]
    assert (found.added, found.altered, found.removed, found.unchanged, found.errors) == (1, 1, 1, 1, ())
    assert MappingVersion.objects.count() == 3


def test_every_bad_line_is_named_with_its_number(mapping_set: MappingSet):
    text = (
        "item,A,A1001,,,,\n"
        "item,B,NONE,,,,\n"
        "item,C,,,,,\n"
        "item,D,A1001,,,tomorrow,\n"
        "item,E,A1001,,,,perhaps\n"
        "item, A,A1002,,,,\n"
        "item,F,,,,,yes\n"
        "itm,G,A1001,,,,\n"
        "item,H,A1001,,,,,,more\n"
    )
    found = lines_of(mapping_set, text)
    assert [line.partition(":")[0] for line in found] == [f"Line {n}" for n in range(3, 11)]
    assert found[5] == "Line 8: There is no mapping item F to delete."
    assert found[4] == "Line 7: It is about the same mapping as line 2."


def test_an_import_is_one_version_and_does_what_the_preview_showed(mapping_set: MappingSet):
    content = (HEADING + "item,A,A1001,,,,\nline_account,default,400000,SHOP,,2026-12-01,\n").encode()
    shown = preview(mapping_set, content)
    done = import_csv(mapping_set, content, expected=shown.version, by="ann", why="price list 2027")
    assert done.differences == shown.differences
    assert (done.version.number, done.version.path, done.version.by) == (1, "csv", "ann")
    assert [(r.key, r.target, dict(r.extra), r.effective_from) for r in current_rules(mapping_set)] == [
        ("A", "A1001", {}, None),
        ("default", "400000", {"cost_center": "SHOP"}, date(2026, 12, 1)),
    ]


def test_one_bad_line_imports_nothing(mapping_set: MappingSet):
    content = (HEADING + "item,A,A1001,,,,\nitem,B,NONE,,,,\n").encode()
    with pytest.raises(ValidationError, match="Line 3"):
        import_csv(mapping_set, content, expected=0, by="", why="")
    assert current_rules(mapping_set) == ()


def test_an_import_after_the_mappings_changed_is_previewed_again(mapping_set: MappingSet):
    content = (HEADING + "item,A,A1001,,,,\n").encode()
    set_mapping(mapping_set, "item", "A", "A1002", by="ben", why="")
    with pytest.raises(Outdated):
        import_csv(mapping_set, content, expected=0, by="ann", why="")
    assert [r.target for r in current_rules(mapping_set)] == ["A1002"]


def test_exporting_and_importing_changes_nothing(mapping_set: MappingSet):
    for key in ["=cmd|' /C calc'!A0", "'=1", "🎩 <b>", 'a,b;c"d', "line\tend"]:
        set_mapping(mapping_set, "clearing", key, "120000", by="", why="")
    found = preview(mapping_set, "".join(write(current_rules(mapping_set))).encode())
    assert (found.differences, found.errors, found.unchanged) == ((), (), 5)


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(csv_format, "MOST_BYTES", 10)
    assert "Import it in parts" in str(read(b"kind,key,target\n").errors[0])
