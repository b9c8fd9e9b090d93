"""The properties of internal reconciliations, and of the open transactions they are made from."""

from __future__ import annotations

from sandbox.service_layer.fields import entity_type

INTERNAL_RECONCILIATION = entity_type(
    "InternalReconciliation",
    """
    ReconNum int ro
    ReconDate date ro
    CardOrAccount CardOrAccountEnum @IsCard ro
    ReconType ReconTypeEnum ro
    Total sum ro
    CancelAbs int ro
    InternalReconciliationRows InternalReconciliationRow[]
    """,
)

INTERNAL_RECONCILIATION_ROW = entity_type(
    "InternalReconciliationRow",
    """
    LineSeq int ro
    ShortName text15 ro
    TransId int ro
    TransRowId int ro
    SrcObjTyp text20 ro
    SrcObjAbs int ro
    CreditOrDebit CreditOrDebitEnum @IsCredit ro
    ReconcileAmount sum @SumMthCurr ro
    CashDiscount sum @CashDisSum ro
    """,
)

# What is sent to `POST /InternalReconciliations`, and what GetOpenTransactions answers.
OPEN_TRANSACTIONS = entity_type(
    "InternalReconciliationOpenTrans",
    """
    ReconDate date
    CardOrAccount CardOrAccountEnum @IsCard
    InternalReconciliationOpenTransRows InternalReconciliationOpenTransRow[]
    """,
)

OPEN_TRANSACTION = entity_type(
    "InternalReconciliationOpenTransRow",
    """
    Selected yesno
    ShortName text15 ro
    TransId int
    TransRowId int
    SrcObjTyp text20 ro
    SrcObjAbs int ro
    CreditOrDebit CreditOrDebitEnum @IsCredit ro
    ReconcileAmount sum @SumMthCurr
    CashDiscount sum @CashDisSum
    """,
)

OPEN_TRANSACTIONS_ASKED = entity_type(
    "InternalReconciliationOpenTransParams",
    """
    ReconDate date
    CardOrAccount CardOrAccountEnum @CardOrAcct
    AccountNo text15 @AcctNo
    DateType ReconSelectDateTypeEnum
    FromDate date
    ToDate date
    InternalReconciliationBPs InternalReconciliationBP[]
    """,
)

PARTNER_ASKED = entity_type(
    "InternalReconciliationBP",
    """
    BPCode text15 @BpCode
    """,
)
