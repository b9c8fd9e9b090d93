"""The service operations (function imports): company settings, periods, series, rates, prices, drafts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.service_layer import documents, errors, reconciliation
from sandbox.service_layer.company import Company, Period, Series
from sandbox.service_layer.enums import ENUMS
from sandbox.service_layer.fields import BadValue, read_date
from sandbox.service_layer.rounding import ZERO
from sandbox.service_layer.writing import write_row

Row = dict[str, Any]
NOTHING = object()  # answers 204


def call(company: Company, name: str, payload: Mapping[str, Any]) -> Any:
    """Run a service operation; NOTHING where it answers without a body.

    :raises B1Error: if there is no such operation, or if it refuses
    """
    if name in PREVIEWS and company.switches.previews:
        row = documents.preview(company, PREVIEWS[name], _argument(payload, "Document"))
        return write_row(company, "Document", row)
    if name not in OPERATIONS:
        raise errors.no_such_path()
    return OPERATIONS[name](company, payload)


def _argument(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = payload.get(name)
    if not isinstance(value, Mapping):
        raise errors.B1Error(-1000, f"Parameter '{name}' is missing")
    return value


def _yes(value: bool) -> str:
    return "tYES" if value else "tNO"


def _admin_info(company: Company, payload: Mapping[str, Any]) -> Row:
    switches = company.switches
    return {
        "Code": 1,
        "CompanyName": company.database,
        "Country": "US" if switches.localisation == "US" else "DE",
        "LocalCurrency": switches.local_currency,
        "SystemCurrency": switches.local_currency,
        "DirectIndirectRate": _yes(switches.direct_rate),
        "TotalsAccuracy": switches.totals_decimals,
        "AccuracyofQuantities": switches.quantity_decimals,
        "PriceAccuracy": switches.price_decimals,
        "RateAccuracy": switches.rate_decimals,
        "PercentageAccuracy": switches.percent_decimals,
        "MeasuringAccuracy": 2,
        "QueryAccuracy": 6,
        "DefaultWarehouse": company.defaults.get("warehouse"),
        "DefaultTaxCode": company.defaults.get("tax_code"),
        "RoundTaxAmounts": "tNO",
        "RoundingMethod": _yes(switches.rounding_allowed),
        "EnableBranches": _yes(switches.multiple_branches),
        "EnableSeparatePriceMode": "tNO",
        "BlockStockNegativeQuantity": _yes(switches.block_negative_stock),
        "ContinuousStockManagement": "tYES",
        "EnableApprovalProcedureInDI": _yes(bool(switches.approvals)),
        "TaxRateDetermination": "trd_DocumentDate",
        "MultiLanguageSupportEnable": "tNO",
        "ReuseDocumentNum": "tNO",
    }


def _company_info(company: Company, payload: Mapping[str, Any]) -> Row:
    switches = company.switches
    return {
        "Version": 1000110,
        "CompanyName": company.database,
        "EnableExpensesManagement": "tYES",
        "EnableAccountSegmentation": "tNO",
        "BaseDateForExchangeRate": "bdr_PostingDate",
        "BlockStockNegativeQuantity": _yes(switches.block_negative_stock),
        "GroupLinesInVATCalculation": _yes(switches.group_lines_in_vat_calculation),
        "TaxCalculationSystem": "PreconfiguredFormula",
        "EnableTransactionNotification": _yes(bool(switches.duplicate_guard)),
        "MaxNumberOfDocumentsInPmt": 0,
        "LanguageCode": "ln_English",
    }


def _period(period: Period) -> Row:
    return {
        "AbsoluteEntry": period.number,
        "PeriodCode": period.code,
        "PeriodName": period.code,
        "PostingDateFrom": period.start,
        "PostingDateTo": period.end,
        "ValueDateFrom": f"{int(period.start[:4]) - 1}-01-01",
        "ValueDateTo": f"{int(period.start[:4]) + 1}-12-31",
        "TaxDateFrom": f"{int(period.start[:4]) - 1}-01-01",
        "TaxDateTo": f"{int(period.start[:4]) + 1}-12-31",
        "ActiveforFeed": "tYES",
        "Locked": _yes(period.status == "ltLocked"),
        "AdditionalSubPeriods": "tNO",
        "PeriodIndicator": "Default",
        "SubNum": int(period.code[5:]),
        "PeriodStatus": period.status,
    }


def _periods(company: Company, payload: Mapping[str, Any]) -> list[Row]:
    """Posting periods are kept in categories, here one per financial year."""
    return [{"AbsoluteEntry": year} for year in sorted({period.number // 100 for period in company.periods})]


def _period_category(company: Company, payload: Mapping[str, Any]) -> Row:
    year = _argument(payload, "PeriodCategoryParams").get("AbsoluteEntry")
    months = [period for period in company.periods if period.number // 100 == year]
    if not months:
        raise errors.not_found()
    return {
        "AbsoluteEntry": year,
        "PeriodCategory": str(year),
        "PeriodName": str(year),
        "SubPeriodType": "spt_Months",
        "NumberOfPeriods": len(months),
        "BeginningofFinancialYear": months[0].start,
        "FinancialYear": year,
        "FromPostingDate": months[0].start,
        "ToPostingDate": months[-1].end,
        "RoundingAccount": company.defaults["rounding"],
    }


def _finance_periods(company: Company, payload: Mapping[str, Any]) -> list[Row]:
    year = _argument(payload, "PeriodCategoryParams").get("AbsoluteEntry")
    return [_period(period) for period in company.periods if year in (None, period.number // 100)]


def _finance_period(company: Company, payload: Mapping[str, Any]) -> Row:
    number = _argument(payload, "FinancePeriodParams").get("AbsoluteEntry")
    for period in company.periods:
        if period.number == number:
            return _period(period)
    raise errors.not_found()


def _series(series: Series) -> Row:
    return {
        "Document": series.object_code,
        "DocumentSubType": "--",
        "InitialNumber": 1,
        "LastNumber": None,
        "NextNumber": series.next_number,
        "Prefix": series.prefix or None,
        "Suffix": None,
        "Remarks": None,
        "GroupCode": "sg_Group1",
        "Locked": _yes(series.locked),
        "PeriodIndicator": "Default",
        "Name": series.name,
        "Series": series.number,
        "IsDigitalSeries": "tNO",
        "SeriesType": "stBusinessPartner" if series.object_code == "2" else "stDocument",
        "IsManual": _yes(series.manual),
        "BPLID": series.branch,
    }


def _document_series(company: Company, payload: Mapping[str, Any]) -> list[Row]:
    code = str(_argument(payload, "DocumentTypeParams").get("Document"))
    code = ENUMS["BoObjectTypes"].get(code, code)
    return [_series(series) for series in company.series.values() if series.object_code == code]


def _default_series(company: Company, payload: Mapping[str, Any]) -> Row:
    code = str(_argument(payload, "DocumentTypeParams").get("Document"))
    series = company.default_series(ENUMS["BoObjectTypes"].get(code, code))
    if series is None:
        raise errors.not_found()
    return _series(series)


def _one_series(company: Company, payload: Mapping[str, Any]) -> Row:
    series = company.series.get(_argument(payload, "SeriesParams").get("Series") or -1)
    if series is None:
        raise errors.not_found()
    return _series(series)


def _currency_rate(company: Company, payload: Mapping[str, Any]) -> Decimal:
    currency, day = payload.get("Currency"), payload.get("Date")
    if not isinstance(currency, str) or company.get("Currencies", currency) is None:
        raise errors.no_such_record("[ORTT.Currency]")
    return company.rate(currency, _day(day))


def _set_currency_rate(company: Company, payload: Mapping[str, Any]) -> object:
    currency, rate = payload.get("Currency"), payload.get("Rate")
    if company.get("Currencies", currency) is None or rate is None:
        raise errors.no_such_record("[ORTT.Currency]")
    company.set_rate(str(currency), Decimal(str(rate)), _day(payload.get("RateDate")))
    return NOTHING


def _day(text: object) -> str:
    try:
        return read_date(str(text))
    except BadValue as error:
        raise errors.B1Error(-1000, f"Invalid date '{text}'") from error


def _item_price(company: Company, payload: Mapping[str, Any]) -> Row:
    wanted = _argument(payload, "ItemPriceParams")
    item = company.get("Items", wanted.get("ItemCode"))
    if item is None:
        raise errors.not_found()
    partner = company.get("BusinessPartners", wanted.get("CardCode")) or {}
    number = wanted.get("PriceList") or partner.get("PriceListNum") or 1
    price: Row = next((row for row in item.get("ItemPrices", ()) if row["PriceList"] == number), {})
    local = company.switches.local_currency
    return {"Price": price.get("Price", ZERO), "Currency": price.get("Currency") or local, "Discount": ZERO}


def _open_transactions(company: Company, payload: Mapping[str, Any]) -> Row:
    row = reconciliation.open_transactions(
        company, _argument(payload, "InternalReconciliationOpenTransParams")
    )
    return write_row(company, "InternalReconciliationOpenTrans", row)


def _save_draft(company: Company, payload: Mapping[str, Any]) -> object:
    documents.post_draft(company, _argument(payload, "Document").get("DocEntry", 0))
    return NOTHING


PREVIEWS = {
    "InvoicesService_Preview": "Invoices",
    "OrdersService_Preview": "Orders",
    "CreditNotesService_Preview": "CreditNotes",
}
OPERATIONS: dict[str, Callable[[Company, Mapping[str, Any]], Any]] = {
    "CompanyService_GetAdminInfo": _admin_info,
    "CompanyService_GetCompanyInfo": _company_info,
    "CompanyService_GetPeriods": _periods,
    "CompanyService_GetPeriod": _period_category,
    "CompanyService_GetFinancePeriods": _finance_periods,
    "CompanyService_GetFinancePeriod": _finance_period,
    "CompanyService_GetItemPrice": _item_price,
    "SeriesService_GetDocumentSeries": _document_series,
    "SeriesService_GetDefaultSeries": _default_series,
    "SeriesService_GetSeries": _one_series,
    "SBOBobService_GetCurrencyRate": _currency_rate,
    "SBOBobService_SetCurrencyRate": _set_currency_rate,
    "SBOBobService_GetLocalCurrency": lambda company, payload: company.switches.local_currency,
    "SBOBobService_GetSystemCurrency": lambda company, payload: company.switches.local_currency,
    "DraftsService_SaveDraftToDocument": _save_draft,
    "InternalReconciliationsService_GetOpenTransactions": _open_transactions,
}
