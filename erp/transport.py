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
from typing import Any

import requests
from django.conf import settings as django_settings

from erp.contract.errors import Misconfigured
from erp.contract.http import private_session
from erp.contract.outbound import GuardedAdapter, Reach

_sessions = threading.local()
MOST_SESSIONS = 64  # per thread; the oldest makes room
_PIN = re.compile(r"[0-9a-f]{64}")


class PrivateTls(GuardedAdapter):
    """Trusts a given authority, or exactly one certificate, instead of the public authorities."""

    def __init__(self, reach: Reach, *, ca_bundle: str = "", pin: str = "") -> None:
        self._context = ssl.create_default_context(cadata=ca_bundle) if ca_bundle else None
        self._pin = pin
        super().__init__(reach)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The TLS side of a connection: requests calls this for every request."""
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        if self._context is not None:
            pool = {"ssl_context": self._context}
        if self._pin:
            # The fingerprint proves the certificate itself; its issuer and names need no further proof.
            pool = {"assert_fingerprint": self._pin, "cert_reqs": "CERT_NONE", "assert_hostname": False}
        return host, pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Nothing: requests would put the public authorities back."""


def session_for(
    connection: str, settings: Mapping[str, str], credentials: Mapping[str, str]
) -> requests.Session:
    """This thread's session for a connection; a new one after its settings changed.

    :raises Misconfigured: if the certificate authority or the pin cannot be read
    """
    shape = tuple(
        hashlib.sha256(value.encode()).hexdigest()
        for value in (
            settings.get("ca_bundle", ""),
            settings.get("certificate_pin", ""),
            settings.get("verify_tls", "yes"),
            settings.get("private_network", "no"),
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
    if settings.get("verify_tls", "yes") == "no" and not pin:
        session.verify = False
    elif ca_bundle or pin:
        session.mount("https://", _private(reach, ca_bundle, pin))
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


def _private(reach: Reach, ca_bundle: str, pin: str) -> PrivateTls:
    try:
        return PrivateTls(reach, ca_bundle=ca_bundle, pin=pin)
    except (ssl.SSLError, ValueError) as error:
        raise Misconfigured(
            "The CA certificates of the connection cannot be read. Paste them as PEM, from BEGIN to END CERTIFICATE."
        ) from error
