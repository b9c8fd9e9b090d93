"""What follows from each named error."""

from datetime import timedelta

import pytest

from erp.contract.errors import Misconfigured, OutcomeUnknown, Refused, RemoteError, TryLater
from sync.failures import LONGEST_WAIT, backoff, decide
from sync.models import Status


def test_refused_waits_for_a_person() -> None:
    assert decide(Refused("no"), 0).status is Status.REFUSED
    assert decide(Refused("no"), 0).wait is None


def test_misconfigured_pauses_the_connection_and_keeps_the_work() -> None:
    decision = decide(Misconfigured("wrong password"), 0)

    assert (decision.status, decision.wait, decision.pauses_connection) == (
        Status.WAITING,
        timedelta(0),
        True,
    )


def test_an_unknown_outcome_is_looked_up_again_and_is_no_plain_retry() -> None:
    assert decide(OutcomeUnknown("no answer"), 0).status is Status.UNKNOWN


def test_the_wait_that_was_asked_for_is_kept() -> None:
    assert decide(TryLater("429", after=timedelta(seconds=17)), 9).wait == timedelta(seconds=17)
    assert decide(TryLater("429", after=timedelta(days=2)), 0).wait == LONGEST_WAIT


@pytest.mark.parametrize("tries", [0, 1, 5, 12, 1000])
def test_waits_grow_and_never_pass_the_longest(tries: int) -> None:
    wait = backoff(tries)
    expected = min(timedelta(seconds=5) * 2 ** min(tries, 12), LONGEST_WAIT)
    assert expected / 2 <= wait <= expected


def test_an_error_of_no_kind_is_our_bug() -> None:
    with pytest.raises(TypeError):
        decide(RemoteError("?"), 0)
