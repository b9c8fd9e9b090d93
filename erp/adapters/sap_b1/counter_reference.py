"""Trying how long a payment's CounterReference may be: eight characters in most companies, more in some.

Written and read back, because some versions cut a long text without a word. It is a payment draft over the smallest
amount: a draft changes no books, and it is removed at once.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from erp.adapters.sap_b1 import queries
from erp.adapters.sap_b1.answers import SessionLost
from erp.adapters.sap_b1.payments import DRAFTS
from erp.adapters.sap_b1.service_layer import ServiceLayer
from erp.adapters.sap_b1.settings import COUNTER_REFERENCE
from erp.contract.errors import Misconfigured, Refused, TryLater
from erp.contract.facts import LedgerFacts

WANTED = 16
PROBE = "TIEOUT-PROBE-016"
TOO_LONG = "-1013"


def proved_length(service: ServiceLayer, facts: LedgerFacts, today: date) -> int | None:
    """How many of sixteen characters were read back; None where nothing could be tried."""
    partner = any_customer(service)
    account = next(
        (a.code for a in facts.accounts.values() if a.active and a.postable and not a.currency), ""
    )
    if not partner or not account:
        return None
    try:
        made = _send(service, "POST", DRAFTS, _draft(partner, account, facts, today))
    except Refused as error:
        # "Value too long": the column is shorter. Anything else says nothing about the length.
        return 0 if error.code == TOO_LONG else None
    except Misconfigured:
        return None
    address = queries.key(DRAFTS, int(made["DocEntry"]))
    stored = service.read(address, {"$select": COUNTER_REFERENCE}).get(COUNTER_REFERENCE) or ""
    _send(service, "DELETE", address, None)
    return len(stored) if PROBE.startswith(stored) else 0


def _draft(partner: str, account: str, facts: LedgerFacts, today: date) -> dict[str, Any]:
    return {
        "DocObjectCode": "bopot_IncomingPayments",
        "DocType": "rCustomer",
        "CardCode": partner,
        "DocDate": today.isoformat(),
        "DocCurrency": facts.local_currency,
        "TransferAccount": account,
        "TransferSum": Decimal(1).scaleb(-facts.amount_places),
        "TransferDate": today.isoformat(),
        COUNTER_REFERENCE: PROBE,
        "Remarks": "Tieout tries the length of the reference; safe to remove.",
    }


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


def _send(service: ServiceLayer, method: str, path: str, body: dict[str, Any] | None) -> Any:
    try:
        return service.write(method, path, body, before_sending=lambda: None)
    except SessionLost as error:
        raise TryLater(
            "SAP Business One lost our session in the middle of the test. Press Test connection again."
        ) from error
