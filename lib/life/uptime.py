"""How much of the time the fleet ran, from its heartbeats. Pure: what the database knows in, figures out.

Every second of a window is one of four things for a daemon. It is *not expected* before its first heartbeat ever, and
while it was not on the map of the fleet. It is *up* while its process beats, and for one interval after the last beat,
because nobody can know when within it the process died. It is *planned* while it does not run and an operator holds it,
and from a drain in good order to the next heartbeat: for ten minutes, which a rollout or a restart needs, or for as
long as it takes where the control plane had asked for it. All else is *down*: the seconds between a crash and the
successor's first heartbeat, a drain that nobody came back from, and every outage of the database of 90 s or more, in
which no daemon can work.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import itemgetter

from lib.store.spans import Held, Past, Placement, Span

TARGET = 0.999
DAY_S = 86_400.0
INTERVAL_S = 15.0  # between two heartbeats of one process
SILENT_S = 90.0  # from then on a daemon is dead, until then it may be late
PLANNED_S = 600.0  # so long may a drained daemon stay away

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Seconds of one stretch of time."""

    expected_s: float
    up_s: float
    planned_s: float

    @property
    def down_s(self) -> float:
        """Expected, not up, and not planned."""
        return max(0.0, self.expected_s - self.up_s - self.planned_s)

    @property
    def share(self) -> float | None:
        """Up, of the time without what was planned; None where nothing was expected."""
        wanted_s = self.expected_s - self.planned_s
        return min(1.0, self.up_s / wanted_s) if wanted_s > 1e-6 else None


@dataclass(frozen=True, kw_only=True)
class Uptime:
    """One daemon, or the whole, in a window and in each of its days (24 hours each, the last one ends now).

    `restarts` counts processes that followed another one within the window.
    """

    name: str
    host: str
    total: Figures
    days: tuple[Figures, ...]
    restarts: int


@dataclass(frozen=True, kw_only=True)
class FleetUptime:
    """`daemons` by name. `fleet` adds up their seconds. `serving` is up while at least one API beats; nothing about
    it is planned, for callers do not care why nobody answers."""

    daemons: tuple[Uptime, ...]
    fleet: Uptime
    serving: Uptime


@dataclass(frozen=True)
class _Course:
    """What a daemon did, as disjoint intervals in order."""

    expected: Sequence[Interval]
    up: Sequence[Interval]
    planned: Sequence[Interval]

    def figures(self, window: Interval) -> Figures:
        expected = _within(self.expected, window)
        up = _both(expected, _within(self.up, window))
        planned = _without(_both(expected, _within(self.planned, window)), up)
        return Figures(expected_s=_length(expected), up_s=_length(up), planned_s=_length(planned))


def fleet_uptime(past: Past, days: int) -> FleetUptime:
    """The figures of the last `days` days of 24 hours. Raises ValueError for less than one."""
    if days < 1:
        raise ValueError("uptime needs a day at least")
    slices = [(past.now - (days - day) * DAY_S, past.now - (days - day - 1) * DAY_S) for day in range(days)]
    spans = sorted(past.spans, key=lambda span: (span.unit, span.began, span.beat))
    by_unit = {unit: list(group) for unit, group in groupby(spans, key=lambda span: span.unit)}
    placed: dict[str, list[Placement]] = {}
    for placement in past.placements:
        placed.setdefault(placement.unit, []).append(placement)
    daemons = []
    for unit, own in by_unit.items():
        course = _course(own, placed.get(unit, []), past.holds, past.now)
        daemons.append(_uptime(unit, own[-1].host, course, slices, _restarts(own, slices[0][0])))
    seen = tuple(daemon for daemon in daemons if daemon.total.expected_s > 0)
    apis = _course([span for span in spans if span.unit.startswith("api@")], [], [], past.now)
    return FleetUptime(
        daemons=seen,
        fleet=_sum(seen, days),
        serving=_uptime("serving", "", _Course(apis.expected, apis.up, []), slices, 0),
    )


def _course(spans: Sequence[Span], placements: Sequence[Placement], holds: Sequence[Held], now: float) -> _Course:
    """The course of one daemon, wherever it ran; its spans are sorted by their beginning and may overlap."""
    if not spans:
        return _Course([], [], [])
    expected = [(spans[0].began, now)] if spans[0].began < now else []
    present = _union((one.since, now if one.until is None else one.until) for one in placements)
    if present:
        expected = _without(expected, _without([(present[0][0], now)], present))
    up = _union((span.began, min(now, _last_sign(span, now))) for span in spans)
    held = [(hold.since, hold.until) for hold in holds if hold.covers(spans[-1].unit, spans[-1].host)]
    return _Course(expected, up, _union([*held, *_gaps_after(spans, up, now)]))


def _last_sign(span: Span, now: float) -> float:
    if span.ending:
        return span.beat
    return now if now - span.beat < SILENT_S else span.beat + INTERVAL_S


def _gaps_after(spans: Sequence[Span], up: Sequence[Interval], now: float) -> Iterator[Interval]:
    """The silence that follows ends in good order, each until anybody beats again."""
    begins, ends = [start for start, _ in up], {end for _, end in up}
    for span in spans:
        if span.ending and span.beat in ends:
            following = bisect_right(begins, span.beat)
            back = begins[following] if following < len(begins) else now
            yield span.beat, back if span.ending == "asked" else min(back, span.beat + PLANNED_S)


def _restarts(spans: Sequence[Span], since: float) -> int:
    return sum(after.pid != before.pid and after.began >= since for before, after in pairwise(spans))


def _uptime(name: str, host: str, course: _Course, slices: Sequence[Interval], restarts: int) -> Uptime:
    total = course.figures((slices[0][0], slices[-1][1]))
    days = tuple(course.figures(day) for day in slices)
    return Uptime(name=name, host=host, total=total, days=days, restarts=restarts)


def _sum(daemons: Sequence[Uptime], days: int) -> Uptime:
    def add(figures: Sequence[Figures]) -> Figures:
        return Figures(
            expected_s=sum(one.expected_s for one in figures),
            up_s=sum(one.up_s for one in figures),
            planned_s=sum(one.planned_s for one in figures),
        )

    return Uptime(
        name="fleet",
        host="",
        total=add([daemon.total for daemon in daemons]),
        days=tuple(add([daemon.days[day] for daemon in daemons]) for day in range(days)),
        restarts=sum(daemon.restarts for daemon in daemons),
    )


def _union(intervals: Iterable[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for start, end in sorted(interval for interval in intervals if interval[0] < interval[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _within(intervals: Sequence[Interval], window: Interval) -> list[Interval]:
    low, high = window
    first, last = bisect_right(intervals, low, key=itemgetter(1)), bisect_left(intervals, high, key=itemgetter(0))
    return [(max(start, low), min(end, high)) for start, end in intervals[first:last]]


def _both(these: Sequence[Interval], those: Sequence[Interval]) -> list[Interval]:
    """What lies in both; each is disjoint and in order."""
    found, i, j = [], 0, 0
    while i < len(these) and j < len(those):
        start, end = max(these[i][0], those[j][0]), min(these[i][1], those[j][1])
        if start < end:
            found.append((start, end))
        if these[i][1] < those[j][1]:
            i += 1
        else:
            j += 1
    return found


def _without(these: Sequence[Interval], those: Sequence[Interval]) -> list[Interval]:
    """What lies in `these` only; each is disjoint and in order."""
    if not those:
        return list(these)
    gaps = [(before[1], after[0]) for before, after in pairwise(those)]
    return _both(these, [(float("-inf"), those[0][0]), *gaps, (those[-1][1], float("inf"))])


def _length(intervals: Iterable[Interval]) -> float:
    return sum(end - start for start, end in intervals)
