"""Posting journal entries through an OData service of the customer's own.

S/4HANA has no public OData service that posts general journal entries (SAP's own list, "APIs for journal entries: the
collection", names SOAP services only). A customer may wrap one in a service of its own; then root, entity set and the names of its
properties are settings, and everything else is as with SOAP: the same rows, signs and look-ups.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from erp.adapters.sap_s4 import soap
from erp.adapters.sap_s4.answers import S4
from erp.adapters.sap_s4.gateway import Gateway, Service
from erp.adapters.sap_s4.journal import Posted
from erp.adapters.sap_s4.settings import Settings
from erp.contract.errors import Misconfigured, OutcomeUnknown

LEFT_OUT = "-"
CURRENCY = "TransactionCurrency"  # our name for the currency of a row
# Groups of the message that are properties of the row itself in a service.
FLATTENED = ("Tax", "AccountAssignment", "CashDiscountTerms", "PaymentDetails", "OneTimeCustomerDetails")
# An amount in a service's JSON is text: V2 wants that, V4 takes it with this parameter.
EXACT = "application/json;IEEE754Compatible=true"


class ODataPoster:
    """One configured service and entity set."""

    def __init__(self, gateway: Gateway, settings: Settings) -> None:
        self._gateway = gateway
        self._settings = settings

    def post(self, node: dict[str, Any], *, before_sending: Callable[[], None]) -> Posted:
        """Post one entry.

        :raises Misconfigured: if no service is named
        :raises OutcomeUnknown: it may have been posted
        """
        service = service_of(self._settings)
        headers = {"Content-Type": EXACT, "Accept": EXACT} if "/odata4/" in service.path else {}
        row = self._gateway.write(
            service,
            "POST",
            self._settings.odata_set,
            entry_body(node, self._settings.odata_fields),
            before_sending=before_sending,
            headers=headers,
        )
        return self._posted(row)

    def reverse(self, entry: Posted, day: date, *, before_sending: Callable[[], None]) -> Posted:
        """Reverse one entry."""
        return self.post(soap.reversal_of(entry, day, self._settings), before_sending=before_sending)

    def try_out(self) -> None:
        """Fetch a CSRF token of the service, which posting needs.

        :raises RemoteError: if there is none
        """
        self._gateway.fetch_csrf(service_of(self._settings))

    def _posted(self, row: Any) -> Posted:
        names = self._settings.odata_fields
        keys = [str((row or {}).get(names.get(name, name)) or "").strip() for name in Posted.NAMES]
        document, company, year = keys
        if not document.strip("0") or not year.strip("0"):
            raise OutcomeUnknown(f"{S4} answered without the new document's number: we look it up.")
        return Posted(document, company or self._settings.company_code, year)


def service_of(settings: Settings) -> Service:
    """The service that the connection names.

    :raises Misconfigured: if it names none
    """
    if not settings.odata_root.startswith("/") or not settings.odata_set:
        raise Misconfigured(
            "Posting by OData needs the path of your service, such as /sap/opu/odata/sap/ZJOURNAL_SRV, and its entity set. Name "
            "both on the connection, or post by SOAP."
        )
    return Service(
        settings.odata_set, f"your own service {settings.odata_root}", settings.odata_root.rstrip("/")
    )


def entry_body(node: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The entry as one deep insert, under the service's own names; what it leaves out is not sent."""
    body: dict[str, Any] = {}
    for name, value in _flat(node):
        wanted = names.get(name, name)
        if wanted == LEFT_OUT:
            continue
        body[wanted] = [entry_body(each, names) for each in value] if isinstance(value, list) else value
    return body


def _flat(node: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Properties of one row: groups dissolved, amounts as text with their currency beside them."""
    found: list[tuple[str, Any]] = []
    for name, value in node.items():
        if isinstance(value, Mapping) and "currencyCode" in value:
            found += [(name, format(value["value"], "f")), (CURRENCY, value["currencyCode"])]
        elif isinstance(value, Mapping) and name in FLATTENED:
            found += _flat(value)
        else:
            found.append((name, format(value, "f") if isinstance(value, Decimal) else value))
    return found
