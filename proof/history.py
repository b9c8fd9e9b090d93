"""The whole history as plain data: what the store told, what we kept, what the ERP holds. SQL and the sandbox's books, no product code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

import psycopg

from sandbox.bigcommerce import Store
from sandbox.service_layer import Company

ZERO = Decimal(0)
SALES = {
    "Invoices": "invoice",
    "CreditNotes": "credit_memo",
    "DownPayments": "down_payment",
    "Orders": "sales_order",
}
MONEY = {"IncomingPayments": "payment", "VendorPayments": "payout"}
DRAFTS = ("Drafts", "PaymentDrafts")


class Sides(Protocol):
    """What stands on both sides of one tenant."""

    @property
    def store(self) -> Store: ...

    @property
    def store_key(self) -> str: ...

    @property
    def company(self) -> Company: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One webhook of the store. `record`: (kind, id) of what it is about; None where we follow no such record."""

    store: str
    key: str
    record: tuple[str, str] | None
    acknowledged_at: float | None  # sandbox seconds of the first 2xx


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One row of the posting table."""

    store: str
    record: tuple[str, str]
    status: str
    reason: str = ""
    is_due: bool = False
    is_leased: bool = False
    wanted: int = 1
    done: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One row of the document table: what we believe the ERP holds."""

    store: str
    record: tuple[str, str]
    company: str
    reference: str
    kind: str
    state: str
    erp_key: str = ""
    total: Decimal | None = None
    tax: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One document in the ERP's books, in its own currency. Cancelled documents and cancellations do not count."""

    company: str
    kind: str
    key: str
    reference: str
    total: Decimal
    tax: Decimal | None = None
    is_draft: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """What the store says an order comes to now, and what of it was given back."""

    store: str
    record: tuple[str, str]
    total: Decimal
    tax: Decimal
    refunded: Decimal = ZERO
    refunded_tax: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Everything. `lost_between`: sandbox seconds of a backup and of its being put back; events in between may be gone, records not."""

    deliveries: tuple[Delivery, ...] = ()
    events: frozenset[tuple[str, str]] = frozenset()  # (store, delivery key)
    postings: tuple[Posting, ...] = ()
    documents: tuple[Document, ...] = ()
    entries: tuple[Entry, ...] = ()
    sold: tuple[Sold, ...] = ()
    lost_between: tuple[float, float] | None = None
    prefixes: dict[str, str] = field(default_factory=dict)  # company -> how our references in it begin


def read_history(
    connection: psycopg.Connection[Any],
    tenants: Sequence[Sides],
    *,
    lost_between: tuple[float, float] | None = None,
) -> History:
    """Read all three sides. Nothing may be under way, or they do not agree."""
    return History(
        deliveries=tuple(d for tenant in tenants for d in _deliveries(tenant.store)),
        events=frozenset(
            (store, key)
            for store, key in connection.execute(
                "SELECT s.store_hash, e.delivery_key FROM sync_event e JOIN storefront_store s ON s.id = e.store_id"
            )
        ),
        postings=tuple(_postings(connection)),
        documents=tuple(_documents(connection)),
        entries=tuple(entry for tenant in tenants for entry in _entries(tenant.company)),
        sold=tuple(s for tenant in tenants for s in _sold(tenant.store)),
        lost_between=lost_between,
        prefixes={tenant.company.database: f"{tenant.store_key}-" for tenant in tenants},
    )


def _deliveries(store: Store) -> Iterator[Delivery]:
    for row in store.hooks.deliveries():
        good = [one["at"] for one in row["tries"] if 200 <= one["status"] < 300]
        yield Delivery(
            store=store.hash,
            key=f"id:{row['webhook_id']}",
            record=_record_of(json.loads(row["body"])),
            acknowledged_at=float(min(good)) if good else None,
        )


def _record_of(body: dict[str, Any]) -> tuple[str, str] | None:
    """The order or customer a webhook is about, read from its body without the product's help."""
    data, scope = body["data"], body["scope"]
    if scope.startswith("store/customer/address/"):
        return ("customer", str(data["address"]["customer_id"]))
    if scope.startswith("store/customer/"):
        return ("customer", str(data["id"]))
    if scope.startswith("store/order/"):
        return ("order", str(data.get("order_id") or data["id"]))
    return None


def _postings(connection: psycopg.Connection[Any]) -> Iterator[Posting]:
    query = """
        SELECT s.store_hash, p.record_kind, p.record_id, p.status, p.reason, p.due_at IS NOT NULL,
               coalesce(p.lease_until > now(), false), p.wanted_version, p.done_version
        FROM sync_posting p JOIN sync_pipeline l ON l.id = p.pipeline_id JOIN storefront_store s ON s.id = l.store_id
        ORDER BY p.id"""
    for store, kind, number, status, reason, due, leased, wanted, done in connection.execute(query):
        yield Posting(
            store=store,
            record=(kind, number),
            status=status,
            reason=reason,
            is_due=due,
            is_leased=leased,
            wanted=wanted,
            done=done,
        )


def _documents(connection: psycopg.Connection[Any]) -> Iterator[Document]:
    query = """
        SELECT s.store_hash, p.record_kind, p.record_id, c.settings ->> 'company_db', d.reference, d.kind, d.state,
               d.erp_key, d.total, d.tax
        FROM sync_document d JOIN sync_posting p ON p.id = d.posting_id JOIN sync_pipeline l ON l.id = p.pipeline_id
        JOIN storefront_store s ON s.id = l.store_id JOIN erp_erpconnection c ON c.id = d.company_id
        ORDER BY d.id"""
    for store, kind, number, company, reference, what, state, key, total, tax in connection.execute(query):
        yield Document(
            store=store,
            record=(kind, number),
            company=company,
            reference=reference,
            kind=what,
            state=state,
            erp_key=key,
            total=total,
            tax=tax,
        )


def _entries(company: Company) -> Iterator[Entry]:
    with company.lock:
        for entity, kind in SALES.items():
            yield from (_sales_entry(company, kind, row) for row in company.rows(entity) if _counts(row))
        for entity, kind in MONEY.items():
            yield from (_money_entry(company, kind, row) for row in company.rows(entity) if _counts(row))
        for row in company.rows("BusinessPartners"):
            code = row["CardCode"]
            yield Entry(company=company.database, kind="partner", key=code, reference=code, total=ZERO)
        for entity in DRAFTS:
            for row in company.documents(entity):
                reference = row.get("NumAtCard") or row.get("U_TieoutRef") or ""
                key = str(row["DocEntry"])
                yield Entry(
                    company=company.database,
                    kind=entity,
                    key=key,
                    reference=reference,
                    total=ZERO,
                    is_draft=True,
                )


def _counts(row: dict[str, Any]) -> bool:
    cancelled = row.get("Cancelled", "tNO") == "tYES" or row.get("CancelStatus", "csNo") != "csNo"
    return not cancelled and row.get("U_TieoutRef") != ""


def _sales_entry(company: Company, kind: str, row: dict[str, Any]) -> Entry:
    foreign = row["DocCurrency"] != company.switches.local_currency
    return Entry(
        company=company.database,
        kind=kind,
        key=str(row["DocEntry"]),
        reference=row.get("NumAtCard") or "",
        total=row["DocTotalFc" if foreign else "DocTotal"],
        tax=row["VatSumFc" if foreign else "VatSum"],
    )


def _money_entry(company: Company, kind: str, row: dict[str, Any]) -> Entry:
    return Entry(
        company=company.database,
        kind=kind,
        key=str(row["DocEntry"]),
        reference=row.get("U_TieoutRef") or "",
        total=row["TransferSum"],
    )


def _sold(store: Store) -> Iterator[Sold]:
    for record in store.records():
        order, refunds = record["payloads"]["order"], record["payloads"]["refunds"]
        given = [r for r in refunds if any(not pay["is_declined"] for pay in r["payments"])]
        yield Sold(
            store=store.hash,
            record=("order", str(record["id"])),
            total=Decimal(order["total_inc_tax"]),
            tax=Decimal(order["total_tax"]),
            refunded=sum((r["total_amount"] for r in given), ZERO),
            # A merchant may override a refund with a negative tax; a credit memo has none.
            refunded_tax=sum((max(r["total_tax"], ZERO) for r in given), ZERO),
        )
