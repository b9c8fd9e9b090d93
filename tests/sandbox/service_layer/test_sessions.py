"""Login, cookies in B1's odd formats, expiry and limits."""

from __future__ import annotations

import requests

from sandbox.service_layer import Company, ServiceLayer
from sandbox.wire import Clock, serve
from tests.sandbox.service_layer.client import Client, invoice, running


def test_login_answers_a_session_and_two_oddly_written_cookies(b1):
    answer = b1.log_in()
    assert answer.status_code == 200
    assert answer.json()["SessionTimeout"] == 30
    session, route = answer.raw.headers.getlist("Set-Cookie")
    assert session == f"B1SESSION={b1.session};HttpOnly;"
    assert route.startswith("ROUTEID=.node")
    assert route.endswith("; path=/b1s")


def test_paths_are_case_sensitive(b1):
    body = {"CompanyDB": "SBODEMO", "UserName": "manager", "Password": "sandbox"}
    answer = requests.post(f"{b1.root}/login", json=body)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == 301


def test_without_a_session_everything_is_refused_in_the_shape_of_its_version(b1):
    body = {
        "error": {
            "code": 301,
            "message": {"lang": "en-us", "value": "Invalid session or session already timeout."},
        }
    }
    answer = requests.get(f"{b1.root}/Invoices")
    assert (answer.status_code, answer.json()) == (401, body)
    newer = requests.get(f"{b1.root}/Invoices".replace("v1", "v2")).json()["error"]
    assert newer["code"] == "301"
    assert newer["message"] == "Invalid session or session already timeout."


def test_a_wrong_password_and_an_unknown_company_are_told_apart(b1):
    assert b1.log_in(Password="wrong").json()["error"]["code"] == -304
    answer = b1.log_in(CompanyDB="NOPE")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]["value"] == "Switch company error: -5027"


def test_five_wrong_passwords_lock_the_user(b1):
    for _ in range(5):
        b1.log_in(Password="wrong")
    answer = b1.log_in()
    assert answer.status_code == 401
    assert "locked" in answer.json()["error"]["message"]["value"]
    b1.layer.sessions.unlock()
    assert b1.log_in().status_code == 200


def test_logout_ends_the_session(b1):
    assert b1.post("Logout").status_code == 204
    assert b1.get("Invoices").status_code == 401


def test_an_idle_session_expires_and_use_renews_it():
    clock = Clock()
    layer = ServiceLayer([Company.default()], clock=clock)
    with serve(layer) as server:
        b1 = Client(layer, server.url)
        b1.log_in()
        for _ in range(3):
            clock.advance(20 * 60)
            assert b1.get("Invoices/$count").status_code == 200
        clock.advance(31 * 60)
        assert b1.get("Invoices/$count").status_code == 401


def test_sessions_are_limited():
    for b1 in running(session_limit=1):
        second = Client(b1.layer, b1.url)
        assert second.log_in().status_code == 503
        b1.post("Logout")
        assert second.log_in().status_code == 200


def test_companies_do_not_see_each_other(b1):
    b1.layer.add(Company.default("OTHER", currency="EUR", localisation="VAT"))
    b1.made("Invoices", invoice())
    other = Client(b1.layer, b1.url, "OTHER")
    other.log_in()
    assert other.get("Invoices/$count").text == "0"
    assert other.post("SBOBobService_GetLocalCurrency").text == '"EUR"'


def test_behind_a_reverse_proxy_prefix_and_secret_header_are_needed():
    layer = ServiceLayer([Company.default()], prefix="/gateway", secret_headers={"X-Gate": "open"})
    body = {"CompanyDB": "SBODEMO", "UserName": "manager", "Password": "sandbox"}
    with serve(layer) as server:
        inside = requests.post(f"{server.url}/gateway/b1s/v1/Login", json=body, headers={"X-Gate": "open"})
        shut = requests.post(f"{server.url}/gateway/b1s/v1/Login", json=body)
        beside = requests.post(f"{server.url}/b1s/v1/Login", json=body, headers={"X-Gate": "open"})
        ping = requests.get(f"{server.url}/gateway/ping/", headers={"X-Gate": "open"})
    assert inside.status_code == 200
    assert (shut.status_code, shut.headers["Content-Type"]) == (403, "text/html")
    assert beside.status_code == 404
    assert ping.json()["message"] == "pong"


def test_a_user_may_be_kept_from_posting(b1):
    b1.company.denied["manager"] = {"POST Invoices", "GET Orders"}
    assert b1.refused("Invoices", invoice())[1] == -5002
    assert "not permitted" in b1.get("Orders").text
    assert b1.get("Invoices").status_code == 200
