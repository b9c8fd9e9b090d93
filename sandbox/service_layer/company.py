"""One SAP Business One company: its settings, rows, numbers, rates, periods and stock.

Rows are plain dictionaries under real property names; money is `Decimal`, dates are ISO text,
enumerations are their names. Everything that changes a company holds its `lock`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sandbox.service_layer import errors
from sandbox.service_layer.catalogue import SETS, TABLE_FAMILIES
from sandbox.service_layer.countries import COUNTRIES, STATES
from sandbox.service_layer.fields import Field
from sandbox.service_layer.languages import ENGLISH
from sandbox.service_layer.rounding import Places, half_up

Row = dict[str, Any]
ALL_CURRENCIES = "##"
_CURRENCY_DIGITS = {
    "cdWithoutDecimals": 0,
    **{f"cd{n}Digit{'s' if n > 1 else ''}": n for n in range(1, 7)},
}


@dataclass(slots=True, kw_only=True)
class Switches:
    """How this company behaves. Tests may change any of them while the server runs."""

    localisation: str = "US"  # "US": sales tax codes on TaxCode; "VAT": VAT groups on VatGroup
    local_currency: str = "USD"
    totals_decimals: int = 2
    price_decimals: int = 4
    quantity_decimals: int = 3
    rate_decimals: int = 6
    percent_decimals: int = 4
    direct_rate: bool = True  # local = foreign x rate; otherwise local = foreign / rate
    group_lines_in_vat_calculation: bool = False
    gross_by_net_price: bool = False
    tax_override: bool = False  # a line's TaxTotal and a freight's TaxSum count; otherwise recomputed
    rounding_allowed: bool = True  # Rounding/RoundingDiffAmount count, in local currency only
    block_negative_stock: bool = True
    multiple_branches: bool = False
    approvals: set[str] = field(default_factory=set)  # entity sets whose POST becomes a draft
    duplicate_guard: str = ""  # "NumAtCard" or a user field of OINV (payments: of ORCT)
    user_fields_at_once: bool = False  # otherwise a new user field waits for restart()
    case_insensitive: bool = False  # as on MS SQL; HANA compares text exactly
    paid_to_date: bool = True  # PaidToDate is readable (newer versions; not in the public metadata)
    previews: bool = True  # OrdersService_Preview and its sisters (hidden actions of real servers)
    page_size: int = 20
    language: str = ENGLISH  # of the sentences in errors: "en-us" or "es-es"
    next_link: str = "relative"  # "relative": Orders?$skip=20; "rooted": /b1s/v1/Orders?$skip=20


@dataclass(slots=True, kw_only=True)
class Period:
    number: int
    code: str
    start: str
    end: str
    status: str = "ltUnlocked"


@dataclass(slots=True, kw_only=True)
class Series:
    number: int
    object_code: str
    name: str
    next_number: int = 1
    locked: bool = False
    manual: bool = False
    prefix: str = ""
    branch: int | None = None
    default: bool = True


class Company:
    """A company database. Build one with `Company.default()`."""

    def __init__(
        self,
        database: str,
        *,
        switches: Switches | None = None,
        users: dict[str, str] | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.database = database
        self.switches = switches or Switches()
        self.users = users or {"manager": "sandbox"}
        self.clock = clock or (lambda: datetime.now(tz=UTC))
        self.lock = threading.RLock()
        self.tables: dict[str, dict[tuple[Any, ...], Row]] = {name: {} for name in SETS}
        self.counters: dict[str, int] = {}
        self.standing_rates: dict[str, Decimal] = {}
        self.dated_rates: dict[tuple[str, str], Decimal | None] = {}
        self.periods: list[Period] = []
        self.series: dict[int, Series] = {}
        self.batches: dict[tuple[str, str, str], Decimal] = {}
        self.countries = COUNTRIES
        self.states = STATES
        self.lengths: dict[str, int] = {}  # "Payment.CounterReference": 100
        self.cuts: set[str] = set()  # properties whose long texts are cut without a word, as some versions do
        self.denied: dict[str, set[str]] = {}  # per user: {"POST Invoices", "GET Drafts"}
        self.defaults: dict[str, str] = {}  # default accounts, tax code, warehouse
        self.changed: dict[tuple[str, tuple[Any, ...]], None] = {}  # rows not saved yet, in order
        self.waiting_user_fields: set[tuple[str, str]] = set()
        self._user_fields: dict[str, dict[str, Field]] = {}

    @classmethod
    def default(
        cls,
        database: str = "SBODEMO",
        *,
        currency: str = "USD",
        localisation: str = "US",
        users: dict[str, str] | None = None,
        clock: Callable[[], datetime] | None = None,
        **switches: Any,
    ) -> Company:
        """A company with a full set of reference data (see README.md for the codes)."""
        from sandbox.service_layer.reference_data import fill

        wanted = Switches(localisation=localisation, local_currency=currency, **switches)
        return fill(cls(database, switches=wanted, users=users, clock=clock))

    # --- rows ---------------------------------------------------------------------------------------------

    def rows(self, name: str) -> Iterator[Row]:
        """All rows of an entity set, in the order they were added."""
        return iter(list(self.tables[name].values()))

    def get(self, name: str, *key: Any) -> Row | None:
        return self.tables[name].get(key)

    def add(self, name: str, **row: Any) -> Row:
        """Put a row into an entity set as it is, without any check (set-up of tests and demo)."""
        key = tuple(row[part] for part in SETS[name].key)
        self.tables[name][key] = row
        self.changed[name, key] = None
        return row

    def touch(self, name: str, row: Row) -> None:
        """Say that a row was changed in place, so that it is saved."""
        self.changed[name, tuple(row[part] for part in SETS[name].key)] = None

    def next_entry(self, name: str) -> int:
        """The next internal number of an entity set; numbers of failed additions are lost, as in B1."""
        self.counters[name] = self.counters.get(name, 0) + 1
        return self.counters[name]

    def documents(self, name: str, **wanted: Any) -> list[Row]:
        """Rows whose properties equal `wanted`: `company.documents("Invoices", NumAtCard="S1-1-I")`."""
        return [row for row in self.rows(name) if all(row.get(k) == v for k, v in wanted.items())]

    def today(self) -> str:
        return self.clock().date().isoformat()

    # --- numbers ------------------------------------------------------------------------------------------

    def currency_decimals(self, currency: str) -> int:
        row = self.get("Currencies", currency) or {}
        return _CURRENCY_DIGITS.get(row.get("Decimals", ""), self.switches.totals_decimals)

    def places(self, currency: str) -> Places:
        """The decimals of a document in that currency."""
        return Places(
            sums=self.currency_decimals(currency),
            prices=self.switches.price_decimals,
            quantities=self.switches.quantity_decimals,
            rates=self.switches.rate_decimals,
            percents=self.switches.percent_decimals,
        )

    def to_local(self, amount: Decimal, rate: Decimal) -> Decimal:
        """An amount of a foreign currency in the local one, rounded to its decimals."""
        local = amount * rate if self.switches.direct_rate else amount / rate
        return half_up(local, self.currency_decimals(self.switches.local_currency))

    def to_foreign(self, amount: Decimal, rate: Decimal, currency: str) -> Decimal:
        foreign = amount / rate if self.switches.direct_rate else amount * rate
        return half_up(foreign, self.currency_decimals(currency))

    def rate(self, currency: str, day: str) -> Decimal:
        """The exchange rate of a day; 1 for the local currency.

        :raises B1Error: -4006 if the day has none
        """
        if currency == self.switches.local_currency:
            return Decimal(1)
        found = self.dated_rates.get((currency, day), self.standing_rates.get(currency))
        if found is None:
            raise errors.rate_missing(currency)
        return found

    def set_rate(self, currency: str, rate: str | Decimal | None, day: str | None = None) -> None:
        """Set the rate of a day, or of every day without its own. None removes it."""
        value = None if rate is None else Decimal(rate)
        if day is not None:
            self.dated_rates[currency, day] = value
        elif value is None:
            self.standing_rates.pop(currency, None)
        else:
            self.standing_rates[currency] = value

    # --- periods and series -------------------------------------------------------------------------------

    def period(self, day: str) -> Period | None:
        return next((period for period in self.periods if period.start <= day <= period.end), None)

    def set_period(self, code: str, status: str) -> None:
        """Change a month's status, e.g. `set_period("2026-01", "ltLocked")`."""
        found = next((period for period in self.periods if period.code == code), None)
        if found is None:
            raise KeyError(code)
        found.status = status

    def check_period(self, day: str, table: str, *, sale: bool = True) -> Period:
        """The open period of a posting date.

        :raises B1Error: -10 outside all periods, -4013 in a locked one
        """
        found = self.period(day)
        if found is None:
            raise errors.date_out_of_range(table, "DocDate")
        if found.status in ("ltLocked", "ltPeriodClosing") or (
            sale and found.status == "ltUnlockedExceptSales"
        ):
            raise errors.period_locked()
        return found

    def default_series(self, object_code: str) -> Series | None:
        return next((s for s in self.series.values() if s.object_code == object_code and s.default), None)

    # --- user fields --------------------------------------------------------------------------------------

    def add_user_field(
        self,
        table: str,
        name: str,
        *,
        kind: str = "text",
        length: int = 50,
        values: tuple[str, ...] = (),
        mandatory: bool = False,
    ) -> Row:
        """Create a user field; `name` without the `U_`. It can be used at once."""
        types = {"text": "db_Alpha", "int": "db_Numeric", "date": "db_Date", "sum": "db_Float"}
        row = {
            "TableName": table,
            "Name": name,
            "Type": types[kind],
            "Size": length,
            "Description": name,
            "SubType": "st_None",
            "Mandatory": "tYES" if mandatory else "tNO",
            "ValidValuesMD": [{"Value": value, "Description": value} for value in values],
        }
        made = self.define_user_field(row)
        self.restart()
        return made

    def define_user_field(self, row: Row) -> Row:
        """Record a user field's definition; usable after `restart()` unless the company says at once.

        :raises B1Error: -2035 if the table has it already
        """
        table = str(row["TableName"])
        family = TABLE_FAMILIES.get(table, table)
        name = f"U_{row['Name']}"
        if name in self._user_fields.get(family, {}):
            raise errors.already_exists()
        kinds = {"db_Numeric": "int", "db_Date": "date", "db_Float": "sum"}
        kind = kinds.get(row.get("Type", "db_Alpha"), "text")
        length = (row.get("Size") or 10) if row.get("Type", "db_Alpha") == "db_Alpha" else None
        valid = frozenset(each["Value"] for each in row.get("ValidValuesMD") or ())
        mandatory = row.get("Mandatory") == "tYES"
        made = Field(name=name, kind=kind, length=length, column=name, values=valid, mandatory=mandatory)
        self._user_fields.setdefault(family, {})[name] = made
        if not self.switches.user_fields_at_once:
            self.waiting_user_fields.add((family, name))
        number = sum(1 for other in self.rows("UserFieldsMD") if other["TableName"] == table)
        return self.add("UserFieldsMD", **{**row, "FieldID": number})

    def restart(self) -> None:
        """What restarting the Service Layer does to metadata: new user fields become usable."""
        self.waiting_user_fields.clear()

    def user_field(self, table: str, name: str) -> Field | None:
        family = TABLE_FAMILIES.get(table, table)
        if (family, name) in self.waiting_user_fields:
            return None
        return self._user_fields.get(family, {}).get(name)

    def active_user_fields(self, table: str) -> list[Field]:
        family = TABLE_FAMILIES.get(table, table)
        fields = self._user_fields.get(family, {}).values()
        return [made for made in fields if (family, made.name) not in self.waiting_user_fields]


def is_active(row: Row, day: str) -> bool:
    """Whether a partner or an item may be used on a day (Valid and Frozen with their date ranges)."""
    if row.get("Frozen") == "tYES" and _within(day, row.get("FrozenFrom"), row.get("FrozenTo")):
        return False
    return row.get("Valid", "tYES") != "tNO" and _within(day, row.get("ValidFrom"), row.get("ValidTo"))


def _within(day: str, start: str | None, end: str | None) -> bool:
    return (not start or start <= day) and (not end or day <= end)


def month_end(year: int, month: int) -> str:
    following = date(year + month // 12, month % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1).isoformat()
