"""`JournalEntryCreateRequestConfirmation_In`: reading its requests as strictly as SAP does, writing its confirmations.

Element names, their order and their lengths are those of the service's WSDL. What the WSDL would not take is answered with a
fault, before anything is posted; what accounting does not take is HTTP 200 with a log of severity 3.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from sandbox.s4hana.ledger import Result

Row = dict[str, Any]
SFIN = "http://sap.com/xi/SAPSCORE/SFIN"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
ACTION = f"{SFIN}/JournalEntryCreateRequestConfirmation_In/JournalEntryCreateRequestConfirmation_InRequest"
# Name to longest text; 0: an element with children, or one of another type. The order is the WSDL's.
HEADER = {
    "OriginalReferenceDocumentType": 5,
    "BusinessTransactionType": 4,
    "AccountingDocumentType": 5,
    "DocumentReferenceID": 16,
    "DocumentHeaderText": 25,
    "ReversalReason": 2,
    "ReversalReferenceDocument": 20,
    "CreatedByUser": 12,
    "CompanyCode": 4,
    "DocumentDate": 10,
    "PostingDate": 10,
    "TaxDeterminationDate": 10,
    "ExchangeRate": 30,
    "Reference1InDocumentHeader": 20,
    "Reference2InDocumentHeader": 20,
    "JrnlEntryCntrySpecificRef1": 80,
    "JrnlEntryCntrySpecificRef2": 25,
    "JrnlEntryCntrySpecificRef3": 25,
    "JrnlEntryCntrySpecificRef4": 50,
    "JrnlEntryCntrySpecificRef5": 50,
    "Item": 0,
    "DebtorItem": 0,
    "ProductTaxItem": 0,
}
ITEM = {
    "ReferenceDocumentItem": 10,
    "GLAccount": 10,
    "AmountInTransactionCurrency": 30,
    "DebitCreditCode": 1,
    "DocumentItemText": 50,
    "AssignmentReference": 18,
    "Tax": 0,
    "AccountAssignment": 0,
}
TAX_OF_ITEM = {"TaxCode": 5, "TaxJurisdiction": 15, "TaxItemGroup": 6}
ASSIGNMENT = {"ProfitCenter": 10, "CostCenter": 10}
DEBTOR = {
    "ReferenceDocumentItem": 10,
    "Debtor": 10,
    "AmountInTransactionCurrency": 30,
    "DebitCreditCode": 1,
    "DocumentItemText": 50,
    "AssignmentReference": 18,
    "CashDiscountTerms": 0,
    "PaymentDetails": 0,
    "OneTimeCustomerDetails": 0,
}
ONE_TIME = {
    "Name": 35,
    "ShortStreetName": 35,
    "PostlCodeforCustomer": 10,
    "CityName": 35,
    "Country": 3,
    "Region": 3,
}
TERMS = {"DueCalculationBaseDate": 10, "NetPaymentDays": 20}
PAYMENT = {"PaymentReference": 30}
TAX = {
    "TaxCode": 5,
    "TaxJurisdiction": 15,
    "TaxItemGroup": 6,
    "IsDirectTaxPosting": 5,
    "AmountInTransactionCurrency": 30,
    "DebitCreditCode": 1,
    "TaxBaseAmountInTransCrcy": 30,
}
REQUIRED = {
    "JournalEntry": (
        "OriginalReferenceDocumentType BusinessTransactionType AccountingDocumentType CreatedByUser CompanyCode DocumentDate "
        "PostingDate"
    ),
    "Item": "GLAccount AmountInTransactionCurrency",
    "DebtorItem": "ReferenceDocumentItem Debtor AmountInTransactionCurrency",
    "ProductTaxItem": "TaxCode AmountInTransactionCurrency TaxBaseAmountInTransCrcy",
    "Tax": "TaxCode",
    "AccountAssignment": "",
    "CashDiscountTerms": "DueCalculationBaseDate NetPaymentDays",
    "PaymentDetails": "",
    "OneTimeCustomerDetails": "",
}
PARTS = {
    "Item": ITEM,
    "DebtorItem": DEBTOR,
    "ProductTaxItem": TAX,
    "Tax": TAX_OF_ITEM,
    "AccountAssignment": ASSIGNMENT,
    "CashDiscountTerms": TERMS,
    "PaymentDetails": PAYMENT,
    "OneTimeCustomerDetails": ONE_TIME,
}


class NotTaken(ValueError):
    """The message is not what the WSDL describes: a fault of the client."""


def parse(body: bytes) -> tuple[str, Row]:
    """The id of the message and its entry.

    :raises NotTaken: if the WSDL does not take it
    """
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise NotTaken("Parsing of XML failed") from error
    request = root.find(
        f"{{{ENVELOPE}}}Body/{{{SFIN}}}JournalEntryBulkCreateRequest/JournalEntryCreateRequest"
    )
    node = request.find("JournalEntry") if request is not None else None
    if node is None:
        raise NotTaken("Element JournalEntryCreateRequest expected")
    _check("JournalEntry", node, HEADER)
    return request.findtext("MessageHeader/ID", ""), _entry(node)


def _check(name: str, node: Any, known: dict[str, int]) -> None:
    order, before = list(known), -1
    for child in node:
        if child.tag not in known:
            raise NotTaken(f"Element {child.tag} is not known in {name}")
        place = order.index(child.tag)
        if place < before:
            raise NotTaken(f"Element {child.tag} does not come after {order[before]} in {name}")
        before = place
        if child.tag in PARTS:
            _check(child.tag, child, PARTS[child.tag])
        elif not child.text or len(child.text) > known[child.tag]:
            raise NotTaken(
                f"Value of {child.tag} in {name} is empty or longer than {known[child.tag]} characters"
            )
    missing = [each for each in REQUIRED[name].split() if node.find(each) is None]
    if missing:
        raise NotTaken(f"Element {missing[0]} is missing in {name}")


def _entry(node: Any) -> Row:
    header = {name: node.findtext(name, "") for name, length in HEADER.items() if length}
    return {
        **header,
        "Item": [
            {
                **_common(item),
                "GLAccount": item.findtext("GLAccount"),
                "TaxCode": item.findtext("Tax/TaxCode", ""),
                "TaxJurisdiction": item.findtext("Tax/TaxJurisdiction", ""),
                "CostCenter": item.findtext("AccountAssignment/CostCenter", ""),
                "ProfitCenter": item.findtext("AccountAssignment/ProfitCenter", ""),
            }
            for item in node.iterchildren("Item")
        ],
        "DebtorItem": [
            {
                **_common(item),
                "Debtor": item.findtext("Debtor"),
                "PaymentReference": item.findtext("PaymentDetails/PaymentReference", ""),
                "Name": item.findtext("OneTimeCustomerDetails/Name", ""),
                "City": item.findtext("OneTimeCustomerDetails/CityName", ""),
                "DueDate": item.findtext("CashDiscountTerms/DueCalculationBaseDate", ""),
            }
            for item in node.iterchildren("DebtorItem")
        ],
        "ProductTaxItem": [
            {
                **_common(item),
                "TaxCode": item.findtext("TaxCode"),
                "TaxJurisdiction": item.findtext("TaxJurisdiction", ""),
                "Base": _decimal(item.findtext("TaxBaseAmountInTransCrcy", "")),
            }
            for item in node.iterchildren("ProductTaxItem")
        ],
    }


def _common(item: Any) -> Row:
    amount = item.find("AmountInTransactionCurrency")
    value = _decimal(amount.text)
    side = item.findtext("DebitCreditCode", "")
    if side and value and side != ("S" if value > 0 else "H"):
        raise NotTaken(f"DebitCreditCode {side} does not agree with the sign of {value}")
    return {
        "Amount": value,
        "Currency": amount.get("currencyCode", ""),
        "Text": item.findtext("DocumentItemText", ""),
        "Assignment": item.findtext("AssignmentReference", ""),
    }


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise NotTaken(f"{text!r} is no amount") from error


def confirmation(message: str, result: Result, now: datetime) -> str:
    """The answer, also for an entry that was refused: then with a blank document number and fiscal year 0000."""
    moment = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    highest = max(each.severity for each in result.messages)
    items = "".join(
        f"<Item><TypeID>{each.type_id}</TypeID><SeverityCode>{each.severity}</SeverityCode><Note>{escape(each.note)}</Note></Item>"
        for each in result.messages
    )
    header = f"<MessageHeader><ReferenceID>{escape(message)}</ReferenceID><CreationDateTime>{moment}</CreationDateTime></MessageHeader>"
    made = (
        f"<AccountingDocument>{result.document or ' '}</AccountingDocument><CompanyCode>{result.company or ' '}</CompanyCode>"
        f"<FiscalYear>{result.year}</FiscalYear>"
    )
    return (
        f'<soap-env:Envelope xmlns:soap-env="{ENVELOPE}"><soap-env:Header/><soap-env:Body>'
        f'<n0:JournalEntryBulkCreateConfirmation xmlns:n0="{SFIN}">'
        f"<MessageHeader><CreationDateTime>{moment}</CreationDateTime></MessageHeader>"
        "<ConfirmationInterfaceOrignName>JournalEntryCreateRequestConfirmation_In</ConfirmationInterfaceOrignName>"
        f"<JournalEntryCreateConfirmation>{header}<JournalEntryCreateConfirmation>{made}</JournalEntryCreateConfirmation>"
        f"<Log><MaximumLogItemSeverityCode>{highest}</MaximumLogItemSeverityCode>{items}</Log></JournalEntryCreateConfirmation>"
        "<Log/></n0:JournalEntryBulkCreateConfirmation></soap-env:Body></soap-env:Envelope>"
    )


def fault(code: str, sentence: str) -> str:
    """A SOAP fault; SAP answers it with HTTP 500."""
    return (
        f'<soap-env:Envelope xmlns:soap-env="{ENVELOPE}"><soap-env:Body><soap-env:Fault>'
        f'<faultcode>soap-env:{code}</faultcode><faultstring xml:lang="en">{escape(sentence)}</faultstring>'
        "</soap-env:Fault></soap-env:Body></soap-env:Envelope>"
    )
