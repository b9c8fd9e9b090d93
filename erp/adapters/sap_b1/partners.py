"""Writing business partners: customers with their billing and shipping addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from erp.adapters.sap_b1.marketing import LONGEST_STATE, as_fields, present
from erp.adapters.sap_b1.settings import Settings, read_settings
from erp.contract.documents import PartnerDocument
from erp.contract.facts import LedgerFacts
from erp.contract.order import Address

Row = dict[str, Any]
ENTITY_SET = "BusinessPartners"
ALL_CURRENCIES = "##"
BILLING_NAME = "Billing"


def partner_payload(document: PartnerDocument, facts: LedgerFacts) -> Row:
    """The body of a new customer."""
    settings = read_settings(facts.settings)
    return present(
        {
            "CardCode": document.code,
            "CardType": "cCustomer",
            "GroupCode": int(document.group) if document.group.isdigit() else None,
            "Currency": document.currency or ALL_CURRENCIES,
            **changeable(document, settings),
        }
    )


def changeable(document: PartnerDocument, settings: Settings) -> Row:
    """What a later change of the customer in the store changes in B1; code, type, group and currency stay."""
    return present(
        {
            "CardName": document.name,
            "EmailAddress": document.email,
            "Phone1": document.phone,
            "FederalTaxID": document.tax_number,
            **({settings.partner_marker_field: document.reference} if settings.partner_marker_field else {}),
            **as_fields(document.fields),
            "BPAddresses": addresses(document),
        }
    )


def addresses(document: PartnerDocument) -> list[Row]:
    """One billing address and every shipping address; a row's name is its key, so an update meets the same row."""
    rows = []
    if document.billing != Address():
        rows.append(_address(document.billing, BILLING_NAME, "bo_BillTo"))
    for number, each in enumerate(document.shipping, start=1):
        rows.append(_address(each, f"Shipping {number}", "bo_ShipTo"))
    return rows


def _address(address: Address, name: str, kind: str) -> Row:
    is_code = len(address.state) <= LONGEST_STATE
    return present(
        {
            "AddressName": name,
            "AddressType": kind,
            "Street": address.street,
            "Block": address.street_2,
            "City": address.city,
            "ZipCode": address.zip_code,
            "County": "" if is_code else address.state,
            "State": address.state if is_code else "",
            "Country": address.country_code,
        }
    )


def match_filter_field(match_by: str, settings: Settings) -> str:
    """The property a partner is matched by, "" if that way is not configured."""
    fields: Mapping[str, str] = {
        "marker": settings.partner_marker_field,
        "email": "EmailAddress",
        "tax_number": "FederalTaxID",
        "phone": "Phone1",
    }
    return fields.get(match_by, "")
