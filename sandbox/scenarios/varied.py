"""As many different orders as one wants, by a seed: every named case, with amounts, quantities and shoppers of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from random import Random

from sandbox.bigcommerce import GiveBack, Line, Person, Refund, Shopping, Store
from sandbox.bigcommerce.calculator import price
from sandbox.scenarios.case import Case, Then

ONE_IN = 8  # so many orders: one of them is refunded, one edited, one only looked at again


def varied(
    cases: dict[str, Case], random: Random, shoppers: tuple[Person, ...]
) -> Iterator[tuple[str, Case]]:
    """Case after case without end, in an order of the seed's; plain ones with prices and quantities of their own.

    :param shoppers: registered customers; one order in three is one of theirs, where the case does not say whose it is
    """
    names = sorted(cases)
    while True:
        random.shuffle(names)
        for name in names:
            yield name, _vary(cases[name], random, shoppers)


def _vary(case: Case, random: Random, shoppers: tuple[Person, ...]) -> Case:
    if case.then or not case.consistent or not _is_plain(case.shopping):
        return case
    shopping = replace(case.shopping, lines=tuple(_other(line, random) for line in case.shopping.lines))
    if shoppers and shopping.person == Person() and not random.randrange(3):
        shopping = replace(shopping, person=random.choice(shoppers))
    return replace(case, shopping=shopping, then=_later(shopping, random))


def _is_plain(shopping: Shopping) -> bool:
    """Whether nothing in the order is a fixed amount that other prices could contradict."""
    fixed = (shopping.gift_certificate, shopping.store_credit, shopping.order_discount)
    return not any(fixed) and all(tender.amount is None and not tender.parts for tender in shopping.tenders)


def _other(line: Line, random: Random) -> Line:
    if line.kind == "giftcertificate" or not line.price or line.discount:
        return line
    exponent = min(line.price.as_tuple().exponent, 0)
    units = random.randint(1, 4 * int(line.price.scaleb(-exponent)))
    return replace(line, price=Decimal(units).scaleb(exponent), quantity=random.randint(1, 9))


def _later(shopping: Shopping, random: Random) -> tuple[Then, ...]:
    """What happens to a paid order afterwards: mostly nothing."""
    ways = [tender.way for tender in shopping.tenders]
    if ways != ["purchase"] or not price(shopping).total.inc:
        return ()
    match random.randrange(ONE_IN):
        case 0:
            return (_refund,)
        case 1 if shopping.lines[0].price and shopping.lines[0].kind == "physical":
            return (_give_back_one,)
        case 2:
            return (_note,)
    return ()


def _refund(store: Store, order_id: int) -> None:
    store.refund(order_id)


def _give_back_one(store: Store, order_id: int) -> None:
    store.refund(order_id, Refund((GiveBack("PRODUCT", 0, quantity=1),)))


def _note(store: Store, order_id: int) -> None:
    store.update(order_id, staff_notes="packed")
