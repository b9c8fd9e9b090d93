"""One thing that is so now and that somebody should know."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from erp.contract.money import Money
from sync.alerts.kinds import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What is so, since when, how much waits for it, and where it is mended.

    `subject` is the same for as long as it lasts; `tenant_id` None means the installation. The sentence leaves the
    house: it names orders and money, never people.
    """

    kind: Kind
    subject: str
    tenant_id: int | None
    sentence: str
    since: datetime
    path: str  # of the console's page
    orders: int = 0
    money: tuple[Money, ...] = ()
    holds: timedelta | None = None  # where this one must be met for longer than its kind says
