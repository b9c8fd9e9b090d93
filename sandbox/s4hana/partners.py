"""Business partners: deep inserts with addresses, roles and customer data, reads by any of their parts, changes with ETags."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.s4hana import company, odata
from sandbox.wire import Storage

Row = dict[str, Any]
PARTNERS, ADDRESSES = "A_BusinessPartner", "A_BusinessPartnerAddress"
EMAILS, PHONES, TAX_NUMBERS = "A_AddressEmailAddress", "A_AddressPhoneNumber", "A_BusinessPartnerTaxNumber"
SETS = (PARTNERS, ADDRESSES, EMAILS, PHONES, TAX_NUMBERS, company.CUSTOMERS)
FIRST_NUMBER = 1000000
# What a deep insert may say, with the longest text; in the EDMX's own words.
TEXTS = {
    "BusinessPartnerCategory": 1,
    "BusinessPartnerGrouping": 4,
    "FirstName": 40,
    "LastName": 40,
    "OrganizationBPName1": 40,
    "OrganizationBPName2": 40,
    "SearchTerm1": 20,
    "BusinessPartnerIDByExtSystem": 20,
}
OF_ADDRESS = {
    "StreetName": 60,
    "StreetSuffixName": 40,
    "HouseNumber": 10,
    "CityName": 40,
    "PostalCode": 10,
    "Country": 3,
    "Region": 3,
    "District": 40,
}
PARTS = ("to_BusinessPartnerAddress", "to_BusinessPartnerRole", "to_BusinessPartnerTax", "to_Customer")


def create(storage: Storage, body: Row, now: datetime) -> Row:
    """Make a partner from a deep insert, and a customer if it has a customer's role.

    :raises sandbox.wire.Refusal: for what SAP would not take
    """
    _check({name: value for name, value in body.items() if name not in PARTS}, TEXTS, PARTNERS)
    if body.get("BusinessPartnerCategory") not in ("1", "2"):
        raise odata.refusal(400, "R11/201", "Specify a business partner category")
    named = body.get("OrganizationBPName1" if body["BusinessPartnerCategory"] == "2" else "LastName")
    if not named:
        raise odata.refusal(400, "R11/101", "Enter a name")
    number = str(storage.next_number("partners", FIRST_NUMBER)).zfill(10)
    roles = [each["BusinessPartnerRole"] for each in odata.nested(body.get("to_BusinessPartnerRole"))]
    customer = number if any(role.startswith("FLCU") for role in roles) else ""
    row: Row = {
        **dict.fromkeys(TEXTS, ""),
        **{name: value for name, value in body.items() if name in TEXTS},
        "BusinessPartner": number,
        "Customer": customer,
        "BusinessPartnerIsBlocked": False,
        "LastChangeDate": now,
        "changes": 1,
        "to_BusinessPartnerRole": [
            {"BusinessPartner": number, "BusinessPartnerRole": role} for role in roles
        ],
        "to_BusinessPartnerAddress": [
            _address(storage, number, each) for each in odata.nested(body.get("to_BusinessPartnerAddress"))
        ],
        "to_BusinessPartnerTax": [
            {"BusinessPartner": number, **each} for each in odata.nested(body.get("to_BusinessPartnerTax"))
        ],
    }
    _open_customer(storage, customer, body.get("to_Customer") or {})
    storage.put(PARTNERS, number, row)
    return row


def _open_customer(storage: Storage, customer: str, body: Row) -> None:
    for each in odata.nested(body.get("to_CustomerCompany")):
        if not customer:
            raise odata.refusal(400, "R11/642", "Assign the role FLCU00 to maintain company code data")
        account = storage.get(company.ACCOUNTS, company.padded(each.get("ReconciliationAccount", "")))
        if account is None:
            raise odata.refusal(400, "F2/154", "Reconciliation account is missing or does not exist")
        company.add_customer(storage, each["CompanyCode"], customer)


def _address(storage: Storage, partner: str, body: Row) -> Row:
    flat = {name: value for name, value in body.items() if not name.startswith("to_")}
    _check(flat, OF_ADDRESS, ADDRESSES)
    if not flat.get("Country"):
        raise odata.refusal(400, "AM/211", "Specify a country key")
    identity = str(storage.next_number("addresses", 20000))
    keys = {"AddressID": identity, "Person": ""}
    return {
        **dict.fromkeys(OF_ADDRESS, ""),
        **flat,
        "BusinessPartner": partner,
        "AddressID": identity,
        "to_EmailAddress": _numbered(keys, body.get("to_EmailAddress")),
        "to_PhoneNumber": _numbered(keys, body.get("to_PhoneNumber")),
    }


def _numbered(keys: Row, rows: Any) -> list[Row]:
    return [{**keys, "OrdinalNumber": str(n), **row} for n, row in enumerate(odata.nested(rows), start=1)]


def _check(given: Row, known: dict[str, int], name: str) -> None:
    for field, value in given.items():
        if field not in known:
            raise odata.refusal(
                400, "/IWCOR/CX_OD_EP_EDM_EXCEPTION", f"Property {field} is invalid in {name}"
            )
        if len(str(value)) > known[field]:
            raise odata.refusal(
                400, "/IWCOR/CX_DS_EP_FACET_ERROR", f"Property {field} has a value that is too long"
            )


def rows(storage: Storage, name: str) -> list[Row]:
    """All rows of one of the sets."""
    partners = storage.rows(PARTNERS)
    if name == PARTNERS:
        return [_shown(row) for row in partners]
    if name == TAX_NUMBERS:
        return [row for partner in partners for row in partner["to_BusinessPartnerTax"]]
    addresses = [row for partner in partners for row in partner["to_BusinessPartnerAddress"]]
    if name == ADDRESSES:
        return addresses
    if name in (EMAILS, PHONES):
        part = "to_EmailAddress" if name == EMAILS else "to_PhoneNumber"
        return [row for address in addresses for row in address[part]]
    return storage.rows(name)


def _shown(row: Row) -> Row:
    tag = f"W/\"datetimeoffset'{row['changes']:026d}'\""
    return {**{k: v for k, v in row.items() if k != "changes"}, "__metadata": {"etag": tag}}


def change(storage: Storage, name: str, keys: Row, body: Row, tag: str) -> None:
    """Change one row.

    :raises sandbox.wire.Refusal: 404, 412 after somebody else's change, 428 without an ETag
    """
    for partner in storage.rows(PARTNERS):
        for row in _within(partner, name):
            if all(str(row.get(key, "")) == value for key, value in keys.items()):
                _check_tag(partner, name, tag)
                _check(
                    body, {PARTNERS: TEXTS, ADDRESSES: OF_ADDRESS}.get(name) or dict.fromkeys(body, 241), name
                )
                row.update(body)
                partner["changes"] += 1
                storage.put(PARTNERS, partner["BusinessPartner"], partner)
                return
    raise odata.refusal(404, "/IWBEP/CM_MGW_RT/020", "Resource not found")


def _within(partner: Row, name: str) -> list[Row]:
    addresses = partner["to_BusinessPartnerAddress"]
    parts = {EMAILS: "to_EmailAddress", PHONES: "to_PhoneNumber"}
    if name in parts:
        return [row for address in addresses for row in address[parts[name]]]
    return {PARTNERS: [partner], ADDRESSES: addresses}.get(name, [])


def _check_tag(partner: Row, name: str, tag: str) -> None:
    if not tag:
        raise odata.refusal(428, "/IWFND/CM_MGW/549", "Precondition required: send If-Match")
    if name == PARTNERS and tag not in ("*", _shown(partner)["__metadata"]["etag"]):
        raise odata.refusal(412, "/IWFND/CM_MGW/548", "Precondition failed")
