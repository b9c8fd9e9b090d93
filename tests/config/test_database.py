"""How we are connected to PostgreSQL."""

import pytest
from django.db import connection


@pytest.mark.django_db
def test_a_process_that_stands_still_in_a_transaction_gives_its_locks_back_soon() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("15s",)
