"""Reading reference values for the mapping screens: every item, account, tax code, ... of a company."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from erp.adapters.sap_b1.answers import yes
from erp.adapters.sap_b1.company_facts import ITEM_COLUMNS, item_of, values_of
from erp.adapters.sap_b1.service_layer import ServiceLayer
from erp.adapters.sap_b1.settings import Settings
from erp.contract.adapter import ReferenceKind, ReferenceValue
from erp.contract.facts import item_details

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where values of a kind come from; `active` lists (property, value) pairs that an active row has."""

    entity_set: str
    code: str
    name: str
    active: tuple[tuple[str, bool], ...] = ()
    barcode: str = ""
    details: tuple[str, ...] = ()
    only: str = ""


SOURCES: Mapping[ReferenceKind, Source] = {
    ReferenceKind.ACCOUNT: Source(
        entity_set="ChartOfAccounts",
        code="Code",
        name="Name",
        active=(("ActiveAccount", True), ("LockManualTransaction", False), ("FrozenFor", False)),
        details=("FormatCode", "AcctCurrency"),
    ),
    ReferenceKind.FREIGHT: Source(entity_set="AdditionalExpenses", code="ExpensCode", name="Name"),
    ReferenceKind.WAREHOUSE: Source(
        entity_set="Warehouses", code="WarehouseCode", name="WarehouseName", active=(("Inactive", False),)
    ),
    ReferenceKind.COST_CENTER: Source(
        entity_set="DistributionRules",
        code="FactorCode",
        name="FactorDescription",
        active=(("Active", True),),
        details=("InWhichDimension",),
    ),
    ReferenceKind.PARTNER: Source(
        entity_set="BusinessPartners",
        code="CardCode",
        name="CardName",
        active=(("Valid", True), ("Frozen", False)),
        only="CardType eq 'cCustomer'",
    ),
    ReferenceKind.PARTNER_GROUP: Source(
        entity_set="BusinessPartnerGroups",
        code="Code",
        name="Name",
        only="Type eq 'bbpgt_CustomerGroup'",
    ),
    ReferenceKind.PRICE_LIST: Source(
        entity_set="PriceLists", code="PriceListNo", name="PriceListName", details=("IsGrossPrice",)
    ),
    ReferenceKind.BRANCH: Source(
        entity_set="BusinessPlaces", code="BPLID", name="BPLName", active=(("Disabled", False),)
    ),
}
TAX_CODES: Mapping[str, Source] = {
    "TaxCode": Source(
        entity_set="SalesTaxCodes",
        code="Code",
        name="Name",
        active=(("Inactive", False), ("ValidForAR", True)),
        details=("Rate",),
    ),
    "VatGroup": Source(
        entity_set="VatGroups",
        code="Code",
        name="Name",
        active=(("Inactive", False),),
        only="Category eq 'bovcOutputTax'",
    ),
}
USER_FIELD_TABLES = {"OINV": "document", "ORCT": "payment", "OCRD": "business partner"}
SERIES_OBJECTS = {
    "oInvoices": "A/R invoice",
    "oOrders": "sales order",
    "oCreditNotes": "credit memo",
    "oDownPayments": "A/R down payment",
    "oIncomingPayments": "incoming payment",
    "oVendorPayments": "outgoing payment",
}


def read(
    service: ServiceLayer, kind: ReferenceKind, settings: Settings, today: date
) -> Iterator[ReferenceValue]:
    """Every value of a kind, inactive ones too."""
    match kind:
        case ReferenceKind.ITEM:
            return _items(service, today)
        case ReferenceKind.SERIES:
            return _series(service)
        case ReferenceKind.USER_FIELD:
            return _user_fields(service)
        case ReferenceKind.TAX_CODE:
            return _rows(service, kind, TAX_CODES[settings.tax_field])
    return _rows(service, kind, SOURCES[kind])


def _rows(service: ServiceLayer, kind: ReferenceKind, source: Source) -> Iterator[ReferenceValue]:
    columns = [
        source.code,
        source.name,
        source.barcode,
        *source.details,
        *(name for name, _ in source.active),
    ]
    params = {"$select": ",".join(dict.fromkeys(filter(None, columns))), "$orderby": source.code}
    if source.only:
        params["$filter"] = source.only
    for row in service.read_all(source.entity_set, params):
        yield ReferenceValue(
            kind=kind,
            code=str(row[source.code]),
            name=str(row.get(source.name) or ""),
            active=all(
                yes(row.get(name, "tYES" if wanted else "tNO")) is wanted for name, wanted in source.active
            ),
            barcode=str(row.get(source.barcode) or "") if source.barcode else "",
            details={name: str(row[name]) for name in source.details if row.get(name) is not None},
        )


def _items(service: ServiceLayer, today: date) -> Iterator[ReferenceValue]:
    for row in service.read_all("Items", {"$select": ITEM_COLUMNS, "$orderby": "ItemCode"}):
        item = item_of(row, today)
        yield ReferenceValue(
            kind=ReferenceKind.ITEM,
            code=item.code,
            name=item.name,
            active=item.active and item.sellable,
            barcode=item.barcode,
            details=item_details(item),
        )


def _series(service: ServiceLayer) -> Iterator[ReferenceValue]:
    for document, name in SERIES_OBJECTS.items():
        body = {"DocumentTypeParams": {"Document": document}}
        for row in values_of(service.ask("SeriesService_GetDocumentSeries", body)):
            yield ReferenceValue(
                kind=ReferenceKind.SERIES,
                code=str(row["Series"]),
                name=f"{row.get('Name') or ''} ({name})",
                active=not yes(row.get("Locked")),
                details={"document": name},
            )


def _user_fields(service: ServiceLayer) -> Iterator[ReferenceValue]:
    for table, what in USER_FIELD_TABLES.items():
        params = {"$select": "Name,Description,Type,Size,TableName", "$filter": f"TableName eq '{table}'"}
        for row in service.read_all("UserFieldsMD", params):
            yield ReferenceValue(
                kind=ReferenceKind.USER_FIELD,
                code=f"{table}.U_{row['Name']}",
                name=f"{row.get('Description') or row['Name']} ({what})",
                details={"type": str(row.get("Type") or ""), "size": str(row.get("Size") or "")},
            )
