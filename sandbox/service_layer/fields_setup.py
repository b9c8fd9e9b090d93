"""The properties of a company's set-up: warehouses, accounts, taxes, freights, cost centers, user fields.

Names, types, read-only flags and columns follow the Service Layer's `$metadata`; lengths are the column
lengths of SAP Business One 10.0.
"""

from __future__ import annotations

from sandbox.service_layer.fields import entity_type

WAREHOUSE = entity_type(
    "Warehouse",
    """
    WarehouseCode text8 @WhsCode
    WarehouseName text100 @WhsName
    Street text
    ZipCode text
    Block text
    State text
    City text
    Country text
    Location int
    TaxGroup text8 @VatGroup
    DropShip yesno
    Nettable yesno
    BusinessPlaceID int @BPLid
    RevenuesAccount text @RevenuesAc
    StockAccount text @BalInvntAc
    CostOfGoodsSold text @SaleCostAc
    Inactive yesno
    EnableBinLocations yesno @BinActivat
    DefaultBin int @DftBinAbs
    InternalKey int @IntrnalKey
    """,
)

CHART_OF_ACCOUNT = entity_type(
    "ChartOfAccount",
    """
    Code text15 @AcctCode
    Name text100 @AcctName
    Balance sum @CurrTotal ro
    CashAccount yesno @Finanse
    ActiveAccount yesno @Postable
    PrimaryAccount yesno @Fixed ro
    AccountLevel int @Levels ro
    FatherAccountKey text15 @FatherNum
    ExternalCode text @AccntntCod
    AccountType BoAccountTypes @ActType
    AcctCurrency text3 @ActCurr
    Protected yesno
    LockManualTransaction yesno @LocManTran
    FormatCode text210
    AllowChangeVatGroup yesno @VatChange
    DefaultVatGroup text @DfltVat
    ValidFor yesno
    ValidFrom date
    ValidTo date
    FrozenFor yesno
    FrozenFrom date
    FrozenTo date
    BlockManualPosting yesno @BlocManPos
    CashFlowRelevant yesno @CfwRlvnt
    ReconciledAccount yesno @RealAcct
    ForeignName text @FrgnName
    Details text
    """,
)

VAT_GROUP = entity_type(
    "VatGroup",
    """
    Code text8
    Name text100
    Category BoVatCategoryEnum
    TaxAccount text @Account
    EU yesno @IsEC
    Inactive yesno
    AcquisitionReverse yesno @AcqstnRvrs
    NonDeduct sum @NonDedct
    VatGroups_Lines VatGroups_Line[]
    """,
)

VAT_GROUP_LINE = entity_type(
    "VatGroups_Line",
    """
    Effectivefrom date @EffecDate
    Rate percent
    EqualizationTax sum @EquVatPr
    """,
)

SALES_TAX_CODE = entity_type(
    "SalesTaxCode",
    """
    Code text8
    Name text100
    Rate percent ro
    ValidForAR yesno
    ValidForAP yesno
    Freight yesno
    IsItemLevel yesno @IsItmLevel
    Inactive yesno @Lock
    SalesTaxCodes_Lines SalesTaxCodes_Line[]
    """,
)

SALES_TAX_CODE_LINE = entity_type(
    "SalesTaxCodes_Line",
    """
    STAType int
    STACode text
    RowNumber int @Line_ID ro
    EffectiveRate percent @EfctivRate ro
    STCCode text ro
    """,
)

ADDITIONAL_EXPENSE = entity_type(
    "AdditionalExpense",
    """
    Name text20 @ExpnsName
    RevenuesAccount text @RevAcct
    ExpenseAccount text @ExpnsAcct
    TaxLiable yesno
    OutputVATGroup text @VatGroupI
    InputVATGroup text @VatGroupO
    DistributionMethod BoAeDistMthd @DistrbMthd
    ExpensCode int @ExpnsCode ro
    FreightType FreightTypeEnum @ExpnsType
    Stock yesno
    """,
)

PROFIT_CENTER = entity_type(
    "ProfitCenter",
    """
    CenterCode text8 @PrcCode
    CenterName text30 @PrcName
    GroupCode text @GrpCode
    InWhichDimension int @DimCode
    CostCenterType text @CCTypeCode
    EffectiveFrom date @ValidFrom
    EffectiveTo date @ValidTo
    Active yesno
    """,
)

DISTRIBUTION_RULE = entity_type(
    "DistributionRule",
    """
    FactorCode text8 @OcrCode
    FactorDescription text30 @OcrName
    TotalFactor percent @OcrTotal
    Direct text
    InWhichDimension int @DimCode
    Active yesno
    IsFixedAmount yesno @IsFixedAmt
    DistributionRuleLines DistributionRuleLine[]
    """,
)

DISTRIBUTION_RULE_LINE = entity_type(
    "DistributionRuleLine",
    """
    CenterCode text @PrcCode
    TotalInCenter percent @PrcAmount
    EffectiveFrom date @ValidFrom
    EffectiveTo date @ValidTo
    """,
)

DIMENSION = entity_type(
    "Dimension",
    """
    DimensionCode int @DimCode ro
    DimensionName text @DimName ro
    IsActive yesno @DimActive
    DimensionDescription text @DimDesc
    """,
)

PRICE_LIST = entity_type(
    "PriceList",
    """
    PriceListNo int @ListNum
    PriceListName text @ListName
    IsGrossPrice yesno @IsGrossPrc
    Active yesno @ValidFor
    BasePriceList int @BASE_NUM
    Factor percent
    DefaultPrimeCurrency text @PrimCurr
    """,
)

BUSINESS_PARTNER_GROUP = entity_type(
    "BusinessPartnerGroup",
    """
    Code int @GroupCode ro
    Name text20 @GroupName
    Type BoBusinessPartnerGroupTypes @GroupType
    """,
)

CURRENCY = entity_type(
    "Currency",
    """
    Code text3 @CurrCode
    Name text20 @CurrName
    DocumentsCode text10 @DocCurrCod
    InternationalDescription text @ChkName
    EnglishName text @FrgnName
    Decimals CurrenciesDecimalsEnum
    Rounding RoundingSysEnum @RoundSys
    """,
)

BUSINESS_PLACE = entity_type(
    "BusinessPlace",
    """
    BPLID int @BPLId ro
    BPLName text100
    Address text
    MainBPL yesno
    Disabled yesno
    DefaultWarehouseID text @DflWhs
    DefaultTaxCode text @DflTaxCode
    FederalTaxID text @TaxIdNum
    Country text
    City text
    """,
)

SHIPPING_TYPE = entity_type(
    "ShippingType",
    """
    Code int @TrnspCode ro
    Name text @TrnspName
    Website text @WebSite
    """,
)

PAYMENT_TERMS_TYPE = entity_type(
    "PaymentTermsType",
    """
    GroupNumber int @GroupNum ro
    PaymentTermsGroupName text @PymntGroup
    NumberOfAdditionalMonths int @ExtraMonth
    NumberOfAdditionalDays int @ExtraDays
    PriceListNo int @ListNum
    """,
)

SALES_PERSON = entity_type(
    "SalesPerson",
    """
    SalesEmployeeCode int @SlpCode ro
    SalesEmployeeName text @SlpName
    Remarks text @Memo
    Active yesno
    Locked yesno ro
    """,
)

CREDIT_CARD = entity_type(
    "CreditCard",
    """
    CreditCardCode int @CreditCard ro
    CreditCardName text @CardName
    GLAccount text @AcctCode
    """,
)

FINANCIAL_YEAR = entity_type(
    "FinancialYear",
    """
    AbsEntry int @AbsId ro
    Code text
    Description text @Descr
    StartDate date
    EndDate date ro
    AssessYear text
    """,
)

USER_FIELD = entity_type(
    "UserFieldMD",
    """
    Name text50 @AliasID
    Type BoFieldTypes @TypeID
    Size int @SizeID
    Description text80 @Descr
    SubType BoFldSubTypes @EditType
    LinkedTable text @RTable
    DefaultValue text254 @Dflt
    TableName text20 @TableID
    FieldID int ro
    EditSize int
    Mandatory yesno @NotNull
    ValidValuesMD ValidValueMD[]
    """,
)

VALID_VALUE = entity_type(
    "ValidValueMD",
    """
    Value text254 @FldValue
    Description text254 @Descr
    """,
)

PROJECT = entity_type(
    "Project",
    """
    Code text20 @PrjCode
    Name text100 @PrjName
    Active yesno
    ValidFrom date
    ValidTo date
    """,
)
