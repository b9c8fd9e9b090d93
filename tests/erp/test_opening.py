"""Opening a company: what is recorded, what is shared, and what is kept secret."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import connection as database

from audit.models import AuditEntry
from erp.contract.documents import DocumentKind
from erp.contract.errors import Misconfigured, TryLater
from erp.models import ErpConnection
from erp.opening import open_adapter
from erp.testing_connection import check_connection, disconnect
from tests.erp.sap_b1.b1_company import B1
from tests.erp.sap_b1.test_contract import sales_document

INVOICE = sales_document(DocumentKind.INVOICE, "S1-1-I")


def test_every_call_is_recorded_under_the_correlation_id(connection: ErpConnection) -> None:
    with open_adapter(connection, correlation_id="c-1", subject="order:S1/1001") as erp:
        erp.find(INVOICE)
    entries = AuditEntry.objects.filter(correlation_id="c-1").order_by("id")
    assert [entry.details["method"] for entry in entries] == ["POST", "GET", "GET"]
    assert entries[0].details["url"].endswith("/Login")
    assert {entry.tenant_id for entry in entries} == {connection.tenant_id}
    assert all("order:S1/1001" in str(entry.subjects) for entry in entries)


def test_the_correlation_id_is_sent(connection: ErpConnection, b1: B1) -> None:
    with open_adapter(connection, correlation_id="c-2") as erp:
        erp.find(INVOICE)
    assert {call.headers.get("X-Correlation-Id") for call in b1.service.calls.select()} == {"c-2"}


def test_no_secret_is_readable_in_cache_or_database(connection: ErpConnection, b1: B1) -> None:
    with open_adapter(connection) as erp:
        erp.find(INVOICE)
    session = next(iter(b1.service.sessions._open))
    client = cache._cache.get_client()
    stored = b"".join(client.dump(key) or b"" for key in client.keys("*"))
    assert stored
    assert session.encode() not in stored
    with database.cursor() as cursor:
        cursor.execute("SELECT coalesce(string_agg(t::text, ''), '') FROM audit_auditentry t")
        trail = cursor.fetchone()[0]
        cursor.execute("SELECT t::text FROM erp_erpconnection t")
        row = cursor.fetchone()[0]
    assert session not in trail
    assert "manager" in row
    assert '"password"' not in row


def test_all_workers_share_one_session(connection: ErpConnection, b1: B1) -> None:
    for _ in range(3):
        with open_adapter(connection) as erp:
            erp.find(INVOICE)
    assert b1.service.sessions.logins == 1


def test_disconnecting_logs_out(connection: ErpConnection, b1: B1) -> None:
    with open_adapter(connection) as erp:
        erp.find(INVOICE)
    disconnect(connection)
    assert len(b1.service.sessions) == 0


def test_an_error_says_that_it_was_the_erps(connection: ErpConnection) -> None:
    connection.credentials = {"password": "wrong"}
    with pytest.raises(Misconfigured) as caught, open_adapter(connection) as erp:
        erp.find(INVOICE)
    assert caught.value.side == "erp"


def test_a_cache_that_is_gone_costs_logins_and_nothing_else(
    connection: ErpConnection, b1: B1, settings: object
) -> None:
    settings.CACHES = {  # type: ignore[attr-defined]
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:9/0",
            "OPTIONS": {"socket_connect_timeout": 1},
        }
    }
    for _ in range(2):
        with open_adapter(connection) as erp:
            assert erp.find(INVOICE) is None
    assert b1.service.sessions.logins == 2


def test_testing_the_connection_keeps_what_it_learned(connection: ErpConnection, b1: B1) -> None:
    b1.company.switches.tax_override = True
    checks = check_connection(connection)
    assert [check.sentence for check in checks if check.ok is False] == []
    assert connection.learned["tax_override"] == "yes"
    assert connection.local_currency == "USD"
    assert connection.last_tested_at is not None
    assert connection.last_test[0] == {
        "name": "Sign-in",
        "ok": True,
        "sentence": "manager can sign in to SBODEMO.",
    }


def test_a_counter_reference_that_is_too_short_is_told(connection: ErpConnection, b1: B1) -> None:
    connection.settings["payment_reference_field"] = "CounterReference"
    connection.save()
    (check,) = [check for check in check_connection(connection) if check.name == "Payment reference"]
    assert (check.ok, check.learned) == (False, {"counter_reference_length": "0"})
    assert b1.company.documents("IncomingPayments") == []


def test_a_counter_reference_that_is_long_enough_is_proved_and_used(
    connection: ErpConnection, b1: B1
) -> None:
    b1.company.lengths["Payment.CounterReference"] = 100
    connection.settings["payment_reference_field"] = "CounterReference"
    connection.save()
    (check,) = [check for check in check_connection(connection) if check.name == "Payment reference"]
    assert check.ok
    assert connection.learned["counter_reference_length"] == "16"
    assert b1.company.documents("PaymentDrafts") == []


def test_a_counter_reference_that_is_cut_without_a_word_is_found_out(
    connection: ErpConnection, b1: B1
) -> None:
    b1.company.cuts.add("Payment.CounterReference")
    connection.settings["payment_reference_field"] = "CounterReference"
    connection.save()
    (check,) = [check for check in check_connection(connection) if check.name == "Payment reference"]
    assert (check.ok, check.sentence) == (
        False,
        "CounterReference keeps 8 of 16 characters. Choose a user field for payments.",
    )


def test_testing_leaves_nothing_in_the_books(connection: ErpConnection, b1: B1) -> None:
    connection.settings["payment_reference_field"] = "CounterReference"
    connection.save()
    check_connection(connection)
    for name in ("Invoices", "Drafts", "IncomingPayments", "PaymentDrafts", "JournalEntries"):
        assert b1.company.documents(name) == [], name


@pytest.mark.parametrize(("switch", "learned"), [(False, "yes"), (True, "no")])
@pytest.mark.parametrize("price_decimals", [2, 4, 6])
def test_gross_prices_that_lose_cents_are_found_out(
    connection: ErpConnection, b1: B1, switch: bool, learned: str, price_decimals: int
) -> None:
    b1.company.switches.gross_by_net_price = switch
    b1.company.switches.price_decimals = price_decimals
    check_connection(connection)
    assert connection.learned["gross_is_kept"] == learned


def test_a_missing_authorisation_is_named(connection: ErpConnection, b1: B1) -> None:
    b1.company.denied["manager"] = {"GET CreditNotes", "GET Currencies"}
    failed = [check for check in check_connection(connection) if check.ok is False]
    assert "Give the user of the connection this authorisation" in failed[0].sentence


def test_testing_a_connection_that_cannot_sign_in_stops_at_the_first_check(connection: ErpConnection) -> None:
    connection.credentials = {"password": "wrong"}
    checks = check_connection(connection)
    assert [check.ok for check in checks] == [False]
    assert "refused the login" in checks[0].sentence


def test_a_missing_user_field_and_one_that_waits_for_a_restart_are_told_apart(
    connection: ErpConnection, b1: B1
) -> None:
    b1.company.define_user_field({"TableName": "OINV", "Name": "New", "Type": "db_Alpha", "Size": 50})
    for field, words in (("U_Missing", "have no user field"), ("U_New", "restart the Service Layer")):
        connection.settings["reference_field"] = field
        connection.save()
        (check,) = [
            check
            for check in check_connection(connection)
            if check.name == f"User field {field} of documents"
        ]
        assert check.ok is False
        assert words in check.sentence


def test_an_erp_that_is_down_is_for_later(connection: ErpConnection) -> None:
    connection.settings["base_url"] = "http://127.0.0.1:9/b1s/v1"
    with pytest.raises(TryLater), open_adapter(connection) as erp:
        erp.find(INVOICE)


def test_settings_are_text_whatever_a_file_made_of_them(connection: ErpConnection) -> None:
    connection.settings |= {"branch": 1, "reserve_invoice": True, "deadline": "", "ca_bundle": "PEM"}
    known = connection.known_settings
    assert (known["branch"], known["reserve_invoice"]) == ("1", "yes")
    assert not {"deadline", "ca_bundle"} & set(known)
