"""What is filtered by day and time means the day and time that the console shows."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from sync.models import Pipeline
from tenants.roles import Role
from tests.sync.console.making import make_person, make_posting

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"from_0": "2026-11-01", "from_1": "00:00:00"}, {"2"}),
        ({"to_0": "2026-10-31", "to_1": "23:59:59"}, {"1"}),
        ({"from_0": "2026-11-01"}, {"2"}),  # a day alone means the whole of it
        ({"to_0": "2026-10-31"}, {"1"}),
        ({"from_0": "2026-10-31", "to_0": "2026-10-31"}, {"1"}),
        ({"from_0": "yesterday"}, {"1", "2"}),
        ({"to_0": "9999-12-31"}, {"1", "2"}),
        ({"from_0": "0001-01-01"}, {"1", "2"}),
    ],
)
def test_a_day_is_a_day_of_the_tenants_time_zone(
    pipeline: Pipeline, given: dict[str, str], shown: set[str]
) -> None:
    pipeline.tenant.time_zone = "America/Chicago"
    pipeline.tenant.save()
    make_posting(pipeline, 1, placed_at=datetime(2026, 11, 1, 3, 0, tzinfo=UTC))  # 31 October, 22:00
    make_posting(pipeline, 2, placed_at=datetime(2026, 11, 1, 6, 0, tzinfo=UTC))  # 1 November, 01:00
    client = Client()
    client.force_login(make_person(pipeline.tenant, Role.VIEWER))

    page = client.get("/admin/sync/posting/", {f"placed_at_{name}": value for name, value in given.items()})

    assert {posting.record_id for posting in page.context["cl"].result_list} == shown
