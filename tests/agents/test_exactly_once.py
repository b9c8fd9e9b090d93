"""Whatever happens to the agent, a unit posts at most once, and nobody is told that it did not when it did."""

from __future__ import annotations

import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.agents.running import Agent, posting, rfc_agent

needs_limits = pytest.mark.skipif(
    sys.platform != "linux", reason="a full disk is made with prlimit, which is Linux's"
)


def held(agent: Agent, at: str, unit_id: str, pool: ThreadPoolExecutor):
    """Post a unit and wait until it stands at this moment."""
    agent.control("faults", kind="hold", at=at)
    future = pool.submit(agent.post, "/v1/units", posting(unit_id))
    assert agent.control("wait", at=at) == {"struck": True}
    return future


def test_kill_9_between_commit_and_recording_leaves_the_unit_unknown_and_never_runs_it_again(mortal: Agent):
    with ThreadPoolExecutor() as pool:
        lost = held(mortal, "committed", "T1-1-I", pool)
        mortal.stop(signal.SIGKILL)
        with pytest.raises(requests.ConnectionError):
            lost.result()
    mortal.start()
    told = mortal.get("/v1/units/T1-1-I").json()
    assert (told["outcome"], told["commit"]) == ("unknown", None)
    assert told["calls"][0]["exporting"]["OBJ_KEY"].endswith("10002026")  # what to look up
    again = mortal.post("/v1/units", posting("T1-1-I"))
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.json() == told
    assert mortal.post("/v1/units", posting("T1-1-I", "1.00")).json()["error"]["code"] == "unit_mismatch"
    assert len(mortal.rows("BKPF")) == 1


def test_kill_9_before_sap_has_written_leaves_the_unit_unknown_too(mortal: Agent):
    with ThreadPoolExecutor() as pool:
        held(mortal, "commit", "T1-2-I", pool)
        mortal.stop(signal.SIGKILL)
    mortal.start()
    assert mortal.post("/v1/units", posting("T1-2-I")).json()["outcome"] == "unknown"
    assert mortal.rows("BKPF") == []


def test_kill_9_before_the_commit_began_is_a_rollback_and_the_unit_runs_again(mortal: Agent):
    with ThreadPoolExecutor() as pool:
        held(mortal, "call", "T1-3-I", pool)
        mortal.stop(signal.SIGKILL)
    mortal.start()
    told = mortal.get("/v1/units/T1-3-I").json()
    assert (told["outcome"], told["error"]["code"]) == ("rolled_back", "communication_failure")
    assert mortal.post("/v1/units", posting("T1-3-I")).json()["outcome"] == "committed"
    assert len(mortal.rows("BKPF")) == 1


def test_what_was_answered_before_a_kill_is_answered_after_it(mortal: Agent):
    first = mortal.post("/v1/units", posting("T1-4-I"))
    mortal.stop(signal.SIGKILL)
    mortal.start()
    again = mortal.post("/v1/units", posting("T1-4-I"))
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replay"] == "true"
    assert len(mortal.rows("BKPF")) == 1


def test_a_polite_stop_lets_the_unit_end(mortal: Agent):
    with ThreadPoolExecutor() as pool:
        future = held(mortal, "committed", "T1-5-I", pool)
        mortal.process.send_signal(signal.SIGTERM)
        mortal.control("release")
        assert future.result().json()["outcome"] == "committed"
    assert mortal.process.wait(timeout=10) == 0


def test_while_a_unit_runs_it_is_in_progress_for_everybody_else(sap: Agent):
    with ThreadPoolExecutor() as pool:
        future = held(sap, "call", "T1-6-I", pool)
        for body in (posting("T1-6-I"), posting("T1-6-I", "1.00")):
            answer = sap.post("/v1/units", body)
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, "unit_in_progress")
        assert sap.get("/v1/units/T1-6-I").json()["outcome"] == "in_progress"
        sap.control("release")
        assert future.result().json()["outcome"] == "committed"
    assert len(sap.rows("BKPF")) == 1


def test_of_many_requests_for_one_unit_at_the_same_moment_one_runs(sap: Agent):
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: sap.post("/v1/units", posting("T1-7-I")), range(24)))
    ran = [a for a in answers if a.status_code == 200 and "Idempotent-Replay" not in a.headers]
    replayed = [a for a in answers if a.headers.get("Idempotent-Replay") == "true"]
    waited = [a for a in answers if a.status_code == 409 and a.json()["error"]["code"] == "unit_in_progress"]
    assert len(ran) == 1
    assert len(ran) + len(replayed) + len(waited) == 24
    assert all(a.json() == ran[0].json() for a in replayed)
    assert len(sap.rows("BKPF")) == 1


def test_a_unit_that_has_ended_is_replayed_to_everybody_who_asks_at_the_same_moment(sap: Agent):
    first = sap.post("/v1/units", posting("T1-14-I")).json()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: sap.post("/v1/units", posting("T1-14-I")), range(48)))
    assert {(a.status_code, a.headers.get("Idempotent-Replay")) for a in answers} == {(200, "true")}
    assert all(a.json() == first for a in answers)


def test_more_units_at_once_than_sessions_are_told_to_come_back(sap: Agent):
    sap.control("faults", kind="hold", at="call", count=4)
    with ThreadPoolExecutor() as pool:
        futures = [pool.submit(sap.post, "/v1/units", posting(f"T1-8{n}-I")) for n in range(4)]
        assert sap.control("wait", at="call", times=4) == {"struck": True}
        answer = sap.post("/v1/units", posting("T1-89-I"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "busy")
        assert int(answer.headers["Retry-After"]) >= 1
        assert sap.get("/v1/health").status_code == 200  # it takes no session from the units
        sap.control("release")
        assert {future.result().json()["outcome"] for future in futures} == {"committed"}
    assert len(sap.rows("BKPF")) == 4


@needs_limits
def test_with_a_full_disk_nothing_runs(mortal: Agent):
    mortal.let_no_file_grow()
    answer = mortal.post("/v1/units", posting("T1-9-I"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "sap_unavailable")
    assert "nothing ran" in answer.json()["error"]["message"]
    assert mortal.get("/v1/health").status_code == 503
    mortal.let_files_grow()
    assert mortal.rows("BKPF") == []
    assert mortal.post("/v1/units", posting("T1-9-I")).json()["outcome"] == "committed"


@needs_limits
def test_a_disk_that_fills_up_before_the_commit_means_a_rollback(mortal: Agent):
    with ThreadPoolExecutor() as pool:
        future = held(mortal, "called", "T1-10-I", pool)
        mortal.let_no_file_grow()
        mortal.control("release")
        answer = future.result()
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "sap_unavailable")
    assert mortal.get("/v1/units/T1-10-I").json()["outcome"] == "rolled_back"
    mortal.let_files_grow()
    assert mortal.rows("BKPF") == []
    assert mortal.post("/v1/units", posting("T1-10-I")).json()["outcome"] == "committed"
    assert len(mortal.rows("BKPF")) == 1


@needs_limits
@pytest.mark.parametrize(("killed", "outcome"), [(False, "committed"), (True, "unknown")])
def test_a_disk_that_fills_up_after_the_commit_loses_no_truth(mortal: Agent, killed: bool, outcome: str):
    unit_id = f"T1-11-{killed}"
    with ThreadPoolExecutor() as pool:
        future = held(mortal, "committed", unit_id, pool)
        mortal.let_no_file_grow()
        mortal.control("release")
        assert future.result().json()["outcome"] == "committed"
    assert mortal.post("/v1/units", posting(unit_id)).json()["outcome"] == "committed"
    if killed:
        mortal.stop(signal.SIGKILL)
        mortal.start()
    mortal.let_files_grow()
    again = mortal.post("/v1/units", posting(unit_id))
    assert (again.json()["outcome"], again.headers["Idempotent-Replay"]) == (outcome, "true")
    assert len(mortal.rows("BKPF")) == 1


@needs_limits
def test_an_answer_that_found_no_room_is_written_as_soon_as_there_is_some(mortal: Agent):
    with ThreadPoolExecutor() as pool:
        future = held(mortal, "committed", "T1-12-I", pool)
        mortal.let_no_file_grow()
        mortal.control("release")
        future.result()
    mortal.let_files_grow()
    mortal.post("/v1/units", posting("T1-13-I"))
    mortal.stop(signal.SIGKILL)
    mortal.start()
    assert mortal.get("/v1/units/T1-12-I").json()["outcome"] == "committed"


def test_a_second_agent_on_the_same_store_does_not_start(mortal: Agent):
    second = rfc_agent(mortal.folder)
    try:
        with pytest.raises(AssertionError, match="does another agent run on it"):
            second.start()
    finally:
        second.close()
