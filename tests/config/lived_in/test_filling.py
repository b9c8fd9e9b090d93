"""The database of the benchmark of lists can be made with the tables as they are now."""

import pytest
from django.db import connection

from config.lived_in.filling import TABLES, write
from config.lived_in.measuring import landmarks


@pytest.mark.django_db
def test_the_benchmark_of_lists_fills_every_table_as_they_are_now() -> None:
    write(1000, "a password of nobody")

    assert _count("sync_posting", "record_kind = 'order'") == 1000
    assert [table for table in TABLES if not _count(table)] == []
    assert all(landmarks().values()), "every page that is measured has a row to show"


def _count(table: str, where: str = "true") -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE {where}")
        return cursor.fetchone()[0]
