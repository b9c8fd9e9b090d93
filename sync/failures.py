"""What follows from a failure. One place: what a worker does when a store or an ERP did not do what was asked."""

import random
from dataclasses import dataclass
from datetime import timedelta

from erp.contract.errors import Misconfigured, OutcomeUnknown, Refused, RemoteError, TryLater
from sync.models import Status

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=30)
MOST_CRASHES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The posting's next status, when it is due again (None: a person decides), and whether its connection pauses."""

    status: Status
    wait: timedelta | None
    pauses_connection: bool = False


def decide(error: RemoteError, tries: int) -> Decision:
    """The decision for a named error after so many tries in a row.

    :raises TypeError: for a RemoteError that is none of the four
    """
    match error:
        case Misconfigured():
            return Decision(status=Status.WAITING, wait=timedelta(0), pauses_connection=True)
        case Refused():
            return Decision(status=Status.REFUSED, wait=None)
        case OutcomeUnknown():
            return Decision(status=Status.UNKNOWN, wait=backoff(tries))
        case TryLater(after=timedelta() as asked):
            return Decision(status=Status.WAITING, wait=min(asked, LONGEST_WAIT))
        case TryLater():
            return Decision(status=Status.WAITING, wait=backoff(tries))
    raise TypeError(f"{type(error).__name__} is none of the four errors")


def backoff(tries: int) -> timedelta:
    """Growing waits with jitter, so that what failed together does not come back together."""
    wait = min(FIRST_WAIT * 2 ** min(tries, 12), LONGEST_WAIT)
    return wait * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
