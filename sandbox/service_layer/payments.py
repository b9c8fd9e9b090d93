"""Incoming payments, and outgoing payments such as the pay-out of a refund."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.service_layer import checks, document_rows, errors, journal, reconciliation
from sandbox.service_layer.catalogue import PAYMENTS, EntitySet
from sandbox.service_layer.company import Company
from sandbox.service_layer.reading import read_entity, require_user_fields
from sandbox.service_layer.rounding import ZERO, Places

Row = dict[str, Any]
# What a payment may apply: the entity set, and whether money flows the payment's way.
_APPLICABLE = {
    "IncomingPayments": {
        "it_Invoice": ("Invoices", True),
        "it_DownPayment": ("DownPayments", True),
        "it_CredItnote": ("CreditNotes", False),
    },
    "VendorPayments": {
        "it_CredItnote": ("CreditNotes", True),
        "it_Invoice": ("Invoices", False),
        "it_DownPayment": ("DownPayments", False),
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What a payment applies to one document: in the document's currency, and in the payment's."""

    set_name: str
    document: Row
    own: Decimal
    paid: Decimal
    with_the_flow: bool
    row: Row


@dataclass(slots=True, kw_only=True)
class Prepared:
    """A payment that passed every check."""

    entity_set: EntitySet
    values: Row
    partner: Row
    means: list[tuple[str, Decimal]]
    applied: list[Application]


def post(company: Company, name: str, payload: object) -> tuple[str, Row]:
    """Add a payment; answers the entity set it landed in (`PaymentDrafts` under approval) and the row.

    :raises B1Error: for unknown documents and accounts, wrong currencies, sums that do not add up
    """
    values = read_entity(company, "Payment", payload)
    require_user_fields(company, "Payment", values)
    if name == "PaymentDrafts":
        outgoing = values.get("DocObjectCode") == "bopot_OutgoingPayments"
        target = PAYMENTS["VendorPayments" if outgoing else "IncomingPayments"]
        return name, _store_draft(company, prepare(company, target, values), "pasWithout")
    prepared = prepare(company, PAYMENTS[name], values)
    checks.guard_duplicates(company, PAYMENTS[name], prepared.values)
    if name in company.switches.approvals:
        return "PaymentDrafts", _store_draft(company, prepared, "pasPending")
    return name, _commit(company, prepared)


def prepare(company: Company, entity_set: EntitySet, given: Row) -> Prepared:
    """Check a payment without changing anything."""
    values = dict(given)
    partner = _header(company, entity_set, values)
    means = _means(company, entity_set, values, company.places(values["DocCurrency"]))
    applied = _applications(company, entity_set, values)
    _add_up(entity_set, values, applied, sum((amount for _, amount in means), ZERO))
    return Prepared(entity_set=entity_set, values=values, partner=partner, means=means, applied=applied)


def _header(company: Company, entity_set: EntitySet, values: Row) -> Row:
    table = entity_set.table
    values["DocType"] = values.get("DocType") or "rCustomer"
    values["DocDate"] = day = values.get("DocDate") or company.today()
    values["TaxDate"] = values.get("TaxDate") or day
    company.check_period(day, table, sale=False)
    partner: Row = {"Currency": "##"}
    if values["DocType"] != "rAccount":
        kinds = ("cCustomer",) if values["DocType"] == "rCustomer" else ("cSupplier",)
        partner = checks.partner_of(company, values, table, day, kinds=kinds)
    if values.get("LocalCurrency") == "tYES":
        values["DocCurrency"] = company.switches.local_currency
    values["DocCurrency"] = checks.currency_of(company, values, partner, table)
    values["DocRate"] = checks.exchange_rate(company, values, values["DocCurrency"], day)
    branch = checks.branch_of(company, values, "BPLID", table)
    values["BPLName"] = branch["BPLName"] if branch else None
    return partner


def _means(company: Company, entity_set: EntitySet, values: Row, places: Places) -> list[tuple[str, Decimal]]:
    """Accounts and amounts of cash, transfer, cards and checks, in the payment's currency."""
    table, currency = entity_set.table, values["DocCurrency"]
    means: list[tuple[str, Decimal]] = []

    def put(account: str | None, amount: Decimal | None, column: str, missing: str) -> None:
        if not amount:
            return
        if amount < 0:
            raise errors.business(f"Payment means cannot be negative{errors.at(table, column)}")
        if not account:
            raise errors.business(f"{missing}{errors.at(table, column)}")
        checks.account(company, account, errors.at(table, column), currency=currency)
        means.append((account, places.sum(amount)))

    put(
        values.get("TransferAccount"),
        values.get("TransferSum"),
        "TrsfrAcct",
        "Specify a bank transfer account",
    )
    cash = values.get("CashAccount") or company.defaults["cash"]
    put(cash, values.get("CashSum"), "CashAcct", "Specify a cash account")
    for card in values.get("PaymentCreditCards", []):
        known = company.get("CreditCards", card.get("CreditCard"))
        if known is None:
            raise errors.no_such_record(errors.at("RCT3", "CreditCard"))
        if not card.get("VoucherNum"):
            raise errors.business("Specify the voucher number  [RCT3.VoucherNum]")
        put(
            card.get("CreditAcct") or known.get("GLAccount"),
            card.get("CreditSum"),
            "CreditAcct",
            "Specify account",
        )
    for check in values.get("PaymentChecks", []):
        account = check.get("CheckAccount") or values.get("CheckAccount")
        put(account, check.get("CheckSum"), "CheckAcct", "Specify a check account")
    return means


def _applications(company: Company, entity_set: EntitySet, values: Row) -> list[Application]:
    rows = values.get("PaymentInvoices", [])
    found = [_application(company, entity_set, values, row, number) for number, row in enumerate(rows)]
    keys = [(each.set_name, each.document["DocEntry"]) for each in found]
    if len(set(keys)) != len(keys):
        raise errors.business(
            f"A document is paid twice in one payment{errors.at(entity_set.lines, 'DocEntry')}"
        )
    return found


def _application(company: Company, entity_set: EntitySet, values: Row, row: Row, number: int) -> Application:
    place = errors.at(entity_set.lines, "DocEntry", number)
    kind = row.get("InvoiceType") or "it_Invoice"
    if kind not in _APPLICABLE[entity_set.name]:
        raise errors.business(f"Document type {kind} cannot be paid here{place}")
    set_name, with_the_flow = _APPLICABLE[entity_set.name][kind]
    document = company.get(set_name, row.get("DocEntry"))
    if document is None:
        raise errors.no_such_record(place)
    if document["CardCode"] != values.get("CardCode"):
        raise errors.business(f"Document belongs to another business partner{place}")
    if document["DocumentStatus"] != "bost_Open" or document["CancelStatus"] != "csNo":
        raise errors.conflict("Invoice is already closed or blocked  [Message 3524-20]")
    own, paid = _amounts(company, values, row, document, place)
    if own <= 0 or own > document_rows.open_amount(document):
        raise errors.conflict(f"Payment amount is greater than invoice amount{place}")
    foreign = document_rows.is_foreign(company, document)
    shown = {
        **row,
        "LineNum": number,
        "InvoiceType": kind,
        "InstallmentId": row.get("InstallmentId", 1),
        "SumApplied": company.to_local(own, document["DocRate"]) if foreign else own,
        "AppliedFC": own if foreign else ZERO,
        "DocRate": document["DocRate"] if foreign else ZERO,
    }
    return Application(
        set_name=set_name, document=document, own=own, paid=paid, with_the_flow=with_the_flow, row=shown
    )


def _amounts(company: Company, values: Row, row: Row, document: Row, place: str) -> tuple[Decimal, Decimal]:
    """The applied amount in the document's currency, and what it takes of the payment."""
    local = company.switches.local_currency
    currency, paid_in = document["DocCurrency"], values["DocCurrency"]
    if paid_in not in (currency, local):
        raise errors.business(f"Payment currency {paid_in} differs from the document's {currency}{place}")
    given_fc, given = row.get("AppliedFC"), row.get("SumApplied")
    if currency == local:
        own = company.places(local).sum(given) if given is not None else document_rows.open_amount(document)
        return abs(own), abs(own)
    rate = values["DocRate"] if paid_in == currency else company.rate(currency, values["DocDate"])
    if given_fc is not None:
        own = company.places(currency).sum(given_fc)
    elif given is not None:
        own = company.to_foreign(given, rate, currency)
    else:
        own = document_rows.open_amount(document)
    own = abs(own)
    return own, own if paid_in == currency else company.to_local(own, rate)


def _add_up(entity_set: EntitySet, values: Row, applied: list[Application], total: Decimal) -> None:
    """The means must cover what is applied; the rest is a payment on account."""
    if values["DocType"] == "rAccount":
        wanted = sum((row.get("SumPaid") or ZERO for row in values.get("PaymentAccounts", [])), ZERO)
        if not wanted or wanted != total:
            raise errors.business(
                f"Payment means do not equal the total{errors.at(entity_set.table, 'DocTotal')}"
            )
        return
    needed = sum((each.paid if each.with_the_flow else -each.paid for each in applied), ZERO)
    if total < needed:
        raise errors.business(
            f"Total of payment means is less than the amount applied{errors.at(entity_set.table, 'DocTotal')}"
        )
    if not total and not applied:
        raise errors.business(f"Specify payment means{errors.at(entity_set.table, 'DocTotal')}")


def _commit(company: Company, prepared: Prepared) -> Row:
    entity_set = prepared.entity_set
    series, number = checks.take_number(company, entity_set, prepared.values)
    row = _stored_form(prepared)
    row.update(DocEntry=company.next_entry(entity_set.name), DocNum=number, Series=series)
    company.add(entity_set.name, **row)
    stored = company.tables[entity_set.name][row["DocEntry"],]
    stored["TransNum"] = journal.book_payment(company, entity_set, stored, prepared.means)
    for each in prepared.applied:
        document_rows.settle(company, each.set_name, each.document, each.own)
    return stored


def _stored_form(prepared: Prepared) -> Row:
    values, partner = prepared.values, prepared.partner
    incoming = prepared.entity_set.object_code == "24"
    return {
        "HandWritten": "tNO",
        "Printed": "tNO",
        "CardName": partner.get("CardName"),
        "ControlAccount": partner.get("DebitorAccount"),
        "CashSum": ZERO,
        "TransferSum": ZERO,
        "JournalRemarks": f"{prepared.entity_set.name} - {values.get('CardCode', '')}"[:50],
        "PaymentCreditCards": [],
        "PaymentChecks": [],
        "PaymentAccounts": [],
        **values,
        "DocObjectCode": "bopot_IncomingPayments" if incoming else "bopot_OutgoingPayments",
        "DocTypte": values["DocType"],
        "Cancelled": "tNO",
        "AuthorizationStatus": "pasWithout",
        "PaymentInvoices": [each.row for each in prepared.applied],
    }


def _store_draft(company: Company, prepared: Prepared, authorization: str) -> Row:
    _, number = checks.take_number(company, PAYMENTS["PaymentDrafts"], {})
    row = _stored_form(prepared)
    row.update(DocEntry=company.next_entry("PaymentDrafts"), DocNum=number, Series=-1)
    row.update(AuthorizationStatus=authorization, _entered=prepared.values)
    company.add("PaymentDrafts", **row)
    return company.tables["PaymentDrafts"][row["DocEntry"],]


def post_draft(company: Company, draft: Row) -> Row:
    """Turn a payment draft into its payment (SaveDraftToDocument); the draft is gone.

    :raises B1Error: if the payment is refused now
    """
    outgoing = draft["DocObjectCode"] == "bopot_OutgoingPayments"
    target = PAYMENTS["VendorPayments" if outgoing else "IncomingPayments"]
    row = _commit(company, prepare(company, target, draft["_entered"]))
    del company.tables["PaymentDrafts"][draft["DocEntry"],]
    company.touch("PaymentDrafts", draft)
    return row


def cancel(company: Company, name: str, row: Row) -> None:
    """Take a payment back; what it had settled is open again.

    :raises B1Error: if it is cancelled already
    """
    if name not in _APPLICABLE:
        raise errors.not_supported()
    if row["Cancelled"] == "tYES":
        raise errors.business("Document is already cancelled")
    reconciliation.refuse_if_reconciled(company, name, row)
    company.check_period(company.today(), PAYMENTS[name].table, sale=False)
    for each in row["PaymentInvoices"]:
        set_name, _ = _APPLICABLE[name][each["InvoiceType"]]
        document = company.tables[set_name][each["DocEntry"],]
        document_rows.settle(company, set_name, document, -(each["AppliedFC"] or each["SumApplied"]))
    journal.reverse(company, PAYMENTS[name], row, company.today())
    row["Cancelled"] = "tYES"
    company.touch(name, row)
