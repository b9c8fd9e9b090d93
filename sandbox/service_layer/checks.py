"""Checks that documents and payments share: accounts, cost centers, partners, currencies, branches."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.service_layer import errors
from sandbox.service_layer.company import ALL_CURRENCIES, Company, is_active

if TYPE_CHECKING:
    from sandbox.service_layer.catalogue import EntitySet

Row = dict[str, Any]


def partner_of(company: Company, values: Row, table: str, day: str, *, kinds: tuple[str, ...]) -> Row:
    """The business partner a document or payment is for.

    :raises B1Error: if it is missing, unknown, of another type, or inactive
    """
    place = errors.at(table, "CardCode")
    code = values.get("CardCode")
    if not code:
        raise errors.conflict(f"Specify valid business partner code{place}")
    partner = company.get("BusinessPartners", code)
    if partner is None:
        raise errors.no_such_record(place)
    if partner.get("CardType") not in kinds:
        raise errors.conflict(f"Business partner type does not fit the document{place}")
    if not is_active(partner, day):
        raise errors.conflict(f"10001071 - Customer {code} is inactive{place}")
    return partner


def account(company: Company, code: str, place: str, *, currency: str) -> Row:
    """An account that may be posted to.

    :raises B1Error: if it is unknown, a title, frozen, a control account, or of another currency
    """
    found = company.get("ChartOfAccounts", code)
    if found is None:
        raise errors.no_such_record(place)
    if found.get("ActiveAccount") == "tNO":
        raise errors.conflict(f"Account {code} is a title account; specify an active account{place}")
    if found.get("FrozenFor") == "tYES":
        raise errors.conflict(f"Account {code} is inactive{place}")
    if found.get("LockManualTransaction") == "tYES":
        raise errors.conflict(f"Account {code} is a control account and cannot be posted to directly{place}")
    held_in = found.get("AcctCurrency") or ALL_CURRENCIES
    if held_in not in (ALL_CURRENCIES, currency):
        raise errors.conflict(f"Account {code} is managed in {held_in} and cannot take {currency}{place}")
    return found


def cost_centers(company: Company, row: Row, names: tuple[str, ...], place: str) -> None:
    """Every distribution rule named in a row exists, is active and belongs to its dimension.

    :raises B1Error: otherwise
    """
    for dimension, name in enumerate(names, start=1):
        code = row.get(name)
        if not code:
            continue
        rule = company.get("DistributionRules", code)
        if rule is None:
            raise errors.no_such_record(place)
        if rule.get("Active") == "tNO" or rule.get("InWhichDimension", 1) != dimension:
            raise errors.conflict(f"Distribution rule {code} is inactive or of another dimension{place}")


def currency_of(company: Company, values: Row, partner: Row, table: str) -> str:
    """The currency of a document: the one named, else the partner's, else the local one.

    :raises B1Error: if it is unknown or the partner is kept in another
    """
    local = company.switches.local_currency
    kept_in = partner.get("Currency") or local
    named = values.get("DocCurrency") or (local if kept_in == ALL_CURRENCIES else kept_in)
    place = errors.at(table, "DocCur")
    if company.get("Currencies", named) is None:
        raise errors.no_such_record(place)
    if kept_in not in (ALL_CURRENCIES, named) and named != local:
        raise errors.conflict(
            f"Document currency {named} differs from the business partner's {kept_in}{place}"
        )
    return named


def exchange_rate(company: Company, values: Row, currency: str, day: str) -> Decimal:
    """The rate a document uses: its own, else the day's.

    :raises B1Error: -4006 if the day has none
    """
    if currency == company.switches.local_currency:
        return Decimal(1)
    given = values.get("DocRate") or company.rate(currency, day)
    if given < 0:
        raise errors.business("Exchange rate must be greater than zero")
    return Decimal(given)


def branch_of(company: Company, values: Row, name: str, table: str) -> Row | None:
    """The branch a document is posted in, where the company has branches.

    :raises B1Error: if it is missing, unknown or disabled
    """
    if not company.switches.multiple_branches:
        return None
    place = errors.at(table, "BPLId")
    found = company.get("BusinessPlaces", values.get(name)) if values.get(name) is not None else None
    if found is None or found.get("Disabled") == "tYES":
        raise errors.conflict(f"Specify an active branch{place}")
    return found


def take_number(company: Company, entity_set: EntitySet, values: Row) -> tuple[int, int]:
    """Series and document number for a new document; the number is used up.

    :raises B1Error: if the series is unknown, locked or of another object, or a manual number is taken
    """
    if values.get("HandWritten") == "tYES" and values.get("DocNum"):
        if company.documents(entity_set.name, DocNum=values["DocNum"]):
            raise errors.already_exists()
        return -1, values["DocNum"]
    wanted = values.get("Series")
    series = company.series.get(wanted) if wanted else company.default_series(entity_set.object_code)
    if series is None or series.object_code != entity_set.object_code or series.locked:
        raise errors.B1Error(-4002, "To generate this document, first define the numbering series")
    number = series.next_number
    series.next_number += 1
    return series.number, number


def guard_duplicates(company: Company, entity_set: EntitySet, values: Row) -> None:
    """The optional transaction notification: one living document per reference.

    :raises B1Error: -5002 with the notification's own number, as B1 passes it on
    """
    name = company.switches.duplicate_guard
    if entity_set.type_name == "Payment" and name == "NumAtCard":
        name = "CounterReference"
    value = values.get(name) if name else None
    if not value:
        return
    for row in company.documents(entity_set.name, **{name: value}):
        living = row.get("CancelStatus", "csNo") == "csNo" and row.get("Cancelled", "tNO") == "tNO"
        if living and row.get("CardCode") == values.get("CardCode"):
            raise errors.business(f"(20001) Document {row['DocNum']} already has the reference {value}")
