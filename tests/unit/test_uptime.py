"""Uptime from heartbeats: every second is up, planned, down or not expected, and nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.life.uptime import DAY_S, INTERVAL_S, SILENT_S, FleetUptime, Uptime, fleet_uptime
from lib.store.spans import Held, Past, Placement, Span

NOW = 1_800_000_000.0
START = NOW - DAY_S
FAR = START - 10 * DAY_S


def span(began: float, beat: float, *, pid: int = 1, ending: str = "", unit: str = "crawl@0", host: str = "w1") -> Span:
    """A span whose times are seconds from the beginning of the one day."""
    return Span(unit, host, pid, START + began, START + beat, ending)


def uptime(*spans: Span, days: int = 1) -> FleetUptime:
    return fleet_uptime(Past(NOW, spans), days)


@dataclass(frozen=True)
class Case:
    """What is expected of one daemon in one day, in seconds."""

    name: str
    spans: tuple[Span, ...]
    expected_s: float = DAY_S
    down_s: float = 0.0
    planned_s: float = 0.0
    restarts: int = 0
    placements: tuple[Placement, ...] = ()
    holds: tuple[Held, ...] = ()


CASES = (
    Case("ran all the time", (span(-5000, DAY_S - 4),)),
    Case("its last beat is late, which happens", (span(-5000, DAY_S - 80),)),
    Case("silent for 90 s: its last interval counts, no more", (span(-5000, DAY_S - 90),), down_s=90 - INTERVAL_S),
    Case("dead since before the day", (span(-5000, -1000),), down_s=DAY_S),
    Case("new today", (span(1000, DAY_S),), expected_s=DAY_S - 1000),
    Case(
        "killed and back within the interval", (span(-10, 500), span(510, DAY_S, pid=2)),
        restarts=1,
    ),
    Case(
        "killed and back after a minute", (span(-10, 500), span(560, DAY_S, pid=2)),
        down_s=60 - INTERVAL_S, restarts=1,
    ),
    Case(
        "the database was away for ten minutes: nobody restarted", (span(-10, 500), span(1100, DAY_S)),
        down_s=600 - INTERVAL_S,
    ),
    Case(
        "rolled out", (span(-10, 500, ending="drained"), span(540, DAY_S, pid=2)),
        planned_s=40, restarts=1,
    ),
    Case(
        "rolled out, and the new version does not start for an hour",
        (span(-10, 500, ending="drained"), span(4100, DAY_S, pid=2)),
        planned_s=600, down_s=3000, restarts=1,
    ),
    Case(
        "stopped by the control plane for an hour", (span(-10, 500, ending="asked"), span(4100, DAY_S, pid=2)),
        planned_s=3600, restarts=1,
    ),
    Case("stopped by the control plane until now", (span(-10, 500, ending="asked"),), planned_s=DAY_S - 500),
    Case("stopped by the control plane long ago", (span(-9000, -5000, ending="asked"),), planned_s=DAY_S),
    Case(
        "back after the stop, then killed: that was not planned",
        (span(-10, 500, ending="asked"), span(600, 700, pid=2)),
        planned_s=100, down_s=DAY_S - 700 - INTERVAL_S, restarts=1,
    ),
    Case(
        "its successor beat before it had drained, and was killed soon after",
        (span(-10, 500, ending="drained"), span(450, 600, pid=2), span(700, DAY_S, pid=3)),
        down_s=100 - INTERVAL_S, restarts=2,
    ),
    Case(
        "moved to another host, both ran for a while",
        (span(-10, 500, ending="drained"), span(400, DAY_S, pid=9, host="w2")),
        restarts=1,
    ),
    Case(
        "moved to another host after its own died",
        (span(-10, 500), span(1500, DAY_S, pid=9, host="w2")),
        down_s=1000 - INTERVAL_S, restarts=1,
    ),
    Case(
        "left the map at noon", (span(-10, 43_200, ending="drained"),), expected_s=43_200,
        placements=(Placement("crawl@0", FAR, START + 43_200),),
    ),
    Case(
        "off the map for an hour, and on it again", (span(-10, 3600), span(7200, DAY_S, pid=2)),
        expected_s=DAY_S - 3600, restarts=1,
        placements=(Placement("crawl@0", FAR, START + 3600), Placement("crawl@0", START + 7200, None)),
    ),
    Case(
        "beat before keepers read a map", (span(0, DAY_S),),
        placements=(Placement("crawl@0", START + 3600, None),),
    ),
    Case(
        "its host was held for an hour after it died", (span(-10, 600),),
        planned_s=3600, down_s=DAY_S - 4200 - INTERVAL_S, holds=(Held("w1", START + 600 + INTERVAL_S, START + 4215),),
    ),
    Case(
        "held while it ran", (span(-10, DAY_S),), holds=(Held("crawl@*", START, START + 3600),),
    ),
    Case("another one was held", (span(-50, -20),), down_s=DAY_S, holds=(Held("careers@*", START, NOW),)),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_day_of_one_daemon(case: Case) -> None:
    (daemon,) = fleet_uptime(Past(NOW, case.spans, case.placements, case.holds), 1).daemons
    total = daemon.total
    assert (total.expected_s, total.down_s, total.planned_s, daemon.restarts) == pytest.approx(
        (case.expected_s, case.down_s, case.planned_s, case.restarts)
    )


def test_what_left_the_map_before_the_window_is_not_shown() -> None:
    gone = Placement("crawl@0", FAR, START - 100)
    past = Past(NOW, [span(-500, -100, ending="drained")], [gone])
    assert fleet_uptime(past, 1).daemons == ()


def test_nothing_is_known_of_an_empty_fleet() -> None:
    empty = uptime()
    assert empty.fleet.total.share is None
    assert empty.serving.total.share is None


def test_the_fleet_adds_up_its_daemons_and_serves_while_one_api_beats() -> None:
    found = uptime(
        span(0, 43_200 - INTERVAL_S, unit="api@0"),
        span(0, 20_000 - INTERVAL_S, unit="api@1"),
        span(40_000, DAY_S, unit="api@1", pid=2),
        span(0, DAY_S, unit="crawl@0"),
    )
    assert found.fleet.total.share == pytest.approx((43_200 + 20_000 + 46_400 + DAY_S) / (3 * DAY_S))
    assert found.serving.total.share == 1.0
    assert uptime(span(0, 3600, unit="api@0", ending="asked")).serving.total.down_s == pytest.approx(DAY_S - 3600)


def test_each_day_stands_for_itself() -> None:
    found = uptime(span(-2 * DAY_S, -DAY_S - INTERVAL_S), span(0, DAY_S, pid=2), days=3)
    assert [day.share for day in found.daemons[0].days] == [1.0, 0.0, 1.0]
    assert [day.share for day in uptime(span(0, DAY_S), days=2).daemons[0].days] == [None, 1.0]


def test_less_than_a_day_is_refused() -> None:
    with pytest.raises(ValueError, match="a day at least"):
        uptime(days=0)


_moments = st.integers(-2 * int(DAY_S), int(DAY_S)).map(float)


@st.composite
def _spans(draw: st.DrawFn) -> Span:
    began, beat = sorted((draw(_moments), draw(_moments)))
    return span(
        began, beat, pid=draw(st.integers(1, 3)), ending=draw(st.sampled_from(("", "", "drained", "asked"))),
        unit=draw(st.sampled_from(("api@0", "crawl@0"))), host=draw(st.sampled_from(("w1", "w2"))),
    )  # fmt: skip


@st.composite
def _placements(draw: st.DrawFn) -> Placement:
    since, until = sorted((draw(_moments), draw(_moments)))
    return Placement("crawl@0", START + since, draw(st.sampled_from((START + until, None))))


def _seconds(one: Uptime) -> list[float]:
    return [value for part in (one.total, *one.days) for value in (part.expected_s, part.up_s, part.planned_s)]


@given(st.lists(_spans(), max_size=12), st.lists(_placements(), max_size=3))
def test_every_second_is_counted_once(spans: list[Span], placements: list[Placement]) -> None:
    found = fleet_uptime(Past(NOW, spans, placements), 2)
    for one in (*found.daemons, found.serving):
        for part in (one.total, *one.days):
            assert 0 <= part.up_s <= part.expected_s + 1e-3
            assert part.up_s + part.planned_s + part.down_s == pytest.approx(part.expected_s, abs=1e-3)
            assert part.share is None or 0.0 <= part.share <= 1.0
        assert one.total.expected_s <= 2 * DAY_S + 1e-3
        assert sum(day.expected_s for day in one.days) == pytest.approx(one.total.expected_s, abs=1e-3)
        assert sum(day.up_s for day in one.days) == pytest.approx(one.total.up_s, abs=1e-3)
        assert sum(day.planned_s for day in one.days) == pytest.approx(one.total.planned_s, abs=1e-3)


@given(st.lists(_spans(), max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(spans: list[Span], chance: Random) -> None:
    shuffled = chance.sample(spans, len(spans))
    one, other = (fleet_uptime(Past(NOW, rows), 2) for rows in (spans, shuffled))
    assert [_seconds(daemon) for daemon in one.daemons] == [_seconds(daemon) for daemon in other.daemons]


@given(st.lists(_spans(), min_size=1, max_size=8), st.integers(-(10**6), 10**6))
def test_only_differences_of_times_matter(spans: list[Span], by: int) -> None:
    moved = [replace(one, began=one.began + by, beat=one.beat + by) for one in spans]
    one, other = fleet_uptime(Past(NOW, spans), 2), fleet_uptime(Past(NOW + by, moved), 2)
    assert _seconds(one.fleet) == pytest.approx(_seconds(other.fleet), abs=1e-3)


@given(_spans(), st.floats(0, 1))
def test_a_span_in_two_parts_is_the_same_time(whole: Span, share: float) -> None:
    whole = replace(whole, ending="")
    middle = whole.began + share * (whole.beat - whole.began)
    parts = [replace(whole, beat=middle), replace(whole, began=middle)]
    one, other = fleet_uptime(Past(NOW, [whole]), 2), fleet_uptime(Past(NOW, parts), 2)
    assert _seconds(one.fleet) == pytest.approx(_seconds(other.fleet), abs=1e-3)


@given(st.floats(0, SILENT_S - 1))
def test_who_may_only_be_late_is_up(late_s: float) -> None:
    assert math.isclose(uptime(span(0, DAY_S - late_s)).daemons[0].total.share or 0.0, 1.0)
