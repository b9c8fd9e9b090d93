"""Login sessions: one B1SESSION per login, idle expiry, a limited number, lock-out after bad passwords."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.service_layer import errors
from sandbox.service_layer.company import Company


@dataclass(slots=True, kw_only=True)
class Session:
    key: str
    company: Company
    user: str
    route: str
    last_used: datetime


class Sessions:
    """The sessions of one Service Layer. `timeout` is the idle time, in minutes."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        timeout: int = 30,
        limit: int | None = None,
        bad_logins: int = 5,
    ) -> None:
        self.clock = clock
        self.timeout = timeout
        self.limit = limit
        self.bad_logins = bad_logins
        self.logins = 0  # successful ones, ever: a login is "a heavy job" and tests count them
        self._open: dict[str, Session] = {}
        self._failures: dict[tuple[str, str], int] = {}

    def __len__(self) -> int:
        self._expire()
        return len(self._open)

    def log_in(self, company: Company | None, database: str, user: str, password: str) -> Session:
        """Open a session.

        :raises B1Error: for an unknown company, a wrong password, a locked user, or too many sessions
        """
        if company is None:
            raise errors.B1Error(100000027, "Switch company error: -5027", status=400)
        if self._failures.get((database, user), 0) >= self.bad_logins:
            raise errors.B1Error(-131, "User account is locked. Contact system administrator.", status=401)
        if user not in company.users or company.users[user] != password:
            self._failures[database, user] = self._failures.get((database, user), 0) + 1
            raise errors.B1Error(-304, "Fail to get DB Credentials from SLD", status=401)
        self._failures.pop((database, user), None)
        self._expire()
        if self.limit is not None and len(self._open) >= self.limit:
            raise errors.B1Error(-3101, "The maximum number of sessions has been reached", status=503)
        return self._start(company, user)

    def _start(self, company: Company, user: str) -> Session:
        self.logins += 1
        session = Session(
            key=secrets.token_urlsafe(24),
            company=company,
            user=user,
            route=f".node{self.logins % 4}",
            last_used=self.clock(),
        )
        self._open[session.key] = session
        return session

    def find(self, key: str | None) -> Session:
        """The living session of a request; finding it renews it.

        :raises B1Error: 301 if there is none
        """
        self._expire()
        session = self._open.get(key or "")
        if session is None:
            raise errors.session_lost()
        session.last_used = self.clock()
        return session

    def log_out(self, key: str | None) -> None:
        self._open.pop(key or "", None)

    def lose(self, company: Company | None = None) -> None:
        """Forget all sessions, or those of one company, as a restarted node does."""
        for key, session in list(self._open.items()):
            if company is None or session.company is company:
                del self._open[key]

    def unlock(self) -> None:
        """Forget failed logins."""
        self._failures.clear()

    def _expire(self) -> None:
        oldest = self.clock() - timedelta(minutes=self.timeout)
        for key, session in list(self._open.items()):
            if session.last_used < oldest:
                del self._open[key]
