"""*Test connection*: everything that posting will need, tried, each with a sentence on what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from erp.adapters.sap_s4 import company_facts, lookup, odata
from erp.adapters.sap_s4.gateway import Gateway
from erp.adapters.sap_s4.poster import posters
from erp.adapters.sap_s4.settings import Settings
from erp.contract.adapter import Check
from erp.contract.errors import RemoteError


def run(gateway: Gateway, settings: Settings, now: Callable[[], datetime]) -> Sequence[Check]:
    """Every check, the sign-in first.

    :raises RemoteError: if nobody could be signed in
    """
    gateway.sign_in.try_again()
    gateway.sign_in.header()
    return list(_checks(gateway, settings, now))


def _checks(gateway: Gateway, settings: Settings, now: Callable[[], datetime]) -> Iterator[Check]:
    yield Check(name="Sign-in", ok=True, sentence=f"SAP S/4HANA takes {settings.signed_in}.")
    row: dict[str, object] = {}

    def company() -> str:
        row.update(company_facts.company_row(gateway, settings))
        return (
            f"Company code {settings.company_code} is {row.get('CompanyCodeName')}, in {row.get('Currency')}."
        )

    yield _tried("Company code", company)
    if not row:
        return
    chart, area = str(row.get("ChartOfAccounts") or ""), str(row.get("ControllingArea") or "")

    def accounts() -> str:
        found = sum(1 for _ in company_facts.read_accounts(gateway, settings, chart))
        return f"Chart of accounts {chart} has {found} accounts."

    def cost_centers() -> str:
        found = sum(1 for _ in company_facts.read_cost_centers(gateway, settings, area, now().date()))
        return f"Cost centers: controlling area {area} has {found} of the company code that are valid today."

    def journal() -> str:
        condition = odata.both(
            odata.equals("CompanyCode", settings.company_code),
            odata.equals("DocumentReferenceID", "TIEOUT-TEST"),
        )
        params = {"$filter": condition, "$select": lookup.COLUMNS, "$top": "1"}
        list(gateway.read_all(lookup.JOURNAL_ITEMS, lookup.ENTITY_SET, params))
        return "Journal entries can be looked up by our reference: without that nothing is posted."

    yield _tried("Accounts", accounts)
    yield _tried("Cost centers", cost_centers)
    yield _tried("Looking up", journal)
    yield from _ways_to_post(gateway, settings, now)


def _ways_to_post(gateway: Gateway, settings: Settings, now: Callable[[], datetime]) -> Iterator[Check]:
    """Both ways are tried. The one that is chosen must work; the other is a hint."""
    for name, poster in posters(gateway, settings, now).items():
        is_chosen = name == settings.poster
        if name == "odata" and not settings.odata_root and not is_chosen:
            continue
        label = "SOAP" if name == "soap" else "your own OData service"
        try:
            poster.try_out()
        except RemoteError as error:
            yield Check(name=f"Posting by {label}", ok=False if is_chosen else None, sentence=error.sentence)
            continue
        use = "It is what this connection posts by." if is_chosen else "The connection could post by it, too."
        yield Check(
            name=f"Posting by {label}", ok=True, sentence=f"Journal entries can be posted by {label}. {use}"
        )


def _tried(name: str, what: Callable[[], str]) -> Check:
    try:
        return Check(name=name, ok=True, sentence=what())
    except RemoteError as error:
        return Check(name=name, ok=False, sentence=error.sentence)
