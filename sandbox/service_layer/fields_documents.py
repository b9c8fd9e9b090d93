"""The marketing documents' properties: one type for invoices, orders, credit notes, down payments and drafts.

Names, types, read-only flags and database columns are those of the Service Layer's own `$metadata`
(OData 3, namespace SAPB1); lengths are the column lengths of SAP Business One 10.0. Only properties that
a sales integration could plausibly send are listed: anything else is refused as the real system refuses
a property that it does not know.
"""

from __future__ import annotations

from sandbox.service_layer.fields import entity_type

DOCUMENT = entity_type(
    "Document",
    """
    DocEntry int ro
    DocNum int
    DocType BoDocumentTypes
    HandWritten yesno @Handwrtten
    Printed PrintStatusEnum
    DocDate date
    DocDueDate date
    CardCode text15
    CardName text100
    Address text254
    NumAtCard text100
    DocTotal sum
    DocCurrency text3 @DocCur
    DocRate rate
    Reference1 text11 @Ref1
    Reference2 text11 @Ref2
    Comments text254
    JournalMemo text50 @JrnlMemo
    PaymentGroupCode int @GroupNum
    DocTime time
    SalesPersonCode int @SlpCode
    TransportationCode int @TrnspCode
    Confirmed yesno
    SummeryType BoDocSummaryTypes @SummryType
    ContactPersonCode int @CntctCode
    Series int
    TaxDate date
    PartialSupply yesno @PartSupply
    DocObjectCode BoObjectTypes @ObjType
    ShipToCode text50
    Indicator text2
    FederalTaxID text32 @LicTradNum
    DiscountPercent percent @DiscPrcnt
    PaymentReference text27 @PaymentRef
    CreationDate date @CreateDate ro
    UpdateDate date ro
    FinancialPeriod int @FinncPriod ro
    TransNum int @TransId ro
    VatSum sum ro
    VatSumSys sum @VatSumSy ro
    VatSumFc sum @VatSumFC ro
    DocTotalFc sum @DocTotalFC
    DocTotalSys sum @DocTotalSy ro
    CancelDate date
    Pick yesno
    PaymentMethod text15 @PeyMethod
    PaymentBlock yesno @PayBlock
    Reserve yesno ro
    Project text20
    Rounding yesno
    DeferredTax yesno @DeferrTax
    NumberOfInstallments int @Installmnt
    VatDate date
    DocumentsOwner int @OwnerCode
    DocumentSubType BoDocumentSubType @DocSubType
    BPChannelCode text15 @BPChCode
    Address2 text254
    DocumentStatus BoStatus @DocStatus ro
    PeriodIndicator text10 @PIndicator ro
    PayToCode text50
    ManualNumber text1 @ManualNum
    BPL_IDAssignedToInvoice int @BPLId
    DownPayment sum @DpmPrcnt
    ReserveInvoice yesno @isIns
    LanguageCode int @LangCode
    TrackingNumber text30 @TrackNo
    PickRemark text254 @PickRmrk
    TotalDiscount sum @DiscSum ro
    DownPaymentAmount sum @DpmAmnt
    DownPaymentPercentage percent @DpmPrcnt
    DownPaymentType DownPaymentTypeEnum @Posted
    DownPaymentAmountFC sum @DpmAmntFC
    VatPercent percent
    OpeningRemarks text @Header
    ClosingRemarks text @Footer
    RoundingDiffAmount sum @RoundDif
    RoundingDiffAmountFC sum @RoundDifFC ro
    PaidToDate sum ro newer
    PaidToDateFC sum @PaidFC ro newer
    Cancelled yesno @CANCELED ro
    CancelStatus CancelStatusEnum @CANCELED ro
    ControlAccount text15 @CtlAccount
    DownPaymentStatus BoSoStatus @DpmStatus
    ClosingOption ClosingOptionEnum @ClosingOpt
    SpecifiedClosingDate date @SpecDate
    AuthorizationStatus DocumentAuthorizationStatusEnum @WddStatus ro
    TotalDiscountFC sum @DiscSumFC ro
    BPLName text100 ro
    VATRegNum text32 ro
    DocumentDelivery DocumentDeliveryTypeEnum @DocDlvry
    AuthorizationCode text250 @AuthCode
    UpdateTime time @UpdateTS ro
    PriceMode PriceModeDocumentEnum
    ShipFrom text50 @ShipToCode ro
    OriginalRefNo text254 @RevRefNo
    OriginalRefDate date @RevRefDate
    UseBillToAddrToDetermineTax yesno @UseBilAddr
    BaseAmount sum @BaseAmnt ro
    BaseAmountFC sum @BaseAmntFC ro
    AttachmentEntry int @AtcEntry
    DocumentLines DocumentLine[]
    DocumentAdditionalExpenses DocumentAdditionalExpense[]
    DownPaymentsToDraw DownPaymentToDraw[]
    AddressExtension AddressExtension
    TaxExtension TaxExtension
    """,
)

DOCUMENT_LINE = entity_type(
    "DocumentLine",
    """
    LineNum int
    ItemCode text50
    ItemDescription text200 @Dscription
    Quantity quantity
    ShipDate date
    Price price
    PriceAfterVAT price @PriceAfVAT
    Currency text3
    Rate rate
    DiscountPercent percent @DiscPrcnt
    SerialNum text17
    WarehouseCode text8 @WhsCode
    SalesPersonCode int @SlpCode
    TreeType BoItemTreeTypes
    AccountCode text15 @AcctCode
    SupplierCatNum text50 @SubCatNum
    CostingCode text8 @OcrCode
    ProjectCode text20 @Project
    BarCode text254 @CodeBars
    VatGroup text8
    BaseType int
    BaseEntry int
    BaseLine int
    Address text254
    TaxCode text8
    TaxType BoTaxTypes
    TaxLiable yesno @TaxStatus
    BackOrder yesno @BackOrdr
    FreeText text100 @FreeTxt
    ShippingMethod int @TrnsCode
    DeferredTax yesno @DeferrTax
    NetTaxAmount sum @LineVat ro
    NetTaxAmountFC sum @LineVatlF ro
    MeasureUnit text100 @unitMsr
    UnitsOfMeasurment sum @NumPerMsr
    LineTotal sum
    TaxPercentagePerRow percent @VatPrcnt
    TaxTotal sum @VatSum
    TotalInclTax sum @TotInclTax ro
    TransactionType BoTransactionTypeEnum @TranType
    DistributeExpense yesno @DistribExp
    RowTotalFC sum @TotalFrgn
    TaxOnly yesno
    VisualOrder int @VisOrder
    BaseOpenQuantity quantity @BaseOpnQty ro
    UnitPrice price @PriceBefDi
    LineStatus BoStatus
    Text text @FreeTxt ro
    LineType BoDocLineType
    COGSCostingCode text8 @CogsOcrCod
    COGSAccountCode text15 @CogsAcct
    CostingCode2 text8 @OcrCode2
    CostingCode3 text8 @OcrCode3
    CostingCode4 text8 @OcrCode4
    CostingCode5 text8 @OcrCode5
    ItemDetails text @Text
    LocationCode int @LocCode
    ActualDeliveryDate date @ActDelDate
    RemainingOpenQuantity quantity @OpenQty ro
    OpenAmount sum @OpenSum ro
    OpenAmountFC sum @OpenSumFC ro
    ExLineNo text10
    RequiredDate date @PQTReqDate
    WithoutInventoryMovement yesno @NoInvtryMv
    DocEntry int ro
    UoMEntry int @UomEntry
    UoMCode text20 @UomCode ro
    InventoryQuantity quantity @InvQty
    RemainingOpenInventoryQuantity quantity @OpenInvQty ro
    ParentLineNum int @PrntLnNum
    ItemType BoDocItemType ro
    FreeOfChargeBP yesno @FreeChrgBP
    GrossPrice price @GPBefDisc
    GrossTotal sum @GTotal
    GrossTotalFC sum @GTotalFC
    ShipToCode text50
    ShipToDescription text @ShipToDesc
    PriceSource DocumentPriceSourceEnum @SpecPrice ro
    LineTaxJurisdictions LineTaxJurisdiction[]
    SerialNumbers SerialNumber[]
    BatchNumbers BatchNumber[]
    """,
)

DOCUMENT_EXPENSE = entity_type(
    "DocumentAdditionalExpense",
    """
    ExpenseCode int @ExpnsCode
    LineTotal sum
    LineTotalFC sum @TotalFrgn ro
    LineTotalSys sum @TotalSumSy ro
    PaidToDate sum ro
    PaidToDateFC sum @PaidFC ro
    Remarks text254 @Comments
    DistributionMethod BoAdEpnsDistribMethods @DistrbMthd
    TaxLiable yesno @TaxStatus
    VatGroup text8
    TaxPercent percent @VatPrcnt
    TaxSum sum @VatSum
    TaxSumFC sum @VatSumFrgn ro
    TaxCode text8
    TaxType BoAdEpnsTaxTypes
    BaseDocEntry int @BaseAbsEnt
    BaseDocLine int @BaseLnNum
    BaseDocType int @BaseType
    LineNum int ro
    Status BoStatus ro
    DistributionRule text8 @OcrCode
    Project text20
    DistributionRule2 text8 @OcrCode2
    DistributionRule3 text8 @OcrCode3
    DistributionRule4 text8 @OcrCode4
    DistributionRule5 text8 @OcrCode5
    LineGross sum @GrsAmount
    LineGrossFC sum @GrsFC ro
    """,
)

DOWN_PAYMENT_TO_DRAW = entity_type(
    "DownPaymentToDraw",
    """
    DocEntry int @BaseAbs
    PostingDate date @BsDocDate ro
    DueDate date @BsDueDate ro
    Name text @BsCardName ro
    Details text @BsComments ro
    AmountToDraw sum @DrawnSum
    DownPaymentType DownPaymentTypeEnum @Posted ro
    AmountToDrawFC sum @DrawnSumFc
    DocInternalID int @DocEntry ro
    RowNum int @LineNum ro
    DocNumber int @BaseDocNum ro
    Tax sum @Vat ro
    TaxFC sum @VatFc ro
    GrossAmountToDraw sum @Gross
    GrossAmountToDrawFC sum @GrossFc
    IsGrossLine yesno @IsGross ro
    """,
)

ADDRESS_EXTENSION = entity_type(
    "AddressExtension",
    """
    ShipToStreet text100 @StreetS
    ShipToStreetNo text100 @StreetNoS
    ShipToBlock text100 @BlockS
    ShipToBuilding text @BuildingS
    ShipToCity text100 @CityS
    ShipToZipCode text20 @ZipCodeS
    ShipToCounty text100 @CountyS
    ShipToState text3 @StateS
    ShipToCountry text3 @CountryS
    ShipToAddressType text100 @AddrTypeS
    BillToStreet text100 @StreetB
    BillToStreetNo text100 @StreetNoB
    BillToBlock text100 @BlockB
    BillToBuilding text @BuildingB
    BillToCity text100 @CityB
    BillToZipCode text20 @ZipCodeB
    BillToCounty text100 @CountyB
    BillToState text3 @StateB
    BillToCountry text3 @CountryB
    BillToAddressType text100 @AddrTypeB
    ShipToGlobalLocationNumber text50 @GlbLocNumS
    BillToGlobalLocationNumber text50 @GlbLocNumB
    ShipToAddress2 text50 @Address2S
    ShipToAddress3 text50 @Address3S
    BillToAddress2 text50 @Address2B
    BillToAddress3 text50 @Address3B
    DocEntry int ro
    """,
)

TAX_EXTENSION = entity_type(
    "TaxExtension",
    """
    TaxId0 text100
    State text3
    County text100
    Incoterms text
    Carrier text
    NetWeight sum
    GrossWeight sum @GrsWeight
    DocEntry int ro
    """,
)

LINE_TAX_JURISDICTION = entity_type(
    "LineTaxJurisdiction",
    """
    JurisdictionCode text8 @StaCode
    JurisdictionType int @staType
    TaxAmount sum @TaxSum
    TaxAmountFC sum @TaxSumFrgn ro
    TaxRate percent ro
    DocEntry int ro
    LineNumber int @LineNum
    RowSequence int @LineSeq ro
    """,
)

SERIAL_NUMBER = entity_type(
    "SerialNumber",
    """
    ManufacturerSerialNumber text36 @MnfSerial
    InternalSerialNumber text36 @DistNumber
    ExpiryDate date @ExpDate
    Notes text
    BatchID text @LotNumber
    SystemSerialNumber int @SysNumber
    BaseLineNumber int @DocLineNum
    Quantity quantity
    """,
)

BATCH_NUMBER = entity_type(
    "BatchNumber",
    """
    BatchNumber text36 @DistNumber
    ManufacturerSerialNumber text36 @MnfSerial
    InternalSerialNumber text36 @LotNumber
    ExpiryDate date @ExpDate
    Notes text
    Quantity quantity
    BaseLineNumber int @DocLineNum
    """,
)
