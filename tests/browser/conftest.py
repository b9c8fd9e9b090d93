"""A browser on the product. Django and the world are imported inside: neither is ready when a conftest is read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def world(process_environment: dict[str, str], tmp_path: Path) -> Iterator[Any]:
    from tests.e2e.world import open_world

    with open_world(process_environment, tmp_path) as found:
        yield found


@pytest.fixture
def browser(chromium: str, world: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Chromium as the person at the console has it. What goes wrong in a page fails the test at its end."""
    from django.db import connections

    from tests.browser.person import open_browser

    # Playwright keeps an event loop in this thread, in which Django would refuse every query of the test's own.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with open_browser(chromium) as found:
        yield found
        connections.close_all()  # those that were opened beside the loop, which Django does not see later
        assert found.complaints == []
