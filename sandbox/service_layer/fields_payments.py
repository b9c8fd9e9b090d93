"""The properties of incoming and outgoing payments and of the journal entries they and the documents make.

Names, types, read-only flags and columns follow the Service Layer's `$metadata`; lengths are the column
lengths of SAP Business One 10.0. `CounterReference` really has eight characters unless the company was
upgraded with a longer column, which is why clients must try it out before relying on it.
"""

from __future__ import annotations

from sandbox.service_layer.fields import entity_type

PAYMENT = entity_type(
    "Payment",
    """
    DocNum int
    DocType BoRcptTypes
    HandWritten yesno @Handwrtten
    Printed yesno
    DocDate date
    CardCode text15
    CardName text100
    Address text254
    CashAccount text15 @CashAcct
    DocCurrency text3 @DocCurr
    CashSum sum
    CheckAccount text15 @CheckAcct
    TransferAccount text15 @TrsfrAcct
    TransferSum sum @TrsfrSum
    TransferDate date @TrsfrDate
    TransferReference text27 @TrsfrRef
    LocalCurrency yesno @DiffCurr
    DocRate rate
    Reference1 text11 @Ref1
    Reference2 text11 @Ref2
    CounterReference text8 @CounterRef
    Remarks text254 @Comments
    JournalRemarks text50 @JrnlMemo
    ContactPersonCode int @CntctCode
    ApplyVAT yesno
    TaxDate date
    Series int
    BankCode text30
    BankAccount text50 @BankAcct
    ProjectCode text20 @PrjCode
    CashSumFC sum ro
    DocEntry int ro
    PaymentPriority BoPaymentPriorities @PaPriority
    BankChargeAmount sum @BcgSum
    UnderOverpaymentdifference sum @UndOvDiff ro
    VatDate date
    TransactionCode text4 @TransCode
    PaymentType BoORCTPaymentTypeEnum @PaymType
    TransferRealAmount sum @TfrRealAmt
    DocObjectCode BoPaymentsObjectType @ObjType
    DocTypte BoRcptTypes @DocType
    DueDate date @DocDueDate
    Cancelled yesno @Canceled ro
    ControlAccount text15 @BpAct
    AuthorizationStatus PaymentsAuthorizationStatusEnum @WddStatus ro
    BPLID int @BPLId
    BPLName text100 ro
    VATRegNum text32 ro
    PayToCode text50
    PaymentChecks PaymentCheck[]
    PaymentInvoices PaymentInvoice[]
    PaymentCreditCards PaymentCreditCard[]
    PaymentAccounts PaymentAccount[]
    CashFlowAssignments CashFlowAssignment[]
    """,
)

PAYMENT_INVOICE = entity_type(
    "PaymentInvoice",
    """
    LineNum int @InvoiceId
    DocEntry int
    SumApplied sum
    AppliedFC sum
    AppliedSys sum
    DocRate rate
    DocLine int
    InvoiceType BoRcptInvTypes @InvType
    DiscountPercent percent @Dcount
    PaidSum sum
    InstallmentId int @InstId
    LinkDate date ro
    DistributionRule text8 @OcrCode
    DistributionRule2 text8 @OcrCode2
    DistributionRule3 text8 @OcrCode3
    DistributionRule4 text8 @OcrCode4
    DistributionRule5 text8 @OcrCode5
    TotalDiscount sum @DcntSum
    TotalDiscountFC sum @DcntSumFC
    """,
)

PAYMENT_CREDIT_CARD = entity_type(
    "PaymentCreditCard",
    """
    LineNum int @LineID
    CreditCard int
    CreditAcct text15
    CreditCardNumber text64 @CrCardNum
    CardValidUntil date @CardValid
    VoucherNum text20
    OwnerIdNum text15
    OwnerPhone text20
    PaymentMethodCode int @CrTypeCode
    NumOfPayments int @NumOfPmnts
    FirstPaymentDue date @FirstDue
    FirstPaymentSum sum @FirstSum
    AdditionalPaymentSum sum @AddPmntSum
    CreditSum sum
    CreditCur text3
    CreditRate rate
    ConfirmationNum text20 @ConfNum
    NumOfCreditPayments int @CredPmnts
    CreditType BoRcptCredTypes
    SplitPayments yesno @SpiltCred
    """,
)

PAYMENT_CHECK = entity_type(
    "PaymentCheck",
    """
    LineNum int @LineID
    DueDate date
    CheckNumber int @CheckNum
    BankCode text30
    Branch text50
    AccounttNum text50 @AcctNum
    Details text60
    CheckSum sum
    Currency text3
    CountryCode text3 @CountryCod
    CheckAccount text15 @CheckAct
    """,
)

PAYMENT_ACCOUNT = entity_type(
    "PaymentAccount",
    """
    LineNum int @LineId
    AccountCode text15 @AcctCode
    SumPaid sum @SumApplied
    SumPaidFC sum @AppliedFC
    Decription text254 @Descrip
    VatGroup text8
    AccountName text100 @AcctName
    GrossAmount sum @GrossAmnt
    ProfitCenter text8 @OcrCode
    ProjectCode text20 @Project
    VatAmount sum @VatAmnt
    ProfitCenter2 text8 @OcrCode2
    ProfitCenter3 text8 @OcrCode3
    ProfitCenter4 text8 @OcrCode4
    ProfitCenter5 text8 @OcrCode5
    """,
)

CASH_FLOW_ASSIGNMENT = entity_type(
    "CashFlowAssignment",
    """
    CashFlowAssignmentsID int @CFTId ro
    CashFlowLineItemID int @CFWId
    Credit sum
    PaymentMeans PaymentMeansTypeEnum @PaymentMen
    CheckNumber text @PaymentRef
    AmountLC sum @Debit
    AmountFC sum @FCDebit
    JDTLineId int
    """,
)

JOURNAL_ENTRY = entity_type(
    "JournalEntry",
    """
    ReferenceDate date @RefDate
    Memo text50
    Reference text100 @Ref1
    Reference2 text100 @Ref2
    TransactionCode text4 @TransCode
    ProjectCode text20 @Project
    TaxDate date
    JdtNum int @TransId ro
    Indicator text2
    DueDate date
    Series int
    Number int ro
    OriginalJournal TransTypesEnum @TransType ro
    Original int @CreatedBy ro
    BaseReference text11 @BaseRef ro
    Reference3 text100 @Ref3
    VatDate date
    JournalEntryLines JournalEntryLine[]
    """,
)

JOURNAL_ENTRY_LINE = entity_type(
    "JournalEntryLine",
    """
    Line_ID int
    AccountCode text15 @Account
    Debit sum
    Credit sum
    FCDebit sum
    FCCredit sum
    FCCurrency text3
    DueDate date
    ShortName text15
    ContraAccount text15 @ContraAct
    LineMemo text50
    ReferenceDate1 date @RefDate
    ReferenceDate2 date @Ref2Date
    Reference1 text100 @Ref1
    Reference2 text100 @Ref2
    ProjectCode text20 @Project
    CostingCode text8 @ProfitCode
    TaxDate date
    BaseSum sum
    TaxGroup text8 @VatGroup
    TaxCode text8
    CostingCode2 text8 @OcrCode2
    CostingCode3 text8 @OcrCode3
    CostingCode4 text8 @OcrCode4
    CostingCode5 text8 @OcrCode5
    BPLID int @BPLId
    """,
)
