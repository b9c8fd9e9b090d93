"""A company on a sandbox Service Layer, opened over real HTTP without Django: what the adapter's tests work with."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import requests

from erp.adapters.sap_b1.spec import SPEC
from erp.contract.adapter import Adapter, Opening
from erp.contract.facts import FactsNeeded, LedgerFacts
from erp.contract.http import Call, Wire
from sandbox.service_layer import Company, ServiceLayer
from sandbox.wire import Server, serve
from tests.erp.memory_cache import MemoryCache

SETTINGS = {
    "company_db": "SBODEMO",
    "user_name": "manager",
    "service_item": "FEE",
    "exempt_tax_code": "EX",
    "reference_field": "NumAtCard",
    "payment_reference_field": "U_TieoutRef",
    "partner_marker_field": "U_TieoutRef",
    "tax_field": "TaxCode",
}
VAT_SETTINGS = {**SETTINGS, "tax_field": "VatGroup", "exempt_tax_code": "S0"}
CREDENTIALS = {"password": "sandbox"}


@dataclass(repr=False)
class B1:
    """A running sandbox with one company, and adapters opened on it."""

    service: ServiceLayer
    server: Server
    settings: dict[str, str]
    version: str = "v1"
    cache: MemoryCache = field(default_factory=MemoryCache)
    calls: list[Call] = field(default_factory=list)
    later: timedelta = timedelta(0)  # how far our clock has run on

    @property
    def company(self) -> Company:
        return self.service.company()

    def opening(
        self, settings: Mapping[str, str] | None = None, credentials: Mapping[str, str] | None = None
    ) -> Opening:
        given = {
            "base_url": f"{self.server.url}{self.service.prefix}/b1s/{self.version}",
            **self.settings,
            **(settings or {}),
        }
        return Opening(
            connection="company-1",
            settings=given,
            credentials={**CREDENTIALS, **(credentials or {})},
            wire=Wire(requests.Session(), record=self.calls.append, correlation_id="test"),
            cache=self.cache,
            now=lambda: datetime.now(tz=UTC) + self.later,
        )

    def open(self, settings: Mapping[str, str] | None = None, **credentials: str) -> Adapter:
        return SPEC.open(self.opening(settings, credentials))

    def facts(self, **needed: Any) -> LedgerFacts:
        wanted = FactsNeeded(items=frozenset(row["ItemCode"] for row in self.company.rows("Items")), **needed)
        return self.open().facts(wanted)

    def sent(self, start: int = 0) -> list[str]:
        """What went over the wire since call `start`: `POST /Invoices`."""
        return [f"{c.method} /{c.url.split('/b1s/v1/', 1)[-1].split('?')[0]}" for c in self.calls[start:]]


@contextmanager
def running(
    settings: Mapping[str, str] | None = None,
    *,
    localisation: str = "US",
    currency: str = "USD",
    **options: Any,
) -> Iterator[B1]:
    """A sandbox with the default company and our user fields, stopped at the end.

    :param options: switches of the company
    """
    company = Company.default("SBODEMO", currency=currency, localisation=localisation, **options)
    for table in ("OINV", "ORCT", "OCRD"):
        company.add_user_field(table, "TieoutRef", length=50)
    service = ServiceLayer([company])
    base = SETTINGS if localisation == "US" else VAT_SETTINGS
    with serve(service) as server:
        yield B1(service=service, server=server, settings={**base, **(settings or {})})


def today() -> date:
    """The day documents are posted on in these tests."""
    return datetime.now(tz=UTC).date()


def wait_until(condition: Any, *, seconds: float = 10) -> None:
    """Wait for something another thread does."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.01)
