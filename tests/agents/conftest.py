"""Agents for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

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


@pytest.fixture(scope="module")
def often_killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """One agent that is started again whenever a test has killed it."""
    agent = rfc_agent(tmp_path_factory.mktemp("agent"))
    yield agent
    agent.close()


@pytest.fixture
def mortal(often_killed: Agent) -> Agent:
    """A running agent that a test may kill and start again."""
    return often_killed.as_new()


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


@pytest.fixture(scope="module")
def often_killed_sage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """One Sage agent that is started again whenever a test has killed it."""
    agent = sage_agent(tmp_path_factory.mktemp("agent"))
    yield agent
    agent.close()


@pytest.fixture
def mortal_sage(often_killed_sage: Agent) -> Agent:
    """A running Sage agent that a test may kill and start again."""
    return often_killed_sage.as_new()
