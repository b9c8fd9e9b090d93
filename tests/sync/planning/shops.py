"""Orders of the sandbox's store calculator, translated, with the ERP company and the mappings that suit their taxes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from hypothesis import assume, reject

from erp.contract.facts import Account, Item, LedgerFacts, TaxCode
from erp.contract.order import Order
from mappings.resolver import Rule, Rules
from sandbox.bigcommerce import strategies
from sandbox.bigcommerce.calculator import factor
from sandbox.bigcommerce.refunds import Refund
from sandbox.bigcommerce.shopping import Shopping
from sandbox.bigcommerce.store import Store
from sandbox.wire import Clock, Storage
from storefront.translation import translate_order
from tests.sync.planning import books

_PLACES = {"USD": 2, "EUR": 2, "GBP": 2, "JPY": 0, "KWD": 3}
_EVERYTHING = (
    "account.discount account.fee account.gift_certificate account.handling account.rounding account.shipping "
    "account.store_credit account.tax_liability account.unattributed_refund account.wrapping clearing"
).split()


def sold(shopping: Shopping, refunds: Iterable[Refund] = ()) -> Order:
    """The order as it reads from the store after these refunds."""
    storage = Storage()
    storage.put("stores", "abc", {"client_id": "x", "store_id": 1, "currency": shopping.currency})
    store = Store(storage, Clock(start=strategies.NOW), "abc", lambda: None)
    order_id = store.place(shopping)
    for refund in refunds:
        try:
            store.refund(order_id, refund)
        except LookupError:  # no transaction through which money could go back
            reject()
    record = store.read(order_id)
    assert record is not None
    return translate_order(record["payloads"])


@dataclass(frozen=True)
class Company:
    """An ERP company that knows the taxes of a shopping, and the mappings to it."""

    rules: Rules
    facts: LedgerFacts


def company(shopping: Shopping, tax_rounding: str) -> Company:
    """A company with one tax code for each combination of taxes; orders whose names mean two rates are left out."""
    rates = _rates(shopping)
    codes = {
        key: TaxCode(code=f"T{number}", name=key, rate=rate)
        for number, (key, rate) in enumerate(rates.items(), 1)
    }
    exempt = TaxCode(code="EX", name="No tax", rate=Decimal(0))
    targets = [
        ("tax_code", "exempt", "EX"),
        ("item", "*", "A-HAT"),
        *(("tax_code", key, code.code) for key, code in codes.items()),
        *((kind, "*", "1110") for kind in _EVERYTHING),
    ]
    first = strategies.NOW.date() - timedelta(days=2)
    facts = books.facts(
        tax_rounding=tax_rounding,
        tax_codes={code.code: code for code in (exempt, *codes.values())},
        items={"A-HAT": Item(code="A-HAT", name="Hat"), "SVC": Item(code="SVC", name="Service")},
        accounts={"1110": Account(code="1110", name="Anything")},
        currency_places=_PLACES,
        periods=(),
        rates={(shopping.currency, first + timedelta(days=n)): Decimal(1) for n in range(9)},
        settings={"service_item": "SVC", "payment_reference_field": "U_Reference"},
    )
    return Company(
        rules=Rules.of([Rule(kind=k, key=key, target=to, version=1) for k, key, to in targets], version="1"),
        facts=facts,
    )


def _rates(shopping: Shopping) -> dict[str, Decimal]:
    sets = [
        *(line.taxes for line in shopping.lines),
        *(line.wrapping_taxes for line in shopping.lines),
        shopping.shipping_taxes,
        shopping.handling_taxes,
        *(fee.taxes for fee in shopping.fees),
    ]
    rates: dict[str, Decimal] = {}
    for taxes in sets:
        key = " + ".join(sorted({tax.name for tax in taxes}))
        rate = factor(taxes) * 100
        assume(rates.setdefault(key, rate) == rate)
    rates.pop("", None)
    return dict(sorted(rates.items()))
