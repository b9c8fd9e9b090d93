"""The tables that the protocol serves: keys, kinds and scales of their columns, and the objects that write them.

Of long tables only the columns that an integration uses are here. A test holds them to the public
description of Sage 100's tables where that is found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

TEXT, DATE, DECIMAL = "text", "date", "decimal"
PLAIN_DECIMAL = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?")  # no exponent: 1e9999999 is short and enormous


@dataclass(frozen=True)
class Column:
    """:ivar length: characters of a text, digits of a decimal :ivar scale: decimal places"""

    name: str
    kind: str
    length: int = 0
    scale: int = 0

    def holds(self, number: str) -> bool:
        """Whether this decimal column could hold a number exactly."""
        if not PLAIN_DECIMAL.fullmatch(number):
            return False
        whole, _, fraction = number.lstrip("-").partition(".")
        return len(fraction.rstrip("0")) <= self.scale and len(whole.lstrip("0")) <= self.length - self.scale


@dataclass(frozen=True)
class Table:
    """:ivar key: its primary key, in order"""

    name: str
    key: tuple[str, ...]
    columns: dict[str, Column]

    @property
    def always(self) -> tuple[str, ...]:
        """The columns that every row bears, asked for or not."""
        return (*self.key, *(name for name in ("DateUpdated", "TimeUpdated") if name in self.columns))


def _column(item: str) -> Column:
    """``Name:C30`` text, ``Name:P15.6`` decimal, ``Name:D`` date."""
    name, _, type = item.partition(":")
    length, _, scale = type[1:].partition(".")
    kind = {"C": TEXT, "D": DATE, "P": DECIMAL}[type[0]]
    return Column(name, kind, int(length or 0), int(scale or 0))


STAMP = "DateCreated:D TimeCreated:C8 UserCreatedKey:C10 DateUpdated:D TimeUpdated:C8 UserUpdatedKey:C10"
PARTIES = """ARDivisionNo:C2 CustomerNo:C20 BillToName:C50 BillToAddress1:C40 BillToAddress2:C40 BillToAddress3:C40
    BillToCity:C30 BillToState:C2 BillToZipCode:C10 BillToCountryCode:C3 ShipToCode:C4 ShipToName:C50
    ShipToAddress1:C40 ShipToAddress2:C40 ShipToAddress3:C40 ShipToCity:C30 ShipToState:C2 ShipToZipCode:C10
    ShipToCountryCode:C3 ShipVia:C15 CustomerPONo:C30 FOB:C15 WarehouseCode:C3 ConfirmTo:C50 Comment:C30
    TermsCode:C2 TaxSchedule:C9 TaxExemptNo:C15 EmailAddress:C250 SalespersonDivisionNo:C2 SalespersonNo:C4
    PaymentType:C5 OtherPaymentTypeRefNo:C24 CheckNoForDeposit:C10"""
AMOUNTS = "DiscountAmt:P11.2 TaxableAmt:P12.2 NonTaxableAmt:P12.2 SalesTaxAmt:P11.2 FreightAmt:P11.2 DepositAmt:P12.2"
TRACKING = "PackageNo:C4 TrackingID:C30 Comment:C30 StarshipShipVia:C15 Weight:P12.2 FreightAmt:P11.2"

_DESCRIPTIONS = {
    "CI_Item": (
        "ItemCode",
        f"""ItemCode:C30 ItemType:C1 ItemCodeDesc:C30 UseInSO:C1 PriceCode:C4 SalesUnitOfMeasure:C4
            StandardUnitOfMeasure:C4 TaxClass:C2 ProductLine:C4 ProductType:C1 DefaultWarehouseCode:C3
            Category1:C10 ShipWeight:C10 StandardUnitCost:P15.6 StandardUnitPrice:P15.6 SalesUMConvFctr:P11.4
            AllowBackOrders:C1 SalesPromotionCode:C10 SaleStartingDate:D SaleEndingDate:D SaleMethod:C1
            SalesPromotionPrice:P15.6 SuggestedRetailPrice:P15.6 SalesPromotionDiscountPercent:P11.3
            TotalQuantityOnHand:P15.6 InactiveItem:C1 {STAMP}""",
    ),
    "IM_ItemWarehouse": (
        "ItemCode WarehouseCode",
        f"""ItemCode:C30 WarehouseCode:C3 BinLocation:C10 QuantityOnHand:P15.6 QuantityOnPurchaseOrder:P15.6
            QuantityOnSalesOrder:P15.6 QuantityOnBackOrder:P15.6 QuantityInShipping:P15.6 AverageCost:P15.6 {STAMP}""",
    ),
    "IM_PriceCode": (
        "PriceCodeRecord PriceCode ItemCode CustomerPriceLevel ARDivisionNo CustomerNo",
        f"""PriceCodeRecord:C1 PriceCode:C4 ItemCode:C30 CustomerPriceLevel:C1 ARDivisionNo:C2 CustomerNo:C20
            PriceCodeDesc:C25 PricingMethod:C1 BreakQuantity1:P8.0 BreakQuantity2:P8.0 BreakQuantity3:P8.0
            BreakQuantity4:P8.0 BreakQuantity5:P8.0 DiscountMarkup1:P15.6 DiscountMarkup2:P15.6
            DiscountMarkup3:P15.6 DiscountMarkup4:P15.6 DiscountMarkup5:P15.6 {STAMP}""",
    ),
    "AR_Customer": (
        "ARDivisionNo CustomerNo",
        f"""ARDivisionNo:C2 CustomerNo:C20 CustomerName:C50 AddressLine1:C40 AddressLine2:C40 AddressLine3:C40
            City:C30 State:C2 ZipCode:C10 CountryCode:C3 TelephoneNo:C20 EmailAddress:C250 URLAddress:C50
            TaxSchedule:C9 TaxExemptNo:C15 TermsCode:C2 SalespersonDivisionNo:C2 SalespersonNo:C4 Comment:C30
            SortField:C10 CustomerType:C4 PriceLevel:C1 CreditHold:C1 PrimaryShipToCode:C4 CustomerStatus:C1
            CreditLimit:P13.2 CurrentBalance:P13.2 OpenOrderAmt:P13.2 {STAMP}""",
    ),
    "AR_OpenInvoice": (
        "ARDivisionNo CustomerNo InvoiceNo InvoiceType",
        f"""ARDivisionNo:C2 CustomerNo:C20 InvoiceNo:C7 InvoiceType:C2 InvoiceDate:D InvoiceDueDate:D PostingDate:D
            TermsCode:C2 Comment:C30 CustomerPONo:C30 TaxableAmt:P13.2 NonTaxableAmt:P13.2 FreightAmt:P12.2
            SalesTaxAmt:P12.2 DiscountAmt:P13.2 PaymentsToday:P13.2 Balance:P13.2 {STAMP}""",
    ),
    "SO_SalesOrderHeader": (
        "SalesOrderNo",
        f"""SalesOrderNo:C7 OrderDate:D OrderType:C1 OrderStatus:C1 ShipExpireDate:D {PARTIES} CurrentInvoiceNo:C7
            LastInvoiceOrderNo:C7 LastInvoiceOrderDate:D CancelReasonCode:C5 DiscountRate:P7.3 {AMOUNTS} {STAMP}""",
    ),
    "SO_SalesOrderDetail": (
        "SalesOrderNo LineKey",
        """SalesOrderNo:C7 LineKey:C6 LineSeqNo:C14 ItemCode:C30 ItemType:C1 ItemCodeDesc:C30 WarehouseCode:C3
            PriceLevel:C1 UnitOfMeasure:C4 PriceOverridden:C1 PromiseDate:D AliasItemNo:C30 TaxClass:C2
            QuantityOrdered:P15.6 QuantityShipped:P15.6 QuantityBackordered:P15.6 UnitPrice:P15.6 UnitCost:P15.6
            ExtensionAmt:P11.2 UnitOfMeasureConvFactor:P11.4 LineDiscountPercent:P8.3""",
    ),
    "SO_SalesOrderHistoryHeader": (
        "SalesOrderNo",
        f"""SalesOrderNo:C7 OrderDate:D OrderStatus:C1 {PARTIES} CancelReasonCode:C5 LastInvoiceDate:D LastInvoiceNo:C7
            DiscountRate:P8.3 {AMOUNTS} InvoicedAmt:P12.2 {STAMP}""",
    ),
    "SO_InvoiceHeader": (
        "InvoiceNo",
        f"""InvoiceNo:C7 InvoiceDate:D InvoiceType:C2 SalesOrderNo:C7 OrderDate:D ShipDate:D {PARTIES} ShipperID:C3
            ApplyToInvoiceNo:C7 InvoiceDueDate:D DiscountRate:P8.3 {AMOUNTS} NumberofPackages:P4.0 {STAMP}""",
    ),
    "SO_InvoiceTracking": ("InvoiceNo PackageNo", f"InvoiceNo:C7 {TRACKING}"),
    "AR_InvoiceHistoryHeader": (
        "InvoiceNo HeaderSeqNo",
        f"""InvoiceNo:C7 HeaderSeqNo:C6 ModuleCode:C3 InvoiceType:C2 InvoiceDate:D TransactionDate:D SalesOrderNo:C7
            OrderDate:D ShipDate:D {PARTIES} ApplyToInvoiceNo:C7 InvoiceDueDate:D TaxableSalesAmt:P12.2
            NonTaxableSalesAmt:P12.2 FreightAmt:P11.2 SalesTaxAmt:P11.2 DiscountAmt:P11.2 DepositAmt:P12.2 {STAMP}""",
    ),
    "AR_InvoiceHistoryTracking": (
        "InvoiceNo HeaderSeqNo PackageNo",
        f"InvoiceNo:C7 HeaderSeqNo:C6 {TRACKING}",
    ),
    "SO_ShipToAddress": (
        "ARDivisionNo CustomerNo ShipToCode",
        f"""ARDivisionNo:C2 CustomerNo:C20 ShipToCode:C4 ShipToName:C50 ShipToAddress1:C40 ShipToAddress2:C40
            ShipToAddress3:C40 ShipToCity:C30 ShipToState:C2 ShipToZipCode:C10 ShipToCountryCode:C3 TelephoneNo:C20
            EmailAddress:C50 WarehouseCode:C3 TaxSchedule:C9 ShipVia:C15 {STAMP}""",
    ),
}
TABLES = {
    name: Table(name, tuple(key.split()), {c.name: c for c in map(_column, columns.split())})
    for name, (key, columns) in _DESCRIPTIONS.items()
}


@dataclass(frozen=True)
class Business:
    """What a business object writes. :ivar history: where a number goes on living after its document is done"""

    name: str
    header: Table
    lines: Table | None = None
    history: Table | None = None


OBJECTS = {
    "SO_SalesOrder_bus": Business(
        "SO_SalesOrder_bus",
        TABLES["SO_SalesOrderHeader"],
        TABLES["SO_SalesOrderDetail"],
        TABLES["SO_SalesOrderHistoryHeader"],
    ),
    "AR_Customer_bus": Business("AR_Customer_bus", TABLES["AR_Customer"]),
}
