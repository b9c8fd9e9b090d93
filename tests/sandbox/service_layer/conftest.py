"""Running Service Layers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.service_layer.client import Client, running


@pytest.fixture
def b1() -> Iterator[Client]:
    yield from running()


@pytest.fixture
def vat() -> Iterator[Client]:
    yield from running(localisation="VAT", currency="EUR")
