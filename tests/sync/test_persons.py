"""Who is meant by an address: what stands for itself is found however it is written, and nobody else is drawn in."""

import json
from typing import Any
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st

from sync.models import Snapshot
from sync.persons import Person, pattern, searchable

ANN = "ann@example.com"
ANYTHING = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)


def order(
    number: str, *, billed_to: str, customer: int = 0, account: str = "", sent_to: str = ""
) -> Snapshot:
    """An order as the store tells it, as far as people are concerned."""
    body: dict[str, Any] = {
        "order": {
            "customer_id": customer,
            "billing_address": {
                "email": billed_to,
                "phone": f"phone of {billed_to}",
                "first_name": billed_to,
            },
        },
        "shipping_addresses": [{"email": sent_to or billed_to}],
    }
    if account:
        body["customer"] = {"id": customer, "email": account}
    return Snapshot(record_kind="order", record_id=number, body=body)


@given(ANYTHING, ANYTHING)
def test_an_address_is_found_in_any_json_and_in_a_form_however_it_is_escaped(before: str, after: str) -> None:
    text = f"{before} {ANN.upper()}\n{after}"
    for written in (
        json.dumps({"a": [{"b": text}]}),
        json.dumps(text, ensure_ascii=False),
        urlencode({"q": text}),
    ):
        assert pattern([ANN]).search(searchable(written))


def test_an_address_inside_another_one_is_somebody_elses() -> None:
    for other in ("joann@example.com", "jo.ann@example.com", "ann@example.com.au", "x+ann@example.com"):
        assert not pattern([ANN]).search(other)
    for own in (f"To {ANN}.", f"<{ANN}>", f"'{ANN}'", f"{ANN},{ANN}"):
        assert pattern([ANN]).search(own)
    assert not pattern([]).search("anything")


def test_an_account_leads_to_its_address_and_an_address_to_its_account() -> None:
    orders = [
        order("1", billed_to=ANN),
        order("2", billed_to="office@example.com", customer=7, account="Ann@Example.com"),
        order("3", billed_to="office@example.com"),
    ]
    for person in (Person(emails={ANN}), Person(customers={"7"})):
        for _ in range(2):
            for snapshot in orders:
                person.learn(snapshot)
        assert person.records == {("order", "1"), ("order", "2"), ("customer", "7")}
        assert (person.emails, person.customers) == ({ANN}, {"7"})


def test_who_bought_a_gift_for_the_person_is_not_looked_for() -> None:
    person = Person(emails={ANN})
    gift = order("4", billed_to="bob@example.com", customer=8, account="bob@example.com", sent_to=ANN)
    for _ in range(2):
        person.learn(gift)
        person.learn(order("5", billed_to="bob@example.com", customer=8, account="bob@example.com"))

    assert person.records == {("order", "4")}
    assert (person.customers, person.marks, person.words) == (set(), set(), set())
