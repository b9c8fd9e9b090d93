"""What every request meets: keys, allow-lists, shapes, headers; and what does not fit is refused before anything runs."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
import requests

from agents.errors import BadSettings
from agents.server import MOST_CONNECTIONS
from agents.settings import read
from tests.agents.running import KEY, Agent, posting, reading, rfc_agent, sage_agent
from tests.waiting import wait_until


@pytest.mark.parametrize("value", [None, "Bearer wrong", f"Basic {KEY}", KEY, "Bearer", f"Bearer {KEY}x"])
def test_without_the_right_key_nothing_is_told(sap: Agent, value: str | None):
    for method, path in (
        ("GET", "/v1/health"),
        ("POST", "/v1/units"),
        ("GET", "/v1/units/x"),
        ("GET", "/nowhere"),
    ):
        headers = {} if value is None else {"Authorization": value}
        answer = requests.request(method, sap.url + path, headers=headers, timeout=10)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")


def test_every_answer_bears_an_id_of_its_own_and_echoes_the_callers(sap: Agent):
    answers = [
        sap.session.get(sap.url + path, headers={"X-Correlation-Id": "c-1"}, timeout=10)
        for path in ("/v1/health", "/v1/units/none", "/nowhere")
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 404]
    assert {answer.headers["X-Correlation-Id"] for answer in answers} == {"c-1"}
    assert len({answer.headers["X-Agent-Request-Id"] for answer in answers}) == 3
    assert '"correlation": "c-1"' in sap.log()


def test_the_log_names_units_and_functions_and_no_contents(sap: Agent):
    unit = posting("log-1", HEADER_TXT="Jane Doe")
    assert sap.post("/v1/units", unit).json()["outcome"] == "committed"
    assert '"unit": "log-1", "outcome": "committed", "functions": ["BAPI_ACC_DOCUMENT_POST"]' in sap.log()
    assert "Jane Doe" not in sap.log()
    assert KEY not in sap.log()


def test_a_function_that_is_not_allowed_is_403_and_nothing_of_the_unit_runs(sap: Agent):
    unit = posting("list-1")
    unit["calls"].append({"function": "RFC_ABAP_INSTALL_AND_RUN"})
    answer = sap.post("/v1/units", unit)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "function_not_allowed")
    assert sap.rows("BKPF") == []
    assert sap.get("/v1/units/list-1").status_code == 404


def test_a_table_that_is_not_allowed_is_403(sap: Agent):
    answer = sap.post("/v1/units", reading("list-2", "T000", "MANDT EQ '100'", "MTEXT"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "function_not_allowed")


def test_a_function_that_is_allowed_and_not_there_is_404_and_nothing_of_the_unit_runs(sap: Agent):
    unit = posting("list-3")
    unit["calls"].append({"function": "Z_ALLOWED_BUT_NOT_THERE"})
    answer = sap.post("/v1/units", unit)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "function_not_found")
    assert sap.rows("BKPF") == []


@pytest.mark.parametrize(
    "change",
    [
        {"unit_id": ""},
        {"unit_id": "a b"},
        {"unit_id": "x" * 65},
        {"unit_id": 7},
        {"commit": "always"},
        {"commit": None},
        {"calls": []},
        {"calls": {}},
        {"calls": ["BAPI_ACC_DOCUMENT_POST"]},
        {"calls": [{"importing": {}}]},
        {"calls": [{"function": "RFC_READ_TABLE", "exporting": {}}]},
        {"calls": [{"function": "RFC_READ_TABLE", "tables": []}]},
        {"wait": True},
    ],
    ids=str,
)
def test_a_unit_of_the_wrong_shape_is_a_bad_request(sap: Agent, change: dict):
    answer = sap.post("/v1/units", posting("shape-1") | change)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")
    assert sap.rows("BKPF") == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"unit_id": "a", "unit_id": "b"}',
        b'{"unit_id": 1.5}',
        b'{"unit_id": NaN}',
        b'{"unit_id": "\\ud800"}',
        b"[" * 100000,
        b" " * (8 * 1024 * 1024 + 1),
    ],
    ids=lambda body: repr(body[:32]),
)
def test_a_body_that_is_not_exact_json_is_a_bad_request(sap: Agent, body: bytes):
    answer = sap.session.post(f"{sap.url}/v1/units", data=body, timeout=20)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")
    assert sap.get("/v1/health").status_code == 200  # the connection is not out of step


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("importing", "DOCUMENTHEADER"), {"COLOUR": "red"}),
        (("importing", "DOCUMENTHEADER"), {"REF_DOC_NO": "longer-than-sixteen"}),
        (("importing", "DOCUMENTHEADER"), "text"),
        (("importing", "NOTHING"), "x"),
        (("importing", "OBJ_KEY"), "an exporting parameter"),
        (("tables", "ACCOUNTXX"), []),
        (("tables", "ACCOUNTGL"), [{"ITEMNO_ACC": "ABC"}]),
        (("tables", "ACCOUNTGL"), {"ITEMNO_ACC": "1"}),
        (("tables", "CURRENCYAMOUNT"), [{"AMT_DOCCUR": 108}]),
        (("tables", "CURRENCYAMOUNT"), [{"AMT_DOCCUR": "1,00"}]),
        (("tables", "CURRENCYAMOUNT"), [{"AMT_DOCCUR": "0.00001"}]),
        (("tables", "CURRENCYAMOUNT"), [{"CURRENCY": "DOLLAR"}]),
    ],
    ids=str,
)
def test_what_the_function_does_not_take_is_an_unknown_parameter(sap: Agent, where: tuple[str, str], value):
    unit = posting("parameter-1")
    unit["calls"][0][where[0]][where[1]] = value
    answer = sap.post("/v1/units", unit)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unknown_parameter")
    assert where[1] in answer.json()["error"]["message"]
    assert sap.get("/v1/units/parameter-1").status_code == 404


def test_an_unknown_address_and_a_wrong_method_are_errors_in_json(sap: Agent):
    assert sap.get("/v2/units").json()["error"]["code"] == "not_found"
    wrong = sap.session.delete(f"{sap.url}/v1/units", timeout=10)
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "bad_request")


@pytest.mark.parametrize(
    "raw", [b"NONSENSE\r\n\r\n", b"GET /v1/health HTTP/9.9\r\n\r\n"], ids=["line", "version"]
)
def test_what_is_no_http_gets_an_error_with_an_id_too(sap: Agent, raw: bytes):
    host, port = sap.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(raw)
        answer = connection.makefile("rb").read()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 400", b"HTTP/1.1 505"))
    assert b"X-Agent-Request-Id" in head
    assert json.loads(body)["error"]["code"] == "bad_request"


def test_a_client_that_says_nothing_keeps_nobody_waiting(sap: Agent):
    host, port = sap.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as silent:
        silent.sendall(b"POST /v1/units HTTP/1.1\r\n")
        assert sap.post("/v1/units", reading("patient-1", "KNA1", "", "KUNNR")).status_code == 200


def test_the_agent_of_sage_wants_its_key_in_its_own_header(tmp_path: Path):
    agent = sage_agent(tmp_path)
    try:
        agent.start()
        wrong = requests.get(f"{agent.url}/v1/health", headers={"Authorization": f"Bearer {KEY}"}, timeout=10)
        right = agent.get("/v1/health")
    finally:
        agent.close()
    assert (wrong.status_code, right.status_code) == (401, 200)


def test_while_a_key_is_replaced_both_are_good(tmp_path: Path):
    from agents import keys

    agent = rfc_agent(tmp_path)
    settings = tmp_path / "agent.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(
        text.replace('key_hashes = ["', f'key_hashes = ["{keys.hash_of("new")}", "'), encoding="utf-8"
    )
    try:
        agent.start()
        codes = [
            requests.get(
                f"{agent.url}/v1/health", headers={"Authorization": f"Bearer {key}"}, timeout=10
            ).status_code
            for key in (KEY, "new", "other")
        ]
    finally:
        agent.close()
    assert codes == [200, 200, 401]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("port = 0", 'host = "0.0.0.0"', "without a certificate only 127.0.0.1"),
        ("port = 0", 'certificate = "a.pem"', "belong together"),
        ("port = 0", 'client_ca = "a.pem"', "certificate of the agent's own"),
        ("port = 0", "colour = 1", "colour, which means nothing"),
        ('driver = "simulated"', 'driver = "jco"', "rfc with simulated or sapnwrfc"),
        ("key_hashes", "# key_hashes", "new-key"),
        ('driver = "simulated"', 'driver = "simulated"\nspeed = 1', "speed, which means nothing"),
        ("[listen]", "[listen", "agent.toml"),
        ("functions", "companies", "functions is empty"),
        ("'RFC_READ_TABLE'", "'BAPI_TRANSACTION_COMMIT'", "the agent commits and rolls back itself"),
    ],
)
def test_settings_that_cannot_be_right_are_refused_with_a_sentence(
    tmp_path: Path, old: str, new: str, said: str
):
    agent = rfc_agent(tmp_path)
    agent.close()
    path = tmp_path / "agent.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(BadSettings, match=said):
        read(path)


def test_an_agent_that_cannot_start_says_why_in_one_sentence(tmp_path: Path):
    agent = rfc_agent(tmp_path, more="[system]\ncolour = 1")
    with pytest.raises(
        AssertionError, match=r"^tieout-agent: system: got an unexpected keyword argument 'colour'"
    ):
        agent.start()
    agent.close()


def test_more_connections_than_places_are_dropped_and_the_places_come_back(sap: Agent):
    host, port = sap.url.removeprefix("http://").split(":")
    silent = [socket.create_connection((host, int(port))) for _ in range(MOST_CONNECTIONS)]
    try:
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{sap.url}/v1/health", timeout=10)
    finally:
        for each in silent:
            each.close()
    wait_until(lambda: _answers(sap))


def _answers(agent: Agent) -> bool:
    try:
        return requests.get(f"{agent.url}/v1/health", timeout=10).status_code == 401
    except requests.ConnectionError:
        return False
