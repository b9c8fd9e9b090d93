"""Answers that no specification promises: pages of proxies, half of a JSON, codes as text, redirects, other hosts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import requests
import responses

from erp.adapters.sap_b1.spec import SPEC
from erp.contract.adapter import Adapter, Opening, ReferenceKind
from erp.contract.documents import DocumentKind
from erp.contract.errors import Misconfigured, OutcomeUnknown, Refused, RemoteError, TryLater
from erp.contract.facts import FactsNeeded, LedgerFacts
from erp.contract.http import Wire
from tests.erp.sap_b1.b1_company import SETTINGS, MemoryCache
from tests.erp.sap_b1.test_contract import sales_document

ROOT = "https://sap.example.com:50000/b1s/v2"
INVOICE = sales_document(DocumentKind.INVOICE, "S1-1-I")
FACTS = LedgerFacts(
    company="SBODEMO",
    local_currency="USD",
    time_zone="UTC",
    amount_places=2,
    price_places=4,
    quantity_places=3,
    settings=SETTINGS,
)
COOKIES = {"Set-Cookie": "B1SESSION=abc-123;HttpOnly;, ROUTEID=.node1; path=/b1s"}
PROXY_PAGE = "<html><body><h1>502 Proxy Error</h1></body></html>"


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(f"{ROOT}/Login", json={"SessionId": "abc-123", "SessionTimeout": 30}, headers=COOKIES)
        yield mock


def adapter(**settings: str) -> Adapter:
    opening = Opening(
        connection="company-1",
        settings={**SETTINGS, "base_url": ROOT, "drafts": "no", **settings},
        credentials={"password": "secret"},
        wire=Wire(requests.Session(), record=lambda call: None),
        cache=MemoryCache(),
        now=lambda: datetime.now(tz=UTC),
    )
    return SPEC.open(opening)


def create(server: responses.RequestsMock, **answer: Any) -> Any:
    server.post(f"{ROOT}/Invoices", **answer)
    server.get(f"{ROOT}/Invoices", json={"value": []})
    server.post(f"{ROOT}/SBOBobService_GetLocalCurrency", json={"value": "USD"})
    return adapter().create(INVOICE, facts=FACTS, links={}, before_sending=lambda: None)


def error_v2(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def test_both_cookies_are_sent_as_one_header(server: responses.RequestsMock) -> None:
    server.get(f"{ROOT}/Invoices", json={"value": []})
    adapter().find(INVOICE)
    assert server.calls[-1].request.headers["Cookie"] == "B1SESSION=abc-123; ROUTEID=.node1"


def test_a_session_id_without_cookies_is_enough() -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{ROOT}/Login", json={"SessionId": "xyz", "SessionTimeout": 30})
        mock.get(f"{ROOT}/Invoices", json={"value": []})
        adapter().find(INVOICE)
        assert mock.calls[-1].request.headers["Cookie"] == "B1SESSION=xyz"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": 502, "body": PROXY_PAGE}, OutcomeUnknown),
        ({"status": 500, "json": error_v2("-5002", "Internal error")}, OutcomeUnknown),
        ({"status": 201, "body": '{"DocEntry": 1, "DocTo'}, OutcomeUnknown),
        ({"status": 201, "body": ""}, OutcomeUnknown),
        ({"status": 200, "body": PROXY_PAGE}, OutcomeUnknown),
        ({"body": requests.ConnectionError("reset")}, OutcomeUnknown),
        ({"body": requests.ReadTimeout("slow")}, OutcomeUnknown),
        ({"body": requests.exceptions.ChunkedEncodingError("cut")}, OutcomeUnknown),
        ({"body": requests.ConnectTimeout("nobody")}, TryLater),
        ({"status": 429, "body": ""}, TryLater),
        ({"status": 400, "json": error_v2("-2039", "Another user modified data (ODBC -2039)")}, TryLater),
        ({"status": 403, "body": "<html>Forbidden</html>"}, Misconfigured),
        ({"status": 404, "body": "<html>Not Found</html>"}, Misconfigured),
        ({"status": 302, "headers": {"Location": "https://login.example.com"}}, Misconfigured),
        ({"status": 403, "json": error_v2("-1", "No permission")}, Misconfigured),
        ({"status": 400, "json": error_v2("-5002", "Negocio")}, Refused),
        (
            {"status": 400, "json": {"error": {"code": -10, "message": {"lang": "de", "value": "Fehler"}}}},
            Refused,
        ),
        ({"status": 400, "json": error_v2("weird", "")}, Misconfigured),
        ({"body": requests.exceptions.SSLError("bad certificate")}, Misconfigured),
        ({"body": requests.exceptions.ProxyError("no")}, Misconfigured),
    ],
)
def test_what_an_answer_to_a_write_means(
    server: responses.RequestsMock, answer: dict[str, Any], expected: type[RemoteError]
) -> None:
    with pytest.raises(expected) as caught:
        create(server, **answer)
    assert type(caught.value) is expected
    assert "secret" not in caught.value.sentence


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": 502, "body": PROXY_PAGE}, TryLater),
        ({"status": 200, "body": PROXY_PAGE}, TryLater),
        ({"body": requests.ReadTimeout("slow")}, TryLater),
        ({"status": 400, "json": error_v2("-1000", "Query string error")}, Refused),
    ],
)
def test_what_an_answer_to_a_read_means(
    server: responses.RequestsMock, answer: dict[str, Any], expected: type[RemoteError]
) -> None:
    server.get(f"{ROOT}/Invoices", **answer)
    with pytest.raises(expected):
        adapter().find(INVOICE)


def test_an_entry_that_exists_already_in_any_language_is_looked_up_and_adopted(
    server: responses.RequestsMock,
) -> None:
    server.post(f"{ROOT}/Invoices", status=400, json=error_v2("-2035", "Esta entrada ya existe (ODBC -2035)"))
    row = {"DocEntry": 7, "DocNum": 70, "DocTotal": 15.24, "VatSum": 1.24, "DocCurrency": "USD"}
    server.get(f"{ROOT}/Invoices", json={"value": [row]})
    receipt = adapter().create(INVOICE, facts=FACTS, links={}, before_sending=lambda: None)
    assert (receipt.key, receipt.number, receipt.adopted) == ("7", "70", True)
    assert receipt.total == Decimal("15.24")


def test_amounts_are_sent_as_the_exact_digits_they_are(server: responses.RequestsMock) -> None:
    made = {"DocEntry": 1, "DocNum": 1, "DocTotal": 15.24, "VatSum": 1.24}
    create(server, status=201, json=made)
    (sent,) = [
        c.request.body
        for c in server.calls
        if c.request.url.endswith("/Invoices") and c.request.method == "POST"
    ]
    assert b'"UnitPrice":3.3333' in sent
    assert b'"LineTotal":5.00' in sent
    assert json.loads(sent)["NumAtCard"] == "S1-1-I"


def test_an_amount_with_many_digits_comes_back_exactly(server: responses.RequestsMock) -> None:
    body = '{"DocEntry": 1, "DocNum": 2, "DocTotal": 12345678901234.67, "VatSum": 0.1}'
    receipt = create(server, status=201, body=body)
    assert (receipt.total, receipt.tax) == (Decimal("12345678901234.67"), Decimal("0.1"))


def test_pages_follow_relative_links_and_never_another_host(server: responses.RequestsMock) -> None:
    page = {"value": [{"PriceListNo": 1, "PriceListName": "A"}], "@odata.nextLink": "PriceLists?$skip=1"}
    server.get(f"{ROOT}/PriceLists", json=page)
    server.get(
        f"{ROOT}/PriceLists",
        json={"value": [], "@odata.nextLink": "https://evil.example.com/b1s/v2/PriceLists?$skip=2"},
    )
    with pytest.raises(Misconfigured, match="another host"):
        list(adapter().reference_values(ReferenceKind.PRICE_LIST))
    assert not any("evil" in call.request.url for call in server.calls)


def test_a_day_without_a_rate_is_absent_in_whatever_code_it_is_said(server: responses.RequestsMock) -> None:
    server.post(f"{ROOT}/CompanyService_GetAdminInfo", json={"DirectIndirectRate": "tYES", "RateAccuracy": 6})
    server.post(f"{ROOT}/CompanyService_GetCompanyInfo", json={"BlockStockNegativeQuantity": "tNO"})
    server.post(f"{ROOT}/SBOBobService_GetCurrencyRate", status=400, json=error_v2("-4006", "Tipo de cambio"))
    day = datetime(2026, 1, 31, tzinfo=UTC).date()
    found = adapter().facts(FactsNeeded(rates=frozenset({("EUR", day)}), company=False))
    assert found.rates == {}


def test_a_login_answered_with_a_web_page_is_misconfigured() -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{ROOT}/Login", body="<html>Welcome</html>")
        with pytest.raises(Misconfigured):
            adapter().find(INVOICE)
