"""Addresses as the store has them, stored whole."""

from __future__ import annotations

from erp.contract.order import Address
from storefront.translation.reading import Row, text


def order_address(row: Row) -> Address:
    """A billing or shipping address of a v2 order."""
    return Address(
        first_name=text(row.get("first_name")),
        last_name=text(row.get("last_name")),
        company=text(row.get("company")),
        street=text(row.get("street_1")),
        street_2=text(row.get("street_2")),
        city=text(row.get("city")),
        state=text(row.get("state")),
        zip_code=text(row.get("zip")),
        country_code=text(row.get("country_iso2")),
        phone=text(row.get("phone")),
        email=text(row.get("email")),
    )


def customer_address(row: Row) -> Address:
    """An address of a v3 customer: other field names for the same things."""
    return Address(
        first_name=text(row.get("first_name")),
        last_name=text(row.get("last_name")),
        company=text(row.get("company")),
        street=text(row.get("address1")),
        street_2=text(row.get("address2")),
        city=text(row.get("city")),
        state=text(row.get("state_or_province")),
        zip_code=text(row.get("postal_code")),
        country_code=text(row.get("country_code")),
        phone=text(row.get("phone")),
    )
