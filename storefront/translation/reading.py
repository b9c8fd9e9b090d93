"""Reading values out of payloads that were written by others.

Nothing here raises for bad data: what cannot be read becomes a complaint, and a complaint holds the order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from erp.contract.money import parse_amount, quantum, rounded

Row = Mapping[str, Any]
ZERO = Decimal(0)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Complaints:
    """Sentences about what cannot be read or does not add up, in the order they were found."""

    sentences: list[str] = field(default_factory=list)

    def add(self, sentence: str) -> None:
        """Note a sentence once."""
        if sentence not in self.sentences:
            self.sentences.append(sentence)

    def amount(self, row: Row, name: str, *, of: str) -> Decimal:
        """The amount in a field as it stands there; an absent or empty one is zero.

        :param of: where the row stands, for the complaint: "products[0]"
        """
        found = self.optional_amount(row, name, of=of)
        return ZERO if found is None else found

    def optional_amount(self, row: Row, name: str, *, of: str) -> Decimal | None:
        """The amount in a field; None where the store says null or nothing."""
        value = row.get(name)
        if value is None or value == "":
            return None
        try:
            return parse_amount(value)
        except ValueError:
            self.add(f"{of}.{name} is {str(value)[:40]!r}, which is not an amount.")
            return None

    def money(self, row: Row, name: str, currency: str, *, of: str) -> Decimal:
        """An amount that must fit the currency's own places; if it does not, that is a complaint."""
        exact = self.amount(row, name, of=of)
        fitted = rounded(exact, currency)
        if fitted != exact:
            self.add(f"{of}.{name} is {exact:f}, which {currency} cannot express.")
        return fitted

    def moment(self, row: Row, name: str, *, of: str) -> datetime:
        """A time that must be there."""
        found = moment(row.get(name))
        if found is None:
            self.add(f"{of}.{name} is {str(row.get(name))[:40]!r}, which is not a time.")
        return found or LONG_AGO


def amount_of(row: Row, name: str) -> Decimal:
    """The amount in a field that was read before: what cannot be read is zero, and its complaint has been made."""
    return Complaints().amount(row, name, of="")


def moment(value: object) -> datetime | None:
    """An aware time from RFC 2822 (v2) or ISO 8601 (v3); without a zone it is UTC. None if there is none."""
    if not isinstance(value, str) or not value.strip():
        return None
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(value.strip())
        except (ValueError, OverflowError):
            continue
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    return None


def text(value: object) -> str:
    """A value as text; null, booleans and structures are empty."""
    return str(value) if isinstance(value, (str, int, Decimal)) and not isinstance(value, bool) else ""


def identifier(value: object) -> str:
    """An id as text; null, empty and 0 mean that there is none."""
    found = text(value)
    return "" if found == "0" else found


def rows(body: Row, name: str) -> list[Row]:
    """The rows of one part of the payloads; entries that are no objects are left out."""
    found = body.get(name) or ()
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, Sequence) else []


def is_true(value: object) -> bool:
    """Whether a flag is set, in any of the ways stores write it."""
    return value in (True, 1, "1", "true")


def apportioned(amounts: Sequence[Decimal], currency: str) -> list[Decimal]:
    """The amounts in the currency's places so that they add up to their rounded sum (largest remainder
    first).

    Amounts that fit already stay as they are. Needed where a store rounds tax per document and shows the
    lines' taxes with four places.
    """
    fitted = [rounded(amount, currency) for amount in amounts]
    missing = rounded(sum(amounts, ZERO), currency) - sum(fitted, ZERO)
    if not missing:
        return fitted
    unit = quantum(currency).copy_sign(missing)
    by_need = sorted(
        (i for i in range(len(amounts)) if amounts[i] != fitted[i]),
        key=lambda i: ((fitted[i] - amounts[i]) / unit, i),
    )
    for i in by_need[: int(missing / unit)]:
        fitted[i] += unit
    return fitted


def shared_out(whole: Decimal, over: Sequence[Decimal], currency: str) -> list[Decimal]:
    """An amount split in proportion to others, to the minor unit, adding up to it exactly."""
    base = sum(over, ZERO)
    if not base:
        return [whole, *[ZERO] * (len(over) - 1)] if over else []
    parts = [rounded(whole * part / base, currency) for part in over]
    largest = max(range(len(over)), key=lambda i: (abs(over[i]), -i))
    parts[largest] += whole - sum(parts, ZERO)
    return parts
