"""Match: its time and its recall over synthetic postings, with the bare candidate statement as the bound.

Vectors lie in clusters, as those of job titles do. Limits that keep a tenth and a hundredth are measured beside none.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import numpy as np
import numpy.typing as npt
from pgvector import HalfVector
from pgvector.asyncpg import register_vector

from daemons.embed.listings import ListingVector, write_listings
from lib.match.candidates import NEAREST
from lib.match.encoders import Encoders
from lib.match.matcher import Matcher
from lib.match.profile import Accepted, Wanted
from lib.store.connections import Connection, Database
from sql import statements

Floats = npt.NDArray[np.float32]
_SQL = statements("match")
DIMENSIONS = 256
_WRITTEN = 5_000
_FIELDS, _OCCUPATIONS = 200, 3_000
_OCCUPATION_SPREAD, _TITLE_SPREAD = 0.8, 0.6
_TITLES = ("Pflegefachkraft", "Softwareentwickler", "Bäcker", "Buchhalter", "Data Engineer", "Projektleiter", "Koch")
_SKILLS = ("Java", "Python", "SQL", "Excel", "SAP", "Kubernetes", "Englisch", "Wundversorgung", "Buchhaltung", "AWS")


def clustered_vectors(rows: int, rng: np.random.Generator) -> Floats:
    """Unit vectors (rows, DIMENSIONS): titles around occupations, which lie around occupational fields."""
    fields = _units(rng.standard_normal((_FIELDS, DIMENSIONS)))
    occupations = _around(fields, _OCCUPATIONS, _OCCUPATION_SPREAD, rng)
    return _around(occupations, rows, _TITLE_SPREAD, rng)


def _around(centres: Floats, rows: int, spread: float, rng: np.random.Generator) -> Floats:
    noise = rng.standard_normal((rows, DIMENSIONS), dtype=np.float32) * np.float32(spread / np.sqrt(DIMENSIONS))
    return _units(centres[rng.integers(0, len(centres), rows)] + noise)


def _units(vectors: npt.NDArray[np.floating[Any]]) -> Floats:
    unit: Floats = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)
    return unit


async def fill(dsn: str, vectors: Floats, rng: np.random.Generator) -> float:
    """Copies one posting per vector into an empty database and builds the index; returns the build's seconds."""
    connection = await asyncpg.connect(dsn)
    try:
        await register_vector(connection)
        board = await connection.fetchval(
            "INSERT INTO board (source, tenant, url) VALUES ('bench', 'bench', 'https://bench.example') RETURNING id"
        )
        rows = len(vectors)
        now = datetime.now(UTC)
        country = rng.choice(["DE", "AT", "CH"], rows, p=[0.8, 0.1, 0.1]).tolist()
        employment = rng.choice(["full_time", "part_time", "internship"], rows, p=[0.7, 0.2, 0.1]).tolist()
        remote = rng.choice(["onsite", "hybrid", "remote"], rows, p=[0.6, 0.3, 0.1]).tolist()
        language = rng.choice(["de", "en"], rows).tolist()
        salary = (30_000 + 70_000 * rng.random(rows)).tolist()
        ages = rng.integers(0, 30, rows).tolist()
        kind = rng.integers(0, len(_TITLES), rows).tolist()
        await connection.copy_records_to_table(
            "posting",
            columns=["id", "board_id", "external_id", "state", "content_hash", "title", "company", "url", "first_seen",
                     "last_seen", "country_code", "language", "employment", "remote", "city", "lat", "lon",
                     "salary_year_min_eur", "salary_year_max_eur"],
            records=(
                (i + 1, board, str(i), "described", b"x", f"{_TITLES[kind[i]]} {i % 977} (m/w/d)", f"Firma {i % 4999}",
                 f"https://bench.example/{i}", now - timedelta(days=ages[i]), now, country[i], language[i],
                 employment[i], remote[i], "Bern", 46.9 + (i % 97) / 20, 7.4 + (i % 89) / 20, salary[i] * 0.8,
                 salary[i])
                for i in range(rows)
            ),
        )  # fmt: skip
        definition = await connection.fetchval("SELECT pg_get_indexdef('title_vector_nearest'::regclass)")
        await connection.execute("DROP INDEX title_vector_nearest")
        await connection.copy_records_to_table(
            "posting_vector", columns=["posting_id"], records=((i + 1,) for i in range(rows))
        )
        for first in range(0, rows, _WRITTEN):
            items = [
                ListingVector(
                    i + 1, HalfVector(vectors[i]),
                    (country[i], language[i], remote[i], employment[i], salary[i], None,
                     "\n".join(_SKILLS[(i + step) % len(_SKILLS)] for step in range(i % 6))),
                )
                for i in range(first, min(first + _WRITTEN, rows))
            ]  # fmt: skip
            await write_listings(connection, items)
        started = time.perf_counter()
        await connection.execute("SET maintenance_work_mem = '512MB'")
        await connection.execute(definition)
        built_s = time.perf_counter() - started
        await connection.execute("VACUUM ANALYZE posting")
        await connection.execute("VACUUM ANALYZE posting_vector")
        await connection.execute("VACUUM ANALYZE title_vector")
        return built_s
    finally:
        await connection.close()


def nearest_rows(vectors: Floats, allowed: npt.NDArray[np.bool_], query: Floats, count: int) -> set[int]:
    """Row numbers of the exact nearest among the allowed, by brute force."""
    # No matrix product: its threads would go on spinning for a while, on cores that the next match needs.
    cosines = np.where(allowed, np.einsum("ij,j->i", vectors, query), -2.0)
    return set(np.argpartition(-cosines, count)[:count].tolist())


def percentile(seconds: Sequence[float], share: float) -> float:
    """In milliseconds."""
    return round(float(np.quantile(seconds, share)) * 1000, 1)


LIMITS: Mapping[str, Accepted] = {
    "all": Accepted(),
    "tenth": Accepted(countries=("CH",)),
    "hundredth": Accepted(countries=("CH",), employment=("internship",)),
}


async def measure(dsn: str, postings: int = 100_000, queries: int = 150, seed: int = 7) -> dict[str, float]:
    """Fills the empty database at `dsn` and measures matches without the query's embedding, in turns with the bound.

    For each of LIMITS: `<name>_p50_ms`, `<name>_p99_ms` of a match, `<name>_bare_p50_ms` and `_p99_ms` of the bare
    candidate statement alone, and `<name>_recall_at_100` against brute force; and `index_s`, the index's build.
    """
    rng = np.random.default_rng(seed)
    vectors = clustered_vectors(postings, rng)
    found = {"index_s": round(await fill(dsn, vectors, rng), 1)}
    async with Database(dsn) as database:
        facets = await database.fetch("SELECT country_code, employment FROM posting_vector ORDER BY posting_id")
        for name, limits in LIMITS.items():
            allowed = np.array(
                [
                    limits.allow(country=row[0], language=None, remote=None, employment=row[1], salary_eur=None)
                    for row in facets
                ]
            )
            found |= await _measure_limits(database, name, limits, vectors, allowed, queries, rng)
    return found


async def _measure_limits(
    database: Database, name: str, limits: Accepted, vectors: Floats, allowed: npt.NDArray[np.bool_], queries: int,
    rng: np.random.Generator,
) -> dict[str, float]:  # fmt: skip
    matcher = Matcher(database, Encoders(_nothing, _nothing), text_model="bench", expire_days=45, min_score=0)
    ours, bare, found = [], [], []
    asked = [
        _units(vectors[row] + rng.standard_normal(DIMENSIONS) * 0.02)
        for row in rng.integers(len(vectors), size=queries)
    ]
    for query in asked:
        wanted = Wanted(
            text="bench", phrases=(f"Koch {rng.integers(977)}",), skills=frozenset(_SKILLS[:5]), language="de",
            country="CH", lat=46.95, lon=7.45, place="Bern", limits=limits,
        )  # fmt: skip
        started = time.perf_counter()
        await matcher.result(wanted, query)
        ours.append(time.perf_counter() - started)
        seconds, ids = await _bare(database, limits, query)
        bare.append(seconds)
        found.append(ids)
    count = min(100, int(allowed.sum()))
    recalls = [
        len(nearest_rows(vectors, allowed, query, count) & ids) / count for query, ids in zip(asked, found, strict=True)
    ]
    return {
        f"{name}_p50_ms": percentile(ours, 0.5),
        f"{name}_p99_ms": percentile(ours, 0.99),
        f"{name}_bare_p50_ms": percentile(bare, 0.5),
        f"{name}_bare_p99_ms": percentile(bare, 0.99),
        f"{name}_recall_at_100": round(float(np.mean(recalls)), 4),
    }


async def _bare(database: Database, limits: Accepted, query: Floats) -> tuple[float, set[int]]:
    """Seconds of the candidate statement that the product chooses for these limits, and the rows that it found."""
    statement = _SQL.nearest_by_index if limits == Accepted() else _SQL.nearest_exactly
    asked = (limits.countries, limits.languages, limits.remote, limits.employment, limits.min_salary_eur)

    async def work(connection: Connection) -> tuple[float, set[int]]:
        await connection.execute(_SQL.tune_search)
        started = time.perf_counter()
        rows = await connection.fetch(statement, *asked, HalfVector(query), NEAREST)
        return time.perf_counter() - started, {row["posting_id"] - 1 for row in rows}

    return await database.transaction(work)


def _nothing() -> Any:
    raise AssertionError("nothing is encoded in this measurement")
