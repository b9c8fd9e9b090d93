"""What a company code is made of: itself, its chart of accounts, cost centers, customers, tax codes and periods.

Rows are kept in buckets named after the entity sets that show them, under SAP's inner keys (numbers padded with zeros).
Accounts and customers are those of SAP's model company (company code 1710, chart YCOA).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sandbox.wire import Storage

Row = dict[str, Any]
COMPANIES, ACCOUNTS, CENTERS = "A_CompanyCode", "A_GLAccountInChartOfAccounts", "A_CostCenter"
CUSTOMERS, TAX_CODES, PERIODS, SWITCHES = "A_CustomerCompany", "tax codes", "closed periods", "switches"
PRODUCTS, TAX_CLASSES = "A_Product", "tax classes"
CHART, AREA = "YCOA", "A000"
FOREVER = datetime(9999, 12, 31, tzinfo=UTC)

# GLAccountType: X balance sheet, P primary costs or revenue, S secondary costs, C cash.
USUAL_ACCOUNTS = {
    "11001000": ("Card clearing", "X"),
    "11002000": ("PayPal clearing", "X"),
    "12100000": ("Receivables domestic", "X"),
    "21100000": ("Gift certificates", "X"),
    "21110000": ("Store credit", "X"),
    "22000000": ("Output tax", "X"),
    "41000000": ("Revenue domestic", "P"),
    "41001000": ("Revenue shipping", "P"),
    "41002000": ("Revenue fees", "P"),
    "44000000": ("Sales discounts", "P"),
    "44001000": ("Refunds without a line", "P"),
    "72000000": ("Rounding differences", "P"),
    "94000000": ("Overhead, allocated", "S"),
}
USUAL_TAX_CODES = {"O0": "0", "O1": "8.25", "O2": "20"}


def padded(code: str) -> str:
    """A number as SAP keeps it."""
    return code.zfill(10) if code.isdigit() else code


def set_up_company(
    storage: Storage, code: str = "1710", *, currency: str = "USD", name: str = "Company Code 1710"
) -> None:
    """A company code with the usual accounts, a cost center, tax codes and the customer of guests, 17100001."""
    storage.put(
        COMPANIES,
        code,
        {
            "CompanyCode": code,
            "CompanyCodeName": name,
            "Country": "US" if currency == "USD" else "DE",
            "Currency": currency,
            "Language": "EN",
            "ChartOfAccounts": CHART,
            "FiscalYearVariant": "K4",
            "ControllingArea": AREA,
            "NonTaxableTransactionTaxCode": "O0",
        },
    )
    for account, (text, kind) in USUAL_ACCOUNTS.items():
        add_account(storage, account, text, kind=kind)
    add_cost_center(storage, code, "WEB", "Web shop")
    for tax_code, percent in USUAL_TAX_CODES.items():
        storage.put(TAX_CODES, tax_code, {"code": tax_code, "percent": percent})
    add_customer(storage, code, "17100001")
    for product, text, percent in (
        ("HAT", "Hat", "8.25"),
        ("SERVICE", "Taxed service", "8.25"),
        ("SERVICE-EX", "Untaxed service", "0"),
    ):
        add_product(storage, product, text, percent=percent)


def add_account(storage: Storage, account: str, name: str, *, kind: str = "P", **changes: Any) -> None:
    """Add an account of the chart, or replace it."""
    row = {
        "ChartOfAccounts": CHART,
        "GLAccount": padded(account),
        "GLAccountType": kind,
        "AccountIsBlockedForPosting": False,
        "AccountIsMarkedForDeletion": False,
        "to_Text": [
            {"Language": "DE", "GLAccountName": f"{name[:17]} DE", "GLAccountLongName": ""},
            {"Language": "EN", "GLAccountName": name[:20], "GLAccountLongName": name},
        ],
    }
    storage.put(ACCOUNTS, padded(account), row | changes)


def add_cost_center(
    storage: Storage,
    company: str,
    center: str,
    name: str,
    *,
    since: datetime = datetime(2020, 1, 1, tzinfo=UTC),
    until: datetime = FOREVER,
    **changes: Any,
) -> None:
    """Add a cost center for a time, or replace it."""
    row = {
        "ControllingArea": AREA,
        "CostCenter": padded(center),
        "CompanyCode": company,
        "ValidityStartDate": since,
        "ValidityEndDate": until,
        "IsBlkdForPrimaryCostsPosting": "",
        "IsBlockedForRevenuePosting": "",
        "to_Text": [{"Language": "EN", "CostCenterName": name[:20], "CostCenterDescription": name}],
    }
    storage.put(CENTERS, f"{padded(center)} {until.date()}", row | changes)


def add_customer(storage: Storage, company: str, customer: str, *, group: str = "") -> None:
    """Open a customer in a company code. Group CPD: an account for one time, which wants a name and a city with every row."""
    row = {
        "Customer": padded(customer),
        "CompanyCode": company,
        "DeletionIndicator": False,
        "CustomerAccountGroup": group,
    }
    storage.put(CUSTOMERS, f"{padded(customer)} {company}", row)


def add_product(storage: Storage, product: str, name: str, *, percent: str = "8.25", **changes: Any) -> None:
    """Add a material that is taxed with so many percent, or replace it."""
    row = {
        "Product": product,
        "IsMarkedForDeletion": False,
        "ProductStandardID": "",
        "to_Description": [{"Product": product, "Language": "EN", "ProductDescription": name}],
    }
    storage.put(PRODUCTS, product, row | changes)
    storage.put(TAX_CLASSES, product, {"percent": percent})


def close_period(storage: Storage, company: str, year: int, month: int) -> None:
    """Nothing more is posted into that period."""
    storage.put(PERIODS, f"{company} {year}-{month:02d}", {"closed": True})


def open_period(storage: Storage, company: str, year: int, month: int) -> None:
    """Open it again."""
    storage.delete(PERIODS, f"{company} {year}-{month:02d}")
