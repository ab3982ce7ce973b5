"""The catalogue of daemons: units are read, and what it says of the code is so."""

from __future__ import annotations

from importlib import import_module
from inspect import iscoroutinefunction, signature

import pytest

from daemons.companies.regions import REGIONS as NAMED_REGIONS
from daemons.crawl.groups import GROUPS, groups_of, sources_of
from daemons.enrich import ENRICHERS as HOSTED
from daemons.sources import SOURCES
from keeper.observed import Unit
from lib.life.domains import CRAWL_GROUPS, DOMAINS, ENRICHERS, PROXIED, REGIONS, UnknownUnit, parse_unit, spelt

ALL_SHARDS = [f"{name}:{shard}" for name in ENRICHERS for shard in range(8)]


@pytest.mark.parametrize(
    ("unit", "parts"),
    [
        ("descriptions@3", ["3"]),
        ("embed@0-7", [*map(str, range(8))]),
        ("geo@24", ["24"]),
        ("geo@3-7", ["3", "4", "5", "6", "7"]),
        ("crawl@2", ["2"]),
        ("crawl@0-5", ["0", "1", "2", "3", "4", "5"]),
        ("crawl@proxied", ["proxied"]),
        ("upkeep@0", []),
        ("api@12", []),
        ("enrich@0-7", ALL_SHARDS),
        ("enrich@5", [f"{name}:5" for name in ENRICHERS]),
        ("enrich@text:3", ["text:3"]),
        ("enrich@text:6-7", ["text:6", "text:7"]),
        ("enrich@place.salary.employment", ALL_SHARDS[8:]),
        ("enrich@salary.place:1", ["salary:1", "place:1"]),
    ],
)
def test_a_unit_says_what_it_does(unit: str, parts: list[str]) -> None:
    placed = parse_unit(unit)
    assert list(placed.share.parts) == parts
    assert set(parts) <= set(placed.domain.division.parts)
    assert Unit(unit, ("daemon",)).name == unit  # a name that the keeper takes, as of a unit and of a log file


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("revenue@0", "there are crawl, careers, browser"),
        ("", "there are crawl"),
        ("descriptions", "an instance is missing, such as descriptions@0"),
        ("descriptions@", "from 0 to 7"),
        ("descriptions@8", "from 0 to 7"),
        ("descriptions@0-8", "from 0 to 7"),
        ("descriptions@5-3", "from 0 to 7"),
        ("descriptions@03", "from 0 to 7"),
        ("descriptions@-1", "from 0 to 7"),
        ("descriptions@٣", "from 0 to 7"),
        ("descriptions@3\n", "from 0 to 7"),
        ("geo@25", "from 0 to 24"),
        ("geo@" + "9" * 5_000, "from 0 to 24"),
        ("crawl@6", "or proxied"),
        ("crawl@german", "or proxied"),
        ("upkeep@0-1", "is a number"),
        ("api@x", "is a number"),
        ("enrich@skills", "text.place.salary.employment"),
        ("enrich@text.text", "text.place.salary.employment"),
        ("enrich@text:", "from 0 to 7"),
        ("enrich@:3", "text.place.salary.employment"),
        ("enrich@text:8", "from 0 to 7"),
        ("enrich@" + "text." * 50_000, "text.place.salary.employment"),
    ],
)
def test_what_is_no_unit_is_told_what_there_is(unit: str, said: str) -> None:
    with pytest.raises(UnknownUnit) as told:
        parse_unit(unit)
    assert said in str(told.value)
    assert len(str(told.value)) < 300


def test_every_daemon_is_where_the_catalogue_says_and_takes_its_share() -> None:
    for domain in DOMAINS.values():
        module, _, function = domain.code.partition(":")
        serve = getattr(import_module(module), function)
        assert iscoroutinefunction(serve)
        instance = domain.division.parts[0].rpartition(":")[2] if domain.division.parts else "0"
        signature(serve).bind("life", **parse_unit(f"{domain.name}@{instance}").share.arguments)


def test_the_catalogue_counts_what_there_is() -> None:
    assert tuple(one.name for one in HOSTED) == ENRICHERS
    assert len(NAMED_REGIONS) == REGIONS


def test_every_source_is_in_exactly_one_group() -> None:
    assert len(GROUPS) == CRAWL_GROUPS
    assert sorted(name for group in GROUPS.values() for name in group) == sorted(SOURCES)
    assert all(GROUPS.values())


def test_a_proxied_source_is_left_to_the_proxied_group() -> None:
    proxied = ("lever", "personio")
    shares = [sources_of([group], proxied) for group in (*GROUPS, PROXIED)]
    assert sorted(name for share in shares for name in share) == sorted(SOURCES)
    assert shares[-1] == set(proxied)
    assert sources_of(GROUPS, ()) == set(SOURCES)
    assert sources_of([PROXIED], ()) == set()


def test_groups_have_about_the_same_load() -> None:
    load = {f"s{number}": 1 + number % 7 for number in range(40)}
    weights = [sum(load[name] for name in names) for names in groups_of(list(load), load).values()]
    assert max(weights) - min(weights) <= 2


def test_parts_in_a_row_are_folded() -> None:
    assert spelt(["0", "1", "2", "5", "proxied"]) == "0-2, 5, proxied"
    assert spelt(["text:0", "text:1", "place:2"]) == "text:0-1, place:2"
