"""The world of one end-to-end test. Imported inside: Django is not ready when a conftest is read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def world(process_environment: dict[str, str], tmp_path: Path, settings: Any) -> Iterator[Any]:
    # This process works off orders too; nobody waits a minute and a half for what was sent without an answer.
    settings.TIEOUT_SETTLING_SECONDS = settings.TIEOUT_SHORTEST_LEASE_SECONDS = 5
    from tests.e2e.world import open_world

    with open_world(process_environment, tmp_path) as found:
        yield found
