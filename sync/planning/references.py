"""References: the name under which the ERP holds a document, a pure function of what the store knows.

A restored backup, a second worker or a replay computes the same reference and finds what is already posted. At most 16 of `A-Z0-9-`, which
fits every ERP's reference field (SAP's XBLNR and REF_DOC_NO have 16 characters, B1 card codes 15).

Form: `S1-100234-I` = store key, record id, kind; then a letter where one record has several such documents, then the revision.
Ids that are too long in decimal are written as 0 and base 36; a decimal id never begins with 0, so the two never meet.
"""

import re
from enum import StrEnum

MAX_LENGTH = 16
PARTNER_CODE_LENGTH = 15
_STORE_KEY = re.compile(r"[A-Z0-9]{2,4}")
_RECORD_ID = re.compile(r"[1-9][0-9]*")
_PART = re.compile(r"[A-Z]?")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class ReferenceKind(StrEnum):
    """The letter of a document kind, and whose id the reference carries."""

    PARTNER = "C"  # customer id
    INVOICE = "I"  # order id
    SALES_ORDER = "O"  # order id
    DOWN_PAYMENT = (
        "D"  # transaction id; order id with the part letter G, S or F where only the order knows of the money
    )
    PAYMENT = "P"  # transaction id
    GIFT_CERTIFICATE = "G"  # order id: redeemed, known to the order only
    STORE_CREDIT = "S"  # order id: used, known to the order only
    OFFLINE = "F"  # order id: paid offline, known to the order only
    CREDIT_MEMO = "R"  # refund id
    CANCELLATION = "X"  # order id: takes back what an edit or a cancellation made void
    PAYOUT = "Y"  # refund id
    SETTLEMENT = (
        "A"  # of a payment to an invoice of the ERP: the payment's id, with its letter where it has one
    )


def reference(
    store_key: str,
    record_id: str,
    kind: ReferenceKind,
    *,
    part: str = "",
    revision: int = 0,
    limit: int = MAX_LENGTH,
) -> str:
    """The reference of one document; different arguments never give the same one.

    :param part: a letter A-Z where one record has several documents of a kind
    :param revision: 0 for the first, raised for a deliberate second posting
    :raises ValueError: for a store key or id of another form, or an id too long for `limit`
    """
    if not _STORE_KEY.fullmatch(store_key):
        raise ValueError(f"{store_key!r} is no store key: two to four of A-Z and 0-9")
    if not record_id.isascii() or not _RECORD_ID.fullmatch(record_id):
        raise ValueError(f"{record_id!r} is no record id: a positive whole number without leading zeros")
    if not _PART.fullmatch(part) or revision < 0:
        raise ValueError(f"part {part!r} and revision {revision} make no reference")
    suffix = f"{kind.value}{part}{revision or ''}"
    for written in (record_id, "0" + _base36(int(record_id))):
        found = f"{store_key}-{written}-{suffix}"
        if len(found) <= limit:
            return found
    raise ValueError(f"record id {record_id} is too long for a reference of {limit} characters")


def record_of(written: str) -> tuple[str, ReferenceKind]:
    """Whose id a reference carries, and its kind: what `reference` made it from.

    :raises ValueError: if it is no reference
    """
    _, record, suffix = written.split("-")
    return (str(int(record, 36)) if record.startswith("0") else record), ReferenceKind(suffix[0])


def partner_code(store_key: str, customer_id: str) -> str:
    """The code of a customer's business partner: its reference, short enough for a B1 card code."""
    return reference(store_key, customer_id, ReferenceKind.PARTNER, limit=PARTNER_CODE_LENGTH)


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return digits
