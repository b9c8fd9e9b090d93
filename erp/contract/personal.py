"""Taking a person out of a document: names, addresses and what was written for them go; money, lines, accounts and links stay."""

from dataclasses import replace

from erp.contract.documents import (
    AnyDocument,
    MoneyDocument,
    Origin,
    PartnerDocument,
    SalesDocument,
    SettlementDocument,
)
from erp.contract.order import Address


def without_person(document: AnyDocument) -> AnyDocument:
    """The document with empty personal fields. Its hash is another one: the stored one stays that of what was sent."""
    match document:
        case PartnerDocument():
            return replace(
                document,
                name="",
                email="",
                phone="",
                tax_number="",
                billing=_place(document.billing),
                shipping=tuple(map(_place, document.shipping)),
                fields=_names_only(document.fields),
                origins=tuple(map(_without_value, document.origins)),
            )
        case SalesDocument():
            return replace(
                document,
                billing=_place(document.billing),
                shipping=_place(document.shipping),
                memo="",
                fields=_names_only(document.fields),
                origins=_without_fields(document),
            )
        case MoneyDocument():
            fields = _names_only(document.fields)
            return replace(document, tender="", memo="", fields=fields, origins=_without_fields(document))
        case SettlementDocument():
            return replace(document, fields=_names_only(document.fields), origins=_without_fields(document))
    raise TypeError(f"{type(document).__name__} is no document")


def _place(address: Address) -> Address:
    """State and country decide taxes and name nobody."""
    return Address(state=address.state, country_code=address.country_code)


def _names_only(fields: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """A field rule may carry anything the store said."""
    return tuple((name, "") for name, _ in fields)


def _without_fields(document: SalesDocument | MoneyDocument | SettlementDocument) -> tuple[Origin, ...]:
    """What a field rule carried stands in the origins, too; money, accounts and the fingerprint stay there."""
    carried = {value for _, value in document.fields if value}
    return tuple(
        _without_value(origin) if origin.rule and origin.value in carried else origin
        for origin in document.origins
    )


def _without_value(origin: Origin) -> Origin:
    return replace(origin, value="")
