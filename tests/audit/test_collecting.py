"""Entries that are collected while a record is worked off, and written with the next change of state."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.actions import Action
from audit.calls import body_of, record_call
from audit.collecting import collecting, step
from audit.models import AuditEntry, CallBody
from audit.recording import record

pytestmark = pytest.mark.django_db


class Undone(Exception):
    """What goes wrong in the middle of a step."""


def note(subject: str, **details: object) -> None:
    record(Action.POSTING_STATUS, tenant_id=7, subject=subject, correlation_id="c0ffee00", details=details)


def call(body: bytes) -> None:
    record_call(
        method="GET", url="https://erp.test/x", status=200, seconds=0.2, sent=b"", received=body, tenant_id=7
    )


def subjects() -> list[str]:
    return [subject for entry in AuditEntry.objects.order_by("at", "id") for subject in entry.subjects]


def test_what_is_recorded_waits_for_the_next_step_and_keeps_its_order():
    with collecting():
        note("order:1")
        note("order:2")
        assert subjects() == []
        with step():
            note("order:3")
        assert subjects() == ["order:1", "order:2", "order:3"]
        note("order:4")
    assert subjects() == ["order:1", "order:2", "order:3", "order:4"]


def test_a_step_that_fails_takes_only_what_was_recorded_in_it():
    with collecting():
        note("order:before")
        with suppress(Undone), step():
            note("order:undone")
            raise Undone
        with step():
            note("order:after")
    assert subjects() == ["order:before", "order:after"]


def test_what_no_step_wrote_is_written_at_the_end_whatever_happened():
    with suppress(Undone), collecting():
        note("order:1")
        raise Undone
    assert subjects() == ["order:1"]


def test_an_entry_is_the_same_as_one_that_is_written_at_once():
    details = {"amount": "12.30", "quote": 'it\'s "ë"', "count": 3, "nothing": None}
    note("order:ë/1", **details)
    with collecting():
        note("order:ë/1", **details)
    at_once, collected = AuditEntry.objects.order_by("id").values(
        "tenant_id", "action", "subjects", "correlation_id", "actor", "details"
    )
    assert collected == at_once
    assert timezone.now() - AuditEntry.objects.latest("id").at < timedelta(minutes=1)


def test_outside_nothing_waits():
    with step():
        note("order:1")
        assert subjects() == ["order:1"]


def test_equal_bodies_are_stored_once_and_can_be_read():
    with collecting():
        for body in (b"one", b"two", b"one"):
            call(body)
    assert CallBody.objects.count() == 2
    kept = [entry.details["received_sha256"] for entry in AuditEntry.objects.order_by("id")]
    assert [body_of(sha256, tenant_id=7) for sha256 in kept] == [b"one", b"two", b"one"]
