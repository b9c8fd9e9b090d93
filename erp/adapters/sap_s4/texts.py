"""Cutting texts to the lengths of the services, with a note for every cut. Lengths are those of the WSDL and the EDMX."""

from __future__ import annotations

from dataclasses import replace

from erp.adapters.sap_s4.journal import HEADER_FIELDS, HEADER_TEXT, HEADER_TEXT_FIELD
from erp.contract.documents import AnyDocument, MoneyDocument, PartnerDocument, SalesDocument
from erp.contract.order import Address

ITEM_TEXT = 50
PAYMENT_REFERENCE = 30
NAME = 40
EMAIL = 241
PHONE = 30
STREET = 60
CITY = 40
ZIP_CODE = 10
TAX_NUMBER = 20
FIELD = 60


class _Notes:
    """Collects a note for every text that had to be cut."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def cut(self, text: str, length: int, what: str) -> str:
        clean = printable(text)
        fitting = clean[:length].rstrip()
        if fitting != clean:
            self.notes.append(f"{what} was cut to {length} characters for SAP S/4HANA.")
        return fitting


def fit(document: AnyDocument) -> tuple[AnyDocument, tuple[str, ...]]:
    """The document with texts that S/4HANA can store, and what was cut."""
    notes = _Notes()
    match document:
        case PartnerDocument():
            fitted: AnyDocument = _partner(document, notes)
        case SalesDocument():
            fitted = replace(
                document,
                memo=notes.cut(document.memo, HEADER_TEXT, "The header text"),
                fields=_fields(document.fields, notes),
                billing=_address(document.billing, "The billing address", notes),
                lines=tuple(
                    replace(line, text=notes.cut(line.text, ITEM_TEXT, f"The text of line {number}"))
                    for number, line in enumerate(document.lines, start=1)
                ),
            )
        case MoneyDocument():
            fitted = replace(
                document,
                memo=notes.cut(document.memo, HEADER_TEXT, "The header text"),
                tender=(tender := notes.cut(document.tender, PAYMENT_REFERENCE, "The gateway's reference")),
                method=notes.cut(document.method, ITEM_TEXT - len(tender) - 1, "The payment method"),
                fields=_fields(document.fields, notes),
            )
        case _:
            fitted = document  # it carries no text
    return fitted, tuple(notes.notes)


def printable(text: str) -> str:
    """Text that XML can carry: without control characters and lone surrogates; runs of space become one, as in a token."""
    kept = (" " if character in "\r\n\t" else character for character in text)
    return " ".join("".join(character for character in kept if _is_text(character)).split())


def _is_text(character: str) -> bool:
    code = ord(character)
    return (
        code >= 0x20 and not 0x7F <= code <= 0x9F and not 0xD800 <= code <= 0xDFFF and code & 0xFFFE != 0xFFFE
    )


def _partner(document: PartnerDocument, notes: _Notes) -> PartnerDocument:
    return replace(
        document,
        name=notes.cut(document.name, 2 * NAME, "The customer's name"),
        email=notes.cut(document.email, EMAIL, "The customer's e-mail address"),
        phone=notes.cut(document.phone, PHONE, "The customer's phone number"),
        tax_number=notes.cut(document.tax_number, TAX_NUMBER, "The customer's tax number"),
        billing=_address(document.billing, "The billing address", notes),
        shipping=tuple(_address(each, "A shipping address", notes) for each in document.shipping),
        fields=_fields(document.fields, notes),
    )


def _address(address: Address, what: str, notes: _Notes) -> Address:
    return replace(
        address,
        company=notes.cut(address.company, NAME, f"{what}: the company"),
        street=notes.cut(address.street, STREET, f"{what}: the street"),
        street_2=notes.cut(address.street_2, CITY, f"{what}: the second line"),
        city=notes.cut(address.city, CITY, f"{what}: the city"),
        zip_code=notes.cut(address.zip_code, ZIP_CODE, f"{what}: the postal code"),
    )


def _fields(fields: tuple[tuple[str, str], ...], notes: _Notes) -> tuple[tuple[str, str], ...]:
    lengths = {**HEADER_FIELDS, HEADER_TEXT_FIELD: HEADER_TEXT}
    return tuple(
        (name, notes.cut(value, lengths.get(name, FIELD), f"Field {name}")) for name, value in fields
    )
