"""When a condition becomes an alert, and when the alert is over. Pure: rows and clocks stay outside."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Turn(StrEnum):
    """What happens to an alert in one round."""

    NOTICE = "notice"  # new: remembered, not told
    RAISE = "raise"
    STAY = "stay"
    REST = "rest"  # the condition is gone: wait whether it stays away
    RETURN = "return"  # it came back before the alert was over
    CLEAR = "clear"
    FORGET = "forget"  # it went away before it was told


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where an alert stands: noticed when, told or not, and since when its condition is gone."""

    noticed_at: datetime
    is_raised: bool
    gone_at: datetime | None


def turn(
    standing: Standing | None, is_met: bool, *, now: datetime, holds: timedelta, rests: timedelta
) -> Turn:
    """The next turn of one alert.

    :param standing: None if nothing is known of it yet; then the condition is met
    """
    if standing is None:
        return Turn.RAISE if not holds else Turn.NOTICE
    if not standing.is_raised:
        return _before_it_is_told(standing, is_met, now, holds)
    if is_met:
        return Turn.STAY if standing.gone_at is None else Turn.RETURN
    gone_at = standing.gone_at or now
    if now - gone_at >= rests:
        return Turn.CLEAR
    return Turn.REST if standing.gone_at is None else Turn.STAY


def _before_it_is_told(standing: Standing, is_met: bool, now: datetime, holds: timedelta) -> Turn:
    if not is_met:
        return Turn.FORGET
    return Turn.RAISE if now - standing.noticed_at >= holds else Turn.STAY
