"""Trying how long a payment's CounterReference may be: eight characters in most companies, more in some.

Written and read back, because some versions cut a long text without a word. A payment draft changes no books; only a
sandbox company that has no payment drafts is tried with a real payment over the smallest amount, cancelled at once.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from erp.adapters.sap_b1 import queries
from erp.adapters.sap_b1.answers import SessionLost
from erp.adapters.sap_b1.service_layer import ServiceLayer
from erp.contract.errors import Misconfigured, Refused, TryLater
from erp.contract.facts import LedgerFacts

WANTED = 16
PROBE = "TIEOUT-PROBE-016"
assert len(PROBE) == WANTED


def proved_length(service: ServiceLayer, facts: LedgerFacts, today: date, environment: str) -> int | None:
    """How many of sixteen characters were read back; None where nothing could be tried."""
    partner = any_customer(service)
    account = next(
        (a.code for a in facts.accounts.values() if a.active and a.postable and not a.currency), ""
    )
    if not partner or not account:
        return None
    body = {
        "DocType": "rCustomer",
        "CardCode": partner,
        "DocDate": today.isoformat(),
        "DocCurrency": facts.local_currency,
        "TransferAccount": account,
        "TransferSum": Decimal(1).scaleb(-facts.amount_places),
        "TransferDate": today.isoformat(),
        "CounterReference": PROBE,
        "Remarks": "Tieout tries the length of the reference; safe to remove.",
    }
    length = _try(service, "PaymentDrafts", {**body, "DocObjectCode": "bopot_IncomingPayments"}, remove=True)
    if length is None and environment == "sandbox":
        length = _try(service, "IncomingPayments", body, remove=False)
    return length


def any_customer(service: ServiceLayer) -> str:
    """The code of some active customer kept in all currencies or the local one; "" if there is none."""
    wanted = "CardType eq 'cCustomer' and Frozen eq 'tNO'"
    rows = service.read(
        "BusinessPartners",
        {"$select": "CardCode,Currency", "$filter": wanted, "$top": "5", "$orderby": "CardCode"},
    ).get("value", [])
    return next(
        (str(row["CardCode"]) for row in sorted(rows, key=lambda row: row.get("Currency") != "##")), ""
    )


def _try(service: ServiceLayer, entity_set: str, body: dict[str, Any], *, remove: bool) -> int | None:
    try:
        made = _send(service, "POST", entity_set, body)
    except Refused as error:
        # -1013 "value too long": the column is shorter. Anything else says nothing about the length.
        return 0 if error.code == "-1013" else None
    except Misconfigured:
        return None
    address = queries.key(entity_set, int(made["DocEntry"]))
    stored = service.read(address, {"$select": "CounterReference"}).get("CounterReference") or ""
    _send(service, "DELETE" if remove else "POST", address if remove else f"{address}/Cancel", None)
    return len(stored) if PROBE.startswith(stored) else 0


def _send(service: ServiceLayer, method: str, path: str, body: dict[str, Any] | None) -> Any:
    try:
        return service.write(method, path, body, before_sending=lambda: None)
    except SessionLost as error:
        raise TryLater(
            "SAP Business One lost our session in the middle of the test. Press Test connection again."
        ) from error
