"""However odd a request is, it is accepted or refused: the server never falls over, and a refusal leaves no trace."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.service_layer import B1Error, Company, documents, masters, payments
from sandbox.service_layer.catalogue import SETS
from sandbox.service_layer.enums import ENUMS
from sandbox.service_layer.fields import TYPES, Field
from sandbox.service_layer.filters import parse_filter, parse_key

D = Decimal
# Codes that exist beside some that do not, so that requests get past the first check.
KNOWN = {
    "ItemCode": ["SKU-1", "SKU-1", "FEE", "FEE", "MILK", "NOPE"],
    "CardCode": [*["WEBGUEST"] * 6, "C20000", "V10000", "NOPE"],
    "TaxCode": ["EX", "T10", "NY", "EX", "T10", "OLD"],
    "DocCurrency": ["USD", "EUR", "JPY", "USD", "XXX"],
    "WarehouseCode": ["01", "02", "03"],
    "AccountCode": ["400000", "100000", "1"],
    "TransferAccount": ["111000", "111000", "111900", "1"],
    "CashAccount": ["110100", "1"],
    "Currency": ["USD", "EUR"],
    **{f"CostingCode{n}": ["WEB", "EAST"] for n in ("", 2, 3)},
    "TableName": ["OINV", "ORCT", "XXXX"],
}
NUMBERS = {
    "DocEntry": [1, 2, 99],
    "BaseEntry": [1, 2],
    "BaseType": [-1, 13, 17, 203],
    "BaseLine": [0, 1],
    "Series": [1, 3, 90],
    "ExpenseCode": [1, 9],
}
ALWAYS = {
    "Document": {"CardCode", "DocumentLines"},
    "DocumentLine": {"ItemCode", "TaxCode"},
    "DocumentAdditionalExpense": {"ExpenseCode", "TaxCode"},
    "Payment": {"CardCode", "TransferAccount", "TransferSum"},
}
NEVER = {"VatGroup", "HandWritten"}
numbers = st.one_of(
    st.sampled_from([D(0), D(1), D(10), D("0.005"), D("-1"), D("9999999999999.999999")]),
    st.decimals(0, 1000, places=3),
    st.decimals(-1000, 1000, places=3),
)


def values_of(field: Field, depth: int) -> st.SearchStrategy[Any]:
    if field.kind == "many":
        return st.lists(payloads(field.of, depth - 1), max_size=3)
    if field.kind == "one":
        return payloads(field.of, depth - 1)
    if field.kind == "enum":
        return st.sampled_from([*ENUMS[field.of], None])
    if field.kind == "text":
        return st.sampled_from(KNOWN[field.name]) if field.name in KNOWN else st.text(max_size=2)
    if field.kind == "int":
        return st.sampled_from(NUMBERS.get(field.name, [0, 1, 2, -1]))
    if field.kind == "date":
        return st.sampled_from(["2026-11-20", "1990-01-01", None])
    return st.just("10:00:00") if field.kind == "time" else numbers


def payloads(type_name: str, depth: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    if depth == 0:
        return st.just({})
    fields = {name: field for name, field in TYPES[type_name].fields.items() if name not in NEVER}
    always = ALWAYS.get(type_name, set())
    needed = {name: values_of(field, depth) for name, field in fields.items() if name in always}
    rest = st.lists(st.sampled_from(sorted(set(fields) - always)), unique=True, max_size=5)
    extra = rest.flatmap(lambda names: st.fixed_dictionaries({n: values_of(fields[n], depth) for n in names}))
    return st.builds(lambda first, second: {**first, **second}, st.fixed_dictionaries(needed), extra)


def company() -> Company:
    from datetime import UTC, datetime

    made = Company.default(clock=lambda: datetime(2026, 11, 20, tzinfo=UTC))
    made.switches.tax_override = True
    made.add("Items", **{**made.get("Items", "SKU-1"), "ItemCode": "MILK", "ManageBatchNumbers": "tYES"})
    documents.post(made, "Invoices", sale())
    documents.post(made, "Orders", {**sale(), "DocDueDate": "2026-12-01"})
    down = documents.post(made, "DownPayments", sale())[1]
    pay = {"DocEntry": down["DocEntry"], "InvoiceType": "it_DownPayment"}
    payments.post(
        made,
        "IncomingPayments",
        {"CardCode": "WEBGUEST", "TransferAccount": "111000", "TransferSum": D(30), "PaymentInvoices": [pay]},
    )
    return made


def sale() -> dict[str, Any]:
    return {
        "CardCode": "WEBGUEST",
        "DocumentLines": [{"ItemCode": "SKU-1", "Quantity": D(3), "UnitPrice": D(10), "TaxCode": "EX"}],
    }


def fingerprint(made: Company) -> dict[str, str]:
    return {name: repr(rows) for name, rows in made.tables.items()}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["Invoices", "CreditNotes", "Orders", "DownPayments", "Drafts"]), payloads("Document"))
def test_documents(name, payload):
    made = company()
    before = fingerprint(made)
    try:
        documents.post(made, name, payload)
    except B1Error:
        assert fingerprint(made) == before


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["IncomingPayments", "VendorPayments", "PaymentDrafts"]), payloads("Payment"))
def test_payments(name, payload):
    made = company()
    before = fingerprint(made)
    try:
        payments.post(made, name, payload)
    except B1Error:
        assert fingerprint(made) == before


@pytest.mark.parametrize("name", ["BusinessPartners", "Items", "UserFieldsMD", "Warehouses"])
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_master_data(name, data):
    made = company()
    before = fingerprint(made)
    payload = data.draw(payloads(SETS[name].type_name))
    try:
        row = masters.post(made, name, payload)
        masters.patch(made, name, row, data.draw(payloads(SETS[name].type_name)))
    except B1Error:
        for other, rows in fingerprint(made).items():
            assert other == name or rows == before[other]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=" ()',=eqandornt'1.5ItemCdSKU-startwih", max_size=40))
def test_filters_and_keys(text):
    made = Company("EMPTY")
    for parse in (
        lambda: parse_filter(made, "Item", text)({"ItemCode": "SKU-1"}),
        lambda: parse_key(made, "Item", ("ItemCode",), text),
    ):
        try:
            parse()
        except B1Error as error:
            assert error.code == -1000  # noqa: PT017  (most texts are refused, some are not)
