"""Certificates: a private authority, one pinned certificate, or nobody's word at all."""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from erp.contract.errors import Misconfigured, OutcomeUnknown, TryLater
from erp.contract.http import Wire
from erp.transport import fingerprint, make_session, session_for


@dataclass
class Secure:
    url: str
    pem: str
    pin: str
    asked: list[str]


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    """An HTTPS server with a self-signed certificate, as a Service Layer has it when it was just installed."""
    certificate, key = _self_signed()
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    folder: Path = tmp_path_factory.mktemp("tls")
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(pem.encode() + private)
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.send_header("Set-Cookie", "B1SESSION=kept-by-us;HttpOnly;")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    pin = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()
    yield Secure(url=f"https://127.0.0.1:{server.server_address[1]}", pem=pem, pin=pin, asked=asked)
    server.shutdown()
    server.server_close()


def _self_signed() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sap")])
    now = datetime.now(tz=UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    )
    return builder.sign(key, hashes.SHA256()), key


def ask(secure: Secure, **settings: str) -> int:
    wire = Wire(make_session(settings, {}), record=lambda call: None)
    return wire.send("GET", f"{secure.url}/ping", writes=False, deadline=5).status


def test_a_certificate_nobody_vouches_for_is_refused_before_anything_is_asked(secure: Secure) -> None:
    before = len(secure.asked)
    with pytest.raises(Misconfigured, match="TLS certificate"):
        ask(secure)
    assert len(secure.asked) == before


def test_a_private_authority_is_trusted(secure: Secure) -> None:
    assert ask(secure, ca_bundle=secure.pem) == 200


def test_a_pinned_certificate_is_trusted_in_any_spelling(secure: Secure) -> None:
    pairs = ":".join(secure.pin[n : n + 2] for n in range(0, 64, 2)).upper()
    for spelling in (secure.pin, pairs, f"SHA256:{secure.pin}", f" {secure.pin} "):
        assert ask(secure, certificate_pin=spelling) == 200


def test_another_certificate_than_the_pinned_one_is_refused(secure: Secure) -> None:
    with pytest.raises(Misconfigured, match="TLS certificate"):
        ask(secure, certificate_pin="00" * 32)


def test_a_pin_counts_also_where_verification_is_off(secure: Secure) -> None:
    with pytest.raises(Misconfigured):
        ask(secure, certificate_pin="00" * 32, verify_tls="no")


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_verification_is_off_only_where_it_was_switched_off(secure: Secure) -> None:
    assert ask(secure, verify_tls="no") == 200
    with pytest.raises(Misconfigured):
        ask(secure, verify_tls="yes")


def test_another_authority_does_not_help(secure: Secure) -> None:
    other, _ = _self_signed()
    with pytest.raises(Misconfigured):
        ask(secure, ca_bundle=other.public_bytes(serialization.Encoding.PEM).decode())


@pytest.mark.parametrize(
    "settings", [{"ca_bundle": "not PEM"}, {"certificate_pin": "abc"}, {"certificate_pin": "g" * 64}]
)
def test_settings_that_cannot_be_read_are_refused(settings: dict[str, str]) -> None:
    with pytest.raises(Misconfigured):
        make_session(settings, {})


def test_no_cookie_is_kept_by_the_session(secure: Secure) -> None:
    session = make_session({"ca_bundle": secure.pem}, {})
    Wire(session, record=lambda call: None).send("GET", secure.url, writes=False, deadline=5)
    assert len(session.cookies) == 0


def test_a_proxy_that_refuses_is_misconfigured(secure: Secure) -> None:
    session = make_session({"ca_bundle": secure.pem}, {"proxy": "http://user:pw@127.0.0.1:9"})
    with pytest.raises(Misconfigured) as caught:
        Wire(session, record=lambda call: None).send("GET", secure.url, writes=False, deadline=5)
    assert "pw" not in caught.value.sentence


def test_a_thread_keeps_one_session_until_its_settings_change() -> None:
    first = session_for("company-9", {}, {})
    assert session_for("company-9", {"company_db": "other"}, {}) is first
    assert session_for("company-9", {"certificate_pin": "ab" * 32}, {}) is not first
    others: list[object] = []
    thread = threading.Thread(target=lambda: others.append(session_for("company-9", {}, {})))
    thread.start()
    thread.join()
    assert others[0] is not first


def test_no_pin_is_no_pin() -> None:
    assert fingerprint("") == ""
    assert fingerprint("  ") == ""


def test_a_line_that_is_cut_off_says_nothing_about_the_certificate() -> None:
    """A firewall or a restarting server ends the handshake in the middle: the connection must not be paused for it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_hang_up, args=(server,), daemon=True).start()
        wire = Wire(make_session({}, {}), record=lambda call: None)
        with pytest.raises(TryLater):
            wire.send("GET", f"https://127.0.0.1:{server.getsockname()[1]}/", writes=False, deadline=5)


def _hang_up(server: socket.socket) -> None:
    connection, _ = server.accept()
    connection.recv(4096)
    connection.close()


def test_an_answer_that_trickles_does_not_outlast_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_trickle, args=(server,), daemon=True).start()
        wire = Wire(make_session({}, {}), record=lambda call: None)
        started = time.monotonic()
        with pytest.raises(OutcomeUnknown, match=r"no complete answer within 0\.5 seconds"):
            wire.send("POST", f"http://127.0.0.1:{server.getsockname()[1]}/", writes=True, deadline=0.5)
        assert time.monotonic() - started < 2


def _trickle(server: socket.socket) -> None:
    connection, _ = server.accept()
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    with contextlib.suppress(OSError):
        for _ in range(50):
            connection.sendall(b" ")
            time.sleep(0.1)


def test_a_worker_that_stood_still_after_its_last_check_sends_nothing(secure: Secure) -> None:
    time_now = [100.0]

    def stopped_and_woken() -> None:
        time_now[0] += 6.0  # SIGSTOP, and SIGCONT when another worker had taken over

    wire = Wire(
        make_session({"certificate_pin": secure.pin}, {}),
        record=lambda call: None,
        clock=lambda: time_now[0],
    )
    asked = len(secure.asked)
    with pytest.raises(TryLater, match="Nothing was sent"):
        wire.send("POST", secure.url, writes=True, deadline=5, before_sending=stopped_and_woken)
    assert len(secure.asked) == asked


@dataclass
class Mutual:
    """An HTTPS server that lets nobody in without its client certificate."""

    url: str
    server_pem: str
    server_pin: str
    certificate: str
    key: str
    seen: list[str]


def _pem(key: ec.EllipticCurvePrivateKey, passphrase: bytes = b"") -> str:
    encryption = (
        serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    ).decode()


@pytest.fixture(scope="module")
def mutual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mutual]:
    (server_certificate, server_key), (certificate, key) = _self_signed(), _self_signed()
    as_text = [
        each.public_bytes(serialization.Encoding.PEM).decode() for each in (server_certificate, certificate)
    ]
    folder: Path = tmp_path_factory.mktemp("mutual")
    (folder / "server.pem").write_text(as_text[0] + _pem(server_key))
    (folder / "client.pem").write_text(as_text[1])
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown = self.connection.getpeercert(binary_form=True)
            seen.append(hashlib.sha256(shown).hexdigest())
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *args: None  # whoever shows no certificate is cut off
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    context.load_verify_locations(folder / "client.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    pin = hashlib.sha256(server_certificate.public_bytes(serialization.Encoding.DER)).hexdigest()
    url = f"https://127.0.0.1:{server.server_address[1]}"
    yield Mutual(url, as_text[0], pin, as_text[1], _pem(key), seen)
    server.shutdown()
    server.server_close()


def introduce(mutual: Mutual, key: str = "", **settings: str) -> int:
    session = make_session(settings, {"client_key": key} if key else {})
    return Wire(session, record=lambda call: None).send("GET", mutual.url, writes=False, deadline=5).status


@pytest.mark.parametrize("trust", ["authority", "pin", "nobody"])
def test_our_own_certificate_is_shown_however_the_other_side_is_trusted(mutual: Mutual, trust: str) -> None:
    settings = {
        "authority": {"ca_bundle": mutual.server_pem},
        "pin": {"certificate_pin": mutual.server_pin},
        "nobody": {"verify_tls": "no"},
    }[trust]
    assert introduce(mutual, mutual.key, client_certificate=mutual.certificate, **settings) == 200
    certificate = x509.load_pem_x509_certificate(mutual.certificate.encode())
    assert mutual.seen[-1] == hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


def test_without_our_certificate_nobody_lets_us_in(mutual: Mutual) -> None:
    before = len(mutual.seen)
    with pytest.raises((Misconfigured, TryLater)):
        introduce(mutual, ca_bundle=mutual.server_pem)
    assert len(mutual.seen) == before


def test_our_certificate_does_not_switch_off_the_look_at_the_other_one(mutual: Mutual) -> None:
    before = len(mutual.seen)
    with pytest.raises(Misconfigured, match="TLS certificate"):
        introduce(mutual, mutual.key, client_certificate=mutual.certificate)
    with pytest.raises(Misconfigured, match="TLS certificate"):
        introduce(mutual, mutual.key, client_certificate=mutual.certificate, certificate_pin="00" * 32)
    assert len(mutual.seen) == before


def test_a_certificate_without_its_key_is_told(mutual: Mutual) -> None:
    with pytest.raises(Misconfigured, match="private key"):
        make_session({"client_certificate": mutual.certificate}, {})
    with pytest.raises(Misconfigured, match="private key"):
        make_session({}, {"client_key": mutual.key})


def test_a_key_that_cannot_be_read_is_told_and_nobody_is_asked_for_a_passphrase(mutual: Mutual) -> None:
    locked = _pem(ec.generate_private_key(ec.SECP256R1()), b"secret")
    stranger = _pem(ec.generate_private_key(ec.SECP256R1()))
    for key in ("no key", locked, stranger):
        with pytest.raises(Misconfigured, match="without a passphrase"):
            make_session({"client_certificate": mutual.certificate}, {"client_key": key})
