from __future__ import annotations

import pytest
from celery import Celery
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import RequestFactory

from config import health
from config.middleware import client_address

PASSWORD = "correct horse battery"


@pytest.fixture
def admin(db):
    return get_user_model().objects.create_superuser("ada", email="", password=PASSWORD)


def sign_in(client, password, **extra):
    return client.post("/admin/login/", {"username": "ada", "password": password}, **extra)


def test_a_process_that_answers_is_alive(client):
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_ready_says_what_it_looked_at(client):
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "database": "ok",
        "migrations": "ok",
        "broker": "ok",
        "background": "ok",
    }


@pytest.mark.django_db
def test_a_dead_broker_is_information_and_not_a_refusal(client, monkeypatch):
    # An application of its own: this process's one is used by the bell's thread, which would keep the dead address.
    monkeypatch.setattr(health, "app", Celery(broker="redis://127.0.0.1:1/0", set_as_current=False))
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["broker"] == "does not answer"


@pytest.mark.django_db
def test_a_database_that_is_not_migrated_is_not_ready(client):
    health._migrated.clear()
    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["migrations"] == "not all applied"


def test_an_answer_carries_the_callers_correlation_id(client):
    given = client.get("/health/live", headers={"X-Correlation-Id": "trace-12345678"})
    assert given.headers["X-Correlation-Id"] == "trace-12345678"


@pytest.mark.parametrize("hostile", ["", "x", "a b c d e f g h", "<script>alert(1)</script>", "a" * 65])
def test_a_correlation_id_that_is_not_one_is_replaced(client, hostile):
    answered = client.get("/health/live", headers={"X-Correlation-Id": hostile}).headers["X-Correlation-Id"]
    assert answered != hostile
    assert len(answered) == 32


def test_pages_carry_a_content_security_policy(client, db):
    policy = client.get("/admin/login/").headers["Content-Security-Policy"]
    directives = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == "'self' 'unsafe-eval'"
    assert directives["frame-ancestors"] == "'none'"
    assert directives["form-action"] == "'self'"


def test_signing_in_leads_to_the_console(client, admin):
    answer = sign_in(client, PASSWORD)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")


def test_five_wrong_passwords_close_the_door_for_that_person_and_address(client, admin):
    for _ in range(5):
        sign_in(client, "wrong")
    assert sign_in(client, PASSWORD).status_code == 429
    assert sign_in(client, PASSWORD, REMOTE_ADDR="192.0.2.7").status_code == 302


@pytest.mark.parametrize(
    "trusted, forwarded, address",
    [
        (0, "198.51.100.1", "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (2, "6.6.6.6, 198.51.100.1, 10.0.0.1", "198.51.100.1"),
        (2, "198.51.100.1", "192.0.2.1"),
    ],
)
def test_a_callers_address_is_what_trusted_proxies_say(settings, trusted, forwarded, address):
    settings.TRUSTED_PROXIES = trusted
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == address


def test_silent_background_work_is_information_for_whoever_asks_from_outside(client, db):
    from sync.models import Heartbeat

    Heartbeat.objects.create(name="sweep", at="2026-11-01T10:00:00Z")
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["background"]) == (200, "silent")
