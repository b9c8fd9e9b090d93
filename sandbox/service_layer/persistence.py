"""Companies in the wire's storage: a killed sandbox comes back with everything it had acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sandbox.service_layer import jsontext
from sandbox.service_layer.company import Company, Period, Series, Switches
from sandbox.wire import Storage

_COMPANIES = "companies"


def save(company: Company, storage: Storage) -> None:
    """Write the rows changed since the last time, and the company's settings."""
    with storage.transaction():
        for name, key in company.changed:
            row = company.tables[name].get(key)
            if row is None:
                storage.delete(_bucket(company, name), _key_text(key))
            else:
                storage.put(_bucket(company, name), _key_text(key), row)
        storage.put(_COMPANIES, company.database, _settings(company))
    company.changed.clear()


def load(storage: Storage, clock: Callable[[], datetime]) -> list[Company]:
    """The companies found in a storage."""
    return [_restore(row, storage, clock) for row in storage.rows(_COMPANIES)]


def _bucket(company: Company, name: str) -> str:
    return f"{company.database}/{name}"


def _key_text(key: tuple[Any, ...]) -> str:
    return jsontext.dumps(list(key))


def _settings(company: Company) -> dict[str, Any]:
    switches = asdict(company.switches)
    switches["approvals"] = sorted(company.switches.approvals)
    return {
        "database": company.database,
        "switches": switches,
        "users": company.users,
        "counters": company.counters,
        "standing_rates": company.standing_rates,
        "dated_rates": [[currency, day, rate] for (currency, day), rate in company.dated_rates.items()],
        "periods": [asdict(period) for period in company.periods],
        "series": [asdict(series) for series in company.series.values()],
        "batches": [[*key, quantity] for key, quantity in company.batches.items()],
        "lengths": company.lengths,
        "cuts": sorted(company.cuts),
        "denied": {user: sorted(what) for user, what in company.denied.items()},
        "defaults": company.defaults,
        "waiting_user_fields": [list(each) for each in sorted(company.waiting_user_fields)],
    }


def _restore(saved: dict[str, Any], storage: Storage, clock: Callable[[], datetime]) -> Company:
    switches = Switches(**{**saved["switches"], "approvals": set(saved["switches"]["approvals"])})
    company = Company(saved["database"], switches=switches, users=saved["users"], clock=clock)
    company.counters = saved["counters"]
    company.standing_rates = saved["standing_rates"]
    company.dated_rates = {(currency, day): rate for currency, day, rate in saved["dated_rates"]}
    company.periods = [Period(**each) for each in saved["periods"]]
    company.series = {each["number"]: Series(**each) for each in saved["series"]}
    company.batches = {(item, place, batch): quantity for item, place, batch, quantity in saved["batches"]}
    company.lengths = saved["lengths"]
    company.cuts = set(saved["cuts"])
    company.denied = {user: set(what) for user, what in saved["denied"].items()}
    company.defaults = saved["defaults"]
    for row in storage.rows(_bucket(company, "UserFieldsMD")):
        company.define_user_field(row)
    for name in company.tables:
        for row in storage.rows(_bucket(company, name)):
            company.add(name, **row)
    company.waiting_user_fields = {(table, name) for table, name in saved["waiting_user_fields"]}
    company.changed.clear()
    return company
