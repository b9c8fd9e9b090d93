"""Calls to one tenant: the shared token, CSRF tokens with their cookies, paging, and errors by name.

A 401 and a 403 come before anything is processed (SAP, "How does CSRF token work": the check runs before the service), so
a write is replayed once after either; the caller's last check is made again before that.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from erp.adapters.sap_s4.answers import S4, content
from erp.adapters.sap_s4.auth import SignIn
from erp.adapters.sap_s4.settings import Settings
from erp.contract.adapter import Opening
from erp.contract.errors import Misconfigured, TryLater
from erp.contract.http import Answer, to_json
from erp.contract.settings import extra_headers

READ_SECONDS = 45.0
MOST_PAGES = 2000
PLAIN = "$'(),/:"  # in a query, as OData writes them
ODATA = "/sap/opu/odata/sap"


@dataclass(frozen=True, slots=True)
class Service:
    """One OData service, and the communication scenario that opens it. Without a root it is SAP's own, V2."""

    name: str
    scenario: str
    root: str = ""

    @property
    def path(self) -> str:
        return self.root or f"{ODATA}/{self.name}"


@dataclass(frozen=True, slots=True)
class _Csrf:
    token: str
    cookies: str


class Gateway:
    """The calls of one opened connection."""

    def __init__(self, opening: Opening, settings: Settings) -> None:
        self._wire = opening.wire
        self._settings = settings
        self._now = opening.now
        self._extra_headers = extra_headers(opening.credentials.get("extra_headers", ""))
        self._csrf: dict[str, _Csrf] = {}  # by service; belongs to this session and to no other thread
        self.sign_in = SignIn(
            connection=opening.connection,
            settings=settings,
            credentials=opening.credentials,
            wire=opening.wire,
            cache=opening.cache,
            headers=lambda: self._extra_headers,
        )

    # --- reading ------------------------------------------------------------------------------------------

    def read(self, service: Service, path: str, params: Mapping[str, str] | None = None) -> Any:
        """One GET of one row or function: what stands under `d`."""
        return self._get(service, f"{service.path}/{path}", {"$format": "json", **(params or {})})

    def read_all(
        self, service: Service, entity_set: str, params: Mapping[str, str] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Every row of a set, page by page.

        :raises Misconfigured: if a page's link leads to another host
        """
        path = f"{service.path}/{entity_set}"
        query: dict[str, str] | None = {"$format": "json", **(params or {})}
        for _ in range(MOST_PAGES):
            page = self._get(service, path, query)
            yield from page.get("results", [])
            link = page.get("__next")
            if not link:
                return
            path, query = self._next(str(link)), None
        raise TryLater(f"{entity_set} of {S4} never ends.")

    def _get(self, service: Service, path: str, params: Mapping[str, str] | None) -> Any:
        # Spaces as %20: not every gateway takes a plus for one.
        query = f"?{urlencode(params, quote_via=quote, safe=PLAIN)}" if params else ""
        answer = self._signed("GET", f"{path}{query}", writes=False, headers=_json_headers())
        told = content(answer, writes=False, scenario=service.scenario)
        return told.get("d", told) if isinstance(told, dict) else {}

    # --- writing ------------------------------------------------------------------------------------------

    def write(
        self,
        service: Service,
        method: str,
        path: str,
        body: Mapping[str, object],
        *,
        before_sending: Callable[[], None],
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """One OData write, sent once: with a CSRF token, its cookies, and the gateway's own idempotency headers.

        Any 403 may be a stale CSRF token: a new one is fetched once; a second 403 is a missing authorisation.

        :raises OutcomeUnknown: it may have been carried out
        """
        repeatability = self._repeatability()
        answer: Answer | None = None
        for _ in range(2):
            csrf = self._csrf.get(service.path) or self.fetch_csrf(service)
            answer = self._signed(
                method,
                f"{service.path}/{path}",
                writes=True,
                body=to_json(body),
                headers={
                    **_json_headers(),
                    **repeatability,
                    **(headers or {}),
                    "X-CSRF-Token": csrf.token,
                    **({"Cookie": csrf.cookies} if csrf.cookies else {}),
                },
                before_sending=before_sending,
            )
            if answer.status != 403:
                break
            self._csrf.pop(service.path, None)
        assert answer is not None
        told = content(answer, writes=True, scenario=service.scenario)
        return told.get("d", told) if isinstance(told, dict) else told

    def post_xml(
        self,
        path: str,
        action: str,
        body: bytes,
        *,
        writes: bool,
        before_sending: Callable[[], None] | None = None,
    ) -> Answer:
        """One SOAP 1.1 call. SOAP services ask for no CSRF token."""
        headers = {
            "Content-Type": "text/xml; charset=utf-8",
            "Accept": "text/xml",
            "SOAPAction": f'"{action}"',
        }
        return self._signed(
            "POST", path, writes=writes, body=body, headers=headers, before_sending=before_sending
        )

    def fetch_csrf(self, service: Service) -> _Csrf:
        """A new CSRF token of a service, with its cookies.

        :raises Misconfigured: if there is none
        """
        headers = {**_json_headers(), "X-CSRF-Token": "Fetch"}
        answer = self._signed("GET", f"{service.path}/", writes=False, headers=headers)
        content(answer, writes=False, scenario=service.scenario)
        token = answer.headers.get("X-CSRF-Token", "")
        if not token:
            raise Misconfigured(f"{S4} gave no CSRF token for {service.name}. Check the API address.")
        found = _Csrf(token, _cookies(answer.headers.get("Set-Cookie", "")))
        self._csrf[service.path] = found
        return found

    def _repeatability(self) -> dict[str, str]:
        """One id for one document and its replays in this call: a later call is another one, because a used id is refused.

        Works where the gateway's idempotency jobs are set up (SAP Help, "Idempotency"); nothing relies on it.
        """
        now = self._now().astimezone(UTC)
        return {"RequestID": uuid.uuid4().hex.upper(), "RepeatabilityCreation": _http_date(now)}

    # --- the way there ------------------------------------------------------------------------------------

    def _signed(
        self,
        method: str,
        path: str,
        *,
        writes: bool,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        before_sending: Callable[[], None] | None = None,
    ) -> Answer:
        """One call with the shared token; after a 401 with a new one, once."""
        answer, authorization = self._once(method, path, writes, body, headers, before_sending)
        if answer.status != 401:
            return answer
        self._csrf.clear()  # a new token is a new session
        self.sign_in.renew(lost=authorization)
        return self._once(method, path, writes, body, headers, before_sending)[0]

    def _once(
        self,
        method: str,
        path: str,
        writes: bool,
        body: bytes,
        headers: Mapping[str, str] | None,
        before_sending: Callable[[], None] | None,
    ) -> tuple[Answer, str]:
        """The answer, and the authorization it was asked with."""
        authorization = self.sign_in.header()  # before the caller's last check: a token takes its time
        answer = self._wire.send(
            method,
            f"{self._settings.root}{path}",
            writes=writes,
            deadline=self._settings.deadline if writes else READ_SECONDS,
            headers={
                **self._extra_headers,
                **(headers or {}),
                **({"Authorization": authorization} if authorization else {}),
            },
            body=body,
            before_sending=before_sending,
        )
        return answer, authorization

    def _next(self, link: str) -> str:
        """The path of the next page on our own host, whatever host a gateway in front wrote into the link."""
        parts = urlsplit(urljoin(f"{self._settings.root}/", link))
        found = parts.path.find(ODATA)
        if found < 0:
            raise Misconfigured(f"{S4} sends us elsewhere for the next page. Check the API address.")
        return f"{parts.path[found:]}?{parts.query}"


def _json_headers() -> dict[str, str]:
    return {"Accept": "application/json", "Content-Type": "application/json"}


def _http_date(moment: datetime) -> str:
    return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")


def _cookies(header: str) -> str:
    """Names and values out of Set-Cookie headers that requests joined with commas; dates hold commas, too."""
    found: dict[str, str] = {}
    for part in header.split(","):
        name, equals, value = part.split(";")[0].strip().partition("=")
        if equals and name and " " not in name:
            found[name] = value
    return "; ".join(f"{name}={value}" for name, value in found.items())
