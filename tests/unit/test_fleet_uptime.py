"""How uptime is shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keeper.fleet.uptime import COLUMNS, bars, duration, rows
from lib.life.uptime import DAY_S, Figures, fleet_uptime
from lib.store.spans import Past, Span

NOW = 1_800_000_000.0


def day(share: float | None) -> Figures:
    if share is None:
        return Figures(expected_s=0, up_s=0, planned_s=0)
    return Figures(expected_s=DAY_S, up_s=share * DAY_S, planned_s=0)


def test_a_bar_says_what_a_day_was_like() -> None:
    assert bars(map(day, (None, 1.0, 0.9991, 0.9989, 0.99, 0.9, 0.5, 0.4, 0.0))) == "·██▆▆▄▂▁▁"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, ""), (0.4, ""), (0.6, "1 s"), (59.6, "1 min"), (90, "1 min 30 s"), (3_600, "1 h"), (3_605, "1 h"),
        (90_061, "1 d 1 h"), (400 * DAY_S, "400 d"),
    ],
)  # fmt: skip
def test_a_duration_has_two_units_at_most(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_daemons_and_the_whole_are_rows() -> None:
    found = fleet_uptime(
        Past(
            NOW,
            [
                Span("api@0", "master", 1, NOW - DAY_S, NOW),
                Span("crawl@0", "w1", 1, NOW - DAY_S, NOW - 3600),
                Span("crawl@0", "w1", 2, NOW - 1800, NOW),
            ],
        ),
        2,
    )
    shown = [dict(zip(COLUMNS, row, strict=True)) for row in rows(found)]
    assert [row["unit"] for row in shown] == ["api@0", "crawl@0", "fleet", "serving"]
    crawl = shown[1]
    assert (crawl["uptime"], crawl["target"], crawl["down"]) == ("97.934 %", "missed", "29 min 45 s")
    assert (crawl["restarts"], crawl["days"]) == (1, "·▄")
    assert (shown[3]["uptime"], shown[3]["target"], shown[3]["days"]) == ("100.000 %", "met", "·█")


def test_nearly_all_is_not_all() -> None:
    found = fleet_uptime(Past(NOW, [Span("api@0", "w1", 1, NOW - DAY_S, NOW)]), 1)
    total = Figures(expected_s=1e7, up_s=1e7 - 10, planned_s=0)
    *_, serving = rows(replace(found, serving=replace(found.serving, total=total)))
    assert dict(zip(COLUMNS, serving, strict=True))["uptime"] == "99.999 %"
