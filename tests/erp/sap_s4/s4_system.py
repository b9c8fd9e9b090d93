"""A company code on a sandbox S/4HANA, opened over real HTTP without Django: what the adapter's tests work with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import requests

from erp.adapters.sap_s4.spec import SPEC
from erp.contract.adapter import Adapter, Opening
from erp.contract.documents import (
    DocumentKind,
    DocumentLine,
    MoneyDocument,
    PartnerDocument,
    SalesDocument,
    Use,
)
from erp.contract.facts import FactsNeeded, LedgerFacts
from erp.contract.http import Call, Wire
from erp.contract.order import Address
from sandbox.s4hana import S4Hana
from sandbox.wire import Server, serve
from tests.erp.memory_cache import MemoryCache

SETTINGS = {
    "company_code": "1710",
    "client_id": "sb-tieout",
    "posting_user": "CC0000000002",
    "reconciliation_account": "12100000",
    "partner_grouping": "BP02",
    "sales_organization": "1710",
    "distribution_channel": "10",
    "division": "00",
    "service_material": "SERVICE",
    "exempt_material": "SERVICE-EX",
    "tax_codes": "O0 0 - No tax\nO1 8.25 - Sales tax\nO2 20 - VAT 20 %",
}
# Posting through a service of the customer's own, as the sandbox has one.
WRAPPED = {
    "poster": "odata",
    "odata_root": "/sap/opu/odata/sap/ZTIEOUT_JOURNAL_SRV",
    "odata_set": "JournalEntrySet",
    "odata_fields": "Item = to_Items\nDebtorItem = to_Customers\nProductTaxItem = to_Taxes\nAmountInTransactionCurrency = Amount\n"
    "DebitCreditCode = -",
}
CREDENTIALS = {"client_secret": "sandbox"}
GUEST = "17100001"
JOURNAL_PATH = "/journalentrycreaterequestconfi"


@dataclass(repr=False)
class S4:
    """A running sandbox, and adapters opened on it."""

    system: S4Hana
    server: Server
    settings: dict[str, str]
    cache: MemoryCache = field(default_factory=MemoryCache)
    calls: list[Call] = field(default_factory=list)
    later: timedelta = timedelta(0)  # how far our clock has run on

    def opening(
        self, settings: Mapping[str, str] | None = None, credentials: Mapping[str, str] | None = None
    ) -> Opening:
        return Opening(
            connection="company-1",
            settings={"base_url": self.server.url, **self.settings, **(settings or {})},
            credentials={**CREDENTIALS, **(credentials or {})},
            wire=Wire(requests.Session(), record=self.calls.append, correlation_id="test"),
            cache=self.cache,
            now=lambda: datetime.now(tz=UTC) + self.later,
        )

    def open(self, settings: Mapping[str, str] | None = None, **credentials: str) -> Adapter:
        return SPEC.open(self.opening(settings, credentials))

    def facts(self, **needed: Any) -> LedgerFacts:
        return self.open().facts(FactsNeeded(**needed))

    def sent(self, start: int = 0) -> list[str]:
        """What went over the wire since call `start`: `POST journalentrycreaterequestconfi`."""
        return [f"{c.method} {c.url.split('?')[0].rsplit('/', 1)[-1]}" for c in self.calls[start:]]


@contextmanager
def running(settings: Mapping[str, str] | None = None, **options: Any) -> Iterator[S4]:
    """A sandbox with the usual company code, stopped at the end.

    :param options: of the sandbox system
    """
    system = S4Hana(**options)
    with serve(system) as server:
        yield S4(system=system, server=server, settings={**SETTINGS, **(settings or {})})


def today() -> date:
    """The day documents are posted on in these tests."""
    return datetime.now(tz=UTC).date()


HOME = Address(
    first_name="Ada",
    last_name="Lovelace",
    street="12 Main St",
    city="Austin",
    state="TX",
    zip_code="78701",
    country_code="US",
)


def customer(reference: str, **changes: Any) -> PartnerDocument:
    """A registered customer."""
    usual: dict[str, Any] = {
        "reference": reference,
        "code": reference,
        "name": "Ada Lovelace",
        "email": "ada@example.com",
        "phone": "5125550100",
        "billing": HOME,
        "shipping": (HOME,),
    }
    return PartnerDocument(**{**usual, **changes})


def sale(kind: DocumentKind, reference: str, **changes: Any) -> SalesDocument:
    """Goods, shipping and a discount, in US dollars: 8.25 percent tax. On a sales order the goods are a material."""
    hat: dict[str, Any] = {"item": "HAT"} if kind is DocumentKind.SALES_ORDER else {}
    lines = (
        _line("line:1", Use.GOODS, "Hat, blue", "10.00", "0.83", "41000000", "O1", cost_center="WEB", **hat),
        _line("shipping", Use.SHIPPING, "UPS Ground", "5.00", "0.41", "41001000", "O1"),
        _line("discount", Use.DISCOUNT, "SAVE1", "-1.00", "0.00", "44000000", "O0"),
    )
    day = today()
    usual: dict[str, Any] = {
        "kind": kind,
        "reference": reference,
        "partner": GUEST,
        "currency": "USD",
        "posting_date": day,
        "document_date": day,
        "due_date": day,
        "lines": lines,
        "total": Decimal("15.24"),
        "tax": Decimal("1.24"),
        "billing": HOME,
        "shipping": HOME,
        "memo": "Order 1001",
        "store_order": "1001",
    }
    return SalesDocument(**{**usual, **changes})


def _line(
    key: str, use: Use, text: str, net: str, tax: str, account: str, code: str, **more: Any
) -> DocumentLine:
    return DocumentLine(
        key=key,
        use=use,
        text=text,
        quantity=Decimal(1),
        net=Decimal(net),
        tax=Decimal(tax),
        account=account,
        tax_code=code,
        **more,
    )


def money(kind: DocumentKind, reference: str, **changes: Any) -> MoneyDocument:
    """The captured total of that sale, or its pay-out."""
    usual: dict[str, Any] = {
        "kind": kind,
        "reference": reference,
        "partner": GUEST,
        "currency": "USD",
        "amount": Decimal("15.24"),
        "account": "11001000",
        "posting_date": today(),
        "method": "card",
        "tender": "pi_1",
        "memo": "Order 1001",
        "store_order": "1001",
    }
    return MoneyDocument(**{**usual, **changes})
