"""The database of the benchmark of lists can be made with the tables as they are now, and is read by the indexes meant for it."""

import json
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from config.lived_in.filling import TABLES, write
from config.lived_in.measuring import landmarks
from sync.console.postings import NEWEST_FIRST
from sync.models import Posting
from tenants.models import Tenant


@pytest.mark.django_db
def test_the_benchmark_of_lists_fills_every_table_as_it_is_now() -> None:
    write(10_000, "a password of nobody")

    tables = {model._meta.db_table: model for model in apps.get_models()}
    assert Posting.objects.filter(record_kind="order").count() == 10_000
    assert [table for table in TABLES if not tables[table].objects.exists()] == []
    assert all(landmarks().values()), "every page that is measured has a row to show"
    _lists_are_read_in_the_order_of_their_indexes()


def _lists_are_read_in_the_order_of_their_indexes() -> None:
    """Asked of the planner, which chooses freely among 11,000 rows."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE sync_posting")
    one, all_of_them = [Tenant.objects.get(slug="acme").pk], [*Tenant.objects.values_list("pk", flat=True)]
    for tenants in (one, all_of_them):
        rows = Posting.objects.filter(tenant__in=tenants)
        newest, customers = rows.order_by(*NEWEST_FIRST), rows.filter(record_kind="customer")
        assert _indexes(newest[:50]) == {"sync_posting_newest"}
        assert _indexes(customers.order_by(*NEWEST_FIRST)[:50]) == {"sync_posting_customers"}


def _indexes(rows: Any) -> set[str]:
    plan = rows.explain(format="json")
    found, nodes = set(), [json.loads(plan)[0]["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        found |= {node["Index Name"]} if "Index Name" in node else set()
    return found
