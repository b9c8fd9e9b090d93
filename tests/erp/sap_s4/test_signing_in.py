"""Tokens and CSRF tokens: shared, renewed once, and told apart from a missing authorisation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from erp.contract.documents import DocumentKind
from erp.contract.errors import Misconfigured
from tests.erp.sap_s4.s4_system import GUEST, S4, customer, running, sale

TOKEN, PING, PARTNER = "POST token", "GET A_CompanyCode('1710')", "POST A_BusinessPartner"
FETCH = "GET "  # the service's root


@pytest.fixture
def s4() -> Iterator[S4]:
    with running() as system:
        yield system


def make_partner(s4: S4, reference: str = "S1-1-C") -> list[str]:
    """Make a partner on a newly opened adapter; returns what was sent for it."""
    facts, start = s4.facts(), len(s4.calls)
    s4.open().create(customer(reference), facts=facts, links={}, before_sending=lambda: None)
    return s4.sent(start)


def test_one_token_serves_every_worker(s4: S4) -> None:
    for _ in range(3):
        s4.open().ping()
    assert s4.sent() == [TOKEN, PING, PING, PING]


def test_a_token_is_kept_a_minute_less_than_it_lives(s4: S4) -> None:
    s4.open().ping()
    assert [seconds for key, seconds in s4.cache.kept_for.items() if "token" in key] == [3540]


def test_a_short_life_keeps_nine_tenths_of_itself() -> None:
    with running(token_seconds=100) as s4:
        s4.open().ping()
        assert [seconds for key, seconds in s4.cache.kept_for.items() if "token" in key] == [90]


def test_a_token_that_does_not_say_how_long_it_lives_lives_as_long_as_the_connection_says() -> None:
    with running({"token_seconds": "43200"}, tells_life=False) as s4:
        s4.open().ping()
        assert [seconds for key, seconds in s4.cache.kept_for.items() if "token" in key] == [43140]


def test_a_token_that_is_refused_is_replaced_once(s4: S4) -> None:
    s4.open().ping()
    s4.system.lose_tokens()
    start = len(s4.calls)
    s4.open().ping()
    assert s4.sent(start) == [PING, TOKEN, PING]


def test_a_token_that_ends_on_the_way_is_replaced(s4: S4) -> None:
    s4.open().ping()
    s4.system.clock.advance(timedelta(hours=2).total_seconds())
    s4.open().ping()
    assert s4.system.tokens_given == 2


def test_a_system_that_takes_no_token_is_told_after_one_replay(s4: S4) -> None:
    s4.system.faults.add("token_lost", count=None)
    with pytest.raises(Misconfigured, match="HTTP 401"):
        s4.open().ping()
    assert s4.sent() == [TOKEN, PING, TOKEN, PING]


def test_a_wrong_secret_is_tried_once_by_all_workers(s4: S4) -> None:
    for _ in range(3):
        with pytest.raises(Misconfigured, match="sb-tieout"):
            s4.open(client_secret="wrong").ping()
    assert s4.sent() == [TOKEN]


def test_a_wrong_secret_is_tried_again_by_the_connection_test(s4: S4) -> None:
    with pytest.raises(Misconfigured):
        s4.open(client_secret="wrong").ping()
    with pytest.raises(Misconfigured):
        s4.open(client_secret="wrong").test_connection()
    assert s4.sent() == [TOKEN, TOKEN]


def test_a_communication_user_signs_in_with_its_password(s4: S4) -> None:
    erp = s4.open({"authentication": "basic"})
    facts = s4.facts()
    erp.create(sale(DocumentKind.INVOICE, "S1-1-I"), facts=facts, links={}, before_sending=lambda: None)
    assert len(s4.system.journal(DocumentReferenceID="S1-1-I", Customer=f"00{GUEST}")) == 1


def test_a_wrong_password_is_sent_once_by_all_workers(s4: S4) -> None:
    """SAP locks a user after a few."""
    for _ in range(3):
        with pytest.raises(Misconfigured, match="sb-tieout"):
            s4.open({"authentication": "basic"}, client_secret="wrong").ping()
    assert s4.sent() == [PING]


def test_a_csrf_token_is_fetched_once_for_a_service(s4: S4) -> None:
    erp, facts = s4.open(), s4.facts()
    start = len(s4.calls)
    for reference in ("S1-1-C", "S1-2-C"):
        erp.create(customer(reference), facts=facts, links={}, before_sending=lambda: None)
    assert s4.sent(start) == [FETCH, PARTNER, PARTNER]


def test_a_stale_csrf_token_is_fetched_again_and_the_write_replayed_once(s4: S4) -> None:
    s4.system.faults.add("csrf_stale", path="A_BusinessPartner")
    asked: list[int] = []
    facts, start = s4.facts(), len(s4.calls)
    s4.open().create(
        customer("S1-1-C"), facts=facts, links={}, before_sending=lambda: asked.append(len(s4.calls))
    )
    assert s4.sent(start) == [FETCH, PARTNER, FETCH, PARTNER]
    assert len(asked) == 2  # asked again before the replay
    assert len(s4.system.storage.rows("A_BusinessPartner")) == 1


def test_a_second_403_is_a_missing_authorisation_and_names_the_scenario(s4: S4) -> None:
    s4.system.faults.add("csrf_stale", path="A_BusinessPartner", count=2)
    with pytest.raises(Misconfigured, match="SAP_COM_0008"):
        make_partner(s4)
    assert s4.system.storage.rows("A_BusinessPartner") == []


def test_a_missing_arrangement_names_its_scenario(s4: S4) -> None:
    facts = s4.facts()
    s4.system.arrangements.discard("journal")
    with pytest.raises(Misconfigured, match="SAP_COM_0002"):
        s4.open().create(
            sale(DocumentKind.INVOICE, "S1-1-I"), facts=facts, links={}, before_sending=lambda: None
        )


def test_a_new_token_drops_the_csrf_token_of_the_old_session(s4: S4) -> None:
    erp, facts = s4.open(), s4.facts()
    erp.create(customer("S1-1-C"), facts=facts, links={}, before_sending=lambda: None)
    s4.system.lose_tokens()
    start = len(s4.calls)
    erp.create(customer("S1-2-C"), facts=facts, links={}, before_sending=lambda: None)
    assert s4.sent(start)[:2] == [PARTNER, TOKEN]
    assert len(s4.system.storage.rows("A_BusinessPartner")) == 2


def test_a_write_carries_the_gateways_idempotency_headers(s4: S4) -> None:
    make_partner(s4)
    [call] = s4.system.calls.select("POST", "A_BusinessPartner$")
    headers = {name.lower(): value for name, value in call.headers.items()}
    assert len(headers["requestid"]) == 32
    assert headers["repeatabilitycreation"].endswith("GMT")


def test_no_secret_stands_in_an_address(s4: S4) -> None:
    make_partner(s4)
    assert not any("sandbox" in call.url for call in s4.calls)


def test_with_a_client_certificate_no_other_credential_is_sent(s4: S4) -> None:
    """The sandbox speaks no TLS and refuses; that the certificate is shown is tested where connections are made."""
    with pytest.raises(Misconfigured, match="certificate"):
        s4.open({"authentication": "certificate", "client_id": ""}).ping()
    assert s4.sent() == [PING]
    [call] = s4.system.calls.select()
    assert "authorization" not in {name.lower() for name in call.headers}
