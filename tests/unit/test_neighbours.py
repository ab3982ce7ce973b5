"""Which servers are silent, as another server tells from the heartbeat table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pytest

from keeper.neighbours import Patience, Watch
from keeper.observed import Heartbeat
from lib.life.fleet import Host

PATIENCE = Patience()
HOSTS = {
    name: Host(name=name, memory_bytes=1, cpus=1, services=services, units=units)
    for name, services, units in (
        ("master", ("nginx",), ("api@0",)),
        ("w1", (), ("crawl@0", "careers@0")),
        ("db", ("postgres", "redis"), ()),
    )
}
BEATS = {"keeper@master": "master", "api@0": "master", "keeper@w1": "w1", "crawl@0": "w1", "keeper@db": "db"}


def signs(**ages: float | None) -> list[Heartbeat]:
    """Everybody beat 5 s ago; `ages` says otherwise, `None` that it never did. `_at_` stands for @."""
    otherwise = {name.replace("_at_", "@"): age for name, age in ages.items()}
    found = {unit: otherwise.get(unit, 5.0) for unit in BEATS}
    return [
        Heartbeat(unit, BEATS[unit], 1, "idle", "", 0.0, age, age, 1, stop_requested=False, start_age_s=None)
        for unit, age in found.items()
        if age is not None
    ]


def watched(
    *looks: Sequence[Heartbeat] | None, every_s: float = 1000.0, held: Collection[str] = (), own: str = "master"
) -> list[str]:
    """The keys of what is found at the last of `looks`."""
    watch = Watch()
    for number, look in enumerate(looks):
        watch = watch.seen(look, HOSTS, own, held, number * every_s, PATIENCE)
    return [finding.key for finding in watch.found]


@dataclass(frozen=True)
class Case:
    """One look long after the first, and what is found."""

    name: str
    signs: list[Heartbeat]
    found: tuple[str, ...] = ()


CASES = (
    Case("all beat", signs()),
    Case("a beat is late", signs(keeper_at_w1=89.0, crawl_at_0=89.0)),
    Case("a server is silent", signs(keeper_at_w1=91.0, crawl_at_0=95.0), ("host: w1",)),
    Case("its keeper alone is silent", signs(keeper_at_w1=91.0), ("miss: keeper@w1",)),
    Case("a daemon alone is silent: its own keeper tells that", signs(crawl_at_0=900.0)),
    Case("it never beat", signs(keeper_at_w1=None, crawl_at_0=None), ("host: w1",)),
    Case("its keeper never beat", signs(keeper_at_w1=None), ("miss: keeper@w1",)),
    Case("the database's server cannot be silent, for it answers", signs(keeper_at_db=500.0), ("miss: keeper@db",)),
    Case(
        "two servers",
        signs(keeper_at_w1=500.0, crawl_at_0=500.0, keeper_at_db=500.0),
        ("host: w1", "miss: keeper@db"),
    ),
    Case(
        "nobody's heartbeats are written: that is no server's fault",
        signs(keeper_at_master=100.0, api_at_0=100.0, keeper_at_w1=100.0, crawl_at_0=100.0, keeper_at_db=100.0),
    ),
    Case("the one that looks never beat, and cannot tell", signs(keeper_at_master=None, keeper_at_w1=900.0)),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_look(case: Case) -> None:
    assert watched(signs(), case.signs) == list(case.found)


def test_every_other_server_finds_the_same_and_nobody_finds_itself() -> None:
    silent = signs(keeper_at_w1=500.0, crawl_at_0=500.0)
    by_master, by_db = (watched(signs(), silent, own=own) for own in ("master", "db"))
    assert by_master == by_db == ["host: w1"]
    assert watched(signs(), silent, own="w1") == []


def test_a_silent_server_is_one_finding_with_its_units() -> None:
    watch = Watch().seen(signs(), HOSTS, "master", (), 0.0, PATIENCE)
    watch = watch.seen(signs(keeper_at_w1=120.4, crawl_at_0=99.6), HOSTS, "master", (), 1000.0, PATIENCE)
    (finding,) = watch.found
    assert finding.units == ("keeper@w1", "crawl@0", "careers@0")
    assert finding.why == "no heartbeat for 100 s"
    assert finding.host == "w1"
    assert finding.clear_s > 0


def test_a_held_server_is_left_alone() -> None:
    assert watched(signs(), signs(keeper_at_w1=500.0, crawl_at_0=500.0), held={"w1"}) == []


@pytest.mark.parametrize("target", ["keeper@w1", "keeper@*"])
def test_of_a_held_keeper_only_its_whole_server_is_told(target: str) -> None:
    assert watched(signs(), signs(keeper_at_w1=500.0), held={target}) == []
    assert watched(signs(), signs(keeper_at_w1=500.0, crawl_at_0=500.0), held={target}) == ["host: w1"]


def test_a_server_that_left_the_map_is_forgotten() -> None:
    silent = signs(keeper_at_w1=500.0, crawl_at_0=500.0)
    watch = Watch().seen(silent, HOSTS, "master", (), 0.0, PATIENCE).seen(silent, HOSTS, "master", (), 1e3, PATIENCE)
    assert watch.found
    smaller = {name: host for name, host in HOSTS.items() if name != "w1"}
    assert not watch.seen(silent, smaller, "master", (), 2000.0, PATIENCE).found


def test_a_new_server_has_time_to_be_installed() -> None:
    new = signs(keeper_at_w1=None, crawl_at_0=None)
    assert watched(new, new, every_s=PATIENCE.new_s - 1) == []
    assert watched(new, new, every_s=PATIENCE.new_s + 1) == ["host: w1"]


def test_nobody_is_told_while_the_database_is_away_nor_just_after() -> None:
    silent = signs(keeper_at_w1=500.0, crawl_at_0=500.0)
    assert watched(signs(), None) == []
    assert watched(signs(), None, silent, every_s=50) == []
    assert watched(signs(), None, silent, silent, silent, silent, every_s=19) == []
    assert watched(signs(), None, silent, silent, silent, silent, every_s=21) == ["host: w1"]


def test_what_was_known_stays_known_while_the_database_is_away() -> None:
    silent = signs(keeper_at_w1=500.0, crawl_at_0=500.0)
    assert watched(signs(), silent, None) == ["host: w1"]
    assert watched(signs(), silent, None, silent) == ["host: w1"]
    assert watched(signs(), silent, None, signs()) == []
