"""The session of one company, shared by all workers.

A login is heavy, takes a licence slot, and B1 locks a user after a few bad passwords. So one session serves every
worker (SAP "Working with Service Layer" 1.28, 3.1 and 9): its cookies live in the shared cache, one worker at a time
logs in, and a refused password is not tried again until somebody changes something or presses *Test connection*.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from erp.adapters.sap_b1.answers import NO_SUCH_COMPANY, Complaint, complaint_of
from erp.adapters.sap_b1.settings import Settings
from erp.contract.adapter import SharedCache
from erp.contract.errors import Misconfigured, OutcomeUnknown, TryLater
from erp.contract.http import Answer, Wire, to_json

LOGIN_SECONDS = 30.0
LOCK_SECONDS = 60
REFUSED_SECONDS = 15 * 60
MARGIN_SECONDS = 60  # we forget a session before the Service Layer does
COOKIES = ("B1SESSION", "ROUTEID")


class SharedSession:
    """Cookies of the one session all workers of a connection use."""

    def __init__(
        self,
        *,
        connection: str,
        settings: Settings,
        credentials: Mapping[str, str],
        wire: Wire,
        cache: SharedCache,
        headers: Callable[[], Mapping[str, str]],
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._password = credentials.get("password", "")
        self._wire = wire
        self._cache = cache
        self._headers = headers
        self._now = now
        # Another address, company, user or password is another session.
        who = "\x00".join((settings.base_url, settings.company_db, settings.user_name, self._password))
        self._key = f"sap_b1:session:{connection}:{hashlib.sha256(who.encode()).hexdigest()[:32]}"
        self._used: str | None = None
        self._fresh_until = datetime.min.replace(tzinfo=UTC)

    def cookie(self) -> str:
        """The Cookie header of the living session, logging in if there is none.

        :raises Misconfigured: if the login was refused
        :raises TryLater: if the Service Layer could not be asked
        """
        if self._used is None:
            self._used = self._cached() or self.renew(lost=None)
        return self._used

    def renew(self, *, lost: str | None, despite_refusal: bool = False) -> str:
        """A session other than the `lost` one: another worker's if there is one by now, else a new login."""
        with self._cache.lock(f"{self._key}:login", seconds=LOCK_SECONDS):
            found = self._cached()
            if found is None or found == lost:
                if not despite_refusal:
                    self._refuse_a_known_bad_password()
                found = self._log_in()
        self._used = found
        return found

    def keep(self) -> None:
        """The session was just used, so it lives on at SAP: before half its time is over here, it lives on here too."""
        if self._used is None or self._fresh_until > self._now():
            return
        kept = self._read()
        if kept is not None and kept["cookie"] == self._used:
            self._store(self._used, kept["seconds"])

    def end(self) -> None:
        """Log out, if anybody is logged in. A session that is gone already is as good."""
        cookie, self._used = self._cached(), None
        self._cache.delete(self._key)
        if cookie:
            self._send("Logout", b"", {"Cookie": cookie})

    def _cached(self) -> str | None:
        kept = self._read()
        return kept["cookie"] if kept else None

    def _read(self) -> dict[str, Any] | None:
        text = self._cache.get(self._key)
        kept = json.loads(text) if text else None
        if kept:
            self._fresh_until = datetime.fromisoformat(kept["fresh_until"])
        return kept

    def _store(self, cookie: str, seconds: int) -> None:
        self._fresh_until = self._now() + timedelta(seconds=seconds / 2)
        kept = {"cookie": cookie, "seconds": seconds, "fresh_until": self._fresh_until.isoformat()}
        self._cache.set(self._key, json.dumps(kept), seconds=seconds)

    def _log_in(self) -> str:
        body = {
            "CompanyDB": self._settings.company_db,
            "UserName": self._settings.user_name,
            "Password": self._password,
        }
        answer = self._send("Login", to_json(body), {})
        if not answer.is_success:
            self._refused(answer, complaint_of(answer))
        cookie, minutes = _session_of(answer)
        seconds = max(minutes * 60 - MARGIN_SECONDS, MARGIN_SECONDS)
        self._store(cookie, seconds)
        self._cache.delete(f"{self._key}:refused")
        return cookie

    def _send(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            return self._wire.send(
                "POST",
                f"{self._settings.service_root}/{path}",  # case-sensitive: /login answers 401
                writes=True,
                deadline=LOGIN_SECONDS,
                headers={**self._headers(), **headers},
                body=body,
            )
        except OutcomeUnknown as error:
            # A login nobody heard the answer of costs a licence slot until it times out, nothing else.
            raise TryLater(f"{path} at SAP Business One was not answered.") from error

    def _refused(self, answer: Answer, complaint: Complaint) -> None:
        if answer.status == 429 or (answer.status >= 500 and complaint.code != NO_SUCH_COMPANY):
            raise TryLater(
                f"Login at SAP Business One failed with HTTP {answer.status}.", status=answer.status
            )
        said = f" It says: {complaint.sentence}" if complaint.sentence else ""
        sentence = (
            f"SAP Business One refused the login of {self._settings.user_name} to {self._settings.company_db} "
            f"(HTTP {answer.status}).{said} Correct the user, the password or the company database, then press Test connection."
        )
        about = {"sentence": sentence, "code": str(complaint.code or ""), "status": answer.status}
        self._cache.set(f"{self._key}:refused", json.dumps(about), seconds=REFUSED_SECONDS)
        raise Misconfigured(sentence, code=str(complaint.code or ""), status=answer.status)

    def _refuse_a_known_bad_password(self) -> None:
        known = self._cache.get(f"{self._key}:refused")
        if known:
            about = json.loads(known)
            raise Misconfigured(about["sentence"], code=about["code"], status=about["status"])


def _session_of(answer: Answer) -> tuple[str, int]:
    """The Cookie header and the idle minutes of a login's answer.

    The cookies are kept by hand: B1SESSION has no path and a stray semicolon, and a jar would not send it to other roots.
    """
    try:
        told = answer.json()
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise Misconfigured(
            "The service address answered the login with something that is not the Service Layer's answer."
        )
    found = _cookies(answer.headers.get("Set-Cookie", ""))
    session = found.get("B1SESSION") or str(told.get("SessionId") or "")
    if not session:
        raise Misconfigured("SAP Business One answered the login without a session.")
    cookies = [f"B1SESSION={session}", *(f"{name}={found[name]}" for name in COOKIES[1:] if found.get(name))]
    minutes = told.get("SessionTimeout")
    return "; ".join(cookies), minutes if isinstance(minutes, int) and minutes > 0 else 30


def _cookies(header: str) -> dict[str, str]:
    """Names and values out of Set-Cookie headers that requests joined with commas."""
    pairs = (part.split(";")[0].strip().partition("=") for part in header.split(","))
    return {name: value for name, _, value in pairs if name in COOKIES and value}
