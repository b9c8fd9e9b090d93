"""The doctor asks the sandbox store and the sandbox ERP over real HTTP."""

import io
import json

import pytest
from django.core.management import call_command

from erp.models import ErpConnection
from storefront.models import Store
from tests.e2e.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def told(*areas: str) -> dict[str, str]:
    """Level by sentence of what these areas find; there is a problem among them."""
    out = io.StringIO()
    with pytest.raises(SystemExit, match="1"):
        call_command("doctor", "--json", *(part for area in areas for part in ("--only", area)), stdout=out)
    return {row["sentence"]: row["level"] for row in json.loads(out.getvalue())["findings"]}


def documents(world: World) -> int:
    return len(world.documents("Invoices")) + len(world.documents("IncomingPayments"))


def test_a_store_and_a_company_that_are_well(world: World) -> None:
    Store.objects.update(webhook_base_url="http://127.0.0.1:8000")
    before = documents(world)
    found = told("stores", "companies")
    name = "acme, store S1"
    assert found[f"{name} answers."] == "good"
    assert found[f"This machine's clock agrees with the clock of {name}."] == "good"
    assert found[f"{name}: There is no webhook for store/order/*."] == "problem"
    assert [
        level for sentence, level in found.items() if sentence.startswith("acme, ERP company main answers;")
    ] == ["good"]
    assert documents(world) == before


def test_a_wrong_token_and_a_wrong_password_are_told_without_repeating_them(world: World) -> None:
    Store.objects.update(access_token="wrong-token-271828")
    ErpConnection.objects.update(credentials={"password": "wrong-password-161803"})
    found = told("stores", "companies")
    said = "\n".join(found)
    assert "BigCommerce does not accept the access token of store S1. Enter a new one." in said
    assert any(sentence.startswith("acme, ERP company main, Sign-in:") for sentence in found)
    assert "271828" not in said
    assert "161803" not in said
    assert len(world.b1.calls.select("POST", "/Login")) == 1  # B1 locks users after a few wrong passwords
