"""Agents for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agents.running import Agent, rfc_agent, sage_agent


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """One running agent for the tests of a module that each use unit ids of their own."""
    agent = rfc_agent(tmp_path_factory.mktemp("agent"))
    try:
        yield agent.start()
    finally:
        agent.close()


@pytest.fixture
def sap(shared: Agent) -> Agent:
    """The module's agent, with all faults off and a fresh company."""
    shared.control("reset")
    return shared


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Agent]:
    """A running agent that a test may kill and start again."""
    agent = rfc_agent(tmp_path)
    try:
        yield agent.start()
    finally:
        agent.close()


@pytest.fixture(scope="module")
def shared_sage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """One running Sage agent for the tests of a module that each use write ids of their own."""
    agent = sage_agent(tmp_path_factory.mktemp("agent"))
    try:
        yield agent.start()
    finally:
        agent.close()


@pytest.fixture
def sage(shared_sage: Agent) -> Agent:
    """The module's Sage agent, with all faults off and a fresh company."""
    shared_sage.control("reset")
    return shared_sage


@pytest.fixture
def mortal_sage(tmp_path: Path) -> Iterator[Agent]:
    """A running Sage agent that a test may kill and start again."""
    agent = sage_agent(tmp_path)
    try:
        yield agent.start()
    finally:
        agent.close()
