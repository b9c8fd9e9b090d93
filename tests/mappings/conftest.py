"""What the tests of mappings share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mappings.models import MappingSet


@pytest.fixture
def mapping_set(db: None) -> MappingSet:
    """Acme's set of mappings, empty."""
    # Models cannot be imported before Django is set up, and pytest reads this file earlier.
    from tests.mappings.making import make_company, make_set

    return make_set(make_company("acme"))
