"""The journal entry service, `JournalEntryCreateRequestConfirmation_In`: writing requests, reading confirmations.

Element order and lengths are those of its WSDL: a header, then all `Item`, all `DebtorItem`, all `ProductTaxItem`, in that
order; children carry no namespace. The answer is HTTP 200 for a refused entry, too: its log and document number decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from erp.adapters.sap_s4.journal import HEADER_FIELDS, HEADER_TEXT_FIELD, Entry, Posted, Row, TaxRow
from erp.adapters.sap_s4.settings import Settings
from erp.contract.order import Address

PATH = "/sap/bc/srt/scs_ext/sap/journalentrycreaterequestconfi"
SFIN = "http://sap.com/xi/SAPSCORE/SFIN"
ACTION = f"{SFIN}/JournalEntryCreateRequestConfirmation_In/JournalEntryCreateRequestConfirmation_InRequest"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
SCENARIO = "SAP_COM_0002 (finance posting)"
REFERENCE_TYPE, TRANSACTION = "BKPFF", "RFBU"
GENERIC_REFUSAL = "609(RW)"  # "Error in document": what follows it says why
LOCKED = frozenset({"601(MC)", "042(MC)"})  # somebody works on the record right now
REFUSED = 3
ONE_TIME_NAME, LONGEST_REGION, NO_CITY = 35, 3, "-"
Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What became of one entry. `document` is empty where none was made; `notes` are the log's, with their ids."""

    document: str
    company: str
    year: str
    severity: int
    notes: tuple[tuple[str, str], ...]


# --- writing ----------------------------------------------------------------------------------------------


def entry_node(entry: Entry, settings: Settings) -> dict[str, Any]:
    """The entry as the service's elements, in their order; amounts as `{"currencyCode", "value"}`."""
    return _present(
        {
            **_header(entry, settings),
            "Item": [_item(number, row, entry, settings) for number, row in enumerate(entry.rows, start=2)],
            "DebtorItem": [_debtor(entry, settings)] if entry.customer_amount else [],
            "ProductTaxItem": [
                _tax(group, row, entry, settings) for group, row in enumerate(entry.taxes, start=1)
            ],
        }
    )


def _header(entry: Entry, settings: Settings) -> dict[str, Any]:
    fields = dict(entry.fields)
    return {
        "OriginalReferenceDocumentType": REFERENCE_TYPE,
        "BusinessTransactionType": TRANSACTION,
        "AccountingDocumentType": entry.document_type,
        "DocumentReferenceID": entry.reference,
        "DocumentHeaderText": fields.get(HEADER_TEXT_FIELD, entry.header_text),
        "CreatedByUser": settings.posting_user,
        "CompanyCode": settings.company_code,
        "DocumentDate": entry.document_date.isoformat(),
        "PostingDate": entry.posting_date.isoformat(),
        "TaxDeterminationDate": entry.posting_date.isoformat() if entry.taxes else "",
        "ExchangeRate": entry.rate,
        "Reference1InDocumentHeader": entry.order,
        **{name: fields[name] for name in HEADER_FIELDS if name in fields},
    }


def _item(number: int, row: Row, entry: Entry, settings: Settings) -> dict[str, Any]:
    tax = (
        _present(
            {"TaxCode": row.tax_code, **_jurisdiction(row.tax_code, _group_of(row.tax_code, entry), settings)}
        )
        if row.tax_code
        else {}
    )
    return _present(
        {
            "ReferenceDocumentItem": str(number),
            "GLAccount": row.account,
            "AmountInTransactionCurrency": _money(row.amount, entry.currency),
            "DebitCreditCode": _side(row.amount),
            "DocumentItemText": row.text,
            "AssignmentReference": row.assignment,
            "Tax": tax,
            "AccountAssignment": _present(
                {"ProfitCenter": settings.profit_center, "CostCenter": row.cost_center}
            ),
        }
    )


def _debtor(entry: Entry, settings: Settings) -> dict[str, Any]:
    due = entry.due_date.isoformat() if entry.due_date else ""
    return _present(
        {
            "ReferenceDocumentItem": "1",
            "Debtor": entry.customer,
            "AmountInTransactionCurrency": _money(entry.customer_amount, entry.currency),
            "DebitCreditCode": _side(entry.customer_amount),
            "DocumentItemText": entry.customer_text,
            "AssignmentReference": entry.order,
            "CashDiscountTerms": {"DueCalculationBaseDate": due, "NetPaymentDays": "P0D"} if due else {},
            "PaymentDetails": _present({"PaymentReference": entry.payment_reference}),
            "OneTimeCustomerDetails": _guest(entry.guest, entry, settings) if entry.guest else {},
        }
    )


def _guest(guest: Address, entry: Entry, settings: Settings) -> dict[str, Any]:
    """Name and city of a row on a one-time account. Money knows neither: then the order is named, and no city."""
    person = f"{guest.first_name} {guest.last_name}".strip()
    return _present(
        {
            "Name": (guest.company or person or entry.header_text or entry.reference)[
                :ONE_TIME_NAME
            ].rstrip(),
            "ShortStreetName": guest.street[:ONE_TIME_NAME].rstrip(),
            "PostlCodeforCustomer": guest.zip_code,
            "CityName": guest.city[:ONE_TIME_NAME].rstrip() or NO_CITY,
            "Country": guest.country_code or settings.country,
            "Region": guest.state if len(guest.state) <= LONGEST_REGION else "",
        }
    )


def _tax(group: int, row: TaxRow, entry: Entry, settings: Settings) -> dict[str, Any]:
    return _present(
        {
            "TaxCode": row.code,
            **_jurisdiction(row.code, group, settings),
            "IsDirectTaxPosting": "true" if row.amount and not row.base else "",
            "AmountInTransactionCurrency": _money(row.amount, entry.currency),
            "DebitCreditCode": _side(row.amount or row.base),
            "TaxBaseAmountInTransCrcy": _money(row.base, entry.currency),
        }
    )


def _jurisdiction(code: str, group: int, settings: Settings) -> dict[str, str]:
    """Where tax goes by jurisdiction (US), rows and their tax are joined by a group."""
    named = settings.tax_codes.get(code)
    if named is None or not named.jurisdiction:
        return {}
    return {"TaxJurisdiction": named.jurisdiction, "TaxItemGroup": str(group)}


def _group_of(code: str, entry: Entry) -> int:
    return next((group for group, row in enumerate(entry.taxes, start=1) if row.code == code), 0)


def reversal_of(entry: Posted, day: date, settings: Settings) -> dict[str, Any]:
    """The reversal of a journal entry, on that day: named by its key, without rows of its own."""
    return {
        "OriginalReferenceDocumentType": REFERENCE_TYPE,
        "BusinessTransactionType": TRANSACTION,
        "AccountingDocumentType": settings.sale_type,
        "ReversalReason": settings.reversal_reason,
        "ReversalReferenceDocument": entry.key,
        "CreatedByUser": settings.posting_user,
        "CompanyCode": entry.company,
        "DocumentDate": day.isoformat(),
        "PostingDate": day.isoformat(),
    }


def envelope(node: Node | None, message: str, now: datetime) -> bytes:
    """The request as bytes.

    :param node: None: a message without an entry, for trying the service out
    :param message: our id of this message, at most 35 characters; the confirmation refers to it
    """
    moment = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    root = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"soapenv": ENVELOPE, "sfin": SFIN})
    etree.SubElement(root, f"{{{ENVELOPE}}}Header")
    body = etree.SubElement(root, f"{{{ENVELOPE}}}Body")
    bulk = etree.SubElement(body, f"{{{SFIN}}}JournalEntryBulkCreateRequest")
    header = {"ID": message, "CreationDateTime": moment}
    _write(bulk, "MessageHeader", header)
    if node is not None:
        _write(bulk, "JournalEntryCreateRequest", {"MessageHeader": header, "JournalEntry": node})
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return written


def _write(parent: etree._Element, name: str, value: Any) -> None:
    match value:
        case list() | tuple():
            for each in value:
                _write(parent, name, each)
        case Mapping() if "currencyCode" in value:
            amount = etree.SubElement(parent, name, currencyCode=value["currencyCode"])
            amount.text = format(value["value"], "f")
        case Mapping():
            node = etree.SubElement(parent, name)
            for child, content in value.items():
                _write(node, child, content)
        case Decimal():
            etree.SubElement(parent, name).text = format(value, "f")
        case _:
            etree.SubElement(parent, name).text = str(value)


def _money(amount: Decimal, currency: str) -> dict[str, Any]:
    return {"currencyCode": currency, "value": amount}


def _side(amount: Decimal) -> str:
    return "S" if amount > 0 else "H"


def _present(node: Node) -> dict[str, Any]:
    """Without what is empty: an empty element is a value to SAP."""
    return {name: value for name, value in node.items() if value not in (None, "", [], {})}


# --- reading ----------------------------------------------------------------------------------------------


def read(body: bytes) -> etree._Element:
    """The XML of an answer, without entities or anything fetched from elsewhere.

    :raises ValueError: if it is not XML
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ValueError("the answer is not XML") from error


def fault_of(root: etree._Element) -> tuple[str, str] | None:
    """Code and sentence of a SOAP fault, if it is one."""
    fault = root.find(f".//{{{ENVELOPE}}}Fault")
    if fault is None:
        return None
    code, sentence = fault.findtext("faultcode", ""), fault.findtext("faultstring", "")
    return code.rpartition(":")[2], " ".join(sentence.split())[:500]


def speaks(root: etree._Element) -> bool:
    """Whether this is an answer of the service itself: a fault, whichever side it blames, or a confirmation of nothing."""
    return (
        fault_of(root) is not None
        or root.find(f".//{{{SFIN}}}JournalEntryBulkCreateConfirmation") is not None
    )


def confirmation_of(root: etree._Element, message: str) -> Confirmation | None:
    """What became of our entry; None where the answer does not speak of it."""
    # Inside a confirmation stands another element of the same name, which has no log.
    told = [each for each in root.iter("JournalEntryCreateConfirmation") if each.find("Log") is not None]
    for each in told:
        log = each.find("Log")
        about = each.findtext("MessageHeader/ReferenceID", "").strip()
        if about != message and (about or len(told) > 1):
            continue
        made = each.find("JournalEntryCreateConfirmation")
        document = made.findtext("AccountingDocument", "").strip() if made is not None else ""
        return Confirmation(
            document="" if not document.strip("0") else document,
            company=made.findtext("CompanyCode", "").strip() if made is not None else "",
            year=made.findtext("FiscalYear", "").strip() if made is not None else "",
            severity=_severity(log),
            notes=tuple(_notes(log.iter("Item"))),
        )
    return None


def _severity(log: etree._Element) -> int:
    said = [log.findtext("MaximumLogItemSeverityCode", "")]
    said += [item.findtext("SeverityCode", "") for item in log.iter("Item")]
    return max((int(each) for each in said if each.strip().isdigit()), default=0)


def _notes(items: Iterable[etree._Element]) -> Iterable[tuple[str, str]]:
    for item in items:
        yield item.findtext("TypeID", "").strip(), " ".join(item.findtext("Note", "").split())
