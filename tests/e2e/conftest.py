"""The world of one end-to-end test. Imported inside: Django is not ready when a conftest is read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def world(process_environment: dict[str, str], tmp_path: Path) -> Iterator[Any]:
    from tests.e2e.world import open_world

    with open_world(process_environment, tmp_path) as found:
        yield found
