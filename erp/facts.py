"""Ledger facts for a plan: the company from the database while it is fresh, the rest in as few reads as possible.

A guest order must not cost more than one read here: the company's set-up is kept for an hour, partners and rates for
a while, and items are read together in one call where their stock decides, else taken from the reference values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from django.db import connection as sql
from django.db import transaction
from django.utils import timezone

from audit.lately import Lately
from erp import facts_json
from erp.contract.adapter import Adapter, ReferenceKind
from erp.contract.facts import FactsNeeded, Item, LedgerFacts, Named, item_details
from erp.contract.plan import content_hash
from erp.models import CompanyFacts, ErpConnection, ExchangeRate, FactsSnapshot, ReferenceValue
from tenants.inserting import insert_new
from tenants.kept import version_of

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
    known = _known(connection, company.facts, needed, now)
    missing = _missing(needed, known)
    read = adapter.facts(missing) if missing.names_rows else None
    facts = _together(company.facts, known, read)
    if read is not None:
        _keep_rows(connection, read, now)
    return _versioned(connection, company, facts)


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


@dataclass(frozen=True, slots=True)
class _Company:
    """A company's part of the facts with its own version, which many plans share."""

    facts: LedgerFacts
    data: dict[str, object]
    version: str

    @classmethod
    def of(cls, facts: LedgerFacts, connection: ErpConnection) -> _Company:
        """What a person or *Test connection* set on the connection counts as it is now."""
        settings = {**facts.settings, **connection.known_settings}
        facts = replace(
            facts,
            time_zone=connection.time_zone,
            allows_tax_override=settings.get("tax_override") == "yes",
            settings=settings,
        )
        data = facts_json.company_json(facts)
        return cls(facts, data, content_hash(data))


def _company(connection: ErpConnection, adapter: Adapter, now: datetime) -> _Company:
    """The company's part, from the database while it is fresh, else from the ERP."""
    with sql.cursor() as cursor:
        cursor.execute(_FRESH_COMPANY, [connection.pk, now - COMPANY_FRESH])
        found = cursor.fetchone()
    kept = found and _kept_company(_Known(connection), *found)
    if kept:
        return kept
    facts = adapter.facts(FactsNeeded())
    _keep_company(connection, facts, now)
    return _Company.of(facts, connection)


class _Known:
    """A connection as the key of what is remembered for it: equal while nothing that counts for its facts has changed."""

    def __init__(self, connection: ErpConnection) -> None:
        self.connection = connection
        chosen = tuple(sorted(connection.settings))
        settings = tuple(sorted(connection.known_settings.items()))
        self._key = (connection.pk, connection.time_zone, chosen, settings)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Known) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(maxsize=100)
def _kept_company(known: _Known, pk: int, version: str) -> _Company | None:
    """The row of that version, read and hashed once per process; None if it is of another company or gone."""
    kept = CompanyFacts.objects.filter(pk=pk).first()
    if kept is None or not _is_of(known.connection, kept):
        return None
    return _Company.of(facts_json.read_company(kept.data), known.connection)


_FRESH_COMPANY = f"""
SELECT id, {version_of("erp_companyfacts")} FROM erp_companyfacts WHERE connection_id = %s AND read_at > %s
"""  # noqa: S608 - put together from constants


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
    partners = ((ReferenceKind.PARTNER, p.code, p.name, p.active, "", {}) for p in read.partners.values())
    items = (
        (ReferenceKind.ITEM, i.code, i.name, i.active and i.sellable, i.barcode, item_details(i))
        for i in read.items.values()
    )
    # Where stock decides, the same items are read with every order: their rows need not be written so often.
    news = {
        key: value
        for value in (*partners, *items)
        if not _kept_values.has(key := (connection.pk, *value[:-1], *sorted(value[-1].items())))
    }
    names = ("kind", "code", "name", "active", "barcode", "details")
    ReferenceValue.objects.bulk_create(
        [
            ReferenceValue(
                tenant_id=connection.tenant_id,
                connection=connection,
                read_at=now,
                **dict(zip(names, value, strict=True)),
            )
            for value in sorted(news.values(), key=lambda value: value[:2])
        ],
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


def _versioned(connection: ErpConnection, company: _Company, facts: LedgerFacts) -> LedgerFacts:
    """Keep the facts under the hash of their content; equal facts are kept once."""
    rows = {"company": company.version, "rows": facts_json.rows_json(facts)}
    version = content_hash(rows)
    _keep_snapshot(connection, company.version, company.data)
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
