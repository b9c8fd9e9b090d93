"""A registered customer of the store."""

from __future__ import annotations

from erp.contract.order import Customer
from storefront.translation.people import customer_address
from storefront.translation.reading import Row, identifier, moment, rows, text


def translate_customer(body: Row) -> Customer:
    """The contract's customer from a snapshot of one.

    :param body: {"customer": v3 customer with addresses and form fields, "group": {"id", "name"} or null,
        "known_as": {"erp_code", "tax_number"}}
    """
    row: Row = body["customer"]
    group: Row = body.get("group") or {}
    known_as: Row = body.get("known_as") or {}
    return Customer(
        id=identifier(row.get("id")),
        email=text(row.get("email")),
        first_name=text(row.get("first_name")),
        last_name=text(row.get("last_name")),
        company=text(row.get("company")),
        phone=text(row.get("phone")),
        tax_number=text(known_as.get("tax_number")),
        erp_code=text(known_as.get("erp_code")),
        group_id=identifier(row.get("customer_group_id")),
        group_name=text(group.get("name")),
        addresses=tuple(customer_address(address) for address in rows(row, "addresses")),
        modified_at=moment(row.get("date_modified")),
    )
