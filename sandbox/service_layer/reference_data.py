"""The reference data of `Company.default()`: what a small trading company would have set up."""

from __future__ import annotations

from decimal import Decimal

from sandbox.service_layer.company import ALL_CURRENCIES, Company, Period, Row, Series, month_end

# (code, name, type, more)
_ACCOUNTS: tuple[tuple[str, str, str, Row], ...] = (
    ("100000", "Assets", "at_Other", {"ActiveAccount": "tNO", "AccountLevel": 1}),
    ("110100", "Petty cash", "at_Other", {"CashAccount": "tYES"}),
    ("111000", "Card clearing", "at_Other", {"CashAccount": "tYES"}),
    ("111100", "PayPal clearing", "at_Other", {"CashAccount": "tYES"}),
    ("111200", "Offline payments clearing", "at_Other", {"CashAccount": "tYES"}),
    ("111900", "Bank account in EUR", "at_Other", {"CashAccount": "tYES", "AcctCurrency": "EUR"}),
    ("120000", "Accounts receivable", "at_Other", {"LockManualTransaction": "tYES"}),
    ("220000", "Tax payable", "at_Other", {}),
    ("221000", "Gift certificates sold", "at_Other", {}),
    ("222000", "Store credit", "at_Other", {}),
    ("223000", "Customer down payments", "at_Other", {}),
    ("224000", "Tax collected for marketplaces", "at_Other", {}),
    ("400000", "Sales revenue", "at_Revenues", {}),
    ("401000", "Service revenue", "at_Revenues", {}),
    ("402000", "Shipping income", "at_Revenues", {}),
    ("403000", "Handling income", "at_Revenues", {}),
    ("404000", "Gift wrapping income", "at_Revenues", {}),
    ("405000", "Other fees", "at_Revenues", {}),
    ("409000", "Discounts given", "at_Revenues", {}),
    ("409900", "Revenue until 2019", "at_Revenues", {"FrozenFor": "tYES"}),
    ("490000", "Refunds without an item", "at_Revenues", {}),
    ("499000", "Rounding differences", "at_Expenses", {}),
)
# (code, name, rate, more)
_SALES_TAX_CODES: tuple[tuple[str, str, str, Row], ...] = (
    ("EX", "Exempt", "0", {}),
    ("T5", "5 percent", "5", {}),
    ("T7", "7 percent", "7", {}),
    ("T8", "8 percent", "8", {}),
    ("T10", "10 percent", "10", {}),
    ("CA", "California", "7.25", {}),
    ("NY", "New York City", "8.875", {}),
    ("TX", "Texas", "8.25", {}),
    ("WARES", "6 percent, not for freight", "6", {"Freight": "tNO"}),
    ("OLD", "Until 2019", "6", {"Inactive": "tYES"}),
    ("BUY", "Purchases only", "8", {"ValidForAR": "tNO"}),
)
# Tax codes that several authorities share: their parts, in percent.
_AUTHORITIES = {
    "NY": (("NYS", "4"), ("NYC", "4.5"), ("MCTD", "0.375")),
    "CA": (("CAS", "6"), ("CAC", "1.25")),
    "TX": (("TXS", "6.25"), ("TXL", "2")),
}
_VAT_GROUPS: tuple[tuple[str, str, str, Row], ...] = (
    ("S0", "Exempt", "0", {}),
    ("S5", "Reduced 5 percent", "5", {}),
    ("S7", "Reduced 7 percent", "7", {}),
    ("S10", "10 percent", "10", {}),
    ("S19", "Standard 19 percent", "19", {}),
    ("S20", "Standard 20 percent", "20", {}),
    ("S21", "Standard 21 percent", "21", {}),
    ("OLD", "Until 2019", "16", {"Inactive": "tYES"}),
    ("P20", "Purchases 20 percent", "20", {"Category": "bovcInputTax"}),
)
_CURRENCIES = (
    ("USD", "US Dollar", "cdDefault"),
    ("EUR", "Euro", "cdDefault"),
    ("GBP", "British Pound", "cdDefault"),
    ("CAD", "Canadian Dollar", "cdDefault"),
    ("AUD", "Australian Dollar", "cdDefault"),
    ("JPY", "Japanese Yen", "cdWithoutDecimals"),
    ("KWD", "Kuwaiti Dinar", "cd3Digits"),
)
# Units of US dollar; the default company's rates are derived from them.
_DOLLARS = {
    "USD": "1",
    "EUR": "1.10",
    "GBP": "1.25",
    "CAD": "0.74",
    "AUD": "0.66",
    "JPY": "0.0067",
    "KWD": "3.25",
}
_SERVICES = (
    ("GIFT-CERT", "Gift certificate", "221000"),
    ("ROUNDING", "Rounding difference", "499000"),
    ("WRAPPING", "Gift wrapping", "404000"),
    ("HANDLING", "Handling", "403000"),
    ("SHIPPING", "Shipping", "402000"),
    ("FEE", "Fee", "405000"),
    ("DISCOUNT", "Discount", "409000"),
    ("REFUND", "Refund without an item", "490000"),
    ("TAX", "Tax collected by the store", "224000"),
)


def fill(company: Company) -> Company:
    """Put the default reference data into an empty company and return it."""
    _currencies(company)
    _accounts(company)
    _taxes(company)
    _organisation(company)
    _cost_centers(company)
    _partners(company)
    _items(company)
    _periods(company)
    _series(company)
    return company


def add_item(company: Company, code: str, name: str = "", *, stock: str = "1000", **more: object) -> Row:
    """Add an active, stocked sales item; `more` are properties, e.g. `InventoryItem="tNO"`."""
    row: Row = {
        "ItemCode": code,
        "ItemName": name or code,
        "ItemsGroupCode": 100,
        "SalesItem": "tYES",
        "PurchaseItem": "tYES",
        "InventoryItem": "tYES",
        "ManageBatchNumbers": "tNO",
        "ManageSerialNumbers": "tNO",
        "Valid": "tYES",
        "Frozen": "tNO",
        "TreeType": "iNotATree",
        "ItemType": "itItems",
        "GLMethod": "glm_WH",
        "VatLiable": "tYES",
        "TaxType": "tt_Yes",
        "DefaultWarehouse": company.defaults.get("warehouse"),
        "QuantityOnStock": Decimal(0),
        "ItemPrices": [{"PriceList": 1, "Price": Decimal(0), "Currency": company.switches.local_currency}],
        "ItemWarehouseInfoCollection": [],
        "ItemBarCodeCollection": [],
        "CreateDate": company.today(),
        "UpdateDate": company.today(),
        **more,
    }
    added = company.add("Items", **row)
    if row["InventoryItem"] == "tYES":
        set_stock(company, code, stock)
    return added


def set_stock(company: Company, code: str, quantity: str, warehouse: str = "") -> None:
    """Put a quantity of an item on stock in a warehouse (the default one if none is named)."""
    item = company.tables["Items"][code,]
    place = warehouse or company.defaults["warehouse"]
    for known in company.rows("Warehouses"):
        if not any(
            row["WarehouseCode"] == known["WarehouseCode"] for row in item["ItemWarehouseInfoCollection"]
        ):
            item["ItemWarehouseInfoCollection"].append(
                {
                    "WarehouseCode": known["WarehouseCode"],
                    "InStock": Decimal(0),
                    "Committed": Decimal(0),
                    "Ordered": Decimal(0),
                    "Locked": "tNO",
                    "ItemCode": code,
                }
            )
    for row in item["ItemWarehouseInfoCollection"]:
        if row["WarehouseCode"] == place:
            row["InStock"] = Decimal(quantity)
    item["QuantityOnStock"] = sum((row["InStock"] for row in item["ItemWarehouseInfoCollection"]), Decimal(0))


def _currencies(company: Company) -> None:
    for code, name, decimals in _CURRENCIES:
        company.add(
            "Currencies", Code=code, Name=name, DocumentsCode=code, Decimals=decimals, Rounding="rsNoRounding"
        )
    local = Decimal(_DOLLARS.get(company.switches.local_currency, "1"))
    if company.get("Currencies", company.switches.local_currency) is None:
        code = company.switches.local_currency
        company.add("Currencies", Code=code, Name=code, DocumentsCode=code, Decimals="cdDefault")
    for code, dollars in _DOLLARS.items():
        if code != company.switches.local_currency:
            rate = Decimal(dollars) / local if company.switches.direct_rate else local / Decimal(dollars)
            company.set_rate(code, round(rate, company.switches.rate_decimals))


def _accounts(company: Company) -> None:
    for code, name, kind, more in _ACCOUNTS:
        row = {
            "Code": code,
            "Name": name,
            "FormatCode": code,
            "AccountType": kind,
            "ActiveAccount": "tYES",
            "CashAccount": "tNO",
            "AcctCurrency": ALL_CURRENCIES,
            "LockManualTransaction": "tNO",
            "ValidFor": "tNO",
            "FrozenFor": "tNO",
            "AccountLevel": 5,
            "FatherAccountKey": "100000",
            "Balance": Decimal(0),
            **more,
        }
        company.add("ChartOfAccounts", **row)
    company.defaults.update(
        cash="110100",
        receivable="120000",
        tax="220000",
        down_payments="223000",
        revenue="400000",
        rounding="499000",
        freight="402000",
    )


def _taxes(company: Company) -> None:
    if company.switches.localisation == "US":
        for code, name, rate, more in _SALES_TAX_CODES:
            lines = [
                {
                    "STAType": level,
                    "STACode": authority,
                    "RowNumber": level - 1,
                    "EffectiveRate": Decimal(part),
                    "STCCode": code,
                }
                for level, (authority, part) in enumerate(_AUTHORITIES.get(code, ((code, rate),)), start=1)
            ]
            row = {"ValidForAR": "tYES", "ValidForAP": "tYES", "Freight": "tYES", "Inactive": "tNO", **more}
            company.add(
                "SalesTaxCodes", Code=code, Name=name, Rate=Decimal(rate), SalesTaxCodes_Lines=lines, **row
            )
    else:
        for code, name, rate, more in _VAT_GROUPS:
            line = {"Effectivefrom": "2000-01-01", "Rate": Decimal(rate), "EqualizationTax": Decimal(0)}
            row = {
                "Category": "bovcOutputTax",
                "Inactive": "tNO",
                "EU": "tNO",
                "TaxAccount": "220000",
                **more,
            }
            company.add("VatGroups", Code=code, Name=name, VatGroups_Lines=[line], **row)


def _organisation(company: Company) -> None:
    company.defaults["warehouse"] = "01"
    for code, name, inactive in (("01", "Main", "tNO"), ("02", "East", "tNO"), ("03", "Closed", "tYES")):
        company.add(
            "Warehouses",
            WarehouseCode=code,
            WarehouseName=name,
            Inactive=inactive,
            DropShip="tNO",
            BusinessPlaceID=1,
        )
    for number, name, account in (
        (1, "Shipping", "402000"),
        (2, "Handling", "403000"),
        (3, "Wrapping", "404000"),
    ):
        company.add(
            "AdditionalExpenses", ExpensCode=number, Name=name, RevenuesAccount=account, TaxLiable="tYES"
        )
    company.add("BusinessPlaces", BPLID=1, BPLName="Main", MainBPL="tYES", Disabled="tNO")
    company.add("BusinessPlaces", BPLID=2, BPLName="Second", MainBPL="tNO", Disabled="tNO")
    company.add("BusinessPlaces", BPLID=3, BPLName="Sold in 2019", MainBPL="tNO", Disabled="tYES")
    company.add("PriceLists", PriceListNo=1, PriceListName="Base Price", IsGrossPrice="tNO", Active="tYES")
    company.add(
        "PriceLists", PriceListNo=2, PriceListName="Web, tax included", IsGrossPrice="tYES", Active="tYES"
    )
    company.add("ShippingTypes", Code=1, Name="Ground")
    company.add("PaymentTermsTypes", GroupNumber=-1, PaymentTermsGroupName="Cash", NumberOfAdditionalDays=0)
    company.add("PaymentTermsTypes", GroupNumber=1, PaymentTermsGroupName="Net 30", NumberOfAdditionalDays=30)
    company.add("SalesPersons", SalesEmployeeCode=-1, SalesEmployeeName="-No Sales Employee-", Active="tYES")
    company.add("CreditCards", CreditCardCode=1, CreditCardName="Visa", GLAccount="111000")


def _cost_centers(company: Company) -> None:
    for code, name, dimension, active in (
        ("WEB", "Web store", 1, "tYES"),
        ("RETAIL", "Shops", 1, "tYES"),
        ("OLD", "Catalogue", 1, "tNO"),
        ("EAST", "East", 2, "tYES"),
    ):
        company.add(
            "ProfitCenters", CenterCode=code, CenterName=name, InWhichDimension=dimension, Active=active
        )
        company.add(
            "DistributionRules",
            FactorCode=code,
            FactorDescription=name,
            InWhichDimension=dimension,
            Active=active,
            Direct="tYES",
        )
    for number in (1, 2):
        company.add("Dimensions", DimensionCode=number, DimensionName=f"Dimension {number}", IsActive="tYES")


def _partners(company: Company) -> None:
    for code, name, kind in (
        (100, "Customers", "bbpgt_CustomerGroup"),
        (101, "Vendors", "bbpgt_VendorGroup"),
        (102, "Wholesale", "bbpgt_CustomerGroup"),
    ):
        company.add("BusinessPartnerGroups", Code=code, Name=name, Type=kind)
    for card, name, kind, currency in (
        ("WEBGUEST", "Web guests", "cCustomer", ALL_CURRENCIES),
        ("C20000", "Maxi-Teq", "cCustomer", company.switches.local_currency),
        ("V10000", "Acme Associates", "cSupplier", company.switches.local_currency),
    ):
        company.add(
            "BusinessPartners",
            CardCode=card,
            CardName=name,
            CardType=kind,
            GroupCode=101 if kind == "cSupplier" else 100,
            Currency=currency,
            PriceListNum=1,
            PayTermsGrpCode=-1,
            Valid="tYES",
            Frozen="tNO",
            DebitorAccount=company.defaults["receivable"],
            CurrentAccountBalance=Decimal(0),
            BPAddresses=[],
            ContactEmployees=[],
            CreateDate=company.today(),
            UpdateDate=company.today(),
        )


def _items(company: Company) -> None:
    for number in range(1, 6):
        add_item(company, f"SKU-{number}", f"Article {number}", BarCode=f"40000000000{number}")
    for code, name, account in _SERVICES:
        add_item(company, code, name, InventoryItem="tNO", PurchaseItem="tNO", IncomeAccount=account)


def _periods(company: Company) -> None:
    year = company.clock().year
    for each in range(year - 2, year + 2):
        company.add(
            "FinancialYears",
            AbsEntry=each,
            Code=str(each),
            StartDate=f"{each}-01-01",
            EndDate=f"{each}-12-31",
        )
        for month in range(1, 13):
            company.periods.append(
                Period(
                    number=each * 100 + month,
                    code=f"{each}-{month:02}",
                    start=f"{each}-{month:02}-01",
                    end=month_end(each, month),
                )
            )


def _series(company: Company) -> None:
    codes = ("13", "14", "17", "24", "46", "203", "112", "140", "30", "15")
    for number, code in enumerate(codes, start=1):
        company.series[number] = Series(number=number, object_code=code, name="Primary")
        company.series[number + 20] = Series(
            number=number + 20, object_code=code, name="Web", next_number=500001, default=False
        )
    company.series[90] = Series(number=90, object_code="2", name="Manual", manual=True)
    company.series[91] = Series(number=91, object_code="2", name="Web", prefix="W", default=False)
