"""Insert unless it is there: one statement, where Django's `get_or_create` takes four."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Model
from django.db.models.constants import OnConflict


def insert_new(row: Model, *, unique: Sequence[str]) -> bool:
    """Insert a row; False, and nothing is done, if one with the same unique fields is there (or is being committed).

    The row learns its key. PostgreSQL waits for another transaction that is inserting the same one, as for any conflict.

    :param unique: names of the fields of one unique constraint
    """
    meta = row._meta
    fields = [field for field in meta.concrete_fields if field is not meta.pk]
    # What QuerySet.bulk_create(ignore_conflicts=True) does, which does not tell what was inserted.
    inserted = type(row)._base_manager._insert(  # type: ignore[attr-defined]
        [row],
        fields=fields,
        using=row._state.db or "default",
        returning_fields=[meta.pk],
        on_conflict=OnConflict.IGNORE,
        unique_fields=[meta.get_field(name) for name in unique],
    )
    if not inserted or inserted[0] is None:
        return False
    row.pk = inserted[0][0]
    row._state.adding, row._state.db = False, row._state.db or "default"
    return True
