"""Business partners in the customer role: found before they are made, made with company code and sales area, updated.

S/4HANA numbers partners itself, so ours is known by `BusinessPartnerIDByExtSystem` (20 characters, in the EDMX of
`API_BUSINESS_PARTNER`), which holds our reference. A journal entry names the customer number, which is what a receipt keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from erp.adapters.sap_s4 import odata
from erp.adapters.sap_s4.answers import S4
from erp.adapters.sap_s4.company_facts import PARTNERS
from erp.adapters.sap_s4.gateway import Gateway
from erp.adapters.sap_s4.settings import Settings
from erp.contract.adapter import Receipt
from erp.contract.documents import DocumentKind, PartnerDocument
from erp.contract.errors import OutcomeUnknown, Refused
from erp.contract.order import Address

Row = dict[str, Any]
ENTITY_SET, ADDRESSES = "A_BusinessPartner", "A_BusinessPartnerAddress"
EMAILS, PHONES, TAX_NUMBERS = "A_AddressEmailAddress", "A_AddressPhoneNumber", "A_BusinessPartnerTaxNumber"
ROLES = ("FLCU00", "FLCU01")  # customer of a company code, customer of a sales area
PERSON, ORGANISATION = "1", "2"
NAME = 40
LONGEST_REGION = 3
COLUMNS = "BusinessPartner,Customer,BusinessPartnerIDByExtSystem,BusinessPartnerIsBlocked"


# --- writing ----------------------------------------------------------------------------------------------


def partner_payload(document: PartnerDocument, settings: Settings) -> Row:
    """The body of a new customer: one deep insert with addresses, roles, company code and sales area."""
    addresses = [document.billing, *document.shipping]
    contacts = [_address(each, document, settings) for each in dict.fromkeys(addresses) if each != Address()]
    company = _present(
        {
            "CompanyCode": settings.company_code,
            "ReconciliationAccount": settings.reconciliation_account,
            "PaymentTerms": settings.payment_terms,
        }
    )
    tax = {"BPTaxType": settings.tax_number_type, "BPTaxNumber": document.tax_number}
    return _present(
        {
            **names(document),
            "BusinessPartnerGrouping": document.group or settings.partner_grouping,
            "BusinessPartnerIDByExtSystem": document.reference,
            **dict(document.fields),
            "to_BusinessPartnerAddress": contacts,
            "to_BusinessPartnerRole": [{"BusinessPartnerRole": role} for role in _roles(settings)],
            "to_BusinessPartnerTax": [tax] if document.tax_number and settings.tax_number_type else [],
            "to_Customer": _present(
                {"to_CustomerCompany": [company], "to_CustomerSalesArea": _sales_areas(document, settings)}
            ),
        }
    )


def names(document: PartnerDocument) -> Row:
    """An organisation where the customer named a company, else a person. A name's second half goes to its second field."""
    if document.billing.company:
        return _present(
            {
                "BusinessPartnerCategory": ORGANISATION,
                "OrganizationBPName1": document.name[:NAME],
                "OrganizationBPName2": document.name[NAME:],
            }
        )
    first, last = document.billing.first_name[:NAME], document.billing.last_name[:NAME]
    return _present(
        {"BusinessPartnerCategory": PERSON, "FirstName": first, "LastName": last or document.name[:NAME]}
    )


def _roles(settings: Settings) -> tuple[str, ...]:
    return ROLES if settings.sales_organization else ROLES[:1]


def _sales_areas(document: PartnerDocument, settings: Settings) -> list[Row]:
    if not settings.sales_organization:
        return []
    currency = "" if document.currency in ("", "##") else document.currency
    return [
        _present(
            {
                **settings.sales_area,
                "Currency": currency or settings.local_currency,
                "CustomerPaymentTerms": settings.payment_terms,
                "ShippingCondition": settings.shipping_condition,
            }
        )
    ]


def _address(address: Address, document: PartnerDocument, settings: Settings) -> Row:
    """An address with how to reach the customer. SAP keeps none without a country: the company code's own is meant then."""
    phone = address.phone or document.phone
    return _present(
        {
            "Country": settings.country,
            **place(address),
            "to_EmailAddress": [{"EmailAddress": document.email}] if document.email else [],
            "to_PhoneNumber": [{"PhoneNumber": phone[:30]}] if phone else [],
        }
    )


def place(address: Address) -> Row:
    """Where it is; a state that is no code of SAP's three characters goes to the district."""
    is_code = len(address.state) <= LONGEST_REGION
    return _present(
        {
            "StreetName": address.street,
            "StreetSuffixName": address.street_2,
            "CityName": address.city,
            "PostalCode": address.zip_code,
            "Country": address.country_code,
            "Region": address.state if is_code else "",
            "District": "" if is_code else address.state[:NAME],
        }
    )


def _present(row: Mapping[str, Any]) -> Row:
    return {name: value for name, value in row.items() if value not in (None, "", [], {})}


# --- looking up and sending -------------------------------------------------------------------------------


class Partners:
    """The business partners of one tenant."""

    def __init__(self, gateway: Gateway, settings: Settings) -> None:
        self._gateway = gateway
        self._settings = settings

    def find(self, document: PartnerDocument) -> Receipt | None:
        """The partner we made for this customer, or the one it is matched with.

        :raises Refused: if several match, or the one that does is no customer
        """
        rows = self._of(odata.equals("BusinessPartnerIDByExtSystem", document.reference))
        rows = [row for row in rows if row.get("BusinessPartnerIDByExtSystem") == document.reference]
        rows = rows or self._matched(document)
        if len(rows) > 1:
            found = ", ".join(str(row["BusinessPartner"]) for row in rows)
            raise Refused(
                f"Several business partners of {S4} match customer {document.reference} ({found}). Let the customer be matched "
                "by something that only one has, or merge them there."
            )
        return self._receipt(rows[0], adopted=True) if rows else None

    def by_number(self, number: str) -> Receipt | None:
        """The customer with this number."""
        if not number.isalnum() or len(number) > 10:
            return None
        rows = self._of(odata.equals("Customer", odata.padded(number)))
        return self._receipt(rows[0], adopted=True) if rows else None

    def create(self, body: Mapping[str, object], *, before_sending: Callable[[], None]) -> Receipt:
        """Make a business partner, once.

        :raises Refused: before anything is sent, if the connection does not say how customers are opened
        """
        if not self._settings.reconciliation_account:
            raise Refused(
                f"The customer is not in {S4} yet, and the connection names no reconciliation account for new ones. Name it on the "
                "connection, or make the customer there; then reprocess."
            )
        row = self._gateway.write(PARTNERS, "POST", ENTITY_SET, body, before_sending=before_sending)
        if not isinstance(row, dict) or not row.get("BusinessPartner"):
            raise OutcomeUnknown(f"{S4} answered without the new business partner's number: we look it up.")
        if not row.get("Customer"):
            row = self._gateway.read(PARTNERS, odata.key(ENTITY_SET, str(row["BusinessPartner"])))
        return self._receipt(row, adopted=False)

    def update(
        self, document: PartnerDocument, receipt: Receipt, *, before_sending: Callable[[], None]
    ) -> Receipt:
        """Bring name, first address, e-mail address and phone number to what the document says."""
        rows = self._of(odata.equals("Customer", odata.padded(receipt.key)))
        if not rows:
            raise Refused(f"Customer {receipt.key} is no longer in {S4}.")
        partner = str(rows[0]["BusinessPartner"])
        changed = {
            name: value for name, value in names(document).items() if name != "BusinessPartnerCategory"
        }
        self._patch(odata.key(ENTITY_SET, partner), {**changed, **dict(document.fields)}, before_sending)
        address = next(iter(self._rows(ADDRESSES, odata.equals("BusinessPartner", partner))), None)
        if address is not None and document.billing != Address():
            identity = str(address["AddressID"])
            key = odata.key(ADDRESSES, BusinessPartner=partner, AddressID=identity)
            self._patch(key, place(document.billing), before_sending)
            self._reach(EMAILS, identity, "EmailAddress", document.email, before_sending)
            self._reach(PHONES, identity, "PhoneNumber", document.phone, before_sending)
        return receipt

    def _reach(
        self, entity_set: str, address: str, name: str, value: str, before_sending: Callable[[], None]
    ) -> None:
        """The first e-mail address or phone number of an address."""
        row = next(iter(self._rows(entity_set, odata.equals("AddressID", address))), None)
        if row is not None and value and row.get(name) != value:
            keys = {key: str(row.get(key) or "") for key in ("AddressID", "Person", "OrdinalNumber")}
            self._patch(odata.key(entity_set, **keys), {name: value}, before_sending)

    def _patch(self, path: str, body: Row, before_sending: Callable[[], None]) -> None:
        """Change a row that nobody else changed since we read it."""
        current = self._gateway.read(PARTNERS, path)
        tag = str((current.get("__metadata") or {}).get("etag") or "*")
        self._gateway.write(
            PARTNERS, "PATCH", path, body, before_sending=before_sending, headers={"If-Match": tag}
        )

    def _matched(self, document: PartnerDocument) -> list[Row]:
        match document.match_by:
            case "code" if document.code != document.reference:
                return self._of(odata.equals("Customer", odata.padded(document.code)))
            case "email" if document.email:
                return self._reached(EMAILS, "EmailAddress", document.email)
            case "phone" if document.phone:
                return self._reached(PHONES, "PhoneNumber", document.phone)
            case "tax_number" if document.tax_number:
                rows = self._rows(TAX_NUMBERS, odata.equals("BPTaxNumber", document.tax_number))
                return self._named(str(row["BusinessPartner"]) for row in rows)
        return []

    def _reached(self, entity_set: str, name: str, value: str) -> list[Row]:
        """Partners one of whose addresses has this e-mail address or phone number."""
        found = [str(row["AddressID"]) for row in self._rows(entity_set, odata.equals(name, value))]
        rows = [
            row for chunk in odata.chunks("AddressID", set(found)) for row in self._rows(ADDRESSES, chunk)
        ]
        return self._named(str(row["BusinessPartner"]) for row in rows)

    def _named(self, partners: Any) -> list[Row]:
        return [row for chunk in odata.chunks("BusinessPartner", set(partners)) for row in self._of(chunk)]

    def _of(self, condition: str) -> list[Row]:
        params = {"$filter": condition, "$select": COLUMNS, "$orderby": "BusinessPartner"}
        return list(self._gateway.read_all(PARTNERS, ENTITY_SET, params))

    def _rows(self, entity_set: str, condition: str) -> list[Row]:
        return list(self._gateway.read_all(PARTNERS, entity_set, {"$filter": condition}))

    def _receipt(self, row: Mapping[str, Any], *, adopted: bool) -> Receipt:
        customer = odata.external(str(row.get("Customer") or ""))
        if customer in ("", "0"):
            raise Refused(
                f"Business partner {row['BusinessPartner']} of {S4} is no customer. Give it the role FLCU00 there, then reprocess."
            )
        return Receipt(key=customer, number=customer, adopted=adopted, kind=DocumentKind.PARTNER)
