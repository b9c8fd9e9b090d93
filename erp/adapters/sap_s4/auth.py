"""Signing in: OAuth 2.0 client credentials with one token for all workers, Basic, or the connection's client certificate.

A token is kept in the shared cache until shortly before it ends. The tenant says how long that is (`expires_in`): 3600
seconds by default on AS ABAP, about twelve hours on BTP; nothing here assumes either. After refused credentials nobody
tries again for a while: SAP locks a user after a few bad passwords.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from erp.adapters.sap_s4.settings import Settings
from erp.contract.adapter import SharedCache
from erp.contract.errors import Misconfigured, OutcomeUnknown, TryLater
from erp.contract.http import Answer, Wire

TOKEN_CALL_SECONDS = 30.0
LOCK_SECONDS = 60
REFUSED_SECONDS = 15 * 60
MARGIN_SECONDS = 60  # at most; a tenth of a short life


class SignIn:
    """The `Authorization` header of one connection."""

    def __init__(
        self,
        *,
        connection: str,
        settings: Settings,
        credentials: Mapping[str, str],
        wire: Wire,
        cache: SharedCache,
        headers: Callable[[], Mapping[str, str]],
    ) -> None:
        self._settings = settings
        self._secret = credentials.get("client_secret", "")
        self._wire = wire
        self._cache = cache
        self._headers = headers
        # Another address, client or secret is another token.
        who = "\x00".join((settings.base_url, settings.token_url, settings.client_id, self._secret))
        self._key = f"sap_s4:token:{connection}:{hashlib.sha256(who.encode()).hexdigest()[:32]}"
        self._used: str | None = None

    def header(self) -> str:
        """The header of a living token, asking for one if there is none; empty where a client certificate speaks for us.

        :raises Misconfigured: if the credentials were refused
        :raises TryLater: if the token address could not be asked
        """
        if self._settings.authentication == "certificate":
            return ""  # the connection itself shows who we are
        if self._settings.authentication == "basic":
            self._stop_at_known_bad_credentials()
            return self._basic()
        if self._used is None:
            self._used = self._cache.get(self._key) or self.renew(lost=None)
        return self._used

    def renew(self, *, lost: str | None) -> str:
        """A token other than the `lost` one: another worker's if there is one by now, else a new one."""
        if self._settings.authentication != "oauth":
            raise self._refused(401, "")
        with self._cache.lock(f"{self._key}:asking", seconds=LOCK_SECONDS):
            found = self._cache.get(self._key)
            if found is None or found == lost:
                self._stop_at_known_bad_credentials()
                found = self._ask()
        self._used = found
        return found

    def try_again(self) -> None:
        """Forget that the credentials were refused, and the token: a person wants to know now."""
        self._cache.delete(f"{self._key}:refused")
        self.forget()

    def forget(self) -> None:
        """Drop the token."""
        self._cache.delete(self._key)
        self._used = None

    def _ask(self) -> str:
        body = urlencode({"grant_type": "client_credentials"}).encode()
        headers = {
            **self._headers(),
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
            "Authorization": self._basic(),
        }
        try:
            answer = self._wire.send(
                "POST",
                self._settings.token_address,
                writes=True,
                deadline=TOKEN_CALL_SECONDS,
                headers=headers,
                body=body,
            )
        except OutcomeUnknown as error:
            raise TryLater("The token of SAP S/4HANA was not answered.") from error
        told = _json_of(answer)
        token = str(told.get("access_token") or "")
        if not answer.is_success or not token:
            raise self._refused(answer.status, str(told.get("error_description") or told.get("error") or ""))
        self._cache.delete(f"{self._key}:refused")
        header = f"Bearer {token}"
        self._cache.set(self._key, header, seconds=self._lives(told))
        return header

    def _lives(self, told: Mapping[str, Any]) -> int:
        """For how many seconds the token is used: its life less a margin."""
        said = str(told.get("expires_in") or "")
        whole = int(said) if said.isdigit() and int(said) > 0 else self._settings.token_seconds
        return max(1, whole - min(MARGIN_SECONDS, whole // 10))

    def _basic(self) -> str:
        pair = f"{self._settings.client_id}:{self._secret}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"

    def _refused(self, status: int, said: str) -> Misconfigured | TryLater:
        if status == 429 or status >= 500:
            return TryLater(f"The token address of SAP S/4HANA answered with HTTP {status}.", status=status)
        quoted = f" It says: {said[:300]}" if said else ""
        sentence = (
            f"SAP S/4HANA refused the sign-in of {self._settings.signed_in} (HTTP {status}).{quoted} "
            "Correct the client ID and secret, the communication user and its password, or its certificate; then press Test connection."
        )
        self._cache.set(f"{self._key}:refused", sentence, seconds=REFUSED_SECONDS)
        return Misconfigured(sentence, status=status)

    def _stop_at_known_bad_credentials(self) -> None:
        known = self._cache.get(f"{self._key}:refused")
        if known:
            raise Misconfigured(known)


def _json_of(answer: Answer) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        told = None
    return told if isinstance(told, dict) else {}
