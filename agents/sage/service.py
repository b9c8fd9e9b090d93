"""The addresses of the Sage 100 agent protocol, version 1."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from werkzeug import Request
from werkzeug.routing import Map, Rule

from agents import PROTOCOL, __version__, keys
from agents.errors import ProtocolError
from agents.sage import querying, writing
from agents.sage.driver import Driver, SageBroken, sage_unavailable
from agents.settings import Access
from agents.store import Store, StoreUnwritable
from agents.web import Answer, JsonRequest

MOST_WAITING = 8


@dataclass
class SageService:
    """Routes to handlers. Writes wait for each other, because Sage's objects are made for one at a time."""

    driver: Driver
    store: Store
    access: Access
    name: str = "Tieout reference agent"
    routes: Map = field(init=False)

    def __post_init__(self) -> None:
        company = "/v1/companies/<company>"
        self.routes = Map(
            [
                Rule("/v1/health", methods=["GET"], endpoint=self.health),
                Rule(f"{company}/query", methods=["POST"], endpoint=self.query),
                Rule(f"{company}/writes", methods=["POST"], endpoint=self.post_write),
                Rule(f"{company}/writes/<write_id>", methods=["GET"], endpoint=self.get_write),
            ],
            strict_slashes=False,
            merge_slashes=False,
        )
        self._waiting = threading.BoundedSemaphore(MOST_WAITING)
        self._turn = threading.Lock()

    def admits(self, request: Request) -> bool:
        """``X-API-Key: <agent key>``."""
        return keys.fits(request.headers.get("X-API-Key", ""), self.access.key_hashes)

    def health(self, request: JsonRequest) -> Answer:
        """Whether Sage answers and the store can be written, and what time it is there."""
        try:
            self.store.check_writable()
            sage, now = self.driver.about(), self.driver.now()
        except StoreUnwritable as error:
            raise sage_unavailable(f"the agent cannot write its own store: {error}") from None
        except SageBroken as error:
            raise sage_unavailable(f"Sage does not answer: {error}") from None
        offset = now.utcoffset()
        assert offset is not None
        return Answer(
            {
                "agent": self.name,
                "version": __version__,
                "protocol": PROTOCOL,
                "sage": sage,
                "companies": list(self.access.companies),
                "utc_offset_minutes": int(offset.total_seconds()) // 60,
                "now": now.isoformat(timespec="seconds"),
            }
        )

    def query(self, request: JsonRequest, company: str) -> Answer:
        """One page of a table."""
        self._check(company)
        try:
            return Answer(querying.run(self.driver, company, request.exact_json()))
        except SageBroken as error:
            raise sage_unavailable(f"Sage does not answer: {error}") from None

    def post_write(self, request: JsonRequest, company: str) -> Answer:
        """Save one record, or repeat the answer it had."""
        self._check(company)
        write = writing.read_write(company, request.exact_json())
        return writing.run(write, self.driver, self.store, self._one_after_the_other)

    def get_write(self, request: JsonRequest, company: str, write_id: str) -> Answer:
        """What became of a write."""
        self._check(company)
        return writing.look(company, write_id, self.store)

    def _check(self, company: str) -> None:
        if company not in self.access.companies:
            raise ProtocolError(403, "company_not_allowed", f"company {company} is not on the allow-list")

    @contextmanager
    def _one_after_the_other(self) -> Iterator[None]:
        if not self._waiting.acquire(blocking=False):
            raise ProtocolError(429, "busy", f"{MOST_WAITING} writes wait already", retry_after=2)
        try:
            with self._turn:
                yield
        finally:
            self._waiting.release()
