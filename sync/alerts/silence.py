"""Whether a silence is longer than the hours of the week explain. Pure arithmetic on whole numbers.

An hour of the week is, say, Friday from ten to eleven in the tenant's zone. What it usually brings is the middle half of
what it brought in past weeks: one holiday, outage or sale among them does not move it. A silence adds up, hour by hour,
the lower end of what it should have brought. It speaks once that is seven orders: if seven are expected and they come
independently, none at all happens once in a thousand times (e^-7).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

HOURS_OF_WEEK = 168
LEAST_WEEKS = 4  # of history, before anything is said
MOST_WEEKS = 12  # older ones are forgotten
ENOUGH = 7  # orders that should have come
LONGEST = timedelta(days=7)  # a silence is not looked at further back
SECONDS_OF_HOUR = 3600

Rhythm = Sequence[Sequence[int]]  # for each hour of the week, Monday 00:00 first: orders in each past week


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is thought of a silence: `is_too_long`, or the reason why nothing is said."""

    is_too_long: bool
    sentence: str
    expected: int = 0  # whole orders that should have come by a cautious count


def usual(counts: Sequence[int]) -> tuple[int, int]:
    """The middle half of what an hour of the week brought: its lower and upper quartile by nearest rank."""
    ordered = sorted(counts)
    size = len(ordered)
    if not size:
        return 0, 0
    return ordered[(size - 1) // 4], ordered[size - 1 - (size - 1) // 4]


def judge(rhythm: Rhythm, *, last_order: datetime | None, now: datetime, zone: ZoneInfo) -> Verdict:
    """Whether no order since `last_order` is more than the hours of the week explain.

    :param rhythm: 168 lists of equal length, one number a week
    :param last_order: None: there never was one
    """
    weeks = len(rhythm[0]) if rhythm else 0
    if weeks < LEAST_WEEKS:
        return _nothing(f"There are {weeks} full weeks of orders to learn from; {LEAST_WEEKS} are needed.")
    lows = [usual(counts)[0] for counts in rhythm]
    if sum(lows) < ENOUGH:
        return _nothing("Too few orders come in a week to tell a silence from an ordinary one.")
    begins = max(last_order or now - LONGEST, now - LONGEST)
    expected = expected_between(lows, begins, now, zone)
    low, high = usual(rhythm[hour_of_week(now, zone)])
    local = now.astimezone(zone)
    hour = f"On {local:%A}s between {local:%H}:00 and {(local.hour + 1) % 24:02}:00"
    since = _since(last_order, now, zone)
    text = f"{hour} there are usually {low} to {high} orders; none since {since}."
    if expected < ENOUGH:
        return Verdict(is_too_long=False, sentence=text, expected=expected)
    more = f" By a cautious count {expected} should have come."
    return Verdict(is_too_long=True, sentence=text + more, expected=expected)


def expected_between(lows: Sequence[int], begins: datetime, ends: datetime, zone: ZoneInfo) -> int:
    """Whole orders that a stretch of time should have brought, each hour in part counting in part."""
    weighed, at = 0, begins
    while at < ends:
        local = at.astimezone(zone)
        left = SECONDS_OF_HOUR - local.minute * 60 - local.second
        until = min(at + timedelta(seconds=left), ends)
        weighed += lows[hour_of_week(at, zone)] * int((until - at).total_seconds())
        at = until if until > at else at + timedelta(seconds=1)
    return weighed // SECONDS_OF_HOUR


def hour_of_week(at: datetime, zone: ZoneInfo) -> int:
    """0 is Monday from midnight to one in that zone, 167 Sunday before midnight."""
    local = at.astimezone(zone)
    return local.weekday() * 24 + local.hour


def _since(last_order: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    if last_order is None:
        return "ever"
    local = last_order.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == now.astimezone(zone).date() else f"{local:%a %-d %b, %H:%M}"


def _nothing(why: str) -> Verdict:
    return Verdict(is_too_long=False, sentence=why)
