"""Amounts of money: exact decimals in the currency's own places.

Minor units follow ISO 4217; a currency that is not listed has two. Rounding is half up, as cashiers, BigCommerce and SAP do it.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

# ISO 4217 (amendment 176): every currency whose minor unit is not 2.
_MINOR_UNITS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}

# What nobody sells for, and what would break whoever calculates with it. The columns of amounts hold 16 digits before
# the point; what floating point leaves of zero has some thirty places after it.
MOST_DIGITS = 12
MOST_PLACES = 60
# Products and quotients of such amounts are rounded, however long they are.
_ROOM = Context(prec=300, rounding=ROUND_HALF_UP)


def minor_units(currency: str) -> int:
    """Decimal places of a currency's smallest unit: USD 2, JPY 0, KWD 3."""
    return _MINOR_UNITS.get(currency, 2)


def quantum(currency: str) -> Decimal:
    """The smallest amount of a currency: USD 0.01, JPY 1."""
    return Decimal(1).scaleb(-minor_units(currency))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount in the currency's own places, half up (away from zero)."""
    return amount.quantize(quantum(currency), context=_ROOM)


def is_exact(amount: Decimal, currency: str) -> bool:
    """Whether the amount needs no more places than the currency has."""
    return amount == rounded(amount, currency)


def parse_amount(text: object) -> Decimal:
    """A decimal from an outside value: text or a whole number, never a float.

    :raises ValueError: if it is not a decimal number, or one that no amount is: NaN, 1e999999999, thousands of digits
    """
    if isinstance(text, bool) or not isinstance(text, (str, int, Decimal)):
        raise ValueError(f"an amount must be text or Decimal, got {type(text).__name__}")
    try:
        amount = Decimal(str(text).strip())
    except InvalidOperation as error:
        raise ValueError(f"{str(text)[:40]!r} is not an amount") from error
    if not _can_be_an_amount(amount):
        raise ValueError(f"{str(text)[:40]!r} is not an amount")
    return amount


def _can_be_an_amount(number: Decimal) -> bool:
    if not number.is_finite():
        return False
    places = number.as_tuple().exponent
    return isinstance(places, int) and places >= -MOST_PLACES and number.adjusted() < MOST_DIGITS


@dataclass(frozen=True, slots=True)
class Money:
    """An amount with its currency; two of different currencies never mix."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise TypeError(f"Money needs a Decimal, got {type(self.amount).__name__}")
        if len(self.currency) != 3 or not self.currency.isupper():
            raise ValueError(f"{self.currency!r} is not a currency code such as USD")

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __str__(self) -> str:
        """As a merchant reads it: `18,204.00 USD`."""
        return f"{rounded(self.amount, self.currency):,f} {self.currency}"

    def _same(self, other: "Money") -> Decimal:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
        return other.amount
