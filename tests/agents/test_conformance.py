"""The conformance kit certifies the reference agent, and no agent that does one thing else than the protocol says."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from agents.__main__ import main
from tests.agents.running import KEY, Agent, order, posting, rfc_agent, sage_agent

TAKEN = {"host", "content-length", "connection", "accept-encoding"}


class Message:
    """A request or an answer on its way through the proxy."""

    def __init__(self, method: str, path: str, headers: dict[str, str], body: bytes, status: int = 0) -> None:
        self.method, self.path, self.headers, self.body, self.status = method, path, headers, body, status

    @property
    def data(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @data.setter
    def data(self, data: Any) -> None:
        self.body = json.dumps(data).encode()

    def is_error(self, code: str) -> bool:
        return isinstance(self.data, dict) and (self.data.get("error") or {}).get("code") == code


Change = Callable[[Message], None]


@contextmanager
def in_front_of(agent: Agent, on_request: Change | None, on_answer: Change | None) -> Iterator[str]:
    """An agent that does everything right but what is changed on the way; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in TAKEN}
            asked = Message(self.command, self.path, headers, self.rfile.read(length))
            if on_request:
                on_request(asked)
            reply = requests.request(
                asked.method, agent.url + asked.path, headers=asked.headers, data=asked.body, timeout=20
            )
            answer = Message(asked.method, asked.path, dict(reply.headers), reply.content, reply.status_code)
            if on_answer:
                on_answer(answer)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in TAKEN | {"server", "date"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the kit may save: the files for its options."""
    folder = tmp_path_factory.mktemp("documents")
    missing = {"function": "BAPI_CUSTOMER_CHANGEFROMDATA1", "importing": {"CUSTOMERNO": "0000000001"}}
    contents = {
        "posting": posting("x"),
        "refused": posting("x", COMP_CODE="9999"),
        "refused-structure": {"calls": [missing]},
        "write": order("x"),
    }
    for name, content in contents.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return {name: str(folder / name) for name in contents}


@pytest.fixture(scope="module")
def sap_under_test(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    agent = rfc_agent(tmp_path_factory.mktemp("agent"), more="[system]\nsessions = 16")
    try:
        yield agent.start()
    finally:
        agent.close()


@pytest.fixture(scope="module")
def sage_under_test(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    agent = sage_agent(tmp_path_factory.mktemp("agent"))
    try:
        yield agent.start()
    finally:
        agent.close()


@pytest.fixture
def certify(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], documents: dict[str, str]):
    """Run the command; its exit code and its report."""
    monkeypatch.setenv("TIEOUT_AGENT_KEY", KEY)

    def run(protocol: str, url: str, *options: str) -> tuple[int, str]:
        names = ("write",) if protocol == "sage100" else ("posting", "refused", "refused-structure")
        given = [part for name in names for part in (f"--{name}", documents[name])]
        table = ["--read-table", "KNA1", "--read-fields", "KUNNR", "NAME1"] if protocol == "rfc" else []
        code = main(["certify", protocol, url, *table, *given, *options])
        return code, capsys.readouterr().out

    return run


def failed(report: str) -> list[str]:
    return re.findall(r"^ *FAILED  (.*)$", report, re.MULTILINE)


def test_the_reference_agent_keeps_the_rfc_protocol(sap_under_test: Agent, certify):
    code, report = certify("rfc", sap_under_test.url)
    assert (code, failed(report)) == (0, []), report
    assert report.endswith("20 ok, 0 failed, 3 not checked\n")


def test_the_reference_agent_keeps_the_sage_protocol(sage_under_test: Agent, certify):
    code, report = certify("sage100", sage_under_test.url)
    assert (code, failed(report)) == (0, []), report
    assert report.endswith("16 ok, 0 failed, 2 not checked\n")


def test_without_documents_nothing_is_saved_and_the_report_says_what_was_not_checked(
    sap_under_test: Agent, sage_under_test: Agent, monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.setenv("TIEOUT_AGENT_KEY", KEY)
    sap_under_test.control("reset")
    sage_under_test.control("reset")
    assert main(["certify", "rfc", sap_under_test.url, "--read-table", "KNA1", "--read-fields", "KUNNR"]) == 0
    assert "not checked  on_success commits" in (said := capsys.readouterr().out)
    assert "give --posting with a unit for a test system" in said
    assert main(["certify", "sage100", sage_under_test.url]) == 0
    assert "give --write with a sales order for a test company" in capsys.readouterr().out
    assert sap_under_test.rows("BKPF") == []
    assert sage_under_test.get("/_control/rows/ABC/SO_SalesOrderHeader").json()["rows"] == []


def test_an_agent_that_is_not_there_is_not_certified(certify):
    code, report = certify("rfc", "http://127.0.0.1:1")
    assert code == 1
    assert "no answer" in report


def drop_header(name: str) -> Change:
    return lambda answer: answer.headers.pop(name, None)


def instead(code: str, status: int, body: Any) -> Change:
    """Answer something else where the right agent answers with this error."""

    def change(answer: Message) -> None:
        if answer.is_error(code):
            answer.status, answer.data = status, body

    return change


def admit_everybody(asked: Message) -> None:
    asked.headers = {**asked.headers, "Authorization": f"Bearer {KEY}", "X-API-Key": KEY}


def a_new_unit_each_time(asked: Message) -> None:
    if asked.method == "POST" and isinstance(asked.data, dict) and "unit_id" in asked.data:
        asked.data = asked.data | {"unit_id": f"{asked.data['unit_id'][:27]}-{uuid.uuid4()}"[:64]}


def forgive_unknown_members(asked: Message) -> None:
    if isinstance(asked.data, dict):
        asked.data = {name: asked.data[name] for name in ("unit_id", "commit", "calls") if name in asked.data}


def cut_long_values(asked: Message) -> None:
    asked.body = asked.body.replace(b'"' + b" " * 80 + b'"', b'""')


def forget_all_but_the_first_call(asked: Message) -> None:
    if isinstance(asked.data, dict) and len(asked.data.get("calls", ())) > 1:
        asked.data = asked.data | {"calls": asked.data["calls"][:1]}


def in_calls(change: Callable[[dict[str, Any]], object]) -> Change:
    def on_answer(answer: Message) -> None:
        if isinstance(answer.data, dict) and "calls" in answer.data:
            data = answer.data
            for call in data["calls"]:
                change(call)
            answer.data = data

    return on_answer


def in_answer(**values: Any) -> Change:
    def on_answer(answer: Message) -> None:
        if isinstance(answer.data, dict) and "outcome" in answer.data and answer.method == "POST":
            answer.data = answer.data | values

    return on_answer


def cut_rows_short(call: dict[str, Any]) -> None:
    for row in call["tables"].get("DATA", []):
        row["WA"] = row["WA"].split()[0]


def replayed_always(answer: Message) -> None:
    if answer.method == "POST" and answer.status in (200, 201, 422):
        answer.headers["Idempotent-Replay"] = "true"


def nothing_found(answer: Message) -> None:
    if answer.method == "GET" and "/units/" in answer.path:
        answer.status, answer.data = 404, {"error": {"code": "unit_not_found", "message": ""}}


def one_id_for_all(answer: Message) -> None:
    answer.headers["X-Agent-Request-Id"] = "1"


WRONG_RFC_AGENTS: dict[str, tuple[Change | None, Change | None, str]] = {
    "admits everybody": (admit_everybody, None, "401 unauthorized"),
    "has no request ids": (None, drop_header("X-Agent-Request-Id"), "X-Agent-Request-Id"),
    "has one request id": (None, one_id_for_all, "X-Agent-Request-Id"),
    "does not echo": (None, drop_header("X-Correlation-Id"), "echoes X-Correlation-Id"),
    "takes unknown members": (forgive_unknown_members, None, "unknown member"),
    "cuts long values": (cut_long_values, None, "never cut"),
    "does not know units": (a_new_unit_each_time, None, "the same body again gives"),
    "says nothing of replays": (None, drop_header("Idempotent-Replay"), "Idempotent-Replay: true"),
    "calls everything a replay": (None, replayed_always, "the same body again gives"),
    "takes another body": (None, instead("unit_mismatch", 200, {}), "another body"),
    "allows everything": (None, instead("function_not_allowed", 200, {}), "function_not_allowed"),
    "does half of a unit": (forget_all_but_the_first_call, None, "no call of the unit runs"),
    "takes unknown parameters": (None, instead("unknown_parameter", 200, {}), "unknown parameter"),
    "answers 500 to exceptions": (None, instead("abap_exception", 500, {}), "abap_exception"),
    "says 404 for what it got": (None, nothing_found, "the same body again gives"),
    "says 200 for what it never got": (None, instead("unit_not_found", 200, {}), "never got"),
    "calls a read committed": (None, in_answer(outcome="committed"), "read_only"),
    "tells of a commit that was none": (None, in_answer(commit={}), "commit null"),
    "returns a structure": (None, in_calls(lambda call: call.update({"return": {}})), "read_only"),
    "cuts rows short": (None, in_calls(cut_rows_short), "rows keep their width"),
    "says nothing of tables": (None, in_calls(lambda call: call.update(tables={})), "rows keep their width"),
}


@pytest.mark.parametrize("wrong", WRONG_RFC_AGENTS)
def test_an_agent_that_breaks_the_rfc_protocol_is_not_certified(sap_under_test: Agent, certify, wrong: str):
    on_request, on_answer, words = WRONG_RFC_AGENTS[wrong]
    with in_front_of(sap_under_test, on_request, on_answer) as url:
        code, report = certify("rfc", url, "--only", words)
    assert code == 1
    assert any(words in sentence for sentence in failed(report)), report


def a_new_write_each_time(asked: Message) -> None:
    if asked.path.endswith("/writes") and isinstance(asked.data, dict) and "write_id" in asked.data:
        asked.data = asked.data | {"write_id": str(uuid.uuid4())}


def in_rows(change: Callable[[dict[str, Any]], object]) -> Change:
    def on_answer(answer: Message) -> None:
        if isinstance(answer.data, dict) and "rows" in answer.data:
            data = answer.data
            for row in data["rows"]:
                change(row)
            answer.data = data

    return on_answer


def round_prices(row: dict[str, Any]) -> None:
    if "StandardUnitPrice" in row:
        row["StandardUnitPrice"] = 12.5


def begin_each_page_anew(asked: Message) -> None:
    if asked.path.endswith("/query") and isinstance(asked.data, dict) and "after" in asked.data:
        asked.data = asked.data | {"after": None}


def ignore_filters(asked: Message) -> None:
    if (
        asked.path.endswith("/query")
        and isinstance(asked.data, dict)
        and len(asked.data.get("filter", ())) > 1
    ):
        asked.data = asked.data | {"filter": asked.data["filter"][:1]}


def never_the_end(answer: Message) -> None:
    if isinstance(answer.data, dict) and answer.data.get("next", 0) is None and answer.data["rows"]:
        answer.data = answer.data | {"next": ["x"]}


WRONG_SAGE_AGENTS: dict[str, tuple[Change | None, Change | None, str]] = {
    "admits everybody": (admit_everybody, None, "401 unauthorized"),
    "does not echo": (None, drop_header("X-Correlation-Id"), "X-Correlation-Id"),
    "opens every company": (None, instead("company_not_allowed", 200, {}), "company_not_allowed"),
    "begins each page anew": (begin_each_page_anew, None, "pages follow the primary key"),
    "never ends": (None, never_the_end, "pages follow the primary key"),
    "ignores filters": (ignore_filters, None, "every operator"),
    "sends binary fractions": (None, in_rows(round_prices), "decimals are text"),
    "leaves out the stamp": (None, in_rows(lambda row: row.pop("TimeUpdated", None)), "TimeUpdated"),
    "knows every table": (None, instead("unknown_table", 200, {"rows": [], "next": None}), "unknown_table"),
    "does not know writes": (a_new_write_each_time, None, "sent again it gives the stored answer"),
    "takes another body": (None, instead("write_mismatch", 201, {}), "write_mismatch"),
    "refuses without a field": (
        None,
        instead("refused", 422, {"error": {"code": "refused"}}),
        "with object, line",
    ),
    "saves over what is there": (None, instead("already_exists", 201, {}), "already_exists"),
}


@pytest.mark.parametrize("wrong", WRONG_SAGE_AGENTS)
def test_an_agent_that_breaks_the_sage_protocol_is_not_certified(sage_under_test: Agent, certify, wrong: str):
    on_request, on_answer, words = WRONG_SAGE_AGENTS[wrong]
    with in_front_of(sage_under_test, on_request, on_answer) as url:
        code, report = certify("sage100", url, "--only", words)
    assert code == 1
    assert any(words in sentence for sentence in failed(report)), report
