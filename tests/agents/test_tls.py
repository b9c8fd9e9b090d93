"""TLS of the agent: its own certificate, callers' certificates, and callers who say nothing."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agents.__main__ import main
from agents.serving import tls_of
from agents.settings import read
from tests.agents.running import KEY, Agent, rfc_agent


class Authority:
    """A private authority that signs certificates into a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        extension = x509.BasicConstraints(ca=True, path_length=0)
        certificate = self._builder(self._name, self._key).add_extension(extension, critical=True)
        self.path = folder / f"{name}.pem"
        self._write(self.path, certificate)

    def certify(self, name: str) -> Path:
        """A PEM file with a certificate for 127.0.0.1, and its key behind it."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        path = self._folder / f"{name}.pem"
        self._write(path, self._builder(subject, key).add_extension(address, critical=False))
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(path.read_bytes() + private)
        return path

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
        )

    def _write(self, path: Path, builder: x509.CertificateBuilder) -> None:
        path.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


class Secured:
    """An agent with TLS, its authority, and one for callers."""

    def __init__(self, folder: Path, *, callers_certified: bool) -> None:
        self.servers, self.callers = Authority(folder, "servers"), Authority(folder, "callers")
        own = self.servers.certify("agent").name
        listen = f'port = 0\ncertificate = "{own}"\nprivate_key = "{own}"'
        if callers_certified:
            listen += '\nclient_ca = "callers.pem"'
        self.agent: Agent = rfc_agent(folder, listen=listen)

    def health(self, **how: object) -> requests.Response:
        headers = {"Authorization": f"Bearer {KEY}"}
        return requests.get(
            f"{self.agent.url}/v1/health", headers=headers, verify=self.servers.path, timeout=10, **how
        )


@pytest.fixture(scope="module", params=[False, True], ids=["any caller", "certified callers"])
def secured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    made = Secured(tmp_path_factory.mktemp("tls"), callers_certified=request.param)
    made.certified = request.param
    try:
        made.agent.start()
        yield made
    finally:
        made.agent.close()


def test_a_caller_checks_the_agents_certificate(secured: Secured):
    own = secured.callers.certify("tieout")
    assert secured.health(cert=str(own)).status_code == 200
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{secured.agent.url}/v1/health", cert=str(own), timeout=10)


def test_where_callers_are_certified_nobody_else_gets_a_word(secured: Secured, tmp_path: Path):
    foreign = Authority(tmp_path, "foreign").certify("stranger")
    if not secured.certified:
        assert secured.health().status_code == 200
        return
    for certificate in (None, str(foreign)):
        with pytest.raises(requests.exceptions.ConnectionError):
            secured.health(cert=certificate)


def test_without_tls_there_is_no_answer(secured: Secured):
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(secured.agent.url.replace("https", "http"), timeout=10)


def test_nothing_older_than_tls_1_2_is_spoken(secured: Secured):
    settings = read(secured.agent.folder / "agent.toml")
    assert tls_of(settings, settings.listen).minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_caller_who_never_shakes_hands_keeps_nobody_waiting(secured: Secured):
    host, port = secured.agent.url.removeprefix("https://").split(":")
    own = str(secured.callers.certify("tieout"))
    with socket.create_connection((host, int(port))):
        assert secured.health(cert=own).status_code == 200


def test_the_conformance_kit_speaks_tls_with_a_certificate_of_its_own(secured: Secured, monkeypatch, capsys):
    monkeypatch.setenv("TIEOUT_AGENT_KEY", KEY)
    own = secured.callers.certify("tieout")
    options = ["--ca", str(secured.servers.path), "--certificate", str(own), "--only", "/v1/health names"]
    options += ["--read-table", "KNA1"]
    assert main(["certify", "rfc", secured.agent.url, *options]) == 0
    assert "1 ok, 0 failed" in capsys.readouterr().out
