"""Calls to one Service Layer: the shared session, one replay of a read when it is lost, paging, and errors by name.

A write is never replayed here: it raises `SessionLost`, and the caller looks the document up before it sends again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from erp.adapters.sap_b1.answers import BUSINESS_RULE, SESSION_LOST, SessionLost, complaint_of, content
from erp.adapters.sap_b1.auth import SharedSession
from erp.adapters.sap_b1.settings import Settings
from erp.contract.adapter import Opening
from erp.contract.errors import Misconfigured, Refused, TryLater
from erp.contract.http import Answer, to_json
from erp.contract.settings import extra_headers

READ_SECONDS = 45.0
PAGE = 500
SERVICE_ROOT = re.compile(r".*?/b1s/v\d+/")
MOST_PAGES = 2000
# Needs no authorisation of its own, is small, and changes nothing (a POST because it is a function of the DI API).
CHEAP_READ = "SBOBobService_GetLocalCurrency"


class ServiceLayer:
    """The calls of one opened connection."""

    def __init__(self, opening: Opening, settings: Settings) -> None:
        self._wire = opening.wire
        self._settings = settings
        self._extra_headers = extra_headers(opening.credentials.get("extra_headers", ""))
        self.session = SharedSession(
            connection=opening.connection,
            settings=settings,
            credentials=opening.credentials,
            wire=opening.wire,
            cache=opening.cache,
            headers=self._headers,
            now=opening.now,
        )

    def read(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """One GET. The session is renewed and the read replayed once if it was lost."""
        return self._reading("GET", path, params=params)

    def ask(self, path: str, body: Mapping[str, object] | None = None) -> Any:
        """A POST that only reads, such as `CompanyService_GetAdminInfo`."""
        return self._reading("POST", path, body=to_json(body or {}))

    def read_all(self, entity_set: str, params: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """Every row of a collection, page by page; `params` should order it by its key.

        :raises Misconfigured: if a page's link leads to another host
        """
        path, query = entity_set, params
        for _ in range(MOST_PAGES):
            page = self._reading("GET", path, params=query, headers={"Prefer": f"odata.maxpagesize={PAGE}"})
            yield from page.get("value", [])
            link = page.get("odata.nextLink") or page.get("@odata.nextLink")
            if not link:
                return
            path, query = self._next(link), None
        raise TryLater(f"{entity_set} of SAP Business One never ends.")

    def write(
        self, method: str, path: str, body: Mapping[str, object] | None, *, before_sending: Callable[[], None]
    ) -> Any:
        """One call that changes something, sent once.

        :raises SessionLost: it was not carried out; look up before sending again
        :raises OutcomeUnknown: it may have been carried out
        """
        cookie = self.session.cookie()  # before the caller's last check: a login takes its time
        sent = to_json(body) if body is not None else b""
        answer = self._send(
            method,
            path,
            cookie,
            body=sent,
            writes=True,
            deadline=self._settings.deadline,
            before_sending=before_sending,
        )
        return self._content(answer, cookie, writes=True)

    def _reading(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        for _ in range(2):
            cookie = self.session.cookie()
            answer = self._send(
                method,
                path,
                cookie,
                params=params,
                body=body,
                headers=headers,
                writes=False,
                deadline=READ_SECONDS,
            )
            try:
                return self._content(answer, cookie, writes=False)
            except SessionLost:
                self.session.renew(lost=cookie)
        raise TryLater("SAP Business One keeps losing our session.")

    def _content(self, answer: Answer, cookie: str, *, writes: bool) -> Any:
        try:
            found = content(answer, writes=writes)
        except Refused as error:
            if error.code == str(BUSINESS_RULE) and not self._is_alive(cookie):
                raise SessionLost from error
            raise
        self.session.keep()
        return found

    def _is_alive(self, cookie: str) -> bool:
        """Whether the session lives: -5002 means a refused document far more often than a lost session.

        One cheap authenticated read decides. Anything but "no session" proves that the session is there.
        """
        answer = self._send("POST", CHEAP_READ, cookie, writes=False, deadline=READ_SECONDS, body=b"{}")
        return answer.status != 401 and complaint_of(answer).code not in (SESSION_LOST, BUSINESS_RULE)

    def _send(
        self,
        method: str,
        path: str,
        cookie: str,
        *,
        writes: bool,
        deadline: float,
        params: Mapping[str, str] | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        before_sending: Callable[[], None] | None = None,
    ) -> Answer:
        return self._wire.send(
            method,
            f"{self._settings.service_root}/{path}",
            writes=writes,
            deadline=deadline,
            headers={**self._headers(), **(headers or {}), "Cookie": cookie},
            params=params,
            body=body,
            before_sending=before_sending,
        )

    def _headers(self) -> dict[str, str]:
        return {"Accept": "application/json", "Content-Type": "application/json", **self._extra_headers}

    def _next(self, link: str) -> str:
        """The path of the next page below the root: links come relative, rooted or absolute."""
        root = self._settings.service_root
        url = urljoin(f"{root}/", link)
        if urlsplit(url).netloc != urlsplit(root).netloc:
            raise Misconfigured(
                "SAP Business One sends us to another host for the next page. Check the service address."
            )
        parts = urlsplit(url)
        return f"{_below(urlsplit(root).path, parts.path)}?{parts.query}"


def _below(root: str, path: str) -> str:
    """What a link's path names below the root. Behind a gateway with a prefix of its own, a rooted link has the Service
    Layer's path, not ours; of any other path only the name is taken.
    """
    if path.startswith(f"{root}/"):
        return path.removeprefix(f"{root}/")
    found = SERVICE_ROOT.match(path)
    return path[found.end() :] if found else path.rsplit("/", 1)[-1]
