"""The daemons that exist: what each is called, where its code is, how its work is divided, and what memory it takes.

A unit is `domain@instance`: crawl@2, descriptions@0-7, enrich@text:3. Work that is divided has parts, each of which
must be done by exactly one unit of a fleet; leases and claims keep the data right where it is not, but then a part
rests or two daemons fight over it.

Code is named as text and imported by whoever starts it, so that each daemon stays small and the keeper needs none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lib.errors import VakanzError

SHARDS = 8
REGIONS = 25
CRAWL_GROUPS = 6
PROXIED = "proxied"
ENRICHERS = ("text", "place", "salary", "employment")

_RANGE = re.compile(r"(0|[1-9]\d{0,2})(?:-(0|[1-9]\d{0,2}))?", re.ASCII)
_SHOWN = 60  # characters of a name that nobody knows


class UnknownUnit(VakanzError):
    """No daemon is called so; the message says which there are."""


@dataclass(frozen=True)
class Share:
    """What one instance does of its domain's work, and the arguments that tell its code so."""

    parts: tuple[str, ...]
    arguments: Mapping[str, Any]


class Division(Protocol):
    """How the work of a domain is divided. `parts`: what must be done exactly once; none: all instances do the same."""

    @property
    def parts(self) -> tuple[str, ...]: ...

    def read(self, instance: str) -> Share:
        """The share of an instance. Raises ValueError, which says what instances are like."""


@dataclass(frozen=True)
class Alike:
    """Any number of instances, told apart by a number, take from the same work."""

    parts: tuple[str, ...] = ()

    def read(self, instance: str) -> Share:
        found = _RANGE.fullmatch(instance)
        if found is None or found[2] is not None:
            raise ValueError("an instance is a number, such as 0")
        return Share((), {})


@dataclass(frozen=True)
class Numbered:
    """`count` parts of one kind, done one by one or several in a row: 3, 0-7."""

    count: int

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(map(str, range(self.count)))

    def read(self, instance: str) -> Share:
        shards = _range(instance, self.count)
        return Share(tuple(map(str, shards)), {"shards": shards})


@dataclass(frozen=True)
class Grouped:
    """`count` numbered groups, and one that has a name: 2, 0-5, proxied."""

    count: int
    named: str

    @property
    def parts(self) -> tuple[str, ...]:
        return (*map(str, range(self.count)), self.named)

    def read(self, instance: str) -> Share:
        try:
            groups = (self.named,) if instance == self.named else tuple(map(str, _range(instance, self.count)))
        except ValueError as error:
            raise ValueError(f"{error}, or {self.named}") from None
        return Share(groups, {"groups": groups})


@dataclass(frozen=True)
class Crossed:
    """Every name on every shard: 3 or 0-7 (all names), place.salary (all shards), text:3, place.salary:0-3."""

    names: tuple[str, ...]
    count: int

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(f"{name}:{shard}" for name in self.names for shard in range(self.count))

    def read(self, instance: str) -> Share:
        if instance[:1].isdigit():
            names, shards = self.names, _range(instance, self.count)
        else:
            listed, colon, numbers = instance.partition(":")
            names = self._names(listed)
            shards = _range(numbers, self.count) if colon else range(self.count)
        parts = tuple(f"{name}:{shard}" for name in names for shard in shards)
        return Share(parts, {"enrichers": names, "shards": shards})

    def _names(self, listed: str) -> tuple[str, ...]:
        names = tuple(listed.split("."))
        if not set(names) <= set(self.names) or len(set(names)) < len(names):
            raise ValueError(
                f"an instance is shards (0-{self.count - 1}), names joined by dots ({'.'.join(self.names)}),"
                " or both joined by a colon (text:3)"
            )
        return names


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A kind of daemon. `code`: module:function.

    `memory_bytes`: of one instance at work with its child processes, measured by tests/bench/memory.py.
    `needs`: the setting without which it only waits, so that a fleet may do without it; empty: every fleet needs it.
    """

    name: str
    code: str
    division: Division
    memory_bytes: int
    needs: str = ""


@dataclass(frozen=True)
class Placed:
    """A unit, read: its domain, and what it does of that domain's work."""

    unit: str
    domain: Domain
    share: Share


_BY_SHARD = Numbered(SHARDS)
_MB = 1_000_000


def _domain(name: str, code: str, division: Division, megabytes: int, needs: str = "") -> tuple[str, Domain]:
    return name, Domain(name=name, code=code, division=division, memory_bytes=megabytes * _MB, needs=needs)


DOMAINS: Mapping[str, Domain] = dict(
    (
        _domain("crawl", "daemons.crawl.actor:serve", Grouped(CRAWL_GROUPS, PROXIED), 110),
        _domain("careers", "daemons.careers.actor:serve", Alike(), 160),
        _domain("browser", "daemons.careers.actor:serve_browser", Alike(), 630, needs="browser"),
        _domain("descriptions", "daemons.descriptions.actor:serve", _BY_SHARD, 100),
        _domain("enrich", "daemons.enrich.actor:serve", Crossed(ENRICHERS, SHARDS), 110),
        _domain("embed", "daemons.embed.actor:serve_listings", _BY_SHARD, 150),
        _domain("fulltext", "daemons.embed.actor:serve_texts", _BY_SHARD, 520),
        _domain("geo", "daemons.companies.actor:serve", Numbered(REGIONS), 90, needs="overpass"),
        _domain("upkeep", "daemons.upkeep.actor:serve", Alike(), 70),
        _domain("api", "api.server:serve", Alike(), 390),
        _domain("discover", "daemons.discover.actor:serve", Alike(), 700, needs="gateway_url"),
        _domain("gateway", "api.gateway.server:serve", Alike(), 90, needs="gateway_key"),
    )
)


def parse_unit(unit: str) -> Placed:
    """What a unit such as descriptions@3 or enrich@text:0-7 is. Raises UnknownUnit."""
    name, at, instance = unit.partition("@")
    domain = DOMAINS.get(name)
    if domain is None:
        raise UnknownUnit(f"no daemon is called {_shown(name)}; there are {', '.join(DOMAINS)}")
    if not at:
        raise UnknownUnit(f"{name}: an instance is missing, such as {name}@0")
    try:
        return Placed(unit, domain, domain.division.read(instance))
    except ValueError as error:
        raise UnknownUnit(f"{name}@: there is no {_shown(instance)}; {error}") from None


def spelt(parts: Sequence[str]) -> str:
    """Parts for a person, neighbours in a row folded: 0-2, 5, proxied."""
    rows: list[tuple[str, int | None, int | None]] = []
    for part in parts:
        name, _, number = part.rpartition(":")
        if not number.isdigit():
            rows.append((part, None, None))
        elif rows and rows[-1][0] == name and rows[-1][2] == int(number) - 1:
            rows[-1] = (name, rows[-1][1], int(number))
        else:
            rows.append((name, int(number), int(number)))
    return ", ".join(_row(*row) for row in rows)


def _row(name: str, first: int | None, last: int | None) -> str:
    if first is None:
        return name
    return (f"{name}:" if name else "") + (str(first) if first == last else f"{first}-{last}")


def _range(text: str, count: int) -> range:
    found = _RANGE.fullmatch(text)
    if found is not None:
        shards = range(int(found[1]), int(found[2] or found[1]) + 1)
        if len(shards) and shards.stop <= count:
            return shards
    raise ValueError(f"an instance is a number from 0 to {count - 1}, or several in a row such as 0-{count - 1}")


def _shown(name: str) -> str:
    return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}...")
