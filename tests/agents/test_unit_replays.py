"""The replay table of the RFC agent protocol, row by row, against a real agent."""

from __future__ import annotations

import pytest

from tests.agents.running import Agent, posting, reading


def test_a_committed_unit_is_answered_again_and_runs_once(sap: Agent):
    first = sap.post("/v1/units", posting("T1-1-I"))
    again = sap.post("/v1/units", posting("T1-1-I"))
    assert (first.status_code, first.json()["outcome"]) == (200, "committed")
    assert "Idempotent-Replay" not in first.headers
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.json() == first.json()
    assert len(sap.rows("BKPF")) == 1


def test_the_same_body_is_the_same_in_any_order_of_its_names(sap: Agent):
    sap.post("/v1/units", posting("T1-2-I"))
    turned = dict(reversed(posting("T1-2-I").items()))
    assert sap.post("/v1/units", turned).headers["Idempotent-Replay"] == "true"


def test_a_committed_unit_with_another_body_is_a_mismatch(sap: Agent):
    sap.post("/v1/units", posting("T1-3-I", "108.00"))
    other = sap.post("/v1/units", posting("T1-3-I", "108.01"))
    assert (other.status_code, other.json()["error"]["code"]) == (409, "unit_mismatch")
    assert [row["DMBTR"] for row in sap.rows("BSID")] == ["108.00"]


def test_a_read_is_answered_again_as_it_was(sap: Agent):
    unit = reading("read-1", "KNA1", "KUNNR EQ '0000001000'", "NAME1")
    first = sap.post("/v1/units", unit)
    sap.control("rows", changes=[["KNA1", "0000001000", {"KUNNR": "0000001000", "NAME1": "Changed"}]])
    again = sap.post("/v1/units", unit)
    assert first.json()["outcome"] == "read_only"
    assert first.json()["commit"] is None
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.json() == first.json()


def test_a_rolled_back_unit_runs_again_with_the_same_body_and_with_another(sap: Agent):
    refused = posting("T1-4-I", COMP_CODE="9999")
    for _ in range(2):
        answer = sap.post("/v1/units", refused)
        assert (answer.status_code, answer.json()["outcome"]) == (200, "rolled_back")
        assert answer.json()["commit"]["return"] == []
        assert "Idempotent-Replay" not in answer.headers
    assert sap.post("/v1/units", posting("T1-4-I")).json()["outcome"] == "committed"
    assert len(sap.rows("BKPF")) == 1


@pytest.mark.parametrize(
    ("fault", "status", "code", "key"),
    [
        ("abap_exception", 422, "abap_exception", "SYSTEM_FAILURE"),
        ("broken", 502, "communication_failure", "RFC_COMMUNICATION_FAILURE"),
    ],
)
def test_a_unit_that_broke_before_the_commit_is_rolled_back_and_runs_again(
    sap: Agent, fault: str, status: int, code: str, key: str
):
    unit_id = f"T1-{status}-I"
    sap.control("faults", kind=fault, at="call")
    broken = sap.post("/v1/units", posting(unit_id))
    assert (broken.status_code, broken.json()["error"]["code"]) == (status, code)
    assert broken.json()["error"]["rfc"]["key"] == key
    assert sap.get(f"/v1/units/{unit_id}").json()["outcome"] == "rolled_back"
    assert sap.rows("BKPF") == []
    assert sap.post("/v1/units", posting(unit_id)).json()["outcome"] == "committed"


@pytest.mark.parametrize(("at", "written"), [("commit", 0), ("committed", 1)])
def test_a_session_that_breaks_during_the_commit_leaves_the_unit_unknown_for_good(
    sap: Agent, at: str, written: int
):
    unit_id = f"T1-{at}-I"
    sap.control("faults", kind="broken", at=at)
    first = sap.post("/v1/units", posting(unit_id))
    assert (first.status_code, first.json()["outcome"], first.json()["commit"]) == (200, "unknown", None)
    assert first.json()["calls"][0]["exporting"]["OBJ_TYPE"] == "BKPFF"
    again = sap.post("/v1/units", posting(unit_id))
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.json() == first.json() == sap.get(f"/v1/units/{unit_id}").json()
    other = sap.post("/v1/units", posting(unit_id, "1.00"))
    assert (other.status_code, other.json()["error"]["code"]) == (409, "unit_mismatch")
    assert len(sap.rows("BKPF")) == written


def test_a_commit_that_sap_refuses_is_rolled_back_with_its_rows(sap: Agent):
    sap.control("faults", kind="refused", at="commit")
    answer = sap.post("/v1/units", posting("T1-5-I")).json()
    assert answer["outcome"] == "rolled_back"
    assert [(row["TYPE"], row["ID"], row["NUMBER"]) for row in answer["commit"]["return"]] == [
        ("E", "S&", "101")
    ]
    assert sap.rows("BKPF") == []


@pytest.mark.parametrize(
    ("fault", "status"), [("busy", 429), ("logon_failure", 503), ("sap_unavailable", 503)]
)
def test_what_never_ran_leaves_no_trace(sap: Agent, fault: str, status: int):
    unit_id = f"never-{fault}"
    sap.control("faults", kind=fault, at="open")
    answer = sap.post("/v1/units", posting(unit_id))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, fault)
    assert ("Retry-After" in answer.headers) == (status == 429)
    missing = sap.get(f"/v1/units/{unit_id}")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "unit_not_found")
    assert sap.post("/v1/units", posting(unit_id)).json()["outcome"] == "committed"


def test_a_try_that_never_ran_does_not_wipe_out_what_is_known_of_the_one_before(sap: Agent):
    sap.post("/v1/units", posting("T1-6-I", COMP_CODE="9999"))
    sap.control("faults", kind="busy", at="open")
    assert sap.post("/v1/units", posting("T1-6-I")).status_code == 429
    assert sap.get("/v1/units/T1-6-I").json()["outcome"] == "rolled_back"


def test_a_unit_without_faults_does_not_run_the_calls_behind_a_refused_one(sap: Agent):
    unit = posting("T1-7-I", COMP_CODE="9999")
    unit["calls"].append(posting("T1-7-I")["calls"][0])
    answer = sap.post("/v1/units", unit).json()
    assert (answer["outcome"], len(answer["calls"])) == ("rolled_back", 1)
    assert sap.rows("BKPF") == []
