"""HTTP sessions to one ERP company: its certificate authority or pin, its proxy, and no cookie jar.

One `requests.Session` per thread and connection is kept as long as its settings stay the same: it keeps connections
open, and requests' sessions are not safe to share between threads.
"""

from __future__ import annotations

import hashlib
import re
import ssl
import threading
from collections.abc import Mapping
from tempfile import NamedTemporaryFile
from typing import Any

import requests
from django.conf import settings as django_settings
from requests.certs import where

from erp.contract.errors import Misconfigured
from erp.contract.http import private_session
from erp.contract.outbound import GuardedAdapter, Reach

_sessions = threading.local()
MOST_SESSIONS = 64  # per thread; the oldest makes room
_PIN = re.compile(r"[0-9a-f]{64}")


class PrivateTls(GuardedAdapter):
    """Trusts a given authority, exactly one certificate, or anybody, instead of the public authorities; may show a certificate itself.

    :param identity: our own certificate and its key, as PEM
    """

    def __init__(
        self,
        reach: Reach,
        *,
        ca_bundle: str = "",
        pin: str = "",
        verifies: bool = True,
        identity: tuple[str, str] | None = None,
    ) -> None:
        self._context = _context(ca_bundle, identity) if ca_bundle or identity else None
        self._needs_no_authority = bool(pin) or not verifies
        if self._context is not None and self._needs_no_authority:
            # A fingerprint proves the certificate itself; its issuer and names need no further proof.
            self._context.check_hostname = False
            self._context.verify_mode = ssl.CERT_NONE
        self._pin = pin
        super().__init__(reach)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The TLS side of a connection: requests calls this for every request."""
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        pool: dict[str, Any] = {"ssl_context": self._context} if self._context is not None else {}
        if self._needs_no_authority:
            pinned = {"assert_fingerprint": self._pin} if self._pin else {}
            pool |= {**pinned, "cert_reqs": "CERT_NONE", "assert_hostname": False}
        return host, pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Nothing: requests would put the public authorities back."""


def session_for(
    connection: str, settings: Mapping[str, str], credentials: Mapping[str, str]
) -> requests.Session:
    """This thread's session for a connection; a new one after its settings changed.

    :raises Misconfigured: if the certificate authority, the pin or our own certificate cannot be read
    """
    shape = tuple(
        hashlib.sha256(value.encode()).hexdigest()
        for value in (
            settings.get("ca_bundle", ""),
            settings.get("certificate_pin", ""),
            settings.get("verify_tls", "yes"),
            settings.get("private_network", "no"),
            settings.get("client_certificate", ""),
            credentials.get("client_key", ""),
            credentials.get("proxy", ""),
        )
    )
    kept: dict[str, tuple[tuple[str, ...], requests.Session]] = _sessions.__dict__.setdefault("kept", {})
    known = kept.get(connection)
    if known is not None and known[0] == shape:
        return known[1]
    if known is not None:
        known[1].close()
    if len(kept) >= MOST_SESSIONS:
        kept.pop(next(iter(kept)))[1].close()
    session = make_session(settings, credentials)
    kept[connection] = (shape, session)
    return session


def make_session(settings: Mapping[str, str], credentials: Mapping[str, str]) -> requests.Session:
    """A private session with the connection's reach, TLS and proxy."""
    reach = Reach(
        private=settings.get("private_network", "no") == "yes", loopback=django_settings.TIEOUT_ALLOW_LOOPBACK
    )
    session = private_session(reach)
    ca_bundle, pin = settings.get("ca_bundle", "").strip(), fingerprint(settings.get("certificate_pin", ""))
    verifies = settings.get("verify_tls", "yes") != "no" or bool(pin)
    identity = _identity(settings, credentials)
    session.verify = verifies
    if identity or (verifies and (ca_bundle or pin)):
        tls = _private(reach, ca_bundle=ca_bundle, pin=pin, verifies=verifies, identity=identity)
        session.mount("https://", tls)
    proxy = credentials.get("proxy", "").strip()
    if proxy:
        session.proxies = {"http": proxy, "https": proxy}
    return session


def fingerprint(text: str) -> str:
    """A SHA-256 fingerprint as 64 hexadecimal digits, from any usual spelling; "" from nothing.

    :raises Misconfigured: if it is not one
    """
    digits = text.strip().lower().removeprefix("sha256").lstrip(":/ ").replace(":", "").replace(" ", "")
    if not digits:
        return ""
    if not _PIN.fullmatch(digits):
        raise Misconfigured("The certificate fingerprint must be 64 hexadecimal digits (SHA-256).")
    return digits


def _identity(settings: Mapping[str, str], credentials: Mapping[str, str]) -> tuple[str, str] | None:
    """Our own certificate and its key, where the connection has them."""
    certificate, key = (
        settings.get("client_certificate", "").strip(),
        credentials.get("client_key", "").strip(),
    )
    if bool(certificate) != bool(key):
        raise Misconfigured(
            "A client certificate needs its private key, and a key its certificate. Enter both as PEM."
        )
    return (certificate, key) if certificate else None


def _private(reach: Reach, **options: Any) -> PrivateTls:
    try:
        return PrivateTls(reach, **options)
    except (ssl.SSLError, ValueError) as error:
        raise Misconfigured(
            "The CA certificates or the client certificate of the connection cannot be read. Paste them as PEM, from BEGIN to END, "
            "the key without a passphrase."
        ) from error


def _context(ca_bundle: str, identity: tuple[str, str] | None) -> ssl.SSLContext:
    """What a connection trusts and shows. Python reads a key from a file only: it is there for that moment, readable by us alone."""
    context = (
        ssl.create_default_context(cadata=ca_bundle)
        if ca_bundle
        else ssl.create_default_context(cafile=where())
    )
    if identity:
        with NamedTemporaryFile(mode="w", suffix=".pem") as file:
            file.write("\n".join(identity))
            file.flush()
            context.load_cert_chain(file.name, password=_no_passphrase)
    return context


def _no_passphrase() -> str:
    """Instead of asking at a terminal."""
    raise ValueError("the key is encrypted")
