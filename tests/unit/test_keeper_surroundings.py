"""What a keeper looks at besides its units: names, disk, clock, followers, the map, holds, cgroups, the journal."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from keeper import probes
from keeper.health import LAG_ROWS, Behind, HostClock, lagging
from keeper.holds import BadHold, Hold, check_target, covers, duration_s, held
from keeper.placement import Placement
from keeper.systemd.bus import Listed
from keeper.systemd.cgroups import oom_kills, slice_of
from keeper.systemd.jobs import failed_jobs
from keeper.systemd.journal import Journal, last_end, line_of
from keeper.systemd.states import service_of, unit_of


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("postgresql://vakanz:secret@db.example:6432/vakanz", ["db.example"]),
        ("postgresql://vakanz@/vakanz?host=/tmp/x&port=5432", []),
        ("postgresql://u:p%40ss@10.0.0.5:6432/vakanz", []),
        ("postgresql://a.example:1,b.example:2/vakanz", ["a.example", "b.example"]),
        ("redis://:secret@[2001:db8::1]:6379", []),
        ("unix:///run/redis.sock?db=1", []),
        ("", []),
    ],
)
def test_only_names_need_a_resolver(address: str, names: list[str]) -> None:
    assert probes.names_of([address]) == names


async def test_a_name_that_nobody_knows_is_said() -> None:
    assert await probes.of_names([])() is None
    assert await probes.of_names(["localhost"])() is None
    assert "nowhere.invalid" in str(await probes.of_names(["nowhere.invalid"])())
    assert await probes.of_names(["a" * 300])() is not None


async def test_a_disk_without_room_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await probes.of_disk([tmp_path, tmp_path / "later"], tmp_path)() is None
    assert await probes.of_disk([tmp_path], tmp_path / "not ours")() is None
    full = {"f_bavail": 10, "f_frsize": 4096, "f_blocks": 10_000_000, "f_files": 0, "f_favail": 0}
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(**full))
    assert "0 MiB are free" in str(await probes.of_disk([tmp_path], tmp_path)())
    inodes = full | {"f_bavail": 9_000_000, "f_files": 1_000_000, "f_favail": 5}
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(**inodes))
    assert "5 inodes are free" in str(await probes.of_disk([tmp_path], tmp_path)())


async def test_a_disk_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(_: Path, __: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", no_room)
    assert "No space left" in str(await probes.of_disk([], tmp_path)())


async def test_all_are_asked_at_once_and_none_is_waited_for_long() -> None:
    async def never() -> str | None:
        await anyio.sleep_forever()
        return None

    async def well() -> str | None:
        return None

    async def broken() -> str | None:
        return "no room"

    with anyio.fail_after(5):
        found = await probes.all_of({"a": never, "b": never, "c": well, "d": broken}, 0.1)
    assert found == {"a": "no answer", "b": "no answer", "d": "no room"}


async def test_what_is_well_is_asked_seldom_and_what_is_not_at_every_look() -> None:
    now, asked, answer = [0.0], [0], [""]

    async def probe() -> str | None:
        asked[0] += 1
        return answer[0] or None

    seldom = probes.Seldom(probe, 15.0, lambda: now[0])
    for _ in range(10):
        assert await seldom() is None
        now[0] += 3
    assert asked == [2]
    answer[0] = "full"
    now[0] += 15
    assert [await seldom() for _ in range(3)] == ["full"] * 3
    assert asked == [5]


class FixedClock:
    """A database of which only the clock is asked."""

    def __init__(self) -> None:
        self.now = 1_000.0

    async def fetchval(self, *_: Any) -> float:
        return self.now


async def test_a_clock_is_wrong_from_half_a_minute_on_until_it_is_right_again() -> None:
    database = FixedClock()
    clock = HostClock(database, "w3", lambda: 1_000.0)  # type: ignore[arg-type]
    told = []
    for offset_s in (0, 29, 31, 20, 16, 14, 29, -31, 3_600):
        database.now = 1_000.0 + offset_s
        told.append([one.why for one in await clock.ask()])
    assert told == [
        [], [], ["31 s behind the database's"], ["20 s behind the database's"], ["16 s behind the database's"], [], [],
        ["31 s ahead of the database's"], ["3600 s behind the database's"],
    ]  # fmt: skip
    assert clock.now() == 4_600


def test_a_follower_lags_when_it_is_far_behind_and_comes_no_nearer() -> None:
    def reading(rows: int, *, more: bool = False, still_s: float = 1.0) -> list[Behind]:
        return [Behind("text", rows, more, still_s)]

    far = LAG_ROWS * 2
    assert lagging([], 0.0) == []
    assert lagging([(0.0, reading(far)), (300.0, reading(far))], 300.0) == []  # too early to tell
    assert lagging([(0.0, reading(far)), (600.0, reading(far - 1))], 600.0) == []
    assert lagging([(0.0, reading(10)), (600.0, reading(LAG_ROWS - 1))], 600.0) == []
    assert lagging([(0.0, reading(far)), (600.0, reading(far))], 600.0) == reading(far)
    assert lagging([(0.0, []), (600.0, reading(far))], 600.0) == []
    assert lagging([(0.0, reading(far, more=True)), (600.0, reading(far, more=True))], 600.0) == []
    stands = reading(far, more=True, still_s=700.0)
    assert lagging([(0.0, stands), (600.0, stands)], 600.0) == stands


@pytest.mark.parametrize(
    ("text", "seconds"), [("2h", 7_200), ("90m", 5_400), ("45s", 45), ("1d12h", 129_600), (" 30D ", 2_592_000)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "2", "h", "-2h", "2h30", "1m1h", "31d", "0s", "²h", "9" * 99 + "h", "2h\n3m", "1e3s"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(BadHold, match="a time such as"):
        duration_s(text)


@pytest.mark.parametrize(
    ("target", "unit", "host", "is_held"),
    [
        ("crawl@0", "crawl@0", "w1", True),
        ("crawl@*", "crawl@0", "w1", True),
        ("crawl@[01]", "crawl@1", "w1", True),
        ("w1", "crawl@0", "w1", True),
        ("w1", "crawl@0", "w2", False),
        ("crawl@1", "crawl@0", "w1", False),
        ("w*", "crawl@0", "w1", False),
        ("*@0", "crawl@0", "w1", True),
    ],
)
def test_what_a_hold_covers(target: str, unit: str, host: str, is_held: bool) -> None:
    assert covers(target, unit, host) is is_held
    hold = Hold(target, "ada", "why", None, None)  # type: ignore[arg-type]
    assert (held([hold], [unit], host) == {unit}) is is_held


def test_a_target_must_mean_something() -> None:
    check_target("crawl@*", ["crawl@0"], ["w1"])
    check_target("w1", ["crawl@0"], ["w1"])
    for target in ("crawl@1", "w*", "", "\0", "é@0", "x" * 101):
        with pytest.raises(BadHold):
            check_target(target, ["crawl@0"], ["w1"])


GOOD = """hosts:
  w1: {memory: 16G, cpus: 8, units: [crawl@0, careers@0]}
  w2: {memory: 16G, cpus: 8, units: [upkeep@0]}
"""


async def test_the_map_says_what_runs_here_and_is_read_again_when_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yml"
    path.write_text(GOOD)
    placement = Placement(path, "w1", tmp_path / "kept.yml")
    assert [unit.name for unit in placement.units] == ["crawl@0", "careers@0"]
    assert placement.places == {"crawl@0": "w1", "careers@0": "w1", "upkeep@0": "w2"}
    places = placement.places
    path.write_text(GOOD.replace(", careers@0", ""))
    assert await placement.look() == []
    assert [unit.name for unit in placement.units] == ["crawl@0"]
    assert "careers@0" not in places


@pytest.mark.parametrize("text", ["hosts: [", "", "hosts:\n  w1: {memory: 16G, cpus: 8, units: [nothing@0]}\n", "\0"])
async def test_a_broken_map_changes_nothing_and_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fleet.yml"
    path.write_text(GOOD)
    placement = Placement(path, "w1", tmp_path / "kept.yml")
    path.write_text(text)
    (found,) = await placement.look()
    assert found.key == "map: w1"
    assert str(path) in found.why
    assert [unit.name for unit in placement.units] == ["crawl@0", "careers@0"]
    assert [one.key for one in await placement.look()] == ["map: w1"]
    again = Placement(path, "w1", tmp_path / "kept.yml")  # also over a restart
    assert [unit.name for unit in again.units] == ["crawl@0", "careers@0"]
    path.write_text(GOOD + "\n")
    assert await again.look() == []


async def test_a_host_that_is_not_on_the_map_is_told(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yml"
    path.write_text(GOOD)
    (found,) = await Placement(path, "w9", tmp_path / "kept.yml").look()
    assert "w9 is not on it" in found.why


@pytest.mark.parametrize("file", ["memory.events", "memory/{}/memory.oom_control"])
def test_killings_for_memory_are_counted_by_either_version(tmp_path: Path, file: str) -> None:
    group = "/vakanz.slice/vakanz-follow.slice"
    path = tmp_path / (file.format(group[1:]) if "{}" in file else f"{group[1:]}/{file}")
    path.parent.mkdir(parents=True)
    path.write_text("oom_kill_disable 0\nunder_oom 0\noom 3\noom_kill 2\n")
    assert oom_kills(group, tmp_path) == 2
    assert oom_kills("/other.slice", tmp_path) is None
    assert oom_kills("/vakanz.slice/../vakanz.slice", tmp_path) is None
    path.write_bytes(b"oom_kill \xff\n")
    assert oom_kills(group, tmp_path) is None


def test_a_group_lies_in_a_slice() -> None:
    assert slice_of("/vakanz.slice/vakanz-follow.slice/a.service") == "/vakanz.slice/vakanz-follow.slice"
    assert slice_of("/a.service") == "/"
    assert slice_of("") == "/"


def test_names_of_units() -> None:
    for unit in ("descriptions@3", "enrich@place.salary.employment", "enrich@text:3", "embed@0-7"):
        assert unit_of(service_of(unit)) == unit
    assert service_of("keeper@w1") == "vakanz-keeper.service"


def test_journal_entries_of_any_kind_are_lines() -> None:
    assert line_of({"__REALTIME_TIMESTAMP": "1700000000000000", "MESSAGE": "a\nb"}) == "22:13:20 a b"
    assert line_of({"MESSAGE": None}) == ""
    assert line_of({"MESSAGE": [300, -1, "x", 97], "__REALTIME_TIMESTAMP": "9" * 30}) == "a"
    assert len(line_of({"MESSAGE": "x" * 9_999})) < 600
    assert last_end([]) is None
    assert last_end([{"MESSAGE_ID": "d9b373ed55a64feb8242e02dbe79a49c"}]) is None


async def test_a_journal_that_cannot_be_read_is_an_empty_one() -> None:
    assert await Journal(["/nowhere/journalctl"]).entries("a.service", 5) == []


async def test_of_an_endless_journal_little_is_read(tmp_path: Path) -> None:
    command = tmp_path / "journalctl"
    command.write_text('#!/bin/sh\nwhile :; do echo \'{"MESSAGE": "again"}\'; done\n')
    command.chmod(0o755)
    with anyio.fail_after(20):
        entries = await Journal([str(command)]).entries("a.service", 5)
    assert 1_000 < len(entries) < 50_000


def test_a_job_that_failed_is_told_and_a_daemon_that_failed_is_not_told_twice() -> None:
    listed = [
        Listed(name, "loaded", active, "dead", "/x", False)
        for name, active in [
            ("vakanz-backup.service", "failed"),
            ("vakanz-restore-test.service", "inactive"),
            ("vakanz-keeper.service", "failed"),
            ("vakanz-descriptions@3.service", "failed"),
        ]
    ]
    (found,) = failed_jobs(listed, "db")
    assert (found.key, found.kind, found.host) == ("job: backup on db", "job", "db")


async def test_a_neighbour_that_refuses_is_there_and_one_of_whom_nothing_comes_is_not() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        refusing = closed.getsockname()[1]
    assert await probes.of_network(lambda: ["127.0.0.1"], refusing)() is None
    with socket.socket() as full:  # nobody takes calls, so further ones get no answer
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.create_connection(full.getsockname())]
        port = full.getsockname()[1]
        assert await probes.of_network(lambda: ["127.0.0.1"] * 2, port)() == "none of 127.0.0.1, 127.0.0.1 answers"
        assert await probes.of_network(lambda: ["127.0.0.1"], port)() is None, "the only neighbour may be away itself"
        for one in waiting:
            one.close()
    assert await probes.of_network(list, 1)() is None
    assert await probes.of_network(lambda: ["no-such-host.invalid"], 1)() is None
