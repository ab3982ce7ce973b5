"""Places and sites as rows: what of the map is searched, and whose sites were looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import asyncpg

from daemons.companies.overpass import Company
from daemons.companies.regions import region_of
from daemons.companies.squares import Square
from daemons.companies.visiting import Visit
from lib.store.connections import Database
from lib.text.gazetteer import Place
from sql import statements

_SQL = statements("companies")
CLAIM_S = 300.0
LOOK_AGAIN_DAYS = 90


@dataclass(frozen=True)
class Search:
    """A square of the map that is ours to search. `depth`: 0 around a place, 1 a quarter of that, and so on."""

    id: int
    region: int
    name: str
    country: str
    square: Square
    population: int
    depth: int
    failures: int

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        """The search in a row."""
        names = ("id", "region", "name", "country", "population", "depth", "failures")
        return cls(square=Square(row["lat"], row["lon"], row["half_m"]), **{name: row[name] for name in names})

    def quarters(self) -> list[tuple[Any, ...]]:
        """Its quarters as rows to add."""
        return [
            _row(self.region, self.name, self.country, part, self.population, self.depth + 1)
            for part in self.square.quarters()
        ]


@dataclass(frozen=True)
class SiteRow:
    """A company's site that is ours to look at."""

    host: str
    url: str
    name: str | None
    region: int


@dataclass(frozen=True)
class RegionCounts:
    """How far a region is. `looked`: sites that were visited; `careers`: careers pages without a known system."""

    region: int
    places: int
    searched: int
    sites: int
    looked: int
    boards: int
    careers: int


async def add_places(database: Database, found: Iterable[Place], regions: range) -> None:
    """Adds the places that lie in these regions; known ones are left alone."""
    rows = []
    for place in found:
        region = region_of(place)
        if region is not None and region in regions:
            rows.append(_row(region, place.name, place.country, Square.around(place), place.population, 0))
    await _add(database, rows)


async def claim(database: Database, owner: str, regions: range) -> Search | None:
    """The largest due place of these regions, ours for CLAIM_S seconds; None when none is due."""
    row = await database.fetchrow(_SQL.claim_place, owner, CLAIM_S, regions.start, regions.stop - 1)
    return None if row is None else Search.of(row)


async def finish(
    database: Database, owner: str, search: Search, *, next_in_s: float, sites: int, failures: int, error: str | None
) -> None:
    """Ends a search and says when the next one of this square is due."""
    await database.execute(_SQL.finish_place, search.id, owner, next_in_s, sites, failures, error)


async def split(database: Database, owner: str, search: Search, reason: str) -> None:
    """From now on the quarters of a square are searched in its place."""
    await _add(database, search.quarters())
    await database.execute(_SQL.split_place, search.id, owner, reason)


async def add_sites(database: Database, search: Search, companies: Sequence[Company]) -> int:
    """Keeps the sites that a search found, each host once; how many are new."""
    if not companies:
        return 0
    columns = ([one.host for one in companies], [one.url for one in companies], [one.name for one in companies])
    return len(await database.fetch(_SQL.add_sites, *columns, search.region, search.id))


async def claim_sites(database: Database, regions: range, limit: int) -> list[SiteRow]:
    """Sites that nobody looked at within LOOK_AGAIN_DAYS. The claim counts as the look: no site is visited twice."""
    rows = await database.fetch(_SQL.claim_sites, regions.start, regions.stop - 1, LOOK_AGAIN_DAYS, limit)
    return [SiteRow(row["host"], row["url"], row["name"], row["region"]) for row in rows]


async def finish_site(database: Database, site: SiteRow, visit: Visit) -> None:
    """Writes what a visit showed."""
    found = visit.found
    said = (found.source, found.tenant, found.evidence) if found else (None, None, visit.reason)
    await database.execute(_SQL.finish_site, site.host, visit.state, visit.careers_url, *said)


async def counts(database: Database) -> list[RegionCounts]:
    """How far each region is; regions that were never begun are missing."""
    rows = await database.fetch(_SQL.count_regions)
    return [RegionCounts(**{name: row[name] for name in RegionCounts.__dataclass_fields__}) for row in rows]


async def _add(database: Database, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        await database.execute(_SQL.add_places, *map(list, zip(*rows, strict=True)))


def _row(region: int, name: str, country: str, square: Square, population: int, depth: int) -> tuple[Any, ...]:
    return region, name, country, square.lat, square.lon, square.half_m, population, depth
