"""Faults: what was committed and what the client hears are two things."""

from __future__ import annotations

import pytest
import requests

from tests.sandbox.service_layer.client import Client, invoice


def test_a_proxy_page_before_the_commit_leaves_nothing(b1):
    b1.layer.proxy_error(method="POST", path="/Invoices")
    assert b1.post("Invoices", invoice()).status_code == 502
    assert b1.get("Invoices/$count").text == "0"


def test_a_proxy_page_after_the_commit_hides_an_invoice(b1):
    b1.layer.proxy_error(moment="after", method="POST", path="/Invoices")
    answer = b1.post("Invoices", invoice(NumAtCard="REF-1"))
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")
    assert answer.text.startswith("<html>")
    assert b1.company.documents("Invoices", NumAtCard="REF-1")[0]["DocEntry"] == 1


@pytest.mark.parametrize(("moment", "left"), [("before", 0), ("after", 1)])
def test_a_connection_dropped_around_the_commit(b1, moment, left):
    b1.layer.faults.add("drop", moment=moment, method="POST", path="/Invoices")
    with pytest.raises(requests.ConnectionError):
        b1.post("Invoices", invoice())
    assert len(b1.company.documents("Invoices")) == left


def test_a_lost_session_in_its_plain_shape(b1):
    b1.layer.faults.add("session_lost")
    assert b1.get("Invoices").status_code == 401
    assert b1.get("Invoices").status_code == 401
    b1.log_in()
    assert b1.get("Invoices").status_code == 200


def test_a_lost_session_dressed_up_as_a_business_error(b1):
    b1.layer.faults.add("session_lost", params={"shape": "-5002"})
    assert b1.refused("Invoices", invoice()) == (400, -5002, "Invalid session or session already timeout.")
    assert b1.get("Invoices").status_code == 401


def test_a_generic_refusal_keeps_the_session(b1):
    b1.layer.faults.add("generic_refusal", method="POST", path="/Invoices")
    assert b1.refused("Invoices", invoice())[1] == -5002
    assert b1.get("Invoices/$count").text == "0"


def test_an_outage_ends_by_itself(b1):
    fault = b1.layer.outage(60)
    assert b1.get("Invoices").status_code == 503
    b1.layer.faults.remove(fault.id)
    assert b1.get("Invoices").status_code == 200


def test_faults_and_settings_can_be_switched_from_another_process(b1):
    control = f"{b1.url}/_control"
    assert requests.post(f"{control}/switch", json={"switches": {"page_size": 2}}).status_code == 200
    assert requests.post(f"{control}/switch", json={"switches": {"no_such": 2}}).status_code == 404
    assert len(b1.get("Items").json()["value"]) == 2
    requests.post(f"{control}/item", json={"code": "HAT", "stock": "7"})
    requests.post(f"{control}/stock", json={"code": "HAT", "quantity": "8"})
    assert b1.get("Items('HAT')").json()["QuantityOnStock"] == 8
    body = {"set": "Items", "key": ["HAT"], "properties": {"Frozen": "tYES"}}
    requests.post(f"{control}/change", json=body)
    assert b1.get("Items('HAT')").json()["Frozen"] == "tYES"
    requests.post(f"{control}/rate", json={"currency": "EUR", "rate": "1.2"})
    assert b1.post("SBOBobService_GetCurrencyRate", {"Currency": "EUR", "Date": "20260101"}).text == "1.2"
    requests.post(f"{control}/period", json={"code": b1.company.today()[:7], "status": "ltLocked"})
    assert b1.refused("Invoices", invoice())[1] == -4013
    rows = requests.post(f"{control}/rows", json={"set": "Items", "where": {"ItemCode": "HAT"}}).json()
    assert rows[0]["QuantityOnStock"] == 8
    requests.post(f"{control}/lose-sessions", json={})
    assert b1.get("Items").status_code == 401
    assert requests.post(f"{control}/sessions", json={}).json() == {"open": 0, "logins": 1}


def test_two_clients_at_once_do_not_disturb_each_other(b1):
    from concurrent.futures import ThreadPoolExecutor

    def post_ten(_: int) -> list[int]:
        mine = Client(b1.layer, b1.url)
        mine.log_in()
        return [mine.made("Invoices", invoice())["DocEntry"] for _ in range(10)]

    with ThreadPoolExecutor(4) as pool:
        entries = [entry for made in pool.map(post_ten, range(4)) for entry in made]
    assert sorted(entries) == list(range(1, 41))
    assert b1.get("Items('SKU-1')").json()["QuantityOnStock"] == 960


def test_sentences_are_translated_but_codes_are_not(b1):
    b1.company.switches.language = "es-es"
    assert b1.refused("Invoices", invoice(card="NOBODY"))[1:] == (
        -2028,
        "No existen registros coincidentes (ODBC -2028)",
    )
    b1.company.set_rate("EUR", None)
    assert b1.refused("Invoices", invoice(DocCurrency="EUR"))[1] == -4006
