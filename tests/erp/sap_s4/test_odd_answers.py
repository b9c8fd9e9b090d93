"""Answers that no specification promises, and those it promises and nobody expects: a refusal in HTTP 200."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import responses
from lxml import etree

from erp.adapters.sap_s4 import soap
from erp.adapters.sap_s4.settings import read_settings
from erp.adapters.sap_s4.spec import SPEC
from erp.contract.adapter import Adapter, Opening, ReferenceKind
from erp.contract.documents import DocumentKind
from erp.contract.errors import Misconfigured, OutcomeUnknown, Refused, RemoteError, TryLater
from erp.contract.facts import LedgerFacts
from erp.contract.http import Wire
from tests.erp.memory_cache import MemoryCache
from tests.erp.sap_s4.s4_system import SETTINGS, customer, sale

ROOT = "https://my300000-api.s4hana.cloud.sap"
SOAP = f"{ROOT}{soap.PATH}"
ODATA = f"{ROOT}/sap/opu/odata/sap"
CUBE = f"{ODATA}/API_OPLACCTGDOCITEMCUBE_SRV/A_OperationalAcctgDocItemCube"
SALE = sale(DocumentKind.INVOICE, "S1-1-I")
FACTS = LedgerFacts(
    company="1710",
    local_currency="USD",
    time_zone="UTC",
    amount_places=2,
    price_places=4,
    quantity_places=3,
    settings=SETTINGS,
)
PROXY_PAGE = "<html><body><h1>502 Proxy Error</h1></body></html>"
NOTHING = {"d": {"results": []}}


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(f"{ROOT}/sap/bc/sec/oauth2/token", json={"access_token": "abc", "expires_in": 3600})
        mock.get(CUBE, json=NOTHING)
        yield mock


def adapter() -> Adapter:
    opening = Opening(
        connection="company-1",
        settings={**SETTINGS, "base_url": ROOT},
        credentials={"client_secret": "secret"},
        wire=Wire(requests.Session(), record=lambda call: None),
        cache=MemoryCache(),
        now=lambda: datetime.now(tz=UTC),
    )
    return SPEC.open(opening)


def post(server: responses.RequestsMock, **answer: Any) -> Any:
    server.post(SOAP, **answer)
    return adapter().create(SALE, facts=FACTS, links={}, before_sending=lambda: None)


def confirmed(
    server: responses.RequestsMock,
    document: str = "0100000008",
    year: str = "2026",
    severity: str = "1",
    notes: tuple[tuple[str, str], ...] = (),
    about: str = "",
) -> Any:
    """Post, and be answered with a confirmation; `about` is what it refers to instead of our message."""

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        message = etree.fromstring(request.body).findtext(".//JournalEntryCreateRequest/MessageHeader/ID")
        items = "".join(
            f"<Item><TypeID>{code}</TypeID><SeverityCode>{severity}</SeverityCode><Note>{note}</Note></Item>"
            for code, note in notes
        )
        body = (
            f'<e:Envelope xmlns:e="{soap.ENVELOPE}"><e:Body><n:JournalEntryBulkCreateConfirmation xmlns:n="{soap.SFIN}">'
            f"<JournalEntryCreateConfirmation><MessageHeader><ReferenceID>{about or message}</ReferenceID></MessageHeader>"
            f"<JournalEntryCreateConfirmation><AccountingDocument>{document}</AccountingDocument><CompanyCode>1710</CompanyCode>"
            f"<FiscalYear>{year}</FiscalYear></JournalEntryCreateConfirmation>"
            f"<Log><MaximumLogItemSeverityCode>{severity}</MaximumLogItemSeverityCode>{items}</Log>"
            "</JournalEntryCreateConfirmation></n:JournalEntryBulkCreateConfirmation></e:Body></e:Envelope>"
        )
        return 200, {"Content-Type": "text/xml"}, body

    server.add_callback(responses.POST, SOAP, callback=answer)
    return adapter().create(SALE, facts=FACTS, links={}, before_sending=lambda: None)


def fault(code: str, sentence: str) -> str:
    return (
        f'<e:Envelope xmlns:e="{soap.ENVELOPE}"><e:Body><e:Fault><faultcode>e:{code}</faultcode>'
        f"<faultstring>{sentence}</faultstring></e:Fault></e:Body></e:Envelope>"
    )


# --- journal entries --------------------------------------------------------------------------------------


def test_severity_3_in_HTTP_200_is_a_refusal_in_all_of_SAPs_words(server: responses.RequestsMock) -> None:
    notes = (
        ("609(RW)", "Error in document: BKPFF $ LJJA"),
        ("102(F5)", "Customer 2 is not defined in company code LJJA"),
        ("507(F5)", "G/L account 1 is not defined in chart of accounts YCOA"),
    )
    with pytest.raises(Refused) as caught:
        confirmed(server, document=" ", year="0000", severity="3", notes=notes)
    assert caught.value.sentence == (
        "SAP S/4HANA says: Customer 2 is not defined in company code LJJA (102(F5)); "
        "G/L account 1 is not defined in chart of accounts YCOA (507(F5))"
    )
    assert caught.value.code == "102(F5)"


def test_the_generic_first_message_alone_is_shown(server: responses.RequestsMock) -> None:
    notes = (("609(RW)", "Error in document: BKPFF $ LJJA"),)
    with pytest.raises(Refused, match="Error in document"):
        confirmed(server, document=" ", year="0000", severity="3", notes=notes)


def test_a_locked_record_waits(server: responses.RequestsMock) -> None:
    notes = (
        ("609(RW)", "Error in document"),
        ("601(MC)", "Object requested is currently locked by user CB1"),
    )
    with pytest.raises(TryLater, match="locked by user CB1"):
        confirmed(server, document=" ", year="0000", severity="3", notes=notes)


@pytest.mark.parametrize("document", [" ", "", "0000000000"])
def test_a_blank_document_number_without_an_error_is_looked_up(
    server: responses.RequestsMock, document: str
) -> None:
    with pytest.raises(OutcomeUnknown):
        confirmed(server, document=document, year="0000", severity="1")


def test_a_warning_beside_a_number_is_a_success(server: responses.RequestsMock) -> None:
    made = confirmed(server, severity="2", notes=(("700(F5)", "Terms of payment changed; check"),))
    assert (made.key, made.number) == ("010000000817102026", "100000008-2026")
    assert made.total is None  # it could not be read back, and nothing is made up


def test_a_confirmation_that_names_no_message_is_ours_if_it_is_the_only_one(
    server: responses.RequestsMock,
) -> None:
    assert confirmed(server, about=" ").number == "100000008-2026"


def test_a_pause_that_SAP_asks_for_is_kept(server: responses.RequestsMock) -> None:
    with pytest.raises(TryLater) as caught:
        post(server, status=429, body="", headers={"Retry-After": "17"})
    assert caught.value.after == timedelta(seconds=17)
    server.replace(
        responses.GET, CUBE, status=503, body="", headers={"Retry-After": "Fri, 27 Nov 2026 12:00:00 GMT"}
    )
    with pytest.raises(TryLater) as caught:
        adapter().find(SALE)
    assert caught.value.after is None


def test_a_confirmation_of_another_message_is_not_ours(server: responses.RequestsMock) -> None:
    with pytest.raises(OutcomeUnknown):
        confirmed(server, about="SOMEBODY-ELSE")


def test_a_number_that_cannot_be_read_back_is_a_success(server: responses.RequestsMock) -> None:
    server.replace(responses.GET, CUBE, status=503, body="")
    assert confirmed(server).number == "100000008-2026"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": 502, "body": PROXY_PAGE}, OutcomeUnknown),
        ({"status": 503, "body": PROXY_PAGE}, OutcomeUnknown),
        ({"status": 504, "body": ""}, OutcomeUnknown),
        ({"status": 200, "body": PROXY_PAGE}, OutcomeUnknown),
        ({"status": 200, "body": ""}, OutcomeUnknown),
        ({"status": 200, "body": "<a><b>"}, OutcomeUnknown),
        ({"status": 200, "body": "<a/>"}, OutcomeUnknown),
        ({"status": 500, "body": fault("Server", "SRT: Processing error")}, OutcomeUnknown),
        ({"status": 500, "body": fault("Client", "Element Tax is not known")}, Refused),
        ({"status": 500, "body": fault("MustUnderstand", "Header")}, Refused),
        ({"status": 403, "body": fault("Server", "No authorization")}, Misconfigured),
        ({"status": 403, "body": "<html>Forbidden</html>"}, Misconfigured),
        ({"status": 401, "body": "<html>Logon</html>"}, Misconfigured),
        ({"status": 404, "body": "<html>Not found</html>"}, Misconfigured),
        ({"status": 302, "headers": {"Location": "https://login.example.com"}}, Misconfigured),
        ({"status": 429, "body": ""}, TryLater),
        ({"body": requests.ConnectionError("reset")}, OutcomeUnknown),
        ({"body": requests.ReadTimeout("slow")}, OutcomeUnknown),
        ({"body": requests.exceptions.ChunkedEncodingError("cut")}, OutcomeUnknown),
        ({"body": requests.ConnectTimeout("nobody")}, TryLater),
        ({"body": requests.exceptions.SSLError("bad certificate")}, Misconfigured),
    ],
)
def test_an_odd_answer_to_an_entry(
    server: responses.RequestsMock, answer: dict[str, Any], expected: type[RemoteError]
) -> None:
    with pytest.raises(expected) as caught:
        post(server, **answer)
    assert type(caught.value) is expected
    assert caught.value.sentence.endswith((".", ")"))


def test_entities_of_an_answer_are_not_resolved(server: responses.RequestsMock) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    with pytest.raises(OutcomeUnknown):
        post(server, status=200, body=bomb)
    assert "root:" not in (soap.read(bomb.encode()).text or "")


def test_text_from_the_store_stays_text_in_the_xml() -> None:
    node = {"DocumentHeaderText": '</JournalEntry><x y="1">&amp;'}
    root = etree.fromstring(soap.envelope(node, "M1", datetime.now(tz=UTC)))
    assert root.findtext(".//DocumentHeaderText") == '</JournalEntry><x y="1">&amp;'


# --- OData ------------------------------------------------------------------------------------------------


def error(code: str, sentence: str, *details: str) -> dict[str, Any]:
    rows = [{"code": "X/1", "message": detail} for detail in details]
    inner = {"transactionid": "8E9B0C1D", "errordetails": rows}
    return {"error": {"code": code, "message": {"lang": "en", "value": sentence}, "innererror": inner}}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": 400, "json": error("R11/101", "Enter a name")}, Refused),
        ({"status": 400, "json": {"error": {"code": "M_/011", "message": "V4 shape"}}}, Refused),
        ({"status": 400, "body": "<html>no</html>"}, Misconfigured),
        ({"status": 412, "json": error("X/2", "Precondition failed")}, TryLater),
        ({"status": 429, "body": ""}, TryLater),
        ({"status": 500, "json": error("X/3", "Short dump")}, OutcomeUnknown),
        ({"status": 201, "body": "{"}, OutcomeUnknown),
        ({"status": 201, "json": {"d": {}}}, OutcomeUnknown),
        ({"status": 204, "body": ""}, OutcomeUnknown),
        ({"body": requests.ReadTimeout("slow")}, OutcomeUnknown),
    ],
)
def test_an_odd_answer_to_a_partner(
    server: responses.RequestsMock, answer: dict[str, Any], expected: type[RemoteError]
) -> None:
    service = f"{ODATA}/API_BUSINESS_PARTNER"
    server.get(f"{service}/", json={"d": {}}, headers={"X-CSRF-Token": "t", "Set-Cookie": "a=1; path=/"})
    server.post(f"{service}/A_BusinessPartner", **answer)
    with pytest.raises(expected):
        adapter().create(customer("S1-1-C"), facts=FACTS, links={}, before_sending=lambda: None)


def test_a_refusal_tells_all_details_and_SAPs_transaction(server: responses.RequestsMock) -> None:
    server.replace(
        responses.GET, CUBE, status=400, json=error("F5/702", "Balance", "Balance", "Item 2 has an error")
    )
    with pytest.raises(Refused) as caught:
        adapter().find(SALE)
    assert caught.value.sentence == "SAP S/4HANA says: Balance Item 2 has an error (F5/702)"
    assert caught.value.request_id == "8E9B0C1D"


def test_a_service_without_csrf_tokens_is_named(server: responses.RequestsMock) -> None:
    server.get(f"{ODATA}/API_BUSINESS_PARTNER/", json={"d": {}})
    with pytest.raises(Misconfigured, match="CSRF"):
        adapter().create(customer("S1-1-C"), facts=FACTS, links={}, before_sending=lambda: None)


def test_all_cookies_of_the_csrf_token_are_sent_back(server: responses.RequestsMock) -> None:
    cookies = "sap-usercontext=sap-client=100; path=/, SAP_SESSIONID_S4H_100=xyz; expires=Fri, 27-Nov-2099 12:00:00 GMT; path=/"
    service = f"{ODATA}/API_BUSINESS_PARTNER"
    server.get(f"{service}/", json={"d": {}}, headers={"X-CSRF-Token": "t", "Set-Cookie": cookies})
    server.post(f"{service}/A_BusinessPartner", json={"d": {"BusinessPartner": "1", "Customer": "1"}})
    adapter().create(customer("S1-1-C"), facts=FACTS, links={}, before_sending=lambda: None)
    sent = server.calls[-1].request.headers
    assert sent["Cookie"] == "sap-usercontext=sap-client=100; SAP_SESSIONID_S4H_100=xyz"
    assert sent["X-CSRF-Token"] == "t"


def test_pages_are_read_to_the_end_on_our_own_host(server: responses.RequestsMock) -> None:
    company = {"d": {"ChartOfAccounts": "YCOA", "ControllingArea": "A000"}}
    server.get(f"{ODATA}/API_COMPANYCODE_SRV/A_CompanyCode('1710')", json=company)
    accounts = f"{ODATA}/API_GLACCOUNTINCHARTOFACCOUNTS_SRV/A_GLAccountInChartOfAccounts"
    more = f"https://internal.example:44300{accounts.removeprefix(ROOT)}?$skiptoken=1"
    server.get(
        accounts,
        json={"d": {"results": [{"GLAccount": "0041000000", "GLAccountType": "P"}], "__next": more}},
        match=[responses.matchers.query_param_matcher({"$format": "json"}, strict_match=False)],
    )
    server.get(
        accounts,
        json={"d": {"results": [{"GLAccount": "ABC", "GLAccountType": "P"}]}},
        match=[responses.matchers.query_param_matcher({"$skiptoken": "1"}, strict_match=False)],
    )
    values = list(adapter().reference_values(ReferenceKind.ACCOUNT))
    assert [value.code for value in values] == ["41000000", "ABC"]
    assert all(re.match(ROOT, call.request.url or "") for call in server.calls)


def test_a_link_that_leads_elsewhere_is_not_followed(server: responses.RequestsMock) -> None:
    server.replace(
        responses.GET, CUBE, json={"d": {"results": [], "__next": "https://evil.example/steal?x=1"}}
    )
    with pytest.raises(Misconfigured, match="elsewhere"):
        adapter().find(SALE)


@pytest.mark.parametrize(
    "address",
    ["http://my300000-api.s4hana.cloud.sap", "ftp://x", "https://user:secret@x", "", "https://x/?a=1"],
)
def test_an_address_that_would_give_the_secret_away_is_refused(address: str) -> None:
    with pytest.raises(Misconfigured, match="API address"):
        _ = read_settings({"base_url": address}).root


@pytest.mark.parametrize("lines", ["O1", "O1 eight - Sales tax", "O1 8,25 - Sales tax"])
def test_a_tax_code_without_a_percentage_is_named(lines: str) -> None:
    with pytest.raises(Misconfigured, match="O1"):
        read_settings({"tax_codes": lines})
