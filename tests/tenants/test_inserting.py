"""Insert unless it is there, in one statement."""

from __future__ import annotations

import pytest

from tenants.inserting import insert_new
from tenants.models import Tenant

pytestmark = pytest.mark.django_db


def test_a_new_row_is_inserted_and_learns_its_key(django_assert_num_queries):
    hats = Tenant(slug="hats", name="Hats")
    with django_assert_num_queries(1):
        assert insert_new(hats, unique=("slug",))
    assert Tenant.objects.get() == hats
    hats.name = "More hats"
    hats.save()
    assert Tenant.objects.get().name == "More hats"


def test_one_that_is_there_stays_as_it_is():
    Tenant.objects.create(slug="hats", name="Hats")
    again = Tenant(slug="hats", name="Other hats")
    assert not insert_new(again, unique=("slug",))
    assert again.pk is None
    assert Tenant.objects.get().name == "Hats"
