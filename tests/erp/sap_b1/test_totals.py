"""What we predict is what the Service Layer computes, to the cent, for any document in any kind of company."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erp.adapters.sap_b1.spec import SPEC
from erp.contract.documents import DocumentKind, DocumentLine, SalesDocument, Use
from erp.contract.facts import LedgerFacts
from erp.contract.money import minor_units, quantum, rounded
from sandbox.service_layer import add_item, set_stock
from tests.erp.sap_b1.b1_company import B1, running, today

TRANSLATOR = SPEC.translator
NUMBERS = itertools.count(1)
COMPANIES = {
    "US dollars": {},
    "VAT, euro": {"localisation": "VAT", "currency": "EUR"},
    "VAT, tax rounded once per code": {
        "localisation": "VAT",
        "currency": "EUR",
        "group_lines_in_vat_calculation": True,
    },
    "prices with two decimals": {"price_decimals": 2},
    "prices with six decimals, tax once per code": {
        "price_decimals": 6,
        "group_lines_in_vat_calculation": True,
    },
    "gross prices turned into net ones": {"gross_by_net_price": True, "settings": {"gross_is_kept": "no"}},
    "prices entered gross": {"localisation": "VAT", "settings": {"price_entry": "gross"}},
    "prices entered net": {"settings": {"price_entry": "net"}},
    "yen": {"currency": "JPY", "totals_decimals": 0},
    "dinar, indirect rates": {"currency": "KWD", "totals_decimals": 3, "direct_rate": False},
}
CODES = {"US": ("EX", "T5", "T8", "CA", "NY", "TX"), "VAT": ("S0", "S5", "S7", "S19", "S20", "S21")}
CURRENCIES = ("USD", "EUR", "GBP", "JPY", "KWD")


@pytest.fixture(scope="module")
def companies() -> Iterator[dict[str, tuple[B1, LedgerFacts]]]:
    with ExitStack() as stack:
        found = {}
        for name, options in COMPANIES.items():
            b1 = stack.enter_context(
                running(options.get("settings"), **{k: v for k, v in options.items() if k != "settings"})
            )
            for number in range(1, 6):
                set_stock(b1.company, f"SKU-{number}", "1000000000")
            add_item(b1.company, "BULK", stock="1000000000")
            found[name] = (b1, b1.facts())
        yield found


@st.composite
def documents(draw: st.DrawFn, facts: LedgerFacts, codes: tuple[str, ...]) -> SalesDocument:
    """A document as a store would have it: tax by line from net or from gross prices, and a few cents off at times."""
    currency = draw(st.sampled_from([facts.local_currency, *CURRENCIES]))
    gross_store = draw(st.booleans())
    lines = tuple(
        draw(_line(number, currency, facts, codes, gross_store)) for number in range(draw(st.integers(1, 6)))
    )
    kind = draw(st.sampled_from([DocumentKind.INVOICE, DocumentKind.SALES_ORDER, DocumentKind.CREDIT_MEMO]))
    tax = sum((line.tax for line in lines), Decimal(0))
    day = today()
    return SalesDocument(
        kind=kind,
        reference=f"S1-{next(NUMBERS)}-I",
        partner="WEBGUEST",
        currency=currency,
        posting_date=day,
        document_date=day,
        due_date=day,
        lines=lines,
        tax=tax,
        total=tax + sum((line.net for line in lines), Decimal(0)),
    )


@st.composite
def _line(
    draw: st.DrawFn, number: int, currency: str, facts: LedgerFacts, codes: tuple[str, ...], gross_store: bool
) -> DocumentLine:
    code = draw(st.sampled_from(codes))
    rate = facts.tax_codes[code].rate
    amount = Decimal(draw(st.integers(0, 5_000_00))).scaleb(-minor_units(currency))
    if gross_store:
        tax = rounded(amount * rate / (100 + rate), currency)
        net = amount - tax
    else:
        net, tax = amount, rounded(amount * rate / 100, currency)
    off = draw(st.sampled_from([0, 0, 0, 0, 1, -1])) if tax else 0
    freight = draw(st.booleans()) and draw(st.booleans())
    return DocumentLine(
        key=f"line:{number}",
        use=Use.SHIPPING if freight else Use.GOODS,
        text=f"Line {number}",
        quantity=Decimal(1) if freight else draw(st.sampled_from([Decimal(n) for n in (1, 2, 3, 7, 12, 60)])),
        net=net,
        tax=tax + off * quantum(currency),
        item="" if freight else "BULK",
        freight_code="1" if freight else "",
        tax_code=code,
    )


@pytest.mark.parametrize("name", COMPANIES)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_the_prediction_is_what_the_service_layer_computes(
    companies: dict[str, tuple[B1, LedgerFacts]], name: str, data: st.DataObject
) -> None:
    b1, facts = companies[name]
    document = data.draw(documents(facts, CODES[b1.company.switches.localisation]))
    predicted = TRANSLATOR.predict(document, facts)
    receipt = b1.open().create(document, facts=facts, links={}, before_sending=lambda: None)
    assert (receipt.total, receipt.tax) == (predicted.total, predicted.tax)
    assert sum(predicted.line_taxes.values()) == predicted.tax
    assert receipt.currency == document.currency


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    amounts=st.lists(st.integers(1, 100_000), min_size=1, max_size=8),
    rate=st.sampled_from(["S7", "S19", "S20", "S21"]),
)
def test_any_tax_inclusive_order_ties_exactly_when_gross_prices_are_kept(
    companies: dict[str, tuple[B1, LedgerFacts]], amounts: list[int], rate: str
) -> None:
    _, facts = companies["VAT, euro"]
    percent = facts.tax_codes[rate].rate
    lines = []
    for number, cents in enumerate(amounts):
        gross = Decimal(cents).scaleb(-2)
        tax = rounded(gross * percent / (100 + percent), "EUR")
        lines.append(
            DocumentLine(
                key=str(number),
                use=Use.GOODS,
                text="x",
                quantity=Decimal(1),
                net=gross - tax,
                tax=tax,
                item="BULK",
                tax_code=rate,
            )
        )
    tax = sum((line.tax for line in lines), Decimal(0))
    total = sum((line.net for line in lines), tax)
    day = today()
    document = SalesDocument(
        kind=DocumentKind.SALES_ORDER,
        reference=f"S1-{next(NUMBERS)}-O",
        partner="WEBGUEST",
        currency="EUR",
        posting_date=day,
        document_date=day,
        due_date=day,
        lines=tuple(lines),
        total=total,
        tax=tax,
    )
    predicted = TRANSLATOR.predict(document, facts)
    assert (predicted.total, predicted.tax) == (total, tax)


def test_the_stores_own_tax_is_posted_where_the_company_allows_overrides() -> None:
    with running({"tax_override": "yes"}, tax_override=True) as b1:
        facts = b1.facts()
        lines = (
            DocumentLine(
                key="a",
                use=Use.GOODS,
                text="Hat",
                quantity=Decimal(1),
                net=Decimal(100),
                tax=Decimal("9.99"),
                item="SKU-1",
                tax_code="TX",
            ),
            DocumentLine(
                key="s",
                use=Use.SHIPPING,
                text="UPS",
                quantity=Decimal(1),
                net=Decimal(5),
                tax=Decimal("0.01"),
                freight_code="1",
                tax_code="TX",
            ),
        )
        day = today()
        document = SalesDocument(
            kind=DocumentKind.INVOICE,
            reference="S1-1-I",
            partner="WEBGUEST",
            currency="USD",
            posting_date=day,
            document_date=day,
            due_date=day,
            lines=lines,
            total=Decimal("115.00"),
            tax=Decimal("10.00"),
            tax_override=True,
        )
        receipt = b1.open().create(document, facts=facts, links={}, before_sending=lambda: None)
        assert (receipt.total, receipt.tax) == (Decimal("115.00"), Decimal("10.00"))
        plain = TRANSLATOR.predict(replace(document, tax_override=False), facts)
        assert plain.tax == Decimal("8.66")
