"""Why S/4HANA would refuse a document, in a merchant's words, before anything is sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from erp.adapters.sap_s4.journal import HEADER_FIELDS, HEADER_TEXT_FIELD, JOURNAL, ZERO, entry_of, tax_code_of
from erp.adapters.sap_s4.odata import external
from erp.adapters.sap_s4.order_problems import order_problems
from erp.adapters.sap_s4.settings import Settings, read_settings
from erp.contract.documents import (
    AnyDocument,
    DocumentKind,
    DocumentLine,
    MoneyDocument,
    PartnerDocument,
    SalesDocument,
)
from erp.contract.facts import LedgerFacts
from erp.contract.money import quantum
from erp.contract.plan import Problem

S4 = "SAP S/4HANA"
MOST_ROWS = 999  # of one journal entry
LONGEST_REFERENCE, LONGEST_USER, LONGEST_CUSTOMER = 16, 12, 10
_HALF = Decimal("0.5")


def problems(document: AnyDocument, facts: LedgerFacts) -> tuple[Problem, ...]:
    """Every reason S/4HANA would refuse the document, each once."""
    settings = read_settings(facts.settings)
    match document:
        case PartnerDocument():
            found = _partner(settings, facts)
        case SalesDocument() if document.kind is DocumentKind.SALES_ORDER:
            found = order_problems(document, facts, settings)
        case SalesDocument() if document.kind in JOURNAL:
            found = _sale(document, facts, settings)
        case MoneyDocument() if document.kind in JOURNAL:
            found = _money(document, facts, settings)
        case _:
            found = iter([_not_posted(document)])
    return tuple(dict.fromkeys(found))


def _partner(settings: Settings, facts: LedgerFacts) -> Iterator[Problem]:
    """A customer may be one that is there already: only when it is made, an account must be named."""
    if settings.reconciliation_account:
        yield from _account(settings.reconciliation_account, facts)


def _sale(document: SalesDocument, facts: LedgerFacts, settings: Settings) -> Iterator[Problem]:
    yield from _header(document, settings)
    yield from _known_partner(document.partner, facts)
    for line in document.lines:
        yield from _line(line, facts, settings)
    if document.kind is DocumentKind.INVOICE:
        yield from _rates(document, facts, settings)
    if not any(line.net or line.tax for line in document.lines):
        yield Problem(
            code="nothing_to_post",
            sentence=f"Every line of {document.reference} is over nothing: {S4} takes no journal entry without amounts.",
            way_out="Let the pipeline skip orders of zero total, or exclude the order with a reason.",
        )
        return
    if not any(True for line in document.lines if not _is_placed(line, facts)):
        yield from _size(document, settings)


def _is_placed(line: DocumentLine, facts: LedgerFacts) -> bool:
    return bool(line.account) or not line.net


def _size(document: SalesDocument, settings: Settings) -> Iterator[Problem]:
    entry = entry_of(document, settings, {})
    rows = len(entry.rows) + len(entry.taxes) + 1
    if rows > MOST_ROWS:
        yield Problem(
            code="too_many_rows",
            sentence=f"{document.reference} would have {rows} rows; a journal entry in {S4} has at most {MOST_ROWS}.",
            way_out="Book the order by hand and exclude it with a reason.",
        )


def _money(document: MoneyDocument, facts: LedgerFacts, settings: Settings) -> Iterator[Problem]:
    yield from _header(document, settings)
    yield from _known_partner(document.partner, facts)
    yield from _account(document.account, facts)


def _line(line: DocumentLine, facts: LedgerFacts, settings: Settings) -> Iterator[Problem]:
    what = line.text or line.key
    if line.net and not line.account:
        yield Problem(
            code="no_account",
            sentence=f"{what} has no G/L account: {S4} is posted to by accounts, not by items or freight codes.",
            way_out="Set the pipeline's goods to amounts on G/L accounts, and map accounts for goods and shipping.",
        )
    if line.account:
        yield from _account(line.account, facts)
    if line.cost_center:
        yield from _cost_center(line.cost_center, facts)
    code = tax_code_of(line, settings)
    if code:
        yield from _tax_code(code, facts, settings)
    elif line.tax:
        yield Problem(
            code="no_tax_code",
            sentence=f"{what} has tax and no tax code.",
            way_out="Map the store's tax to a tax code.",
        )


def _account(code: str, facts: LedgerFacts) -> Iterator[Problem]:
    account = facts.accounts.get(external(code))
    if account is None:
        yield _unknown(
            "G/L account", code, "account", f"chart of accounts {facts.settings.get('chart_of_accounts', '')}"
        )
        return
    if not account.active:
        yield Problem(
            code="account_inactive",
            sentence=f"G/L account {code} {account.name} is blocked for posting in {S4}.",
            way_out="Unblock it there, or map another account.",
        )
    if not account.postable:
        yield Problem(
            code="account_not_postable",
            sentence=f"G/L account {code} {account.name} is for secondary costs: controlling posts to it, nobody else.",
            way_out="Map another account.",
        )


def _cost_center(code: str, facts: LedgerFacts) -> Iterator[Problem]:
    center = facts.cost_centers.get(external(code))
    if center is None:
        yield _unknown("cost center", code, "cost_center", f"company code {facts.company} today")
    elif not center.active:
        yield Problem(
            code="cost_center_inactive",
            sentence=f"Cost center {code} {center.name} is blocked for posting in {S4}.",
            way_out="Unblock it there, or map another one.",
        )


def _tax_code(code: str, facts: LedgerFacts, settings: Settings) -> Iterator[Problem]:
    """A code the connection does not name cannot be checked, so it is not posted with."""
    if code not in facts.tax_codes and code != settings.exempt_tax_code:
        yield Problem(
            code="tax_code_unknown",
            sentence=f"Tax code {code} is not one of the tax codes named on the connection to {S4}.",
            way_out="Add it to the connection with its percentage, or map another one.",
        )


def _rates(document: SalesDocument, facts: LedgerFacts, settings: Settings) -> Iterator[Problem]:
    """Tax that rounding does not explain stands on the wrong code: the tax return would be wrong, though all ties out."""
    sums: dict[str, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO, ZERO])
    for line in document.lines:
        code = tax_code_of(line, settings)
        if code in facts.tax_codes:
            rate = facts.tax_codes[code].rate
            of_code = sums[code]
            of_code[0] += line.tax
            of_code[1] += line.net * rate / 100
            # The store rounds each unit or line by up to half a unit; in gross prices its net moves along.
            of_code[2] += max(line.quantity, Decimal(1)) * _HALF * (1 + rate / 100)
    for code, (tax, expected, roundings) in sorted(sums.items()):
        allowed = (roundings + 1) * quantum(document.currency)
        if abs(tax - expected) > allowed:
            yield _rate_differs(document, code, facts.tax_codes[code].rate, tax, expected)


def _rate_differs(
    document: SalesDocument, code: str, rate: Decimal, tax: Decimal, expected: Decimal
) -> Problem:
    shown = expected.quantize(quantum(document.currency))
    return Problem(
        code="tax_rate_differs",
        sentence=f"The store took {tax} {document.currency} of tax on what is mapped to tax code {code}; at {rate:f} percent that "
        f"would be {shown} {document.currency}.",
        way_out="Map the store's tax to the code with its rate, or correct the percentage on the connection.",
        arithmetic=(
            ("Tax of the store", f"{tax} {document.currency}"),
            (f"At {rate:f} %", f"{shown} {document.currency}"),
        ),
    )


def _header(document: SalesDocument | MoneyDocument, settings: Settings) -> Iterator[Problem]:
    """What the message would not be taken with: a fault of the whole message is harder to tell from a lost answer."""
    yield from _reference(document.reference)
    yield from _fields(document.fields)
    if not 0 < len(settings.posting_user) <= LONGEST_USER:
        yield Problem(
            code="no_posting_user",
            sentence=f"The connection to {S4} names no posting user of at most {LONGEST_USER} characters.",
            way_out="Name the communication user's technical name on the connection, such as CC0000000002.",
        )
    if document.partner.isalnum() and len(document.partner) > LONGEST_CUSTOMER:
        yield Problem(
            code="partner_code_too_long",
            sentence=f"Customer {document.partner} has more than {LONGEST_CUSTOMER} characters.",
            way_out=f"Name a customer number of {S4} on the pipeline.",
        )


def _reference(reference: str) -> Iterator[Problem]:
    if len(reference) > LONGEST_REFERENCE or reference != reference.upper():
        yield Problem(
            code="reference_too_long",
            sentence=f"Reference {reference} has more than {LONGEST_REFERENCE} characters or small letters.",
            way_out="Choose a shorter store key.",
        )


def _fields(fields: tuple[tuple[str, str], ...]) -> Iterator[Problem]:
    for name, _ in fields:
        if name not in HEADER_FIELDS and name != HEADER_TEXT_FIELD:
            known = ", ".join((HEADER_TEXT_FIELD, *HEADER_FIELDS))
            yield Problem(
                code="field_unknown",
                sentence=f"A field rule fills {name}, which is no header field of a journal entry that rules may fill.",
                way_out=f"Name one of {known}.",
            )


def _known_partner(code: str, facts: LedgerFacts) -> Iterator[Problem]:
    """Only a customer that was looked up is judged: others are made by the same plan."""
    partner = facts.partners.get(code)
    if partner is not None and not partner.active:
        yield Problem(
            code="partner_inactive",
            sentence=f"Customer {code} is marked for deletion in {S4}.",
            way_out="Take the mark away there, or name another customer.",
        )


def _not_posted(document: AnyDocument) -> Problem:
    name = {
        DocumentKind.DOWN_PAYMENT: "A/R down payments",
        DocumentKind.SETTLEMENT: "clearings of open items",
    }[document.kind]
    return Problem(
        code="not_posted",
        sentence=f"Tieout posts no {name} to {S4}.",
        way_out="Choose another posting style on the pipeline.",
    )


def _unknown(what: str, code: str, slug: str, where: str) -> Problem:
    return Problem(
        code=f"{slug}_unknown",
        sentence=f"{what} {code} does not exist in {where.strip()} of {S4}.",
        way_out="Map another one, or create it there.",
    )
