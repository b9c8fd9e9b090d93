"""The properties of business partners and items.

Names, types, read-only flags and columns follow the Service Layer's `$metadata`; lengths are the column
lengths of SAP Business One 10.0.
"""

from __future__ import annotations

from sandbox.service_layer.fields import entity_type

BUSINESS_PARTNER = entity_type(
    "BusinessPartner",
    """
    CardCode text15
    CardName text100
    CardType BoCardTypes
    GroupCode int
    Address text100
    ZipCode text20
    MailAddress text100 @MailAddres
    MailZipCode text20 @MailZipCod
    Phone1 text20
    Phone2 text20
    Fax text20
    ContactPerson text90 @CntctPrsn
    Notes text100
    PayTermsGrpCode int @GroupNum
    CreditLimit sum @CreditLine
    DiscountPercent percent @Discount
    VatLiable BoVatStatus @VatStatus
    FederalTaxID text32 @LicTradNum
    PriceListNum int @ListNum
    FreeText text @Free_Text
    SalesPersonCode int @SlpCode
    Currency text3
    Cellular text50
    City text100
    County text100
    Country text3
    MailCity text100
    MailCountry text3 @MailCountr
    EmailAddress text100 @E_Mail
    AdditionalID text64 @AddID
    CardForeignName text100 @CardFName
    CurrentAccountBalance sum @Balance ro
    OpenDeliveryNotesBalance sum @DNotesBal ro
    OpenOrdersBalance sum @OrdersBal ro
    VatGroup text8 @ECVatGroup
    ShippingType int @ShipType
    DebitorAccount text15 @DebPayAcct
    Valid yesno @validFor
    ValidFrom date @validFrom
    ValidTo date @validTo
    ValidRemarks text30 @ValidComm
    Frozen yesno @frozenFor
    FrozenFrom date @frozenFrom
    FrozenTo date @frozenTo
    FrozenRemarks text30 @FrozenComm
    Block text100
    BillToState text3 @State1
    ShipToState text3 @State2
    ExemptNum text50 @ExemptNo
    PeymentMethodCode text15 @PymCode
    ShipToDefault text50 @ShipToDef
    BilltoDefault text50 @BillToDef
    DeferredTax yesno @DeferrTax
    ProjectCode text20 @ProjectCod
    Website text100 @IntrntSite
    CompanyPrivate BoCardCompanyTypes @CmpPrivate
    LanguageCode int @LangCode
    TaxRoundingRule BoTaxRoundingRuleTypes @TaxRndRule
    UnifiedFederalTaxID text32 @VatIdUnCmp
    VatIDNum text50
    Series int
    AliasName text
    GlobalLocationNumber text50 @GlblLocNum
    BlockSendingMarketingContent yesno @BlockComm
    PriceMode PriceModeEnum
    UpdateDate date ro
    UpdateTime time @UpdateTS ro
    CreateDate date ro
    CreateTime time @CreateTS ro
    BPAddresses BPAddress[]
    ContactEmployees ContactEmployee[]
    BPBranchAssignment BPBranchAssignmentItem[]
    """,
)

BP_ADDRESS = entity_type(
    "BPAddress",
    """
    AddressName text50 @Address
    Street text100
    Block text100
    ZipCode text20
    City text100
    County text100
    Country text3
    State text3
    FederalTaxID text32 @LicTradNum
    TaxCode text8
    BuildingFloorRoom text @Building
    AddressType BoAddressType @AdresType
    AddressName2 text50 @Address2
    AddressName3 text50 @Address3
    TypeOfAddress text100 @AddrType
    StreetNo text100
    BPCode text15 @CardCode
    RowNum int @LineNum
    GlobalLocationNumber text50 @GlblLocNum
    CreateDate date ro
    CreateTime time @CreateTS ro
    """,
)

CONTACT_EMPLOYEE = entity_type(
    "ContactEmployee",
    """
    CardCode text15
    Name text50
    Position text90
    Address text100
    Phone1 text20 @Tel1
    Phone2 text20 @Tel2
    MobilePhone text50 @Cellolar
    Fax text20
    E_Mail text100 @E_MailL
    Remarks1 text100 @Notes1
    Remarks2 text100 @Notes2
    InternalCode int @CntctCode
    Active yesno
    FirstName text50
    MiddleName text50
    LastName text50
    Title text10
    EmailGroupCode text20 @EmlGrpCode
    CreateDate date ro
    CreateTime time @CreateTS ro
    UpdateDate date @updateDate ro
    UpdateTime time @updateTime ro
    """,
)

BP_BRANCH_ASSIGNMENT = entity_type(
    "BPBranchAssignmentItem",
    """
    BPCode text15 @CardCode ro
    BPLID int @BPLId
    DisabledForBP yesno @DisabledBP
    """,
)

ITEM = entity_type(
    "Item",
    """
    ItemCode text50
    ItemName text200
    ForeignName text200 @FrgnName
    ItemsGroupCode int @ItmsGrpCod
    SalesVATGroup text8 @VatGourpSa
    BarCode text254 @CodeBars
    VatLiable yesno @VATLiable
    PurchaseItem yesno @PrchseItem
    SalesItem yesno @SellItem
    InventoryItem yesno @InvntItem
    IncomeAccount text15 @IncomeAcct
    SupplierCatalogNo text50 @SuppCatNum
    User_Text text @UserText
    SerialNum text17
    TreeType BoItemTreeTypes
    QuantityOnStock quantity @OnHand ro
    QuantityOrderedFromVendors quantity @OnOrder ro
    QuantityOrderedByCustomers quantity @IsCommited ro
    ManageSerialNumbers yesno @ManSerNum
    ManageBatchNumbers yesno @ManBtchNum
    Valid yesno @validFor
    ValidFrom date @validFrom
    ValidTo date @validTo
    ValidRemarks text30 @ValidComm
    Frozen yesno @frozenFor
    FrozenFrom date @frozenFrom
    FrozenTo date @frozenTo
    FrozenRemarks text30 @FrozenComm
    SalesUnit text100 @SalUnitMsr
    SalesItemsPerUnit sum @NumInSale
    DefaultWarehouse text8 @DfltWH
    TaxType BoTaxTypes
    ManageStockByWarehouse yesno @ByWh
    GLMethod BoGLMethods
    CostAccountingMethod BoInventorySystem @EvalSystem
    SWW text16
    ArTaxCode text8 @TaxCodeAR
    ApTaxCode text8 @TaxCodeAP
    InventoryUOM text100 @InvntryUom
    ItemType ItemTypeEnum
    UoMGroupEntry int @UgpEntry
    DefaultSalesUoMEntry int @SUoMEntry
    SRIAndBatchManageMethod BoManageMethod @MngMethod
    MovingAveragePrice sum @AvgPrice ro
    AvgStdPrice sum @AvgPrice
    UpdateDate date ro
    UpdateTime time @UpdateTS ro
    CreateDate date ro
    CreateTime time @CreateTS ro
    ItemPrices ItemPrice[]
    ItemWarehouseInfoCollection ItemWarehouseInfo[]
    ItemBarCodeCollection ItemBarCode[]
    """,
)

ITEM_WAREHOUSE_INFO = entity_type(
    "ItemWarehouseInfo",
    """
    WarehouseCode text8 @WhsCode
    InStock quantity @OnHand ro
    Committed quantity @IsCommited ro
    Ordered quantity @OnOrder ro
    MinimalStock quantity @MinStock
    MaximalStock quantity @MaxStock
    Locked yesno
    RevenuesAccount text @RevenuesAc
    CostAccount text @SaleCostAc
    ItemCode text50 ro
    """,
)

ITEM_PRICE = entity_type(
    "ItemPrice",
    """
    PriceList int
    Price price
    Currency text3
    BasePriceList int @BasePLNum
    Factor percent
    """,
)

ITEM_BAR_CODE = entity_type(
    "ItemBarCode",
    """
    AbsEntry int @BcdEntry
    UoMEntry int @UomEntry
    Barcode text254 @BcdCode
    FreeText text @BcdName
    """,
)
