"""ERP companies as rows, connected to a running sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.erp.sap_b1.b1_company import B1, CREDENTIALS, running

if TYPE_CHECKING:
    from erp.models import ErpConnection


@pytest.fixture
def b1() -> Iterator[B1]:
    """A sandbox with one company."""
    with running() as company:
        yield company


@pytest.fixture
def connection(db: None, b1: B1) -> ErpConnection:
    """That company as a tenant's ERP company."""
    from erp.models import ErpConnection  # after the settings are there
    from tenants.models import Tenant

    tenant = Tenant.objects.create(slug="acme", name="Acme Hats")
    return ErpConnection.objects.create(
        tenant=tenant,
        key="main",
        name="Acme Inc.",
        time_zone="America/Chicago",
        settings={**b1.settings, "base_url": f"{b1.server.url}/b1s/v1"},
        credentials=dict(CREDENTIALS),
    )
