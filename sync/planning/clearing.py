"""The account on which money arrives and from which it leaves."""

from __future__ import annotations

from erp.contract.order import RefundPayment, Tender, TenderKind
from sync.planning.lines import gift_certificate_account
from sync.planning.lookup import Lookup
from sync.planning.ports import Match


def clearing_account(lookup: Lookup, money: Tender | RefundPayment) -> Match:
    """Where money of this kind arrives and leaves: the clearing account of its method, or the liability it was paid from."""
    if money.kind is TenderKind.GIFT_CERTIFICATE:
        return gift_certificate_account(lookup)
    if money.kind is TenderKind.STORE_CREDIT:
        return lookup.need(
            "account.store_credit",
            "store credit",
            label="Store credit",
            sentence="Store credit has no liability account.",
        )
    gateway = getattr(money, "gateway", "")
    keys = [f"{gateway}:{money.method}"] if gateway else []
    return lookup.need(
        "clearing",
        *keys,
        money.method,
        label=f"Payment method {money.method}",
        sentence=f"Payment method {money.method} has no clearing account.",
    )
