"""Who may read /metrics."""

import pytest
from django.test import Client

TOKEN = "Rk3vT9mQzWv4Lr8Xc1Bn"
pytestmark = pytest.mark.django_db


def status_of(client: Client, **given: str) -> int:
    answer = client.get("/metrics", **given)
    assert (b"tieout_" in answer.content) == (answer.status_code == 200)
    return answer.status_code


def test_without_a_token_nobody_reads_metrics_in_production(client, settings):
    settings.IS_PRODUCTION = True
    assert status_of(client) == 404
    assert status_of(client, HTTP_AUTHORIZATION="Bearer ") == 404


def test_without_a_token_only_this_machine_reads_them_elsewhere(client):
    assert status_of(client) == 200
    assert status_of(client, REMOTE_ADDR="192.0.2.7") == 404


@pytest.mark.parametrize("header", ["HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED"])
def test_a_proxy_on_this_machine_opens_them_to_nobody(client, header):
    assert status_of(client, **{header: "198.51.100.1"}) == 404


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xe9"]
)
def test_a_wrong_token_is_refused_on_this_machine_too(client, settings, given):
    settings.TIEOUT_METRICS_TOKEN = TOKEN
    assert status_of(client, HTTP_AUTHORIZATION=given) == 401


def test_the_right_token_reads_them_from_anywhere(client, settings):
    settings.IS_PRODUCTION, settings.TIEOUT_METRICS_TOKEN = True, TOKEN
    given = {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}", "REMOTE_ADDR": "192.0.2.7"}
    assert status_of(client, **given, HTTP_X_FORWARDED_FOR="198.51.100.1") == 200


def test_metrics_are_read_and_nothing_else(client):
    assert client.post("/metrics").status_code == 405
