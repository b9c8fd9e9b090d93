"""One session for all workers: single-flight login, renewal, refusals that are not sessions, and passwords B1 would lock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from erp.contract.adapter import ReferenceKind
from erp.contract.documents import DocumentKind
from erp.contract.errors import Misconfigured, Refused, TryLater
from tests.erp.sap_b1.b1_company import B1, running
from tests.erp.sap_b1.test_contract import sales_document

INVOICE = sales_document(DocumentKind.INVOICE, "S1-1-I")


@pytest.fixture
def b1() -> Iterator[B1]:
    with running() as company:
        yield company


def logins(b1: B1) -> int:
    return b1.sent().count("POST /Login")


def test_one_login_serves_every_adapter(b1: B1) -> None:
    for _ in range(5):
        b1.open().find(INVOICE)
    assert logins(b1) == 1


def test_workers_that_start_together_sign_in_once(b1: B1) -> None:
    ready = threading.Barrier(6)

    def work(_: int) -> None:
        ready.wait()
        b1.open().find(INVOICE)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert logins(b1) == 1


def test_workers_that_lose_a_session_together_sign_in_once_more(b1: B1) -> None:
    adapters = [b1.open() for _ in range(4)]
    for adapter in adapters:
        adapter.find(INVOICE)
    b1.service.sessions.lose()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda adapter: adapter.find(INVOICE), adapters))
    assert logins(b1) == 2


def test_a_login_refused_is_misconfigured_and_not_tried_again(b1: B1) -> None:
    for _ in range(4):
        with pytest.raises(Misconfigured, match="refused the login of manager"):
            b1.open(password="wrong").find(INVOICE)
    assert logins(b1) == 1


def test_a_corrected_password_is_tried_at_once(b1: B1) -> None:
    with pytest.raises(Misconfigured):
        b1.open(password="wrong").find(INVOICE)
    assert b1.open().find(INVOICE) is None


def test_testing_the_connection_tries_a_refused_password_again(b1: B1) -> None:
    b1.company.users["manager"] = "changed"
    with pytest.raises(Misconfigured):
        b1.open().find(INVOICE)
    b1.company.users["manager"] = "sandbox"
    assert b1.open().test_connection()[0].ok
    assert b1.open().find(INVOICE) is None


def test_an_unknown_company_database_is_misconfigured(b1: B1) -> None:
    with pytest.raises(Misconfigured):
        b1.open({"company_db": "NOSUCH"}).find(INVOICE)


def test_a_login_that_fails_with_503_is_for_later(b1: B1) -> None:
    b1.service.faults.add("answer", method="POST", path="/Login", status=503, body="<html>")
    with pytest.raises(TryLater):
        b1.open().find(INVOICE)
    assert b1.open().find(INVOICE) is None


def test_a_refusal_with_minus_5002_costs_one_read_and_no_login(b1: B1) -> None:
    erp, facts = b1.open(), b1.facts()
    start = len(b1.calls)
    b1.service.faults.add(
        "generic_refusal", method="POST", path="/Invoices", params={"message": "Este CNPJ ya existe"}
    )
    with pytest.raises(Refused, match="Este CNPJ ya existe") as caught:
        erp.create(INVOICE, facts=facts, links={}, before_sending=lambda: None)
    assert caught.value.code == "-5002"
    assert b1.sent(start)[:2] == ["POST /Invoices", "POST /SBOBobService_GetLocalCurrency"]
    assert logins(b1) == 1
    assert b1.company.documents("Invoices") == []


def test_a_session_lost_as_minus_5002_is_renewed_looked_up_and_replayed(b1: B1) -> None:
    erp, facts = b1.open({"drafts": "no"}), b1.facts()
    start = len(b1.calls)
    b1.service.faults.add("session_lost", method="POST", path="/Invoices", params={"shape": "-5002"})
    erp.create(INVOICE, facts=facts, links={}, before_sending=lambda: None)
    assert b1.sent(start) == [
        "POST /Invoices",
        "POST /SBOBobService_GetLocalCurrency",
        "POST /Login",
        "GET /Invoices",
        "POST /Invoices",
    ]


def test_a_session_that_keeps_being_lost_is_for_later(b1: B1) -> None:
    erp, facts = b1.open(), b1.facts()
    b1.service.faults.add("session_lost", method="POST", path="/Invoices", count=None)
    with pytest.raises(TryLater):
        erp.create(INVOICE, facts=facts, links={}, before_sending=lambda: None)
    assert logins(b1) == 3
    assert b1.company.documents("Invoices") == []


def test_a_session_lives_as_long_as_it_is_used(b1: B1) -> None:
    b1.open().find(INVOICE)
    b1.cache.kept_for.clear()
    b1.open().find(INVOICE)
    assert b1.cache.kept_for == {}  # not written at every call
    b1.later = timedelta(minutes=20)
    b1.open().find(INVOICE)
    assert list(b1.cache.kept_for.values()) == [29 * 60]
    assert logins(b1) == 1


def test_logging_out_ends_the_session_there_too(b1: B1) -> None:
    erp = b1.open()
    erp.find(INVOICE)
    erp.close()
    assert b1.sent()[-1] == "POST /Logout"
    assert len(b1.service.sessions) == 0
    erp.find(INVOICE)
    assert logins(b1) == 2


def test_the_password_is_in_no_other_call_and_the_cookie_in_no_url(b1: B1) -> None:
    b1.open().find(INVOICE)
    for call in b1.calls:
        assert b"sandbox" not in call.sent or call.url.endswith("/Login")
        assert "B1SESSION" not in call.url


@pytest.mark.parametrize("prefix", ["/gateway", "/erp/sap/acme"])
def test_any_path_prefix_of_a_gateway_works_also_across_pages(prefix: str) -> None:
    with running() as b1:
        b1.service.prefix = prefix
        b1.company.switches.next_link = "rooted"
        b1.service.secret_headers = {"X-Gateway-Key": "s3cret"}
        b1.settings["base_url"] = f"{b1.server.url}{prefix}/b1s/v1"
        erp = b1.open(extra_headers="X-Gateway-Key: s3cret\n")
        assert erp.find(INVOICE) is None
        b1.company.switches.page_size = 2
        assert len(list(erp.reference_values(ReferenceKind.ACCOUNT))) == 22


def test_a_gateway_that_wants_a_header_is_told_apart_from_a_bad_password() -> None:
    with running() as b1:
        b1.service.secret_headers = {"X-Gateway-Key": "s3cret"}
        with pytest.raises(Misconfigured, match="HTTP 403"):
            b1.open().find(INVOICE)


@pytest.mark.parametrize("headers", ["no colon", "Bad Name: x", "X-A: line\x00", ": empty"])
def test_extra_headers_that_are_none_are_refused(b1: B1, headers: str) -> None:
    with pytest.raises(Misconfigured, match="Name: value"):
        b1.open(extra_headers=headers)


@pytest.mark.parametrize(
    "address",
    [
        "http://sap.example.com/b1s/v1",
        "ftp://sap.example.com",
        "sap.example.com",
        "https://user:pw@sap.example.com",
        "",
    ],
)
def test_an_address_that_would_carry_the_password_openly_is_refused(b1: B1, address: str) -> None:
    with pytest.raises(Misconfigured, match="service address"):
        b1.open({"base_url": address}).find(INVOICE)
    assert b1.calls == []


def test_a_missing_authorisation_pauses_the_connection_and_costs_no_login(b1: B1) -> None:
    erp, facts = b1.open(), b1.facts()
    b1.company.denied["manager"] = {"POST Invoices"}
    with pytest.raises(Misconfigured, match="authorisation"):
        erp.create(INVOICE, facts=facts, links={}, before_sending=lambda: None)
    assert logins(b1) == 1
