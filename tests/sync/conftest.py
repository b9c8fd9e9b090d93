"""Fixtures of `sync`. Models are imported inside: Django is not ready when a conftest is read."""

from typing import Any

import pytest


@pytest.fixture
def tenant(db: None) -> Any:
    from tenants.models import Tenant

    return Tenant.objects.create(slug="acme", name="Acme Hats")


@pytest.fixture
def store(tenant: Any) -> Any:
    from tests.sync.rows import make_store

    return make_store(tenant)


@pytest.fixture
def company(tenant: Any) -> Any:
    from tests.sync.rows import make_company

    return make_company(tenant)


@pytest.fixture
def pipeline(tenant: Any, store: Any, company: Any) -> Any:
    from tests.sync.rows import make_pipeline

    return make_pipeline(tenant, store, company)
