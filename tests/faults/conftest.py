"""One world for all fault tests of a process. After each test everything is healed, drained, and the whole history is read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def running_world() -> Iterator[Any]:
    from proof.world import World

    folder = Path(tempfile.mkdtemp(prefix="tieout-faults-", dir="/var/tmp"))
    world = World(folder)
    try:
        world.start()
        yield world
    finally:
        world.stop()
        world.remove()


@pytest.fixture
def world(running_world: Any) -> Iterator[Any]:
    """The world, whole. The checker reads its whole history when the test is over: nothing lost, doubled or off by a cent."""
    from proof.checker import check

    running_world.heal()
    yield running_world
    running_world.heal()
    running_world.drain()
    assert check(running_world.history()) == []
