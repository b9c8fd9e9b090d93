"""What gets into the trail, what does not, and how it is found again."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from audit import Action, correlation, record
from audit.calls import BodyAltered, body_of, record_call
from audit.models import AuditEntry, CallBody
from audit.redaction import redact, redact_body, redact_text, redact_url
from audit.spreadsheets import cell, lines
from audit.stories import search, story
from audit.subjects import normalised, subject

CALL = {"method": "POST", "url": "https://erp.example.com/b1s/v1/Invoices", "status": 201, "seconds": 0.25}


def test_an_entry_carries_the_bound_id_and_person(db: None) -> None:
    with correlation.bind("abcdef0123456789", actor="jane") as bound:
        entry = record(Action.GAP_IGNORED, tenant_id=1, subject=("gap", "7"), details={"why": "old"})
    assert (entry.correlation_id, entry.actor, entry.subjects, entry.details) == (
        bound,
        "jane",
        ["gap:7"],
        {"why": "old"},
    )
    assert correlation.get() == ""


def test_nested_bindings_put_the_outer_one_back() -> None:
    with correlation.bind("outer-id-1", actor="jane"):
        with correlation.bind(actor="") as inner:
            assert correlation.is_well_formed(inner)
            assert (correlation.get(), correlation.actor()) == (inner, "")
        assert (correlation.get(), correlation.actor()) == ("outer-id-1", "jane")


@pytest.mark.parametrize(
    "text",
    ["", "short", "x" * 65, "with space in it", "semi;colon-1234", "new\nline-1234", "-starts-with-dash"],
)
def test_an_id_from_outside_that_is_not_well_formed_is_not_taken(text: str) -> None:
    assert not correlation.is_well_formed(text)


def test_the_story_of_an_order_begins_with_the_webhook_and_leaves_other_orders_out(db: None) -> None:
    order, other = "order:S1/100234", "order:S1/100235"
    received = record(
        Action.EVENT_RECEIVED, tenant_id=1, subject=["event:e-1"], correlation_id="webhook-id-1"
    )
    planned = record(Action.PLAN_MADE, tenant_id=1, subject=order, correlation_id="webhook-id-1")
    called = record_call(**CALL, sent=b"{}", received=b"{}", tenant_id=1, correlation_id="webhook-id-1")
    erp = "erp:main/invoice/1234"
    posted = record(Action.DOCUMENT_POSTED, tenant_id=1, subject=[order, erp], correlation_id="webhook-id-1")
    again = record(
        Action.OPERATOR_REPROCESS, tenant_id=1, subject=[order, "reprocess:1"], correlation_id="run-id-0001"
    )
    record(
        Action.OPERATOR_REPROCESS, tenant_id=1, subject=[other, "reprocess:1"], correlation_id="run-id-0001"
    )
    record(Action.DOCUMENT_POSTED, tenant_id=2, subject=[order], correlation_id="other-tenants-id")
    told = story(order, AuditEntry.objects.filter(tenant_id=1))
    assert list(told) == [received, planned, called, posted, again]


@pytest.mark.parametrize(
    "typed",
    ["1234", "invoice/1234"[8:], "main/invoice/1234", "erp:main/invoice/1234", " 1234 ", "webhook-id-1"],
)
def test_one_search_for_the_erp_number_leads_back_to_the_order_and_its_correlation_id(
    db: None, typed: str
) -> None:
    subjects = ["order:S1/100234", "erp:main/invoice/1234"]
    posted = record(Action.DOCUMENT_POSTED, tenant_id=1, subject=subjects, correlation_id="webhook-id-1")
    record(Action.DOCUMENT_POSTED, tenant_id=1, subject=["order:S1/9", "erp:main/invoice/12345"])
    assert list(search(typed)) == [posted]


@pytest.mark.parametrize("typed", ["", "  ", "123", "%", "'; DROP TABLE audit_auditentry; --", "\x00"])
def test_what_is_not_a_subject_finds_nothing(db: None, typed: str) -> None:
    record(Action.DOCUMENT_POSTED, tenant_id=1, subject=["erp:main/invoice/1234"])
    assert list(search(typed)) == []


@pytest.mark.parametrize("query", ["story", "search"])
def test_finding_uses_indexes_and_not_the_whole_trail(db: None, query: str) -> None:
    found = {"story": story("order:S1/1"), "search": search("1234")}[query]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "Seq Scan" not in found.explain()


def test_a_call_is_told_without_secrets_and_its_bodies_are_encrypted(db: None) -> None:
    sent, received = b'{"CompanyDB":"SBO","Password":"hunter2","n":1.10}', b'{"SessionId":"abc","Version":1}'
    entry = record_call(
        **{**CALL, "url": "https://u:p@erp.example.com/Login?token=t0p"},
        sent=sent,
        received=received,
        tenant_id=1,
        subject=("erp", "main"),
    )
    assert entry.details["url"] == "https://erp.example.com/Login?token=[secret]"
    assert (entry.details["method"], entry.details["status"], entry.details["milliseconds"]) == (
        "POST",
        201,
        250,
    )
    kept = body_of(entry.details["sent_sha256"], tenant_id=1)
    assert kept == b'{"CompanyDB":"SBO","Password":"[secret]","n":1.10}'
    assert entry.details["sent_sha256"] == hashlib.sha256(kept).hexdigest()
    for body in CallBody.objects.all():
        assert b"SBO" not in bytes(body.token)


def test_a_body_is_stored_once_a_month_and_per_tenant(db: None) -> None:
    for tenant_id in (1, 1, 2):
        entry = record_call(**CALL, sent=b"", received=b"same", tenant_id=tenant_id)
    assert CallBody.objects.count() == 2
    assert entry.details["sent_sha256"] == ""
    assert body_of(entry.details["received_sha256"], tenant_id=3) is None


def test_a_body_that_was_put_under_another_hash_is_not_believed(db: None) -> None:
    entry = record_call(**CALL, sent=b"", received=b"true", tenant_id=1)
    token = CallBody.objects.get().token
    CallBody.objects.create(tenant_id=1, sha256="f" * 64, size=4, token=token)
    assert body_of(entry.details["received_sha256"], tenant_id=1) == b"true"
    with pytest.raises(BodyAltered):
        body_of("f" * 64, tenant_id=1)


def test_personal_data_and_secrets_do_not_get_into_details() -> None:
    details = {
        "email": "bob@example.com",
        "Phone1": "+49 30 1",
        "access_token": "t0p",
        "card_name": "Bob",
        "sentence": "bob@example.com was not found",
        "header": "Authorization: Bearer abcdefgh12345",
        "url": "https://h/x?api_key=1",
        "total": Decimal("10.00"),
        "key": "HAT-BLUE",
        "code": "-5002",
        "nested": [{"Password": "x"}],
    }
    assert redact(details) == {
        "email": "[personal]",
        "Phone1": "[personal]",
        "access_token": "[secret]",
        "card_name": "[personal]",
        "sentence": "[personal] was not found",
        "header": "Authorization: Bearer [secret]",
        "url": "https://h/x?api_key=[secret]",
        "total": "10.00",
        "key": "HAT-BLUE",
        "code": "-5002",
        "nested": [{"Password": "[secret]"}],
    }


@pytest.mark.parametrize(
    "url,told",
    [
        (
            "https://h/Invoices?$filter=NumAtCard eq 'S1-100234-I'",
            "https://h/Invoices?$filter=NumAtCard eq 'S1-100234-I'",
        ),
        (
            "https://h/BP?$filter=EmailAddress eq 'o''neill@x.com'",
            "https://h/BP?$filter=EmailAddress eq '[personal]'",
        ),
        (
            "https://h/BP?$filter=contains(Phone1,'0301')",
            "https://h/BP?$filter=contains(Phone1,'[personal]')",
        ),
        ("https://h/v3/customers?email:in=a@b.com,c@d.com", "https://h/v3/customers?email%3Ain=[personal]"),
        ("https://user:pw@h/x#frag", "https://h/x"),
        ("https://h/x?access_token=1&id=5", "https://h/x?access_token=[secret]&id=5"),
        ("https://h/people/bob@example.com/", "https://h/people/[personal]/"),
    ],
)
def test_urls_keep_references_and_lose_people_and_secrets(url: str, told: str) -> None:
    assert redact_url(url) == told


def test_hostile_text_is_stored_whole_and_harmless(db: None) -> None:
    text = "<script>alert(1)</script> =cmd|' /C calc'!A0 \u202eright to left 😀"
    entry = record(
        Action.DOCUMENT_REFUSED,
        tenant_id=1,
        subject=("order", "S1/\x001"),
        details={"sentence": text, "nul": "a\x00b", "half": "\ud800"},
    )
    entry.refresh_from_db()
    assert entry.details == {"sentence": text, "nul": "a\ufffdb", "half": "?"}
    assert entry.subjects == ["order:S1/\ufffd1"]


def test_a_long_text_is_cut() -> None:
    assert len(redact_text("x" * 10_000)) == 2000


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=15,
    )
)
def test_anything_can_be_recorded(value: Any) -> None:
    assert "\\u0000" not in json.dumps(redact({"value": value}))


@given(
    st.dictionaries(st.text(), st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text())
)
def test_a_body_without_credentials_stays_byte_for_byte(value: dict[str, Any]) -> None:
    body = json.dumps({key: str(item) for key, item in value.items()}).encode()
    assert redact_body(body) == body or b"[secret]" in redact_body(body)


def test_numbers_in_a_body_stay_as_they_were_written() -> None:
    body = b'{"a":1.10,"b":1e5,"c":12345678901234567890,"Password":"x","d":[true,null,"\xc3\xa4"]}'
    assert redact_body(body) == body.replace(b'"x"', b'"[secret]"')


@pytest.mark.parametrize(
    "given,expected",
    [
        (None, []),
        ("order:S1/1", ["order:S1/1"]),
        (("order", "S1/1"), ["order:S1/1"]),
        (["order:S1/1", ("erp", "main/invoice/5")], ["order:S1/1", "erp:main/invoice/5"]),
        (("order:S1/1", "event:e"), ["order:S1/1", "event:e"]),
        (["a:1", "a:1"], ["a:1"]),
    ],
)
def test_subjects_are_texts_however_they_are_given(given: Any, expected: list[str]) -> None:
    assert normalised(given) == expected


def test_a_subject_is_built_from_its_parts() -> None:
    assert subject("erp", "main", "invoice", 1234) == "erp:main/invoice/1234"


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "|calc", " =1+1", "=cmd|' /C calc'!A0", "＝1"],
)
def test_a_formula_is_no_formula_in_a_spreadsheet(text: str) -> None:
    assert cell(text) == "'" + text


@pytest.mark.parametrize(
    "value,expected",
    [(-5, "-5"), ("-5.00", "-5.00"), (Decimal("-0.10"), "-0.10"), ("+49", "+49"), (None, ""), ("a=b", "a=b")],
)
def test_numbers_and_plain_text_stay(value: Any, expected: str) -> None:
    assert cell(value) == expected


def test_csv_quotes_what_it_must() -> None:
    assert (
        "".join(lines([["a", 'say "hi"'], ["x,y", "two\nlines"]]))
        == '\ufeffa,"say ""hi"""\r\n"x,y","two\nlines"\r\n'
    )
