"""Cutting texts to B1's column lengths, with a note for every cut.

Lengths are those of SAP Business One 10.0's tables; B1 counts UTF-16 units, so an emoji counts twice.
"""

from __future__ import annotations

from dataclasses import replace

from erp.contract.documents import (
    AnyDocument,
    MoneyDocument,
    PartnerDocument,
    SalesDocument,
    SettlementDocument,
)
from erp.contract.order import Address

CARD_NAME = 100
EMAIL = 100
PHONE = 20
TAX_NUMBER = 32
LINE_TEXT = 100  # 200 since 10.0; older databases that were upgraded keep 100
COMMENTS = 254
TRANSFER_REFERENCE = 27
STREET = 100
CITY = 100
ZIP_CODE = 20
FIELD = 254


class _Notes:
    """Collects a note for every text that had to be cut."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def cut(self, text: str, length: int, what: str) -> str:
        clean = printable(text)
        fitting = shorten(clean, length)
        if fitting != clean:
            self.notes.append(f"{what} was cut to {length} characters for SAP Business One.")
        return fitting


def fit(document: AnyDocument) -> tuple[AnyDocument, tuple[str, ...]]:
    """The document with texts that B1 can store, and what was cut."""
    notes = _Notes()
    match document:
        case PartnerDocument():
            fitted: AnyDocument = _partner(document, notes)
        case SalesDocument():
            fitted = _sales(document, notes)
        case MoneyDocument():
            fitted = replace(
                document,
                memo=notes.cut(document.memo, COMMENTS, "The remark"),
                tender=notes.cut(document.tender, TRANSFER_REFERENCE, "The gateway's reference"),
                fields=_fields(document.fields, notes),
            )
        case SettlementDocument():
            fitted = document  # it carries no text
    return fitted, tuple(notes.notes)


def shorten(text: str, length: int) -> str:
    """The longest beginning of at most `length` UTF-16 units that cuts no character in two."""
    if len(text.encode("utf-16-le", "surrogatepass")) // 2 <= length:
        return text
    units, kept = 0, 0
    for character in text:
        units += 2 if ord(character) > 0xFFFF else 1
        if units > length:
            break
        kept += 1
    return text[:kept].rstrip()


def printable(text: str) -> str:
    """Text without control characters and lone surrogates; line breaks become spaces."""
    return "".join(" " if c in "\r\n\t" else c for c in text if c in "\r\n\t" or _is_text(c)).strip()


def _is_text(character: str) -> bool:
    code = ord(character)
    return code >= 0x20 and code != 0x7F and not 0xD800 <= code <= 0xDFFF


def _partner(document: PartnerDocument, notes: _Notes) -> PartnerDocument:
    return replace(
        document,
        name=notes.cut(document.name, CARD_NAME, "The customer's name"),
        email=notes.cut(document.email, EMAIL, "The customer's e-mail address"),
        phone=notes.cut(document.phone, PHONE, "The customer's phone number"),
        tax_number=notes.cut(document.tax_number, TAX_NUMBER, "The customer's tax number"),
        billing=_address(document.billing, "The billing address", notes),
        shipping=tuple(_address(each, "A shipping address", notes) for each in document.shipping),
        fields=_fields(document.fields, notes),
    )


def _sales(document: SalesDocument, notes: _Notes) -> SalesDocument:
    return replace(
        document,
        memo=notes.cut(document.memo, COMMENTS, "The remark"),
        billing=_address(document.billing, "The billing address", notes),
        shipping=_address(document.shipping, "The shipping address", notes),
        fields=_fields(document.fields, notes),
        lines=tuple(
            replace(line, text=notes.cut(line.text, LINE_TEXT, f"The text of line {number}"))
            for number, line in enumerate(document.lines, start=1)
        ),
    )


def _address(address: Address, what: str, notes: _Notes) -> Address:
    return replace(
        address,
        company=notes.cut(address.company, STREET, f"{what}: the company"),
        street=notes.cut(address.street, STREET, f"{what}: the street"),
        street_2=notes.cut(address.street_2, STREET, f"{what}: the second line"),
        city=notes.cut(address.city, CITY, f"{what}: the city"),
        state=notes.cut(address.state, CITY, f"{what}: the state"),
        zip_code=notes.cut(address.zip_code, ZIP_CODE, f"{what}: the postal code"),
    )


def _fields(fields: tuple[tuple[str, str], ...], notes: _Notes) -> tuple[tuple[str, str], ...]:
    return tuple((name, notes.cut(value, FIELD, f"Field {name}")) for name, value in fields)
