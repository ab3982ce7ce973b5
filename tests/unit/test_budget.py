"""What one account may use, and where a month is heading."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.spend.budget import Facts, Rules, Share, fair_share, forecast, next_period, period_of, start_of

_RULES = Rules(monthly=200_000, floor=100, burst=4.0)
_FIRST, _LAST = date(2026, 11, 1), date(2026, 11, 30)

DAYS = st.dates(date(2000, 1, 1), date(2199, 12, 31))


def _facts(spoken_for: int = 0, today: int = 0, active: int = 0, granted: int = 200_000) -> Facts:
    return Facts(granted=granted, spoken_for=spoken_for, today=today, active=active)


@pytest.mark.parametrize(
    ("day", "facts", "share"),
    [
        (_FIRST, _facts(), Share(26_666, 200_000)),
        (_FIRST, _facts(active=1), Share(26_666, 200_000)),
        (_FIRST, _facts(active=40), Share(666, 20_000)),
        (_FIRST, _facts(active=5_000), Share(100, 160)),
        (_FIRST, _facts(active=50_000), Share(100, 100)),
        (_LAST, _facts(spoken_for=180_000, active=40), Share(2_000, 20_000)),
        (_LAST, _facts(spoken_for=200_000, active=40), Share(100, 20_000)),
        (_LAST, _facts(spoken_for=200_300, active=40), Share(100, 20_000)),
        (_FIRST, _facts(granted=60), Share(60, 60)),
        (_FIRST, _facts(granted=0), Share(0, 0)),
    ],
    ids=str,
)
def test_a_share_is_a_part_of_what_is_left(day: date, facts: Facts, share: Share) -> None:
    assert fair_share(facts, _RULES, day) == share


def test_what_was_used_today_does_not_make_todays_share_smaller() -> None:
    morning = fair_share(_facts(spoken_for=50_000, active=40), _RULES, date(2026, 11, 12))
    evening = fair_share(_facts(spoken_for=56_000, today=6_000, active=40), _RULES, date(2026, 11, 12))
    assert evening == morning


@given(
    day=DAYS,
    granted=st.integers(0, 10**9),
    spoken_for=st.integers(0, 2 * 10**9),
    active=st.integers(0, 10**6),
    floor=st.integers(0, 10**6),
    burst=st.floats(1, 100),
)
def test_a_share_is_never_more_than_all_nor_less_than_the_floor(
    day: date, granted: int, spoken_for: int, active: int, floor: int, burst: float
) -> None:
    rules = Rules(floor=floor, burst=burst)
    facts = _facts(spoken_for=spoken_for, active=active, granted=granted)
    share = fair_share(facts, rules, day)
    assert min(floor, granted) <= share.today <= granted
    assert min(floor, granted) <= share.month <= granted
    more = fair_share(_facts(spoken_for=spoken_for, active=active + 1, granted=granted), rules, day)
    assert more.today <= share.today
    assert more.month <= share.month


@given(DAYS)
def test_periods_are_months(day: date) -> None:
    period = period_of(day)
    assert period.day == 1
    assert period <= day < next_period(day)
    assert next_period(day) == period_of(period + timedelta(days=32))


@pytest.mark.parametrize(
    ("now", "by_day", "expected"),
    [
        (datetime(2026, 11, 1, 6, tzinfo=UTC), {}, 0),
        (datetime(2026, 11, 1, 6, tzinfo=UTC), {1: 100}, 100 + round(100 * 29.75)),
        (datetime(2026, 11, 16, tzinfo=UTC), dict.fromkeys(range(1, 16), 1_000), 30_000),
        (datetime(2026, 11, 16, tzinfo=UTC), dict.fromkeys(range(9, 16), 1_000), 22_000),
        (datetime(2026, 11, 16, tzinfo=UTC), dict.fromkeys(range(1, 9), 1_000), 8_000),
        (datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC), dict.fromkeys(range(24, 31), 1_000), 7_000),
    ],
)
def test_a_month_goes_on_like_its_last_week(now: datetime, by_day: dict[int, int], expected: int) -> None:
    days = {date(2026, 11, day): used for day, used in by_day.items()}
    assert forecast(sum(days.values()), days, now) == expected


@given(day=DAYS, seconds=st.integers(0, 86_399), used=st.integers(0, 10**9))
def test_a_forecast_is_never_below_what_is_used(day: date, seconds: int, used: int) -> None:
    now = start_of(day) + timedelta(seconds=seconds)
    assert forecast(used, {day: used}, now) >= used
    assert forecast(used, {}, start_of(period_of(day))) == used
