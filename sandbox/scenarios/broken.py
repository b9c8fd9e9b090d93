"""Orders that do not add up: they must be held, with the arithmetic shown, and never be posted."""

from __future__ import annotations

from dataclasses import replace

from sandbox.bigcommerce import Tender
from sandbox.scenarios.amounts import SEVERAL
from sandbox.scenarios.case import Case
from sandbox.scenarios.money import PAYPAL, PLAIN

CASES = {
    "total_does_not_tie": Case(
        sentence="The total is 1.00 higher than its parts.",
        shopping=replace(SEVERAL, tamper={"total_inc_tax": "1.00"}),
        consistent=False,
    ),
    "total_and_net_do_not_tie": Case(
        sentence="Total and net are both 3.00 lower than the lines say.",
        shopping=replace(SEVERAL, tamper={"total_inc_tax": "-3.00", "total_ex_tax": "-3.00"}),
        consistent=False,
    ),
    "tax_does_not_tie": Case(
        sentence="Net and tax do not make the total.",
        shopping=replace(SEVERAL, tamper={"total_tax": "2.00"}),
        consistent=False,
    ),
    "more_tenders_than_total": Case(
        sentence="More money came in than the order costs.",
        shopping=replace(PLAIN, tenders=(Tender(amount="100.00"), replace(PAYPAL, amount="50.00"))),
        consistent=False,
    ),
}
