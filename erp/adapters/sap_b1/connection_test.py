"""*Test connection*: everything posting will need, tried one by one, each told in a sentence.

What can only be learned by trying is returned as `learned` and kept on the connection: whether tax overrides count,
whether gross prices are kept, and how long a reference of a payment may be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from erp.adapters.sap_b1 import counter_reference, invoicing, queries, settlements
from erp.adapters.sap_b1.answers import amount
from erp.adapters.sap_b1.company_facts import read_facts, told
from erp.adapters.sap_b1.lookup import ENTITY_SETS, NAMES
from erp.adapters.sap_b1.marketing import present
from erp.adapters.sap_b1.service_layer import ServiceLayer
from erp.adapters.sap_b1.settings import COUNTER_REFERENCE, NUMBER_AT_CARD, Settings
from erp.contract.adapter import Check, Opening
from erp.contract.documents import DocumentKind
from erp.contract.errors import Misconfigured, Refused, RemoteError
from erp.contract.facts import FactsNeeded, LedgerFacts

PREVIEW = "InvoicesService_Preview"
# The quantity leaves the unit price two digits, so that a gross amount which goes through a net unit price cannot survive.
PROBE_NET = Decimal("100.00")
PROBE_GROSS = Decimal("99.99")
PROBE_TAX = Decimal("1.23")  # the tax of no usual rate on 100.00


def run(service: ServiceLayer, opening: Opening, settings: Settings) -> Sequence[Check]:
    """All checks; the first two stop the rest when they fail, because nothing else could work."""
    checks = [_attempt("Sign-in", lambda: _sign_in(service, settings))]
    if not checks[-1].ok:
        return checks
    found: list[LedgerFacts] = []
    checks.append(_attempt("Company", lambda: _company(service, opening, settings, found)))
    if not found:
        return checks
    facts, today = found[0], opening.now().date()
    checks += _set_up(service, facts, settings)
    checks += _permissions(service)
    partner = counter_reference.any_customer(service)
    checks.append(_attempt("Invoices of sales orders", lambda: _invoiced_orders(service, partner, today)))
    checks += _user_fields(service, settings)
    checks.append(
        _attempt("Payment reference", lambda: _payment_reference(service, opening, settings, facts))
    )
    checks += _previews(service, facts, settings, today)
    checks.append(_periods(facts, today))
    checks.append(_attempt("Exchange rates", lambda: _rates(service, opening, facts, today)))
    return checks


def _attempt(name: str, check: Callable[[], Check]) -> Check:
    """A check whose failure is its result."""
    try:
        return check()
    except RemoteError as error:
        return Check(name=name, ok=False, sentence=error.sentence)


def _sign_in(service: ServiceLayer, settings: Settings) -> Check:
    service.session.renew(lost=None, despite_refusal=True)
    return Check(
        name="Sign-in", ok=True, sentence=f"{settings.user_name} can sign in to {settings.company_db}."
    )


def _company(service: ServiceLayer, opening: Opening, settings: Settings, found: list[LedgerFacts]) -> Check:
    facts = read_facts(service, opening.settings, _needed(settings), opening.now())
    found.append(facts)
    rounding = "once per tax code" if facts.tax_rounding == "document" else "per line"
    return Check(
        name="Company",
        ok=True,
        sentence=f"{facts.company} keeps its books in {facts.local_currency}: {facts.amount_places} decimals for amounts, "
        f"{facts.price_places} for prices; tax is rounded {rounding}; {len(facts.tax_codes)} tax codes, "
        f"{len(facts.accounts)} accounts.",
        learned=told(facts),
    )


def _needed(settings: Settings) -> FactsNeeded:
    return FactsNeeded(items=frozenset({settings.service_item} - {""}))


def _set_up(service: ServiceLayer, facts: LedgerFacts, settings: Settings) -> Iterator[Check]:
    yield _service_item(facts, settings)
    yield _exempt_code(facts, settings)
    if facts.settings.get("branches") == "yes":
        yield _attempt("Branch", lambda: _branch(service, settings))


def _service_item(facts: LedgerFacts, settings: Settings) -> Check:
    item = facts.items.get(settings.service_item)
    if not settings.service_item:
        sentence, ok = (
            "No service item is chosen: shipping, fees and gift certificates cannot be posted.",
            False,
        )
    elif item is None:
        sentence, ok = f"Service item {settings.service_item} does not exist.", False
    elif item.stocked or not item.sellable or not item.active:
        sentence, ok = f"Service item {item.code} must be an active sales item without stock.", False
    else:
        sentence, ok = f"Service item {item.code} {item.name} carries amounts without an article.", True
    return Check(name="Service item", ok=ok, sentence=sentence)


def _exempt_code(facts: LedgerFacts, settings: Settings) -> Check:
    code = facts.tax_codes.get(settings.exempt_tax_code)
    if not settings.exempt_tax_code:
        sentence, ok = "No tax code for untaxed lines is chosen.", False
    elif code is None or not code.active or not code.for_sales:
        sentence, ok = (
            f"Tax code {settings.exempt_tax_code} does not exist, or is not an active sales code.",
            False,
        )
    elif code.rate:
        sentence, ok = (
            f"Tax code {code.code} of untaxed lines has a rate of {code.rate} %. Choose one with 0 %.",
            False,
        )
    else:
        sentence, ok = f"Untaxed lines get tax code {code.code} {code.name}.", True
    return Check(name="Untaxed lines", ok=ok, sentence=sentence)


def _branch(service: ServiceLayer, settings: Settings) -> Check:
    if settings.branch is None:
        return Check(name="Branch", ok=False, sentence="The company has branches: choose the one to post in.")
    try:
        row = service.read(
            queries.key("BusinessPlaces", settings.branch), {"$select": "BPLID,BPLName,Disabled"}
        )
    except Refused:
        return Check(name="Branch", ok=False, sentence=f"Branch {settings.branch} does not exist.")
    active = row.get("Disabled") != "tYES"
    sentence = (
        f"Documents are posted in branch {row.get('BPLName')}." if active else "The branch is disabled."
    )
    return Check(name="Branch", ok=active, sentence=sentence)


def _permissions(service: ServiceLayer) -> Iterator[Check]:
    """Reading proves half of a permission; the other half shows with the first document."""
    for kind in ENTITY_SETS:
        name = f"Permission: {NAMES[kind]}"
        yield _attempt(name, partial(_readable, service, name, kind))


def _readable(service: ServiceLayer, name: str, kind: DocumentKind) -> Check:
    service.read(ENTITY_SETS[kind], {"$select": "DocEntry", "$top": "1"})
    return Check(name=name, ok=True, sentence=f"The user may read every {NAMES[kind]}.")


def _invoiced_orders(service: ServiceLayer, partner: str, today: date) -> Check:
    """What only pipelines that post sales orders need: so it is a hint, never a failure."""
    name = "Invoices of sales orders"
    try:
        next(iter(invoicing.invoiced_since(service, today)), None)
        if partner:
            invoicing.open_transactions(service, partner, ({"DocDate": today.isoformat()},))
        service.read(settlements.ENTITY_SET, {"$select": "ReconNum", "$top": "1"})
    except (Refused, Misconfigured) as error:
        return Check(
            name=name,
            ok=None,
            sentence="Money of sales orders cannot be applied to the ERP's invoices here; pipelines that post invoices need "
            f"none of it. {error.sentence}",
        )
    return Check(
        name=name,
        ok=True,
        sentence="Invoices of sales orders, open transactions and internal reconciliations can be read.",
    )


def _user_fields(service: ServiceLayer, settings: Settings) -> Iterator[Check]:
    for field, table, what in (
        (settings.reference_field, "OINV", "documents"),
        (settings.payment_reference_field, "ORCT", "payments"),
        (settings.order_field, "OINV", "documents"),
        (settings.order_field, "ORCT", "payments"),
        (settings.partner_marker_field, "OCRD", "business partners"),
    ):
        if field.startswith("U_"):
            name = f"User field {field} of {what}"
            yield _attempt(name, partial(_user_field, service, name, field, table, what))
        elif field and field not in (NUMBER_AT_CARD, COUNTER_REFERENCE):
            yield Check(
                name=field, ok=None, sentence=f"{field} of {what} is not a user field: nobody checked it."
            )


def _user_field(service: ServiceLayer, name: str, field: str, table: str, what: str) -> Check:
    wanted = f"{queries.equals('TableName', table)} and {queries.equals('Name', field[2:])}"
    rows = service.read("UserFieldsMD", {"$select": "Name,TableName,Type,Size", "$filter": wanted}).get(
        "value", []
    )
    if not rows:
        return Check(
            name=name,
            ok=False,
            sentence=f"{what.capitalize()} have no user field {field}. Create it ({table}).",
        )
    size = int(rows[0].get("Size") or 0)
    if rows[0].get("Type") not in ("db_Alpha", "A") or size < counter_reference.WANTED:
        return Check(
            name=name,
            ok=False,
            sentence=f"{field} must be a text of at least {counter_reference.WANTED} characters.",
        )
    probe = ENTITY_SETS_OF_TABLES[table]
    try:
        service.read(probe, {"$select": field, "$top": "1"})
    except Refused:
        sentence = f"{field} exists but is not usable yet: restart the Service Layer, which learns new fields only then."
        return Check(name=name, ok=False, sentence=sentence)
    return Check(name=name, ok=True, sentence=f"{field} of {what} takes {size} characters.")


ENTITY_SETS_OF_TABLES = {"OINV": "Invoices", "ORCT": "IncomingPayments", "OCRD": "BusinessPartners"}


def _payment_reference(
    service: ServiceLayer, opening: Opening, settings: Settings, facts: LedgerFacts
) -> Check:
    name = "Payment reference"
    if settings.payment_reference_field != COUNTER_REFERENCE:
        return Check(
            name=name, ok=True, sentence=f"Payments keep our reference in {settings.payment_reference_field}."
        )
    length = counter_reference.proved_length(service, facts, opening.now().date())
    if length is None:
        return Check(
            name=name,
            ok=None if settings.counter_reference_length else False,
            sentence="The length of CounterReference could not be tried here. Choose a user field for payments.",
        )
    if length < counter_reference.WANTED:
        sentence = f"CounterReference keeps {length} of {counter_reference.WANTED} characters. Choose a user field for payments."
        return Check(
            name=name, ok=False, sentence=sentence, learned={"counter_reference_length": str(length)}
        )
    return Check(
        name=name,
        ok=True,
        sentence=f"CounterReference keeps our references whole ({length} characters, tried).",
        learned={"counter_reference_length": str(length)},
    )


def _previews(service: ServiceLayer, facts: LedgerFacts, settings: Settings, today: date) -> Iterator[Check]:
    """Two documents are computed by B1 without being posted (`InvoicesService_Preview`)."""
    taxed = next((c for c in facts.tax_codes.values() if c.rate > 0 and c.active and c.for_sales), None)
    partner = counter_reference.any_customer(service)
    if taxed is None or not partner or not settings.service_item:
        yield Check(
            name="Tax",
            ok=None,
            sentence="There is no taxed code, customer or service item to try a preview with.",
        )
        return
    for name, row, judge in (
        ("Tax override", {"LineTotal": PROBE_NET, "TaxTotal": PROBE_TAX}, _judge_override),
        ("Gross prices", {"GrossTotal": PROBE_GROSS}, _judge_gross),
    ):
        line = {
            "ItemCode": settings.service_item,
            "Quantity": 10**facts.price_places,
            settings.tax_field: taxed.code,
            **row,
        }
        body = {
            "CardCode": partner,
            "DocDate": today.isoformat(),
            "DocDueDate": today.isoformat(),
            "DocCurrency": facts.local_currency,
            "BPL_IDAssignedToInvoice": settings.branch,
            "DocumentLines": [present(line)],
        }
        yield _attempt_preview(service, name, body, judge)


def _attempt_preview(
    service: ServiceLayer, name: str, body: Mapping[str, Any], judge: Callable[[Mapping[str, Any]], Check]
) -> Check:
    try:
        return judge(service.ask(PREVIEW, {"Document": present(body)}))
    except (Refused, Misconfigured) as error:
        return Check(
            name=name, ok=None, sentence=f"This version cannot be asked for a preview: {error.sentence}"
        )


def _judge_override(row: Mapping[str, Any]) -> Check:
    counts = amount(row.get("VatSum")) == PROBE_TAX
    sentence = (
        "The company accepts tax amounts from outside: pipelines may send the store's tax."
        if counts
        else "The company computes tax itself and ignores tax amounts from outside."
    )
    return Check(
        name="Tax override",
        ok=True if counts else None,
        sentence=sentence,
        learned={"tax_override": "yes" if counts else "no"},
    )


def _judge_gross(row: Mapping[str, Any]) -> Check:
    kept = amount(row.get("DocTotal")) == PROBE_GROSS
    sentence = (
        "Gross prices are kept to the cent."
        if kept
        else "Gross prices are turned into net unit prices and lose cents: lines are entered net."
    )
    return Check(
        name="Gross prices",
        ok=True if kept else None,
        sentence=sentence,
        learned={"gross_is_kept": "yes" if kept else "no"},
    )


def _periods(facts: LedgerFacts, today: date) -> Check:
    if facts.open_period(today):
        return Check(name="Posting periods", ok=True, sentence=f"{today} is in an open posting period.")
    following = facts.next_open_day(today)
    then = f"The next open day is {following}." if following else "There is no open period after it."
    return Check(name="Posting periods", ok=False, sentence=f"{today} is in no open posting period. {then}")


def _rates(service: ServiceLayer, opening: Opening, facts: LedgerFacts, today: date) -> Check:
    foreign = sorted(set(facts.currency_places) - {facts.local_currency, "##"})[:20]
    wanted = FactsNeeded(rates=frozenset((code, today) for code in foreign), company=False)
    known = read_facts(service, facts.settings, wanted, opening.now()).rates
    missing = [code for code in foreign if (code, today) not in known]
    if missing:
        sentence = (
            f"There is no exchange rate today for {', '.join(missing)}. Orders in them will wait for one."
        )
        return Check(name="Exchange rates", ok=None, sentence=sentence)
    return Check(
        name="Exchange rates",
        ok=True,
        sentence=f"There is a rate today for {', '.join(foreign) or 'nothing else'}.",
    )
