"""The driver over SAP's NW RFC SDK, against a library of our own with the same C interface (fake_nwrfc.c)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents import keys
from tests.agents.running import KEY, Agent

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
FAKE = Path(__file__).with_name("fake_nwrfc.c")
pytestmark = [
    pytest.mark.skipif(COMPILER is None, reason="no C compiler: the fake of SAP's library cannot be built"),
    pytest.mark.skipif(
        sys.platform == "win32", reason="the fake of SAP's library is built for Linux and macOS"
    ),
]
FUNCTIONS = [
    "BAPI_ACC_DOCUMENT_POST",
    "RFC_READ_TABLE",
    "Z_ECHO",
    "Z_RAISES",
    "Z_BREAKS",
    "Z_NEVER_ENDS",
    "Z_MISSING",
]


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the built library."""
    folder = tmp_path_factory.mktemp("sdk")
    command = [COMPILER, "-shared", "-fPIC", "-O1", "-o", folder / "libsapnwrfc.so", FAKE]
    built = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert built.returncode == 0, built.stderr
    return folder


def nwrfc_agent(folder: Path, sdk: Path, password: str = "secret", host: str = "sap.example.com") -> Agent:
    (folder / "password").write_text(password + "\n", encoding="utf-8")
    settings = f"""
        protocol = "rfc"
        driver = "sapnwrfc"
        [listen]
        port = 0
        [access]
        key_hashes = ["{keys.hash_of(KEY)}"]
        functions = {FUNCTIONS}
        read_tables = ["T000"]
        [system]
        sdk_lib = "{sdk}"
        password_file = "password"
        call_timeout_seconds = 1
        [system.connection]
        ashost = "{host}"
        sysnr = "00"
        client = "100"
        user = "TIEOUT"
    """
    os.environ["FAKE_NWRFC_BOOKS"] = str(folder / "books")
    return Agent(folder, settings, {"Authorization": f"Bearer {KEY}"}, pass_on=["FAKE_NWRFC_BOOKS"])


@pytest.fixture(scope="module")
def sap(tmp_path_factory: pytest.TempPathFactory, sdk: Path) -> Iterator[Agent]:
    """A running agent over the fake library."""
    agent = nwrfc_agent(tmp_path_factory.mktemp("agent"), sdk)
    try:
        yield agent.start()
    finally:
        agent.close()


def books(sap: Agent) -> list[str]:
    """The references of what was committed."""
    path = sap.folder / "books"
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def unit(unit_id: str, function: str, importing: dict | None = None, commit: str = "never", **tables) -> dict:
    call = {"function": function, "importing": importing or {}, "tables": tables}
    return {"unit_id": unit_id, "commit": commit, "calls": [call]}


def posting(reference: str, **header: str) -> dict:
    head = {"BUS_ACT": "RFBU", "COMP_CODE": "1000", "PSTNG_DATE": "20261120", "REF_DOC_NO": reference}
    amounts = [{"ITEMNO_ACC": "0000000001", "CURRENCY": "USD", "AMT_DOCCUR": "108.00"}]
    rows = {
        "ACCOUNTGL": [{"ITEMNO_ACC": "0000000001", "GL_ACCOUNT": "0000800000"}],
        "CURRENCYAMOUNT": amounts,
    }
    importing = {"DOCUMENTHEADER": head | header}
    return unit(reference, "BAPI_ACC_DOCUMENT_POST", importing, "on_success", **rows)


def test_health_tells_what_sap_says_of_itself(sap: Agent):
    health = sap.get("/v1/health").json()
    assert health["system"] == {"sysid": "FAK", "client": "100", "release": "750", "codepage": "4103"}


def test_every_kind_of_value_goes_there_and_comes_back_exactly(sap: Agent):
    values = {
        "A_CHAR": "Zoë",
        "A_NUM": "000123",
        "A_DATE": "20261120",
        "A_TIME": "235959",
        "A_DEC": "-10800.05",
        "AN_INT": -2147483648,
        "AN_INT1": 255,
        "AN_INT2": -32768,
        "AN_INT8": 9007199254740993,
        "A_FLOAT": "1.5",
        "A_STRING": "longer than any field, and 🐝",
        "AN_XSTRING": "00FF10",
        "BYTES": "DEADBEEF",
        "NESTED": {"WORD": "hello"},
        "ROWS": [{"WORD": "one"}, {"WORD": "two"}],
    }
    answer = sap.post("/v1/units", unit("echo-1", "Z_ECHO", {"INPUT": values})).json()
    assert answer["calls"][0]["exporting"]["OUTPUT"] == values


def test_what_was_not_set_comes_back_initial(sap: Agent):
    answer = sap.post("/v1/units", unit("echo-2", "Z_ECHO", {"INPUT": {"A_CHAR": "", "A_DATE": ""}})).json()
    assert answer["calls"][0]["exporting"]["OUTPUT"] == {
        "A_CHAR": "",
        "A_NUM": "000000",
        "A_DATE": "00000000",
        "A_TIME": "000000",
        "A_DEC": "0.00",
        "AN_INT": 0,
        "AN_INT1": 0,
        "AN_INT2": 0,
        "AN_INT8": 0,
        "A_FLOAT": "",
        "A_STRING": "",
        "AN_XSTRING": "",
        "BYTES": "00000000",
        "NESTED": {"WORD": ""},
        "ROWS": [],
    }


@pytest.mark.parametrize(
    "values",
    [
        {"A_CHAR": "123456"},
        {"A_NUM": "12a"},
        {"A_NUM": "1234567"},
        {"A_DATE": "2026-11-20"},
        {"A_DEC": "1.005"},
        {"A_DEC": "123456789012.00"},
        {"A_DEC": 108},
        {"AN_INT": 2147483648},
        {"AN_INT1": -1},
        {"AN_INT2": "1"},
        {"BYTES": "ABC"},
        {"BYTES": "0011223344"},
        {"NESTED": {"NO": "x"}},
        {"NESTED": []},
        {"ROWS": {"WORD": "x"}},
        {"COLOUR": "red"},
    ],
    ids=str,
)
def test_what_does_not_fit_the_interface_is_refused_before_anything_runs(sap: Agent, values: dict):
    answer = sap.post("/v1/units", unit("echo-3", "Z_ECHO", {"INPUT": values}))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unknown_parameter")
    assert sap.get("/v1/units/echo-3").status_code == 404


def test_a_posting_is_committed_with_wait_and_its_structure_of_returns_has_no_rows(sap: Agent):
    answer = sap.post("/v1/units", posting("OK-1")).json()
    assert answer["outcome"] == "committed"
    assert answer["commit"]["return"] == []
    call = answer["calls"][0]
    assert call["exporting"] == {"OBJ_KEY": "010000000110002026"}
    assert [(row["TYPE"], row["ID"], row["NUMBER"]) for row in call["return"]] == [("S", "RW", "605")]
    assert call["tables"]["CURRENCYAMOUNT"][0]["AMT_DOCCUR"] == "108.00"
    assert books(sap).count("OK-1") == 1


def test_an_error_row_means_a_rollback(sap: Agent):
    answer = sap.post("/v1/units", posting("NO-1", COMP_CODE="9999")).json()
    assert answer["outcome"] == "rolled_back"
    assert [row["NUMBER"] for row in answer["calls"][0]["return"]] == ["609", "165"]
    assert "NO-1" not in books(sap)


@pytest.mark.parametrize(
    ("reference", "outcome", "times"),
    [("LOST-BEFORE", "unknown", 0), ("LOST-AFTER", "unknown", 1), ("UPDATE-FAILS", "rolled_back", 0)],
)
def test_how_a_commit_can_end(sap: Agent, reference: str, outcome: str, times: int):
    answer = sap.post("/v1/units", posting(reference)).json()
    assert answer["outcome"] == outcome
    assert (answer["commit"] is None) == (outcome == "unknown")
    assert books(sap).count(reference) == times


def test_rows_of_a_read_keep_their_width(sap: Agent):
    answer = sap.post("/v1/units", unit("read-1", "RFC_READ_TABLE", {"QUERY_TABLE": "T000"})).json()
    assert answer["calls"][0]["tables"]["DATA"] == [{"WA": "100 Client".ljust(512)}]


@pytest.mark.parametrize(
    ("function", "status", "code", "key"),
    [
        ("Z_RAISES", 422, "abap_exception", "NOT_POSSIBLE"),
        ("Z_BREAKS", 502, "communication_failure", "RFC_COMMUNICATION_FAILURE"),
        ("Z_NEVER_ENDS", 502, "communication_failure", "RFC_CANCELED"),
        ("Z_MISSING", 404, "function_not_found", None),
    ],
)
def test_what_goes_wrong_before_the_commit(
    sap: Agent, function: str, status: int, code: str, key: str | None
):
    answer = sap.post("/v1/units", unit(f"wrong-{function}", function, commit="on_success"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"].get("rfc", {}).get("key") == key


def test_a_wrong_password_is_not_tried_until_sap_locks_the_user(tmp_path: Path, sdk: Path):
    agent = nwrfc_agent(tmp_path, sdk, password="wrong")
    try:
        agent.start()
        answers = [agent.get("/v1/health") for _ in range(3)]
    finally:
        agent.close()
    assert {(a.status_code, a.json()["error"]["code"]) for a in answers} == {(503, "logon_failure")}
    assert ["rfc" in a.json()["error"] for a in answers] == [True, True, False]  # the third was not sent


def test_a_sap_that_is_not_reached_is_unavailable(tmp_path: Path, sdk: Path):
    agent = nwrfc_agent(tmp_path, sdk, host="nowhere.example.com")
    try:
        answer = agent.start().post("/v1/units", posting("OK-2"))
    finally:
        agent.close()
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "sap_unavailable")


def test_without_the_library_the_agent_says_so_and_does_not_start(tmp_path: Path):
    agent = nwrfc_agent(tmp_path, tmp_path)
    try:
        with pytest.raises(AssertionError, match="NW RFC SDK cannot be loaded"):
            agent.start()
    finally:
        agent.close()
