"""Who is meant by an e-mail address or a customer id: which records of a store are theirs, and which texts give them away elsewhere.

Only an account leads further, from its id to its e-mail address and back: whoever else's address stands on an order of theirs keeps their
own. An order in which they are merely the receiver is erased, but what it says of its buyer is looked for nowhere else.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import unquote_plus

from django.db.models import QuerySet

from storefront.models import Store
from sync.models import Document, Posting, RecordKind, Snapshot, StoredPlan

BATCH = 200
# A name alone is too common to look for elsewhere; in sentences about the person's own orders it is looked for.
_TELLING = frozenset(("email", "phone", "street_1", "address1", "ip_address"))
_NAMING = frozenset(("first_name", "last_name", "company", "street_2", "address2"))
_SHORTEST_MARK, _SHORTEST_WORD = 6, 3


@dataclass(slots=True)
class Person:
    """What is known of one person of a store, in lower case. It grows while the store's snapshots are read."""

    emails: set[str] = field(default_factory=set)
    customers: set[str] = field(default_factory=set)
    records: set[tuple[str, str]] = field(default_factory=set)
    marks: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)

    def learn(self, snapshot: Snapshot) -> None:
        """Take in a snapshot, if it is about this person."""
        body = snapshot.body
        account = body.get("customer") or {}
        order = body.get("order") or {}
        billing = order.get("billing_address") or {}
        buyer = str(order.get("customer_id") or account.get("id") or "")
        is_own = buyer in self.customers or _lower(account.get("email")) in self.emails
        if is_own and buyer:
            self.customers.add(buyer)
            self.records.add((RecordKind.CUSTOMER.value, buyer))
            self.emails |= {_lower(account.get("email"))} - {""}
        if is_own or _lower(billing.get("email")) in self.emails:
            self.records.add((snapshot.record_kind, snapshot.record_id))
            self.marks |= _values(body, _TELLING, _SHORTEST_MARK)
            self.words |= _values(body, _NAMING, _SHORTEST_WORD)
        elif any("email" in key and _lower(value) in self.emails for key, value in plain_values(body)):
            self.records.add((snapshot.record_kind, snapshot.record_id))

    def size(self) -> tuple[int, ...]:
        """Grows with everything that is learned."""
        return len(self.emails), len(self.customers), len(self.records)


def find_person(store: Store, *, email: str, customer_id: str) -> Person:
    """Read the snapshots, plans and documents of a store that are still there, until nothing more is learned.

    :param email: in lower case, or ""
    :param customer_id: the store's, or ""
    """
    person = Person(emails={email} - {""}, customers={customer_id} - {""})
    person.records = {(RecordKind.CUSTOMER.value, customer) for customer in person.customers}
    before: tuple[int, ...] = ()
    while before != (before := person.size()):
        for snapshot in _kept(Snapshot.objects.filter(store=store)):
            person.learn(snapshot)
    person.marks |= person.emails
    named = pattern(person.emails)
    mine = Posting.objects.filter(pipeline__store=store)
    for model in (StoredPlan, Document):
        for row in _kept(model.objects.filter(posting__in=mine).select_related("posting")):
            if named.search(searchable(row.body)):
                person.records.add((row.posting.record_kind, row.posting.record_id))
    return person


def pattern(texts: Iterable[str]) -> re.Pattern[str]:
    """Finds any of these texts where it stands for itself: `ann@example.com` is not found in `joann@example.com`."""
    either = "|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True))
    return re.compile(rf"(?<![\w@.+-])(?:{either})(?![\w@-]|\.\w)" if either else r"(?!)", re.IGNORECASE)


def searchable(text: str) -> str:
    """The values of a JSON text a line each, without escapes; of any other text the text, also decoded as a form's."""
    try:
        value = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        return f"{text}\n{unquote_plus(text)}"
    return "\n".join(str(item) for _, item in plain_values(value))


def plain_values(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every (key in lower case, plain value) of a payload, however deep."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from plain_values(item, str(name).lower())
    elif isinstance(value, list):
        for item in value:
            yield from plain_values(item, key)
    else:
        yield key, value


def _kept(rows: QuerySet) -> Iterator[Any]:
    return rows.filter(body__isnull=False).order_by("pk").iterator(chunk_size=BATCH)


def _values(body: Any, keys: frozenset[str], shortest: int) -> set[str]:
    found = (_lower(value) for key, value in plain_values(body) if key in keys)
    return {text for text in found if len(text) >= shortest and "\n" not in text}


def _lower(value: Any) -> str:
    return str(value or "").strip().lower()
