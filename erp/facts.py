"""Ledger facts for a plan: the company from the database while it is fresh, the rest in as few reads as possible.

A guest order must not cost more than one read here: the company's set-up is kept for an hour, partners and rates for
a while, and items are read together in one call where their stock decides, else taken from the reference values.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from audit.lately import Lately
from erp import facts_json
from erp.contract.adapter import Adapter, ReferenceKind
from erp.contract.facts import FactsNeeded, Item, LedgerFacts, Named, item_details
from erp.contract.plan import content_hash
from erp.models import CompanyFacts, ErpConnection, ExchangeRate, FactsSnapshot, ReferenceValue
from tenants.inserting import insert_new

COMPANY_FRESH = timedelta(hours=1)
ROWS_FRESH = timedelta(hours=1)
RATE_FRESH = timedelta(hours=1)
# Half as long as they count as fresh: a row never grows stale because it was written lately.
_kept_values = Lately(seconds=ROWS_FRESH.total_seconds() / 2, most=20_000)
_kept_snapshots = Lately(seconds=600, most=2_000)


def load(connection: ErpConnection, needed: FactsNeeded, adapter: Adapter) -> LedgerFacts:
    """The facts a plan needs, versioned and kept.

    :raises erp.contract.errors.RemoteError: if the ERP had to be asked and did not answer
    """
    now = timezone.now()
    company = _company(connection, adapter, now)
    known = _known(connection, company, needed, now)
    missing = _missing(needed, known)
    read = adapter.facts(missing) if missing.names_rows else None
    facts = _together(company, known, read)
    if read is not None:
        _keep_rows(connection, read, now)
    return _versioned(connection, facts)


def forget(connection: ErpConnection) -> None:
    """Read everything anew at the next plan: the ERP's set-up was changed, or the connection's settings were."""
    CompanyFacts.objects.filter(connection=connection).delete()
    ExchangeRate.objects.filter(connection=connection).delete()


def at(connection: ErpConnection, version: str) -> LedgerFacts | None:
    """The facts of that version, as a plan saw them; None if they are no longer kept."""
    snapshot = FactsSnapshot.objects.filter(connection=connection, version=version).first()
    if snapshot is None:
        return None
    company = FactsSnapshot.objects.get(connection=connection, version=snapshot.data["company"])
    facts = facts_json.with_rows(facts_json.read_company(company.data), snapshot.data["rows"])
    return replace(facts, version=version)


def _company(connection: ErpConnection, adapter: Adapter, now: datetime) -> LedgerFacts:
    """The company's part. What a person or *Test connection* set on the connection always counts as it is now."""
    kept = CompanyFacts.objects.filter(connection=connection, read_at__gt=now - COMPANY_FRESH).first()
    if kept is not None and _is_of(connection, kept):
        facts = facts_json.read_company(kept.data)
    else:
        facts = adapter.facts(FactsNeeded())
        _keep_company(connection, facts, now)
    settings = {**facts.settings, **connection.known_settings}
    return replace(
        facts,
        time_zone=connection.time_zone,
        allows_tax_override=settings.get("tax_override") == "yes",
        settings=settings,
    )


def _is_of(connection: ErpConnection, kept: CompanyFacts) -> bool:
    """Whether the facts were read with the settings of now: another address or database is another company."""
    known = kept.data["settings"]
    return all(
        known.get(name) == value
        for name, value in connection.known_settings.items()
        if name in connection.settings
    )


def _keep_company(connection: ErpConnection, facts: LedgerFacts, now: datetime) -> None:
    """Keep the company's part, and what it says about itself that an adapter must know when it is opened."""
    data = facts_json.company_json(facts)
    CompanyFacts.objects.update_or_create(
        connection=connection,
        defaults={
            "tenant_id": connection.tenant_id,
            "data": data,
            "version": content_hash(data),
            "read_at": now,
        },
    )
    told = {name: value for name, value in facts.settings.items() if name not in connection.settings}
    _learn(connection, told, facts.local_currency)


def _learn(connection: ErpConnection, told: dict[str, str], local_currency: str) -> None:
    """Add facts to `learned` without losing what another process learned meanwhile."""
    with transaction.atomic():
        row = (
            ErpConnection.objects.select_for_update().only("learned", "local_currency").get(pk=connection.pk)
        )
        row.learned = {**row.learned, **told}
        row.local_currency = local_currency
        row.save(update_fields=["learned", "local_currency"])
    connection.learned, connection.local_currency = row.learned, row.local_currency


def _known(
    connection: ErpConnection, company: LedgerFacts, needed: FactsNeeded, now: datetime
) -> LedgerFacts:
    """What the database knows freshly enough. Stock is never known: where it decides, items are read now."""
    items = {} if company.blocks_negative_stock else _known_items(connection, needed.items, now)
    return replace(
        company,
        items=items,
        partners=_known_partners(connection, needed.partners, now),
        rates=_known_rates(connection, _foreign(needed.rates, company), now),
    )


def _fresh_values(connection: ErpConnection, kind: ReferenceKind, codes: frozenset[str], now: datetime):
    return ReferenceValue.objects.filter(
        connection=connection, kind=kind, code__in=codes, read_at__gt=now - ROWS_FRESH
    )


def _known_items(connection: ErpConnection, codes: frozenset[str], now: datetime) -> dict[str, Item]:
    return {
        row.code: Item(
            code=row.code,
            name=row.name,
            active=row.details.get("is_active", "yes") == "yes",
            sellable=row.details.get("sellable", "yes") == "yes",
            stocked=row.details.get("stocked", "yes") == "yes",
            managed_by=row.details.get("managed_by", ""),
            barcode=row.barcode,
        )
        for row in _fresh_values(connection, ReferenceKind.ITEM, codes, now)
        if "is_active" in row.details
    }


def _known_partners(connection: ErpConnection, codes: frozenset[str], now: datetime) -> dict[str, Named]:
    rows = _fresh_values(connection, ReferenceKind.PARTNER, codes, now)
    return {row.code: Named(code=row.code, name=row.name, active=row.active) for row in rows}


def _known_rates(
    connection: ErpConnection, wanted: frozenset[tuple[str, date]], now: datetime
) -> dict[tuple[str, date], Decimal]:
    if not wanted:
        return {}
    rows = ExchangeRate.objects.filter(
        connection=connection,
        day__in={day for _, day in wanted},
        rate__isnull=False,
        read_at__gt=now - RATE_FRESH,
    )
    return {
        (row.currency, row.day): row.rate.normalize() for row in rows if (row.currency, row.day) in wanted
    }


def _foreign(rates: frozenset[tuple[str, date]], company: LedgerFacts) -> frozenset[tuple[str, date]]:
    """The local currency has no rate."""
    return frozenset((currency, day) for currency, day in rates if currency != company.local_currency)


def _missing(needed: FactsNeeded, known: LedgerFacts) -> FactsNeeded:
    rates = _foreign(needed.rates, known) - frozenset(known.rates)
    return FactsNeeded(
        items=needed.items - frozenset(known.items),
        partners=needed.partners - frozenset(known.partners),
        rates=rates,
        sales_order=needed.sales_order,  # what became of it is never known: people work on it
        payments=needed.payments,
        company=False,
    )


def _together(company: LedgerFacts, known: LedgerFacts, read: LedgerFacts | None) -> LedgerFacts:
    if read is None:
        return known
    return replace(
        company,
        items={**known.items, **read.items},
        partners={**known.partners, **read.partners},
        rates={**known.rates, **read.rates},
        invoicing=read.invoicing,
    )


def _keep_rows(connection: ErpConnection, read: LedgerFacts, now: datetime) -> None:
    """Keep partners, rates and items that were read, so that the next plan need not ask."""
    values = [
        _reference_value(connection, ReferenceKind.PARTNER, p.code, p.name, p.active, now, {})
        for p in read.partners.values()
    ]
    values += [
        _reference_value(
            connection,
            ReferenceKind.ITEM,
            i.code,
            i.name,
            i.active and i.sellable,
            now,
            item_details(i),
            i.barcode,
        )
        for i in read.items.values()
    ]
    # Where stock decides, the same items are read with every order: their rows need not be written so often.
    news = {key: value for value in values if not _kept_values.has(key := _content_of(value))}
    ReferenceValue.objects.bulk_create(
        sorted(news.values(), key=lambda v: (v.kind, v.code)),
        update_conflicts=True,
        unique_fields=["connection", "kind", "code"],
        update_fields=["name", "active", "barcode", "details", "read_at"],
    )
    transaction.on_commit(lambda: [_kept_values.add(key) for key in news])
    ExchangeRate.objects.bulk_create(
        [
            ExchangeRate(
                tenant_id=connection.tenant_id,
                connection=connection,
                currency=c,
                day=d,
                rate=rate,
                read_at=now,
            )
            for (c, d), rate in sorted(read.rates.items())
        ],
        update_conflicts=True,
        unique_fields=["connection", "currency", "day"],
        update_fields=["rate", "read_at"],
    )


def _content_of(value: ReferenceValue) -> tuple[object, ...]:
    details = tuple(sorted(value.details.items()))
    return (value.connection_id, value.kind, value.code, value.name, value.active, value.barcode, details)


def _reference_value(
    connection: ErpConnection,
    kind: ReferenceKind,
    code: str,
    name: str,
    active: bool,
    now: datetime,
    details: dict[str, str],
    barcode: str = "",
) -> ReferenceValue:
    return ReferenceValue(
        tenant_id=connection.tenant_id,
        connection=connection,
        kind=kind,
        code=code,
        name=name,
        active=active,
        barcode=barcode,
        details=details,
        read_at=now,
    )


def _versioned(connection: ErpConnection, facts: LedgerFacts) -> LedgerFacts:
    """Keep the facts under the hash of their content; equal facts are kept once."""
    company = facts_json.company_json(facts)
    company_version = content_hash(company)
    rows = {"company": company_version, "rows": facts_json.rows_json(facts)}
    version = content_hash(rows)
    _keep_snapshot(connection, company_version, company)
    _keep_snapshot(connection, version, rows)
    return replace(facts, version=version)


def _keep_snapshot(connection: ErpConnection, version: str, data: dict[str, object]) -> None:
    key = (connection.pk, version)
    if _kept_snapshots.has(key):
        return
    snapshot = FactsSnapshot(
        tenant_id=connection.tenant_id, connection=connection, version=version, data=data
    )
    insert_new(snapshot, unique=("connection", "version"))
    transaction.on_commit(lambda: _kept_snapshots.add(key))
