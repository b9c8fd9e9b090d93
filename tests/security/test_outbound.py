"""Nothing outward reaches an address that nobody allowed: not by a name, a spelling, a redirect, a link or a change of mind."""

from __future__ import annotations

import ast
import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.models import AuditEntry
from erp.adapters.sap_b1.service_layer import ServiceLayer
from erp.adapters.sap_b1.settings import Settings
from erp.contract.adapter import Opening
from erp.contract.errors import Misconfigured, TryLater
from erp.contract.http import Call, Wire, private_session
from erp.contract.outbound import PUBLIC, Reach, addresses_of, check_address, check_url
from erp.models import ErpConnection
from erp.testing_connection import check_connection
from erp.transport import make_session
from storefront import opening
from storefront.hooks import listed
from storefront.models import Store
from storefront.opening import open_client
from tenants.models import Tenant

pytestmark = pytest.mark.security

EVERYWHERE = Reach(private=True, loopback=True)

METADATA = [
    "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://METADATA.google.internal./computeMetadata/v1/",
    "http://2852039166/",  # decimal
    "http://0xa9fea9fe/",
    "http://0xa9.0xfe.0xa9.0xfe/",
    "http://0251.0376.0251.0376/",  # octal
    "http://169.254.43518/",  # the last two parts in one
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[64:ff9b::a9fe:a9fe]/",  # NAT64
    "http://[2002:a9fe:a9fe::]/",  # 6to4
    "http://[::169.254.169.254]/",
    "http://[fe80::1]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://0.0.0.0/",
    "http://0/",
    "http://[::]/",
    "http://255.255.255.255/",
    "http://224.0.0.1/",
]
PRIVATE = [
    "http://10.1.2.3/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://100.64.0.1/",
    "http://[fc00::1]/",
    "http://[::ffff:10.1.2.3]/",
    "http://167838211/",
    "http://012.1.2.3/",
]
LOOPBACK = [
    "http://127.0.0.1/",
    "http://127.9.9.9/",
    "http://[::1]/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://017700000001/",
    "http://127.1/",
    "http://[::ffff:127.0.0.1]/",
    "http://localhost/",
]
NO_ADDRESS = [
    "file:///etc/passwd",
    "gopher://127.0.0.1/",
    "http://",
    "https:///x",
    "http://[::1",
    "http://x:99999/",
]


@pytest.fixture
def no_connection(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Nothing is connected to; what was tried."""
    tried: list[Any] = []

    def connect(self: socket.socket, address: Any) -> None:
        tried.append(address)
        raise OSError("not in this test")

    monkeypatch.setattr(socket.socket, "connect", connect)
    return tried


def send(url: str, reach: Reach, calls: list[Call] | None = None) -> int:
    wire = Wire(private_session(reach), record=(calls if calls is not None else []).append)
    return wire.send("GET", url, writes=False, deadline=3).status


@pytest.mark.parametrize("url", METADATA)
def test_what_hands_out_a_machines_credentials_is_never_called(url: str, no_connection: list[Any]) -> None:
    calls: list[Call] = []
    with pytest.raises(Misconfigured):
        send(url, EVERYWHERE, calls)
    assert no_connection == []
    assert [call.error for call in calls] == ["Misconfigured"]


@pytest.mark.parametrize("url", PRIVATE)
def test_private_networks_are_called_only_where_the_connection_says_so(
    url: str, no_connection: list[Any]
) -> None:
    with pytest.raises(Misconfigured, match="private network"):
        send(url, Reach(loopback=True))
    assert no_connection == []
    with pytest.raises(TryLater, match="cannot be reached"):
        send(url, Reach(private=True))
    assert len(no_connection) == 1


@pytest.mark.parametrize("url", LOOPBACK)
def test_this_machine_is_called_only_where_the_installation_says_so(
    url: str, no_connection: list[Any]
) -> None:
    with pytest.raises(Misconfigured, match="this machine"):
        send(url, Reach(private=True))
    assert no_connection == []


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured):
        check_url(url, EVERYWHERE)


@given(st.integers(0, 2**32 - 1))
def test_an_address_is_judged_alike_in_every_spelling(number: int) -> None:
    """Whatever an IPv4 address is, its decimal, hexadecimal and IPv6 spellings are too."""
    plain = socket.inet_ntoa(number.to_bytes(4, "big"))
    spellings = [
        plain,
        str(number),
        hex(number),
        f"[::ffff:{plain}]",
        f"[64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}]",
    ]
    assert len({_verdict(f"https://{spelling}/") for spelling in spellings}) == 1


def _verdict(url: str) -> str:
    try:
        check_url(url, PUBLIC)
    except Misconfigured as error:
        return error.sentence.partition(" is ")[2]
    return ""


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """A name server that gives one answer after the other for `.example` names; which names were asked."""
    real, left, asked = socket.getaddrinfo, list(answers), []

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if not str(host).endswith(".example"):
            return real(host, port, *args, **kwargs)
        asked.append(host)
        return [entry for address in left.pop(0) for entry in real(address, port, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "10.0.0.1", "127.0.0.1"])
def test_a_name_that_leads_to_such_an_address_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch, no_connection: list[Any]
) -> None:
    resolving(monkeypatch, [address], ["1.1.1.1", address])
    for _ in range(2):  # alone, and hidden behind a public one
        with pytest.raises(Misconfigured, match=f"store.example leads to {address}"):
            send("https://store.example/", PUBLIC)
    assert no_connection == []


@pytest.fixture
def listener() -> Iterator[tuple[int, list[str]]]:
    """An HTTP server on this machine, and the paths it was asked for."""
    asked: list[str] = []
    with _server(lambda path: asked.append(path) or (200, {}, b"{}")) as port:
        yield port, asked


class _server:
    """A server that answers what a function says: status, headers, body."""

    def __init__(self, answer: Any) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, headers, body = answer(self.path)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> int:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return int(self._http.server_address[1])

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()


def test_a_name_is_asked_once_and_what_was_judged_is_connected_to(
    monkeypatch: pytest.MonkeyPatch, listener: tuple[int, list[str]], no_connection: list[Any]
) -> None:
    """Rebinding: the second answer would lead to this machine; nobody asks a second time."""
    port, paths = listener
    asked = resolving(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    with pytest.raises(TryLater):
        send(f"http://store.example:{port}/", PUBLIC)
    assert asked == ["store.example"]
    assert no_connection == [("8.8.8.8", port)]
    with pytest.raises(Misconfigured, match="this machine"):
        send(f"http://store.example:{port}/", PUBLIC)
    assert paths == []


def test_the_judged_address_is_asked_under_the_names_own_host(
    monkeypatch: pytest.MonkeyPatch, listener: tuple[int, list[str]]
) -> None:
    resolving(monkeypatch, ["127.0.0.1"])
    assert send(f"http://store.example:{listener[0]}/x", EVERYWHERE) == 200
    assert listener[1] == ["/x"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, listener: tuple[int, list[str]]) -> None:
    elsewhere = f"http://127.0.0.1:{listener[0]}/stolen"
    with _server(lambda path: (status, {"Location": elsewhere}, b"")) as port:
        assert send(f"http://127.0.0.1:{port}/", EVERYWHERE) == status
    assert listener[1] == []


def test_a_proxys_address_is_judged_like_any_other(no_connection: list[Any]) -> None:
    for proxy in ("http://169.254.169.254:80", "http://10.0.0.1:3128", "http://metadata.google.internal"):
        wire = Wire(make_session({}, {"proxy": proxy}), record=lambda call: None)
        with pytest.raises(Misconfigured):
            wire.send("GET", "https://sap.example.com/b1s/v1/Login", writes=False, deadline=3)
    assert no_connection == []


def test_a_proxy_does_not_carry_us_to_a_metadata_address(no_connection: list[Any]) -> None:
    wire = Wire(make_session({}, {"proxy": "http://127.0.0.1:9"}), record=lambda call: None)
    for url in ("http://169.254.169.254/", "http://2852039166/", "http://metadata.google.internal/"):
        with pytest.raises(Misconfigured):
            wire.send("GET", url, writes=False, deadline=3)
    assert no_connection == []


def test_a_trusted_certificate_or_authority_does_not_lift_the_rules(no_connection: list[Any]) -> None:
    for settings in ({"certificate_pin": "ab" * 32}, {"verify_tls": "no"}):
        wire = Wire(make_session(settings, {}), record=lambda call: None)
        for url in ("https://169.254.169.254/", "https://10.0.0.1/"):
            with pytest.raises(Misconfigured):
                wire.send("GET", url, writes=False, deadline=3)
    assert no_connection == []


# --- links that a server sends ---


class _NoCache:
    """A cache that knows one living session, so that no login is needed."""

    def get(self, key: str) -> str | None:
        fresh = datetime.max.replace(tzinfo=UTC).isoformat()
        return (
            json.dumps({"cookie": "B1SESSION=s", "seconds": 600, "fresh_until": fresh})
            if "session" in key
            else None
        )


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:{stranger}/b1s/v1/Items?x",
        "//127.0.0.1:{stranger}/Items?x",
        "http://evil.example/Items?x",
    ],
)
def test_a_next_page_on_another_host_or_port_is_not_read(link: str, listener: tuple[int, list[str]]) -> None:
    page = {"value": [{"ItemCode": "A"}], "odata.nextLink": link.format(stranger=listener[0])}
    with _server(lambda path: (200, {"Content-Type": "application/json"}, json.dumps(page).encode())) as port:
        rows = _service_layer(f"http://127.0.0.1:{port}").read_all("Items")
        assert next(rows) == {"ItemCode": "A"}
        with pytest.raises(Misconfigured, match="another host"):
            next(rows)
    assert listener[1] == []


@pytest.mark.parametrize(
    "link",
    [
        "Items?$skip=1",
        "/b1s/v1/Items?$skip=1",
        "ftp://127.0.0.1:{port}/b1s/v1/Items?$skip=1",
        "../../x/Items?$skip=1",
    ],
)
def test_a_next_page_is_read_below_our_own_address_however_its_link_is_written(link: str) -> None:
    asked: list[str] = []

    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        asked.append(path)
        page: dict[str, Any] = {"value": [{"ItemCode": str(len(asked))}]}
        if len(asked) == 1:
            page["odata.nextLink"] = link.format(port=port)
        return 200, {}, json.dumps(page).encode()

    with _server(answer) as port:
        rows = list(_service_layer(f"http://127.0.0.1:{port}").read_all("Items"))
    assert len(rows) == 2
    assert asked == ["/b1s/v1/Items", "/b1s/v1/Items?$skip=1"]


def _service_layer(url: str) -> ServiceLayer:
    wire = Wire(private_session(EVERYWHERE), record=lambda call: None)
    opening = Opening(
        connection="company-1",
        settings={},
        credentials={},
        wire=wire,
        cache=_NoCache(),  # type: ignore[arg-type]
        now=lambda: datetime.now(UTC),
    )
    return ServiceLayer(opening, Settings(base_url=url, company_db="X", user_name="u"))


@pytest.mark.django_db
def test_pagination_links_of_the_store_are_not_followed(listener: tuple[int, list[str]]) -> None:
    """v3 tells pages as numbers and as links; only the numbers are used."""
    asked: list[str] = []

    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        asked.append(path)
        links = {"next": f"http://127.0.0.1:{listener[0]}/stolen", "current": "http://169.254.169.254/"}
        meta = {"pagination": {"total_pages": 2, "links": links}}
        return 200, {}, json.dumps({"data": [{"id": len(asked)}], "meta": meta}).encode()

    with _server(answer) as port, open_client(_store(f"http://127.0.0.1:{port}")) as client:
        assert len(listed(client)) == 2
    assert listener[1] == []
    assert all(path.startswith("/stores/abc123/v3/hooks?") for path in asked)


# --- what people enter ---


def _store(base_url: str) -> Store:
    tenant = Tenant.objects.create(slug="hats", name="Hats")
    return Store.objects.create(
        tenant=tenant, key="S1", name="Hats", store_hash="abc123", access_token="t", base_url=base_url
    )


@pytest.mark.django_db
def test_a_store_whose_address_leads_inside_is_not_called(no_connection: list[Any], settings: Any) -> None:
    settings.TIEOUT_ALLOW_LOOPBACK = False
    store = _store("https://169.254.169.254")
    for url in ("https://169.254.169.254", "https://10.0.0.1", "http://127.0.0.1:6379", "https://2130706433"):
        store.base_url = url
        with _fresh_session(), pytest.raises(Misconfigured), open_client(store) as client:
            client.store_information()
    assert no_connection == []
    assert not AuditEntry.objects.exclude(action="call.made").exists()


class _fresh_session:
    """This thread's session of stores is made anew, as after a restart with another setting."""

    def __enter__(self) -> None:
        opening._local.__dict__.clear()

    __exit__ = lambda self, *_: self.__enter__()  # noqa: E731


@pytest.mark.django_db
def test_a_company_is_called_in_a_private_network_only_where_its_administrator_said_so(
    no_connection: list[Any], settings: Any
) -> None:
    settings.TIEOUT_ALLOW_LOOPBACK = False
    tenant = Tenant.objects.create(slug="hats", name="Hats")
    company = ErpConnection(tenant=tenant, key="main", name="Hats Inc.", credentials={"password": "p"})

    def attempt(base_url: str, **more: str) -> None:
        company.settings = {"base_url": base_url, "company_db": "X", "user_name": "u", **more}
        company.save()
        with contextlib.suppress(Misconfigured, TryLater):  # what was connected to is what counts
            check_connection(company)

    attempt("https://10.1.2.3:50000")
    attempt("https://10.1.2.3:50000", private_network="no")
    attempt("https://169.254.169.254", private_network="yes")
    attempt("https://127.0.0.1:50000", private_network="yes")
    assert no_connection == []
    attempt("https://10.1.2.3:50000", private_network="yes")
    assert set(no_connection) == {("10.1.2.3", 50000)}


def test_every_address_of_a_name_is_judged_and_told() -> None:
    assert addresses_of("127.0.0.1", 80, EVERYWHERE) == ["127.0.0.1"]
    with pytest.raises(
        Misconfigured, match=r"sap.example leads to 10\.0\.0\.7, which is in a private network"
    ):
        check_address("sap.example", "10.0.0.7", PUBLIC)


def test_every_http_call_outward_goes_through_these_rules() -> None:
    """No other door: product code makes sessions and sockets in two modules only."""
    root = Path(__file__).resolve().parents[2]
    doors = {
        "requests.Session",
        "urllib.request",
        "http.client",
        "socket.create_connection",
        "urllib3.PoolManager",
    }
    doors |= {
        f"requests.{method}"
        for method in ("get", "post", "put", "delete", "patch", "head", "request", "session")
    }
    found = set()
    for package in ("audit", "config", "erp", "mappings", "storefront", "sync", "tenants"):
        for path in (root / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                used = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
                if used in doors:
                    found.add((str(path.relative_to(root)), used))
    local = {
        entry for entry in found if entry[0].startswith("config/local/")
    }  # ask this machine's own processes
    assert found - local == {
        ("erp/contract/http.py", "requests.Session"),
        ("storefront/hooks.py", "socket.create_connection"),
    }
