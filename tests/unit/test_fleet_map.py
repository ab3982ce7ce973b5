"""The map of the fleet: what is read, what is refused, and that the one that comes with Vakanz can work."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from keeper.fleet.plan import folded
from lib.errors import ConfigError
from lib.life.domains import DOMAINS, parse_unit
from lib.life.fleet import KEEPER_BYTES, SYSTEM_BYTES, Fleet, Host, load_fleet, problems, read_fleet

DEFAULT = Path(__file__).parents[2] / "ansible" / "fleet.yml"
GIB = 1 << 30
ALL = ("crawl@0-5", "crawl@proxied", "careers@0", "descriptions@0-7", "enrich@0-7", "embed@0-7", "fulltext@0-7",
       "upkeep@0", "api@0")  # fmt: skip


def fleet(*units: str, memory: int = 16 * GIB, services: tuple[str, ...] = ("postgres", "redis")) -> Fleet:
    return Fleet({"one": Host(name="one", memory_bytes=memory, cpus=4, services=services, units=units)})


def refused(text: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        read_fleet(text)
    return error.value.problems


def test_the_default_fleet_can_work() -> None:
    shipped = load_fleet(DEFAULT)
    assert problems(shipped) == []
    assert shipped.daemons >= 55
    assert list(shipped.hosts) == ["master", "w1", "w2", "w3", "db", "w5", "w6"]
    assert {parse_unit(unit).domain.name for unit in shipped.units} == set(DOMAINS)


def test_ansible_reads_the_same_as_we_do() -> None:
    theirs = yaml.safe_load(DEFAULT.read_text(encoding="utf-8"))["hosts"]
    for name, host in load_fleet(DEFAULT).hosts.items():
        assert tuple(theirs[name].get("units", ())) == host.units
        assert tuple(theirs[name].get("services", ())) == host.services
        assert theirs[name]["cpus"] == host.cpus


def test_a_map_is_read() -> None:
    read = read_fleet(
        "hosts:\n  w1: {memory: 16G, cpus: 8, units: [crawl@0-5, enrich@text:3]}\n"
        "  db: {memory: 512M, cpus: 2, services: [redis]}"
    )
    assert read.hosts == {
        "w1": Host(name="w1", memory_bytes=16 * GIB, cpus=8, units=("crawl@0-5", "enrich@text:3")),
        "db": Host(name="db", memory_bytes=GIB // 2, cpus=2, services=("redis",)),
    }
    assert read.units == {"crawl@0-5": "w1", "enrich@text:3": "w1"}
    assert read.daemons == 4


def test_every_problem_is_told_at_once() -> None:
    text = """
hosts:
  w1: {memory: 16, cpus: none, unit: [], services: [postgres, mysql], units: [revenue@0, geo@25, api@0]}
  w2: {memory: 8G, cpus: 4, units: [api@0]}
  "W 3": {memory: 8G, cpus: 4, units: api@1}
  w4:
hots: {}
"""
    told = "\n".join(refused(text))
    for part in (
        "w1: memory: a size such as 16G", "w1: cpus: how many", "w1: no such key: unit; there are memory, cpus",
        "w1: no such service: mysql; there are nginx", "w1: no daemon is called 'revenue'",
        "w1: geo@: there is no '25'",
        "api@0 is there 2 times: w1, w2", "'W 3': a host's name", "'W 3': units: a list of names", "w4: memory, cpus",
        "hots: no such key",
    ):  # fmt: skip
        assert part in told, told


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "hosts", "hosts: []", "hosts: {}", "a: b: c", "\x00", "hosts: {w1: &a {memory: 8G}, w2: *a}",
        "hosts: {w1: {memory: 8G, cpus: 4}, w1: {memory: 8G, cpus: 4}}", "hosts: {[a]: {}}", "hosts: {? {a: b} : {}}",
        "!!python/object/apply:os.system [ls]", "hosts: !!set {a}", "--- {}\n--- {}",
        "hosts: {w1: {memory: 8G, cpus: 4",
        "hosts: {w1: {memory: 0G, cpus: 4}}", "hosts: {w1: {memory: 8G, cpus: 0}}",
        "hosts: {w1: {memory: [8G], cpus: 4}}",
        "hosts: {w1: {memory: 8G, cpus: 4, units: [[api@0]]}}", "\ufeff\ud800", "hosts: {<<: {w1: {}}}",
        "hosts: {w1: {memory: 2001-99-99, cpus: 4}}", "hosts: {w1: {memory: 9999999999G, cpus: 4}}",
    ],
)  # fmt: skip
def test_what_is_no_map_is_a_clear_error(text: str) -> None:
    for problem in refused(text):
        assert problem.isprintable()
        assert len(problem) < 400


@pytest.mark.parametrize(
    "text",
    [
        "a0: &a0 [x, x]\n" + "\n".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)),
        "[" * 60_000,
        "{a: " * 15_000,
        "- " * 30_000,
        "x" * 10_000_000,
        "hosts: {w1: {memory: 8G, cpus: 4, units: [" + "api@0," * 10_000 + "]}}",
        "hosts: {" + ", ".join(f"w{n}: {{}}" for n in range(5_000)) + "}",
    ],
    ids=["laughs", "lists", "mappings", "dashes", "long", "units", "hosts"],
)  # fmt: skip
def test_a_hostile_map_costs_little(text: str) -> None:
    began = time.process_time()
    assert refused(text)
    assert time.process_time() - began < 5.0


@given(st.text(max_size=200) | st.text("hosts: {w1}[]&*!-\n\t'\"#|>%@`~?,0G", max_size=200))
def test_any_text_is_a_map_or_a_clear_error(text: str) -> None:
    try:
        assert problems(read_fleet(text)) is not None
    except ConfigError as error:
        assert error.problems


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yml", tmp_path, Path("\0")):
        with pytest.raises(ConfigError):
            load_fleet(path)
    latin = tmp_path / "latin.yml"
    latin.write_bytes("hosts: {münchen: {}}".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"latin\.yml: .*utf-8"):
        load_fleet(latin)


def test_a_small_fleet_on_one_host_can_work() -> None:
    assert problems(fleet(*ALL)) == []
    assert problems(fleet(*ALL, "geo@0-24", "browser@0", "api@1", "careers@1")) == []


@pytest.mark.parametrize(
    ("units", "told"),
    [
        ((*ALL[:3], *ALL[4:]), ["descriptions: no host runs it"]),
        ((*ALL, "geo@0-9", "geo@12-24"), ["geo: nobody does 10-11"]),
        ((*ALL[:1], *ALL[2:]), ["crawl: nobody does proxied"]),
        ((*ALL, "crawl@2"), ["crawl: 2 is done more than once, by crawl@0-5 on one and crawl@2 on one"]),
        (
            (*ALL, "enrich@text:6-7"),
            ["enrich: text:6-7 is done more than once, by enrich@0-7 on one and enrich@text:6-7 on one"],
        ),
        (
            (*ALL[:4], *ALL[5:], "enrich@place.salary.employment", "enrich@text:3"),
            ["enrich: nobody does text:0-2, text:4-7"],
        ),
        (ALL[:-1], ["api: no host runs it"]),
    ],
)  # fmt: skip
def test_every_part_is_done_exactly_once(units: tuple[str, ...], told: list[str]) -> None:
    assert problems(fleet(*units)) == told


def test_a_fleet_has_one_database_and_one_redis() -> None:
    assert problems(fleet(*ALL, services=())) == [
        "postgres: no host has this service", "redis: no host has this service",
    ]  # fmt: skip
    twice = Fleet({**fleet(*ALL).hosts, "two": Host(name="two", memory_bytes=GIB * 4, cpus=1, services=("postgres",))})
    assert problems(twice) == ["postgres: one host should have it, not one and two"]


def test_more_than_a_host_has_is_refused() -> None:
    needed = fleet(*ALL).hosts["one"].needed_bytes
    assert problems(fleet(*ALL, memory=needed)) == []
    (told,) = problems(fleet(*ALL, memory=needed - (1 << 20)))
    assert told.startswith("one: ")
    assert "MiB of memory are needed" in told
    assert fleet(services=()).hosts["one"].needed_bytes == SYSTEM_BYTES + KEEPER_BYTES


def test_units_in_a_row_are_shown_as_one() -> None:
    units = ["geo@0", "geo@1", "embed@0-7", "enrich@text:0", "enrich@text:1", "enrich@place.salary", "crawl@proxied"]
    assert folded(units) == [
        "geo@0 to 1", "embed@0-7", "enrich@text:0 to 1", "enrich@place.salary", "crawl@proxied",
    ]  # fmt: skip
