"""A silence is judged by what the hours of the week usually bring: cautiously, and with its arithmetic."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.alerts import rhythm
from sync.alerts.silence import (
    ENOUGH,
    HOURS_OF_WEEK,
    LEAST_WEEKS,
    expected_between,
    hour_of_week,
    judge,
    usual,
)
from sync.models import OrderRhythm, Pipeline
from tests.sync.console.making import make_posting

BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")
FRIDAY = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)  # half past ten in Berlin
MOMENTS = st.integers(1_735_689_600, 1_798_761_600).map(lambda at: datetime.fromtimestamp(at, UTC))
ZONES = st.sampled_from([BERLIN, KOLKATA, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")])
LOWS = st.lists(st.integers(0, 50), min_size=HOURS_OF_WEEK, max_size=HOURS_OF_WEEK)


def week_of(counts: list[int]) -> list[list[int]]:
    return [counts] * HOURS_OF_WEEK


def test_the_arithmetic_is_said() -> None:
    counts = [[0] * 8 for _ in range(HOURS_OF_WEEK)]
    counts[4 * 24 + 8] = [20] * 8
    counts[4 * 24 + 9] = [12] * 8
    counts[4 * 24 + 10] = [10, 14, 14, 20, 25, 31, 31, 40]
    verdict = judge(counts, last_order=FRIDAY - timedelta(hours=2, minutes=18), now=FRIDAY, zone=BERLIN)
    assert verdict.is_too_long
    assert verdict.sentence == (
        "On Fridays between 10:00 and 11:00 there are usually 14 to 31 orders; none since 08:12. "
        "By a cautious count 35 should have come."
    )
    assert verdict.expected == 16 + 12 + 7  # 48 of 60 minutes of 20, an hour of 12, half an hour of 14


@pytest.mark.parametrize("weeks", range(LEAST_WEEKS))
def test_with_little_history_it_says_nothing_and_why(weeks: int) -> None:
    verdict = judge(week_of([100] * weeks), last_order=None, now=FRIDAY, zone=BERLIN)
    assert not verdict.is_too_long
    assert verdict.sentence == f"There are {weeks} full weeks of orders to learn from; 4 are needed."


def test_a_store_with_few_orders_is_not_judged() -> None:
    counts = [[0] * 8 for _ in range(HOURS_OF_WEEK)]
    counts[50] = [ENOUGH - 1] * 8
    assert not judge(counts, last_order=None, now=FRIDAY, zone=BERLIN).is_too_long


def test_a_quiet_night_is_no_silence() -> None:
    by_day = [[10 if 8 <= hour % 24 < 20 else 0] * 8 for hour in range(HOURS_OF_WEEK)]
    closing, morning = datetime(2026, 11, 26, 18, 59, tzinfo=UTC), datetime(2026, 11, 27, 6, 59, tzinfo=UTC)
    assert not judge(by_day, last_order=closing, now=morning, zone=BERLIN).is_too_long
    assert judge(by_day, last_order=closing, now=morning + timedelta(minutes=45), zone=BERLIN).is_too_long


@given(counts=st.lists(st.integers(8, 30), min_size=6, max_size=12), odd=st.integers(0, 500), data=st.data())
def test_one_odd_week_moves_nothing_beyond_what_the_others_brought(counts: list[int], odd: int, data) -> None:
    place = data.draw(st.integers(0, len(counts) - 1))
    low, high = usual([*counts[:place], odd, *counts[place + 1 :]])
    assert min(counts) <= low <= high <= max(counts)


@given(counts=st.lists(st.integers(0, 1000), min_size=1, max_size=12))
def test_what_is_usual_are_counts_that_were_seen_in_order(counts: list[int]) -> None:
    low, high = usual(counts)
    assert low <= high
    assert {low, high} <= set(counts)


@given(lows=LOWS, begins=MOMENTS, first=st.integers(0, 200_000), more=st.integers(0, 200_000), zone=ZONES)
def test_a_longer_silence_never_expects_less(lows, begins, first, more, zone) -> None:
    until = begins + timedelta(seconds=first)
    later = until + timedelta(seconds=more)
    assert expected_between(lows, begins, until, zone) <= expected_between(lows, begins, later, zone)


@given(rate=st.integers(0, 50), begins=MOMENTS, seconds=st.integers(0, 600_000), zone=ZONES)
def test_a_steady_store_is_expected_to_bring_its_rate_in_every_zone(rate, begins, seconds, zone) -> None:
    begins = begins.replace(microsecond=0)
    found = expected_between([rate] * HOURS_OF_WEEK, begins, begins + timedelta(seconds=seconds), zone)
    assert found == rate * seconds // 3600


@given(low=st.integers(1, 60), hours=st.integers(0, 300), zone=ZONES, now=MOMENTS)
def test_it_speaks_exactly_when_seven_should_have_come(low, hours, zone, now) -> None:
    now = now.replace(microsecond=0)
    verdict = judge(week_of([low] * 8), last_order=now - timedelta(hours=hours), now=now, zone=zone)
    assert verdict.is_too_long == (low * min(hours, 168) >= ENOUGH)


def test_hours_are_those_of_the_tenants_zone() -> None:
    assert hour_of_week(datetime(2026, 11, 29, 23, 30, tzinfo=UTC), BERLIN) == 0  # Monday there
    assert hour_of_week(datetime(2026, 11, 29, 18, 29, tzinfo=UTC), KOLKATA) == 167


@pytest.mark.django_db
def test_the_weeks_are_learned_from_the_stores_own_orders(pipeline: Pipeline) -> None:
    pipeline.tenant.time_zone = "Europe/Berlin"
    pipeline.tenant.save()
    number = 0
    for week in range(1, 7):  # five full weeks behind the first order, two orders each Tuesday at nine
        for minute in (5, 55):
            number += 1
            placed = datetime(2026, 11, 24, 9, minute, tzinfo=BERLIN) - timedelta(weeks=week)
            make_posting(pipeline, number, placed_at=placed, status="posted")
    make_posting(pipeline, 99, placed_at=FRIDAY, status="posted")  # of this week, which is not over

    row = rhythm.learn(pipeline.store, FRIDAY)

    assert row.counts[24 + 9] == [2] * 5
    assert sum(map(sum, row.counts)) == 10
    assert {len(counts) for counts in row.counts} == {5}


@pytest.mark.django_db
def test_learning_again_the_same_day_reads_nothing(pipeline: Pipeline, django_assert_num_queries) -> None:
    rhythm.learn_all(FRIDAY)
    assert OrderRhythm.objects.get().counts == [[]] * HOURS_OF_WEEK
    with django_assert_num_queries(1):
        rhythm.learn_all(FRIDAY + timedelta(hours=1))
