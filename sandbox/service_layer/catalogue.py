"""The entity sets this Service Layer serves, and which database tables stand behind them."""

from __future__ import annotations

from dataclasses import dataclass

import sandbox.service_layer.fields_documents
import sandbox.service_layer.fields_masters
import sandbox.service_layer.fields_payments
import sandbox.service_layer.fields_reconciliations
import sandbox.service_layer.fields_setup  # noqa: F401  (importing the tables registers their types)
from sandbox.service_layer.fields import TYPES, EntityType


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitySet:
    """`writable` sets take POST and PATCH of plain rows; documents and payments have rules of their own."""

    name: str
    type_name: str
    key: tuple[str, ...]
    table: str
    lines: str = ""
    object_code: str = ""
    etag: bool = False
    writable: bool = False

    @property
    def type(self) -> EntityType:
        return TYPES[self.type_name]


def _sets(*rows: EntitySet) -> dict[str, EntitySet]:
    return {row.name: row for row in rows}


def _document(name: str, table: str, lines: str, code: str) -> EntitySet:
    return EntitySet(
        name=name,
        type_name="Document",
        key=("DocEntry",),
        table=table,
        lines=lines,
        object_code=code,
        etag=True,
    )


def _setup(name: str, type_name: str, key: str, table: str, *, writable: bool = False) -> EntitySet:
    return EntitySet(name=name, type_name=type_name, key=(key,), table=table, writable=writable)


DOCUMENTS = _sets(
    _document("Invoices", "OINV", "INV1", "13"),
    _document("CreditNotes", "ORIN", "RIN1", "14"),
    _document("DeliveryNotes", "ODLN", "DLN1", "15"),
    _document("Orders", "ORDR", "RDR1", "17"),
    _document("DownPayments", "ODPI", "DPI1", "203"),
    _document("Drafts", "ODRF", "DRF1", "112"),
)

# IncomingPayments is not among the objects with ETags (SAP "Working with Service Layer" 1.28, 5).
PAYMENTS = _sets(
    EntitySet(
        name="IncomingPayments",
        type_name="Payment",
        key=("DocEntry",),
        table="ORCT",
        lines="RCT2",
        object_code="24",
    ),
    EntitySet(
        name="VendorPayments",
        type_name="Payment",
        key=("DocEntry",),
        table="OVPM",
        lines="VPM2",
        object_code="46",
    ),
    EntitySet(
        name="PaymentDrafts",
        type_name="Payment",
        key=("DocEntry",),
        table="OPDF",
        lines="PDF2",
        object_code="140",
    ),
)

MASTERS = _sets(
    EntitySet(
        name="BusinessPartners",
        type_name="BusinessPartner",
        key=("CardCode",),
        table="OCRD",
        object_code="2",
        etag=True,
        writable=True,
    ),
    EntitySet(
        name="Items",
        type_name="Item",
        key=("ItemCode",),
        table="OITM",
        object_code="4",
        etag=True,
        writable=True,
    ),
    _setup("Warehouses", "Warehouse", "WarehouseCode", "OWHS", writable=True),
    _setup("ChartOfAccounts", "ChartOfAccount", "Code", "OACT", writable=True),
    _setup("VatGroups", "VatGroup", "Code", "OVTG", writable=True),
    _setup("SalesTaxCodes", "SalesTaxCode", "Code", "OSTC", writable=True),
    _setup("AdditionalExpenses", "AdditionalExpense", "ExpensCode", "OEXD", writable=True),
    _setup("ProfitCenters", "ProfitCenter", "CenterCode", "OPRC", writable=True),
    _setup("DistributionRules", "DistributionRule", "FactorCode", "OOCR", writable=True),
    _setup("Dimensions", "Dimension", "DimensionCode", "ODIM"),
    _setup("PriceLists", "PriceList", "PriceListNo", "OPLN", writable=True),
    _setup("BusinessPartnerGroups", "BusinessPartnerGroup", "Code", "OCRG", writable=True),
    _setup("Currencies", "Currency", "Code", "OCRN", writable=True),
    _setup("BusinessPlaces", "BusinessPlace", "BPLID", "OBPL", writable=True),
    _setup("ShippingTypes", "ShippingType", "Code", "OSHP", writable=True),
    _setup("PaymentTermsTypes", "PaymentTermsType", "GroupNumber", "OCTG", writable=True),
    _setup("SalesPersons", "SalesPerson", "SalesEmployeeCode", "OSLP", writable=True),
    _setup("CreditCards", "CreditCard", "CreditCardCode", "OCRC", writable=True),
    _setup("FinancialYears", "FinancialYear", "AbsEntry", "OACP"),
    _setup("Projects", "Project", "Code", "OPRJ", writable=True),
    EntitySet(name="UserFieldsMD", type_name="UserFieldMD", key=("TableName", "FieldID"), table="CUFD"),
    EntitySet(
        name="JournalEntries", type_name="JournalEntry", key=("JdtNum",), table="OJDT", object_code="30"
    ),
    _setup("InternalReconciliations", "InternalReconciliation", "ReconNum", "OITR"),
)

SETS: dict[str, EntitySet] = {**DOCUMENTS, **PAYMENTS, **MASTERS}
BY_OBJECT: dict[str, EntitySet] = {row.object_code: row for row in SETS.values() if row.object_code}

# One user field serves the whole family of a table (all marketing documents share OINV's and INV1's).
USER_FIELD_TABLES = {
    "Document": "OINV",
    "DocumentLine": "INV1",
    "Payment": "ORCT",
    "BusinessPartner": "OCRD",
    "BPAddress": "CRD1",
    "ContactEmployee": "OCPR",
    "Item": "OITM",
    "JournalEntry": "OJDT",
    "JournalEntryLine": "JDT1",
    "Warehouse": "OWHS",
}
TABLE_FAMILIES = {
    **{table: "OINV" for table in ("OINV", "ORIN", "ORDR", "ODPI", "ODRF", "ODLN", "OQUT", "ORDN")},
    **{table: "INV1" for table in ("INV1", "RIN1", "RDR1", "DPI1", "DRF1", "DLN1", "QUT1", "RDN1")},
    **{table: "ORCT" for table in ("ORCT", "OVPM", "OPDF")},
}
