"""The wire under every sandbox server: real HTTP, faults at the asked moment, state that survives a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import requests
from werkzeug import Request, Response

from sandbox.wire import App, Clock, Fault, Refusal, Server, Storage, answer_json, dumps, loads, serve


class Counter(App):
    """Counts POSTs, shows the count, refuses a PUT after changing something."""

    name = "counter"

    def dispatch(self, request: Request) -> Response:
        if request.method == "POST":
            self.storage.next_number("posts")
        if request.method == "PUT":
            self.storage.put("things", "1", {"half": "done"})
            raise Refusal(answer_json({"no": "way"}, 422))
        return answer_json({"posts": (self.storage.get("_series", "posts") or {"next": 1})["next"] - 1})


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(Counter()) as running:
        yield running


def test_one_connection_carries_many_requests(server: Server) -> None:
    with requests.Session() as session:
        ports = set()
        for _ in range(5):
            answer = session.post(server.url + "/x", data=b"body" * 1000, stream=True)
            ports.add(answer.raw._connection.sock.getsockname()[1])
            assert answer.status_code == 200
            assert answer.content
    assert len(ports) == 1
    assert server.app.calls.counters["POST 200"] == 5


def test_a_fault_without_end_strikes_every_request_once_until_all_are_calm(server: Server) -> None:
    slow = server.app.faults.add("slow", delay=0.01, count=None)
    for _ in range(3):
        assert requests.get(server.url + "/x").json() == {"posts": 0}
    assert slow.hits == 3
    requests.post(server.url + "/_control/calm")
    assert requests.get(server.url + "/x").json() == {"posts": 0}
    assert slow.hits == 3


def test_a_connection_dropped_before_does_nothing_and_one_dropped_after_did_it(server: Server) -> None:
    server.app.faults.add("drop", method="POST")
    with pytest.raises(requests.ConnectionError):
        requests.post(server.url + "/x")
    assert requests.get(server.url + "/x").json() == {"posts": 0}
    server.app.faults.add("drop", moment="after", method="POST")
    with pytest.raises(requests.ConnectionError):
        requests.post(server.url + "/x")
    assert requests.get(server.url + "/x").json() == {"posts": 1}
    lost = server.app.calls.select(method="POST")
    assert [(call.status, call.carried_out) for call in lost] == [(0, False), (0, True)]


def test_a_500_after_the_commit_replaces_the_answer_only(server: Server) -> None:
    server.app.faults.add("answer", status=500, body="{}", moment="after", count=2, skip=1)
    seen = [requests.post(server.url + "/x").status_code for _ in range(4)]
    assert seen == [200, 500, 500, 200]
    assert requests.get(server.url + "/x").json() == {"posts": 4}


def test_a_fault_strikes_only_the_requests_it_is_for(server: Server) -> None:
    server.app.faults.add("answer", status=429, method="GET", path=r"^/a\?page=2$", count=None)
    assert requests.get(server.url + "/a").status_code == 200
    assert requests.get(server.url + "/a?page=2").status_code == 429
    assert requests.get(server.url + "/a?page=2").status_code == 429
    server.app.faults.clear()
    assert requests.get(server.url + "/a?page=2").status_code == 200


def test_a_held_request_waits_until_it_is_released(server: Server) -> None:
    fault = server.app.faults.add("hold", moment="after", method="POST")
    answers: list[int] = []
    client = threading.Thread(target=lambda: answers.append(requests.post(server.url + "/x").status_code))
    client.start()
    assert server.app.calls.wait_for("POST", "/x")
    assert server.app.faults.wait_for_hit(fault)
    assert answers == []
    server.app.faults.release(fault)
    client.join(timeout=5)
    assert answers == [200]


def test_a_refusal_undoes_what_the_request_had_changed(server: Server) -> None:
    assert requests.put(server.url + "/x").status_code == 422
    assert server.app.storage.rows("things") == []


def test_a_stopped_server_is_down_for_open_connections_too() -> None:
    server = serve(Counter())
    with requests.Session() as session:
        assert session.get(server.url).status_code == 200
        server.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(server.url)
        again = serve(Counter(), port=server.port)
        assert session.get(again.url).status_code == 200
        again.stop()


def test_control_switches_faults_and_shows_the_calls_without_secrets(server: Server) -> None:
    control = server.url + "/_control"
    added = requests.post(control + "/faults", json={"kind": "answer", "status": 418, "count": 1}).json()
    assert [fault["id"] for fault in requests.get(control + "/faults").json()] == [added["id"]]
    assert requests.get(server.url + "/tea", headers={"X-Auth-Token": "geheim"}).status_code == 418
    (call,) = requests.get(control + "/calls?path=tea").json()
    assert (call["status"], call["faults"], call["headers"]["X-Auth-Token"]) == (
        418,
        ["answer before"],
        "***",
    )
    assert requests.get(control + "/counters").json()["GET 418"] == 1
    assert requests.get(control + "/idle?quiet=0.01").json() == {"idle": True}
    unknown = requests.post(control + "/faults", json={"kind": "drop", "colour": "red"})
    assert unknown.status_code == 400
    assert "a fault has no colour" in unknown.json()["error"]
    assert requests.post(control + "/nonsense").status_code == 404
    requests.post(control + "/reset")
    assert requests.get(control + "/calls").json() == []


def test_a_fault_knows_before_from_after_and_nothing_else() -> None:
    with pytest.raises(ValueError, match="before or after"):
        Fault(kind="drop", moment="during")


def test_exact_json_keeps_every_digit_and_refuses_floats() -> None:
    text = dumps(
        {"amount": Decimal("10.00"), "big": Decimal("1E+3"), "none": None, "yes": True, "q": '"\u2028é'}
    )
    assert text == '{"amount":10.00,"big":1000,"none":null,"yes":true,"q":"\\"\u2028é"}'
    assert loads('{"a": 0.1, "b": 2}') == {"a": Decimal("0.1"), "b": 2}
    with pytest.raises(TypeError):
        dumps(0.1)
    with pytest.raises(ValueError):
        loads("NaN")


def _fail_halfway(storage: Storage) -> None:
    with storage.transaction():
        storage.delete("orders", 1)
        storage.put("orders", 2, {})
        raise RuntimeError


def test_storage_gives_copies_and_undoes_a_failed_transaction(tmp_path: Path) -> None:
    storage = Storage(tmp_path / "state.sqlite")
    storage.put("orders", 1, {"total": Decimal("1.10"), "at": datetime(2026, 1, 2, tzinfo=UTC)})
    copy = storage.get("orders", 1)
    assert copy is not None
    copy["total"] = Decimal(0)
    with pytest.raises(RuntimeError):
        _fail_halfway(storage)
    storage.close()
    reopened = Storage(tmp_path / "state.sqlite")
    assert reopened.rows("orders") == [{"total": Decimal("1.10"), "at": datetime(2026, 1, 2, tzinfo=UTC)}]


WRITER = """
import sys
from pathlib import Path
from sandbox.wire import Storage
storage = Storage(Path(sys.argv[1]))
while True:
    with storage.transaction():
        number = storage.next_number("n")
        storage.put("rows", number, {"n": number})
    print(number, flush=True)
"""


def test_every_acknowledged_change_survives_a_kill(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite"
    root = Path(__file__).parents[3]
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(file)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env=dict(os.environ),
    )
    assert writer.stdout is not None
    for line in writer.stdout:
        if int(line) >= 50:
            break
    writer.send_signal(signal.SIGKILL)
    acknowledged = [int(line) for line in writer.stdout.read().split()] or [50]
    writer.wait()
    survived = [row["n"] for row in Storage(file).rows("rows")]
    assert survived[: acknowledged[-1]] == list(range(1, acknowledged[-1] + 1))


def test_the_clock_can_be_scaled_and_skipped() -> None:
    clock = Clock(scale=1000, start=datetime(2026, 1, 1, tzinfo=UTC))
    clock.advance(3600)
    assert clock.now() >= datetime(2026, 1, 1, 1, tzinfo=UTC)
    target = clock.now()
    clock.wait_until(target, stop=lambda: False)
    with pytest.raises(ValueError, match="aware"):
        Clock(start=datetime(2026, 1, 1))  # noqa: DTZ001
