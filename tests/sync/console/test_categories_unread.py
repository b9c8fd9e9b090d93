"""Mappings by category of a store whose categories are not read: said where they are, and where it is mended."""

import pytest
from django.test import Client

from config.doctor.outward import look_at_stores
from mappings.changes import set_mapping
from mappings.models import Mapping
from storefront.models import Store
from sync.models import Pipeline
from tenants.roles import Role
from tests.sync.console.making import make_person

ON_THE_MAPPING = (
    "This mapping is not used for orders of Acme web shop, because the categories of its products are not read. "
    "Switch on “Read categories” there, under “What is read”."
)
ON_THE_STORE = (
    "Mappings by category of “default” are not used for orders of Acme web shop, because the categories of its products "
    "are not read."
)


@pytest.fixture
def administrator(pipeline: Pipeline) -> Client:
    client = Client()
    client.force_login(make_person(pipeline.tenant, Role.ADMINISTRATOR))
    return client


def mapped(pipeline: Pipeline, key: str) -> Mapping:
    set_mapping(pipeline.mapping_set, "line_account", key, "40000", by="anna", why="test")
    return Mapping.objects.get(key=key)


def page(client: Client, address: str) -> str:
    return client.get(f"/admin/{address}/change/").content.decode()


def test_a_mapping_by_category_says_that_it_is_not_used_and_where_that_is_mended(
    pipeline: Pipeline, administrator: Client
) -> None:
    mapping = mapped(pipeline, "category:12")
    shown = page(administrator, f"mappings/mapping/{mapping.pk}")
    assert ON_THE_MAPPING in shown
    assert f"/admin/storefront/store/{pipeline.store_id}/change/" in shown
    assert ON_THE_STORE in page(administrator, f"storefront/store/{pipeline.store_id}")
    assert any(ON_THE_STORE in finding.sentence for finding in look_at_stores())


def test_who_adds_one_is_told_at_once(pipeline: Pipeline, administrator: Client) -> None:
    entered = {
        "mapping_set": pipeline.mapping_set_id,
        "kind": "line_account",
        "key": "category:12",
        "target": "40000",
        "why": "hats",
    }
    answer = administrator.post("/admin/mappings/mapping/add/", entered, follow=True)
    assert ON_THE_MAPPING in answer.content.decode()


@pytest.mark.parametrize("key", ["sku:HAT", "segment:Wholesale", "default"])
def test_other_mappings_say_nothing(pipeline: Pipeline, administrator: Client, key: str) -> None:
    mapping = mapped(pipeline, key)
    assert "not used" not in page(administrator, f"mappings/mapping/{mapping.pk}")
    assert "Not read" not in page(administrator, f"storefront/store/{pipeline.store_id}")


def test_a_store_whose_categories_are_read_has_nothing_to_say(
    pipeline: Pipeline, administrator: Client
) -> None:
    mapping = mapped(pipeline, "category:*")
    Store.objects.update(reads_categories=True)
    assert "not used" not in page(administrator, f"mappings/mapping/{mapping.pk}")
    assert "Not read" not in page(administrator, f"storefront/store/{pipeline.store_id}")


def test_a_pipeline_that_is_switched_off_uses_no_mapping_anyway(
    pipeline: Pipeline, administrator: Client
) -> None:
    mapping = mapped(pipeline, "category:12")
    Pipeline.objects.update(mode="off")
    assert "not used" not in page(administrator, f"mappings/mapping/{mapping.pk}")
