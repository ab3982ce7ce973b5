"""A few thousand generated postings in the database, with everything that a match and a list look at."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from pgvector import HalfVector

from daemons.embed.listings import ListingVector, write_listings
from lib.match.encoders import Encoders
from lib.match.facets import read_facets
from lib.store.connections import Connection, Database

Floats = npt.NDArray[np.float32]
CITIES = {
    "DE": [("Berlin", 52.52, 13.40), ("München", 48.14, 11.58), ("Köln", 50.94, 6.96)],
    "AT": [("Wien", 48.21, 16.37), ("Graz", 47.07, 15.44)],
    "CH": [("Zürich", 47.37, 8.54), ("Bern", 46.95, 7.45)],
}
TITLES = {
    "Pflegefachkraft": "Sie versorgen Wunden und dokumentieren.",
    "Softwareentwickler Java": "Sie entwickeln mit Java, Spring und SQL. Kein Python nötig.",
    "Data Engineer": "You build pipelines with Python, SQL and Kafka on AWS.",
    "Koch": "Sie kochen für 200 Gäste.",
    "Buchhalter": "Sie buchen mit SAP und Excel.",
    "Projektleiter Bau": "Sie leiten Baustellen.",
    "Verkäufer": "Sie beraten Kundinnen und Kunden.",
    "Elektroniker": "Sie warten Anlagen.",
}


class WordVectors:
    """A stand-in for the title model: titles are as near as they share words."""

    def encode(self, titles: Sequence[str]) -> Floats:
        rows = np.zeros((len(titles), 256), dtype=np.float32)
        for row, title in enumerate(titles):
            for word in title.lower().split():
                rows[row] += np.random.default_rng(zlib.crc32(word.encode())).standard_normal(256, dtype=np.float32)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-9))


class TextVectors:
    """A stand-in for the text model, for profiles only."""

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        return self.encode_queries(texts)

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        rows = np.zeros((len(texts), 384), dtype=np.float32)
        rows[:, 0] = 1.0
        return rows


def encoders() -> Encoders:
    return Encoders(WordVectors, TextVectors)


@dataclass(frozen=True)
class Row:
    """One posting as it was written."""

    id: int
    title: str
    company: str
    country: str | None
    language: str
    remote: str | None
    employment: str | None
    salary: float | None
    state: str
    last_seen: datetime
    city: str | None


async def fill(database: Database, count: int, seed: int = 1) -> list[Row]:
    """Writes `count` postings and returns them. Some are closed, some stale, some say little."""
    rng = random.Random(seed)
    now = datetime.now(UTC)
    board = await database.fetchval(
        "INSERT INTO board (source, tenant, url, last_complete_at)"
        " VALUES ('greenhouse', $1, 'https://b.example', now()) RETURNING id",
        f"tenant-{seed}",
    )
    rows = [_row(number + seed * 1_000_000, rng, now) for number in range(1, count + 1)]
    vectors = WordVectors().encode([row.title for row in rows])

    async def write(connection: Connection) -> None:
        await connection.copy_records_to_table("posting", columns=_POSTING, records=(_posting(r, board) for r in rows))
        await connection.copy_records_to_table(
            "posting_text",
            columns=["posting_id", "description_text", "description_html"],
            records=((r.id, _text(r), f"<p>{_text(r)}</p>") for r in rows),
        )
        await connection.copy_records_to_table(
            "posting_vector", columns=["posting_id"], records=((r.id,) for r in rows)
        )
        await write_listings(connection, [_vector(r, v) for r, v in zip(rows, vectors, strict=True)])
        await connection.execute(
            "UPDATE posting_text SET provenance = $1,"
            " search = to_tsvector('german', description_text) || to_tsvector('english', description_text)",
            {"language": {"kind": "derived", "enricher": "text", "version": 1}},
        )

    await database.transaction(write)
    await database.execute("ANALYZE posting")
    await database.execute("ANALYZE posting_vector")
    await database.execute("ANALYZE title_vector")
    return rows


_POSTING = [
    "id", "board_id", "external_id", "state", "content_hash", "title", "company", "url", "places", "first_seen",
    "last_seen", "country_code", "language", "remote", "employment", "city", "lat", "lon", "salary_min", "salary_max",
    "salary_currency", "salary_period", "salary_year_min_eur", "salary_year_max_eur",
]  # fmt: skip


def _row(posting_id: int, rng: random.Random, now: datetime) -> Row:
    country = rng.choice(["DE", "DE", "DE", "AT", "CH", None])
    return Row(
        id=posting_id,
        title=f"{rng.choice(['', 'Senior ', 'Junior '])}{rng.choice(list(TITLES))} (m/w/d)",
        company=f"Firma {rng.randrange(300)}",
        country=country,
        language=rng.choice(["de", "en"]),
        remote=rng.choice(["remote", "hybrid", "onsite", None]),
        employment=rng.choice(["full_time", "part_time", "full_or_part_time", "internship", None]),
        salary=rng.choice([None, float(rng.randrange(25_000, 120_000))]),
        state=rng.choices(["described", "discovered", "closed"], [8, 1, 1])[0],
        last_seen=now - timedelta(days=rng.choices([0, 10, 44, 46, 90], [6, 2, 1, 1, 1])[0]),
        city=rng.choice(CITIES[country])[0] if country else None,
    )


def _text(row: Row) -> str:
    base = next(title for title in TITLES if title in row.title)
    return f"{row.company} sucht in {row.city}: {row.title}. {TITLES[base]} Wir freuen uns auf Sie."


def _posting(row: Row, board: int) -> tuple[Any, ...]:
    place = next((place for place in CITIES.get(row.country or "", []) if place[0] == row.city), (None, None, None))
    low = None if row.salary is None else row.salary * 0.8
    return (
        row.id, board, str(row.id), row.state, b"hash", row.title, row.company, f"https://b.example/{row.id}",
        [row.city] if row.city else [], row.last_seen - timedelta(minutes=row.id % 5_000), row.last_seen, row.country,
        row.language, row.remote, row.employment, *place, low, row.salary, row.salary and "EUR", row.salary and "year",
        low, row.salary,
    )  # fmt: skip


def _vector(row: Row, vector: Floats) -> ListingVector:
    facets = read_facets(row.title, _text(row))
    skills = None if facets.skills is None else "\n".join(facets.skills)
    return ListingVector(
        row.id,
        None if row.state == "closed" else HalfVector(vector),
        (row.country, row.language, row.remote, row.employment, row.salary, facets.seniority, skills),
    )
