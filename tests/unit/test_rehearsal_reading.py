"""What the rehearsal reads out of the programs that it runs."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from lib.life.fleet import load_fleet
from tests.fleet.command import CommandFailed, run
from tests.fleet.control import read_recap
from tests.fleet.groups import hierarchies
from tests.fleet.image import image_name, mirror, packages, proxy
from tests.fleet.network import bridge_name, free_network
from tests.fleet.rehearse import MAPS
from tests.fleet.scenes.all import SCENES, chosen
from tests.fleet.scenes.mornings import morning_before
from tests.fleet.scenes.releases import next_version
from tests.fleet.units import read_states, service

POOL = IPv4Network("10.77.0.0/23")
SHOWN = """Id=vakanz-descriptions@3.service
MainPID=71
ActiveState=active
SubState=running
NRestarts=2
Result=success
ActiveEnterTimestampMonotonic=123456

Id=vakanz-window.service
MainPID=0
ActiveState=inactive
SubState=dead
NRestarts=0
Result=success
ActiveEnterTimestampMonotonic=0

Id=vakanz-keeper.service
MainPID=0
ActiveState=activating
SubState=auto-restart
NRestarts=9
Result=exit-code
ActiveEnterTimestampMonotonic=5
"""
STANZAS = """Types: deb
URIs: http://sec.example/
Suites: bookworm-security

Types: deb
# why
URIs: http://two.example/debian
Suites: bookworm bookworm-updates
"""
RECAP = """
PLAY RECAP *********************************************************************
db                         : ok=102  changed=63   unreachable=0    failed=0    skipped=14   rescued=0    ignored=0
w1                         : ok=50   changed=0    unreachable=1    failed=2    skipped=10   rescued=0    ignored=0
"""


def test_a_network_is_free_that_overlaps_nothing() -> None:
    assert free_network([], POOL) == IPv4Network("10.77.0.0/24")
    assert free_network([IPv4Network("10.77.0.8/30")], POOL) == IPv4Network("10.77.1.0/24")
    with pytest.raises(CommandFailed, match="is free"):
        free_network([IPv4Network("10.0.0.0/8")], POOL)


def test_a_bridge_has_a_name_that_the_kernel_takes() -> None:
    assert len(bridge_name("a-label-of-20-letters")) <= 15
    assert bridge_name("a") != bridge_name("b")


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ("", "http://deb.debian.org/debian"),
        ("deb http://one.example/debian bookworm main\n", "http://one.example/debian"),
        ("# deb http://no.example/debian bookworm main\n", "http://deb.debian.org/debian"),
        ("deb [signed-by=/k.gpg] http://one.example/d bookworm main contrib\n", "http://one.example/d"),
        ("deb http://one.example/security bookworm-security main\n", "http://deb.debian.org/debian"),
        (STANZAS, "http://two.example/debian"),
    ],
)
def test_packages_come_from_where_this_machine_gets_its_own(sources: str, expected: str) -> None:
    assert mirror(sources) == expected


def test_a_proxy_is_taken_from_apt() -> None:
    assert proxy('Acquire::http "";\nAcquire::http::Proxy "http://p.example:3128";\n') == {
        "http_proxy": "http://p.example:3128"
    }
    assert proxy('Acquire::http::Proxy "DIRECT";\n') == {}
    assert proxy("") == {}


def test_an_image_is_known_by_what_goes_into_it() -> None:
    assert image_name(["acl"]) == image_name(["acl"])
    assert image_name(["acl"]) != image_name(["acl", "nginx"])


def test_the_list_of_packages_is_in_order() -> None:
    lines = (Path(__file__).parents[1] / "fleet/packages.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == list(packages())


def test_groups_are_in_version_2_and_in_systemds_own_hierarchy() -> None:
    mounts = (
        "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n"
        "cgroup /sys/fs/cgroup/systemd cgroup rw,relatime,name=systemd 0 0\n"
        "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0\n"
    )
    assert hierarchies(mounts) == [Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup/systemd")]
    assert hierarchies("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n") == [Path("/sys/fs/cgroup")]
    with pytest.raises(CommandFailed, match="cgroup2"):
        hierarchies("proc /proc proc rw 0 0\n")


def test_daemons_and_the_keeper_are_read_and_nothing_else() -> None:
    daemon, keeper = read_states(SHOWN, "w2")
    assert (daemon.unit, daemon.host, daemon.pid, daemon.restarts, daemon.up) == ("descriptions@3", "w2", 71, 2, True)
    assert (keeper.unit, keeper.up) == ("keeper@w2", False)
    assert list(read_states("", "w2")) == []


def test_units_are_called_as_systemd_does() -> None:
    assert service("enrich@text:0-3") == "vakanz-enrich@text:0-3.service"
    assert service("keeper@w1") == "vakanz-keeper.service"


def test_a_recap_says_what_changed_and_what_failed() -> None:
    assert read_recap(RECAP) == ({"db": 63, "w1": 0}, {"db": 0, "w1": 3})
    assert read_recap("no recap") == ({}, {})


def test_versions_follow_each_other() -> None:
    assert next_version("") == "0.1.0.post1"
    assert next_version("0.1.0.post9") == "0.1.0.post10"


def test_the_last_morning_is_half_past_four_in_berlin() -> None:
    assert morning_before(datetime(2026, 11, 22, 8, tzinfo=UTC)).isoformat() == "2026-11-22T04:31:00+01:00"
    assert morning_before(datetime(2026, 11, 22, 2, tzinfo=UTC)).isoformat() == "2026-11-21T04:31:00+01:00"


def test_a_program_that_fails_or_hangs_says_so() -> None:
    assert run(["cat"], given="ä") == "ä"
    with pytest.raises(CommandFailed, match=r"exit code 3\noops"):
        run(["sh", "-c", "echo oops >&2; exit 3"])
    with pytest.raises(CommandFailed, match="not done within"):
        run(["sleep", "5"], limit_s=0.1)
    with pytest.raises(CommandFailed, match="no-such-program"):
        run(["no-such-program"])


def test_scenes_are_chosen_by_name() -> None:
    assert len({scene.name for scene in SCENES}) == len(chosen("all")) == len(SCENES)
    assert [scene.name for scene in chosen("redis,kills")] == ["redis", "kills"]
    assert {scene.name for scene in chosen("short")} < {scene.name for scene in SCENES}
    with pytest.raises(CommandFailed, match="no such scene: quake"):
        chosen("kills,quake")


@pytest.mark.parametrize("size", MAPS)
def test_every_map_that_is_rehearsed_is_one_that_can_work(size: int) -> None:
    assert len(load_fleet(MAPS[size]).hosts) == size
