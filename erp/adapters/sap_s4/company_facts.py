"""Reading what a company code is like: currency, chart of accounts, cost centers, and the customers a plan needs.

S/4HANA has no public service that lists tax codes or posting periods: tax codes are named on the connection, and a closed
period is told by SAP when the entry is posted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from erp.adapters.sap_s4 import odata
from erp.adapters.sap_s4.answers import S4
from erp.adapters.sap_s4.gateway import Gateway, Service
from erp.adapters.sap_s4.products import read_items
from erp.adapters.sap_s4.settings import Settings
from erp.contract.errors import Misconfigured, Refused
from erp.contract.facts import Account, FactsNeeded, LedgerFacts, Named

Row = Mapping[str, Any]
COMPANY_CODES = Service("API_COMPANYCODE_SRV", "the company codes (API_COMPANYCODE_SRV)")
ACCOUNTS = Service(
    "API_GLACCOUNTINCHARTOFACCOUNTS_SRV", "the chart of accounts (API_GLACCOUNTINCHARTOFACCOUNTS_SRV)"
)
COST_CENTERS = Service("API_COSTCENTER_SRV", "the cost centers (API_COSTCENTER_SRV)")
PARTNERS = Service("API_BUSINESS_PARTNER", "SAP_COM_0008 (business partner)")
ACCOUNT_COLUMNS = (
    "ChartOfAccounts,GLAccount,GLAccountType,AccountIsBlockedForPosting,AccountIsMarkedForDeletion,"
    "to_Text/Language,to_Text/GLAccountName,to_Text/GLAccountLongName"
)
NOT_FOUND = 404
# Secondary costs are posted by controlling itself (GLAccountType S).
NOT_POSTABLE = ("S",)


def read_facts(
    gateway: Gateway, settings: Settings, text: Mapping[str, str], needed: FactsNeeded, now: datetime
) -> LedgerFacts:
    """Ledger facts, read now. Without `needed.company`, only the rows it names are filled in."""
    facts = _company(gateway, settings, text, now.date()) if needed.company else _rows_only(settings, text)
    return replace(
        facts,
        partners=_partners(gateway, settings, needed.partners),
        items=read_items(gateway, settings, needed.items),
    )


def _rows_only(settings: Settings, text: Mapping[str, str]) -> LedgerFacts:
    return LedgerFacts(
        company=settings.company_code,
        local_currency="",
        time_zone="",
        amount_places=2,
        price_places=4,
        quantity_places=3,
        settings=dict(text),
    )


def _company(gateway: Gateway, settings: Settings, text: Mapping[str, str], today: date) -> LedgerFacts:
    row = company_row(gateway, settings)
    exempt = settings.exempt_tax_code or str(row.get("NonTaxableTransactionTaxCode") or "")
    told = {
        "local_currency": str(row.get("Currency") or ""),
        "chart_of_accounts": str(row.get("ChartOfAccounts") or ""),
        "controlling_area": str(row.get("ControllingArea") or ""),
        "country": str(row.get("Country") or ""),
        "tax_override": "yes",  # the store's tax is always what is sent
        **({"exempt_tax_code": exempt} if exempt else {}),
    }
    return LedgerFacts(
        company=str(row.get("CompanyCodeName") or settings.company_code),
        local_currency=told["local_currency"],
        time_zone="",
        amount_places=2,
        price_places=4,
        quantity_places=3,
        tax_rounding="document",
        tells_rates=False,
        allows_tax_override=True,
        tax_codes={code: named.tax for code, named in settings.tax_codes.items()},
        accounts={
            account.code: account for account in read_accounts(gateway, settings, told["chart_of_accounts"])
        },
        cost_centers={
            center.code: center
            for center in read_cost_centers(gateway, settings, told["controlling_area"], today)
        },
        settings={**text, **told},
    )


def company_row(gateway: Gateway, settings: Settings) -> Row:
    """The company code.

    :raises Misconfigured: if there is none such
    """
    try:
        found: Row = gateway.read(COMPANY_CODES, odata.key("A_CompanyCode", settings.company_code))
    except Refused as error:
        if error.status != NOT_FOUND:
            raise
        raise Misconfigured(
            f"{S4} has no company code {settings.company_code}, or does not show it to this user. Correct it on the connection.",
            code=error.code,
            status=error.status,
        ) from error
    return found


def read_accounts(gateway: Gateway, settings: Settings, chart: str) -> Iterator[Account]:
    """The accounts of the chart, with their names in the connection's language."""
    params = {
        "$filter": odata.equals("ChartOfAccounts", chart),
        "$select": ACCOUNT_COLUMNS,
        "$expand": "to_Text",
        "$orderby": "ChartOfAccounts,GLAccount",
    }
    for row in gateway.read_all(ACCOUNTS, "A_GLAccountInChartOfAccounts", params):
        yield Account(
            code=odata.external(str(row["GLAccount"])),
            name=_in_language(row, settings.language, "GLAccountLongName", "GLAccountName"),
            active=not row.get("AccountIsBlockedForPosting") and not row.get("AccountIsMarkedForDeletion"),
            postable=str(row.get("GLAccountType") or "") not in NOT_POSTABLE,
        )


def read_cost_centers(gateway: Gateway, settings: Settings, area: str, today: date) -> Iterator[Named]:
    """The cost centers of the company code that are valid today; one that is blocked is inactive."""
    if not area:
        return
    day = f"datetime'{today.isoformat()}T00:00:00'"
    params = {
        "$filter": odata.both(
            odata.equals("ControllingArea", area),
            odata.equals("CompanyCode", settings.company_code),
            f"ValidityStartDate le {day}",
            f"ValidityEndDate ge {day}",
        ),
        "$select": "ControllingArea,CostCenter,ValidityEndDate,IsBlkdForPrimaryCostsPosting,IsBlockedForRevenuePosting,"
        "to_Text/Language,to_Text/CostCenterName,to_Text/CostCenterDescription",
        "$expand": "to_Text",
        "$orderby": "CostCenter",
    }
    for row in gateway.read_all(COST_CENTERS, "A_CostCenter", params):
        blocked = row.get("IsBlkdForPrimaryCostsPosting") and row.get("IsBlockedForRevenuePosting")
        yield Named(
            code=odata.external(str(row["CostCenter"])),
            name=_in_language(row, settings.language, "CostCenterDescription", "CostCenterName"),
            active=not blocked,
        )


def _in_language(row: Row, language: str, *columns: str) -> str:
    """The text in that language; else in any."""
    texts = (row.get("to_Text") or {}).get("results") or []
    own = [text for text in texts if text.get("Language") == language] or texts
    return next((str(text[name]) for text in own for name in columns if text.get(name)), "")


def _partners(gateway: Gateway, settings: Settings, codes: Iterable[str]) -> dict[str, Named]:
    """Customers of the company code, under the codes they were asked for by."""
    # A code of our own making has hyphens and is no number of SAP's: it would be asked for with every order.
    asked = {odata.external(code): code for code in codes if len(code) <= 10 and code.isalnum()}
    found = {}
    for chunk in odata.chunks("Customer", asked):
        params = {
            "$filter": odata.both(odata.equals("CompanyCode", settings.company_code), chunk),
            "$select": "Customer,CompanyCode,DeletionIndicator",
            "$orderby": "Customer",
        }
        for row in gateway.read_all(PARTNERS, "A_CustomerCompany", params):
            code = asked.get(odata.external(str(row["Customer"])))
            if code is not None:
                found[code] = Named(code=code, name="", active=not row.get("DeletionIndicator"))
    return found
