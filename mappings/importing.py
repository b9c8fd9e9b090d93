"""A CSV file against a set of mappings: first what it would change, then exactly that, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from mappings import changes, csv_format
from mappings.changes import Applied, Change, Difference
from mappings.csv_format import Row, RowError
from mappings.models import MappingSet, Path


class Outdated(Exception):
    """The mappings changed after the preview was shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What importing a file would do. It can be applied if there is no error.

    `version` is the version of the set it was computed from; `unchanged` counts rows that say what is so.
    """

    version: int
    differences: tuple[Difference, ...]
    unchanged: int
    errors: tuple[RowError, ...]

    @property
    def added(self) -> int:
        return sum(d.before is None for d in self.differences)

    @property
    def removed(self) -> int:
        return sum(d.after is None for d in self.differences)

    @property
    def altered(self) -> int:
        return len(self.differences) - self.added - self.removed


def preview(mapping_set: MappingSet, content: bytes) -> Preview:
    """What importing this file would change, and every line that cannot be imported."""
    mapping_set.refresh_from_db()
    return _examine(mapping_set, content)


@transaction.atomic
def import_csv(mapping_set: MappingSet, content: bytes, *, expected: int, by: str, why: str) -> Applied:
    """Make the changes that `preview` showed at version `expected` of the set, all or none.

    :raises Outdated: if the set has another version now
    :raises ValidationError: with a sentence for every line that cannot be imported
    """
    locked = changes.lock(mapping_set)
    if locked.version != expected:
        raise Outdated("The mappings changed after this preview. Look at it again before importing.")
    found = _examine(locked, content)
    if found.errors:
        raise ValidationError([str(error) for error in found.errors])
    done = changes.make_version(locked, found.differences, by=by, why=why, path=Path.CSV)
    mapping_set.version = locked.version
    return done


def _examine(mapping_set: MappingSet, content: bytes) -> Preview:
    sheet = csv_format.read(content)
    errors = list(sheet.errors)
    wanted = [changes.normalised(_change(row)) for row in sheet.rows]
    errors += _twice(sheet.rows, wanted)
    differences = changes.differing(mapping_set, wanted)
    refusals = changes.refused(mapping_set, wanted, differences)
    errors += [RowError(sheet.rows[refusal.index].line, refusal.sentence) for refusal in refusals]
    errors += _missing(sheet.rows, wanted, differences)
    return Preview(
        version=mapping_set.version,
        differences=differences,
        unchanged=len(wanted) - len(differences),
        errors=tuple(sorted(errors)),
    )


def _change(row: Row) -> Change:
    return Change(
        kind=row.kind, key=row.key, target=row.target, extra=row.extra, effective_from=row.effective_from
    )


def _twice(rows: tuple[Row, ...], wanted: list[Change]) -> list[RowError]:
    """Lines about a rule that an earlier line was about."""
    first: dict[changes.Place, int] = {}
    errors = []
    for row, change in zip(rows, wanted, strict=True):
        line = first.setdefault(change.place, row.line)
        if line != row.line:
            errors.append(RowError(row.line, f"It is about the same mapping as line {line}."))
    return errors


def _missing(
    rows: tuple[Row, ...], wanted: list[Change], differences: tuple[Difference, ...]
) -> list[RowError]:
    """Lines that delete what is not there: more likely a misspelt key than a wish."""
    altered = {(d.kind, d.key, d.effective_from) for d in differences}
    return [
        RowError(row.line, f"There is no mapping {change.kind} {change.key} to delete.")
        for row, change in zip(rows, wanted, strict=True)
        if change.target is None and change.place not in altered
    ]
