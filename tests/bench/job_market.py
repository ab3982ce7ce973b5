"""Postings of the simulated market as matching sees them, copied into an empty database; and profiles that seek them.

Titles have the vectors of the real table. Texts are written for the first postings only. Every posting has a full
vector, which says nothing, but has to be compared like any.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeAlias

import asyncpg
import numpy as np
from pgvector import HalfVector
from pgvector.asyncpg import register_vector

from daemons.embed.listings import ListingVector, write_listings
from lib.match.encoder import load_title_encoder
from lib.match.facets import read_facets
from lib.match.profile import Limits, Profile
from lib.text.titles import seniority
from tests.sim.market import Market
from tests.sim.occupations import OCCUPATIONS, words
from tests.sim.places import some_city
from tests.sim.posting import Language, Posting

_Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
_TEXTS = 5_000
_COPIED = 5_000
_POSTING = (
    "id", "board_id", "external_id", "state", "content_hash", "title", "company", "url", "places", "first_seen",
    "last_seen", "posted_at", "country_code", "language", "employment", "remote", "city", "lat", "lon",
    "salary_year_min_eur", "salary_year_max_eur",
)  # fmt: skip


@dataclass(frozen=True)
class Texts:
    """Texts by the occupation and language that they describe."""

    skills: dict[tuple[str, str], Sequence[str]]
    plain: dict[tuple[str, str], str]


def texts(market: Market) -> Texts:
    """One text, and what it asks for, for each occupation and language that the first postings have."""
    skills, plain = {}, {}
    for key in range(_TEXTS):
        posting = market.posting(key)
        kind = (posting.occupation.name, posting.language)
        if kind not in plain:
            plain[kind] = "\n".join(section.plain() for section in posting.sections())
            skills[kind] = read_facets(posting.title, plain[kind]).skills or ()
    return Texts(skills, plain)


async def fill(dsn: str, count: int, text_model: str) -> None:
    """Copies `count` postings, and builds the index anew."""
    market = Market(7, None, max(count, _TEXTS))
    written, encoder = texts(market), load_title_encoder()
    connection = await asyncpg.connect(dsn)
    try:
        await register_vector(connection)
        board = await connection.fetchval(
            "INSERT INTO board (source, tenant, url) VALUES ('bench', 'bench', 'https://bench.example') RETURNING id"
        )
        definition = await connection.fetchval("SELECT pg_get_indexdef('title_vector_nearest'::regclass)")
        await connection.execute("DROP INDEX title_vector_nearest")
        now = datetime.now(UTC)
        for first in range(0, count, _COPIED):
            postings = [market.posting(key) for key in range(first, min(first + _COPIED, count))]
            vectors = encoder.encode([posting.title for posting in postings])
            await connection.copy_records_to_table(
                "posting", columns=_POSTING, records=(_posting(one, board, now) for one in postings)
            )
            await connection.copy_records_to_table(
                "posting_vector", columns=["posting_id"], records=((one.key + 1,) for one in postings)
            )
            await write_listings(
                connection, [_vector(one, vector, written) for one, vector in zip(postings, vectors, strict=True)]
            )
            await _copy_full_vectors(connection, postings, text_model)
        await _copy_texts(connection, [market.posting(key) for key in range(min(_TEXTS, count))], written)
        await connection.execute("SET maintenance_work_mem = '512MB'")
        await connection.execute(definition)
        for table in ("posting", "posting_vector", "title_vector", "posting_text", "posting_full_vector"):
            await connection.execute(f"VACUUM ANALYZE {table}")
    finally:
        await connection.close()


def _posting(posting: Posting, board: int, now: datetime) -> tuple[Any, ...]:
    city, (low, high) = posting.city, _pay_eur(posting)
    return (
        posting.key + 1, board, str(posting.key), "described", b"x", posting.title, posting.company.name,
        f"https://bench.example/{posting.key}", [one.name for one in posting.cities], now - timedelta(days=3), now,
        now - timedelta(days=posting.key % 30), city.country, posting.language, posting.employment, posting.remote,
        city.name, city.latitude, city.longitude, low, high,
    )  # fmt: skip


def _pay_eur(posting: Posting) -> tuple[float | None, float | None]:
    """What is said of a year in EUR; all else counts as not said."""
    pay = posting.pay
    if pay is None or (pay.period, pay.currency) != ("year", "EUR"):
        return None, None
    return pay.min, pay.max or pay.min


def _vector(posting: Posting, vector: Any, written: Texts) -> ListingVector:
    skills = written.skills.get((posting.occupation.name, posting.language), ())
    facets = (
        posting.city.country, posting.language, posting.remote, posting.employment, _pay_eur(posting)[1],
        seniority(posting.title), "\n".join(skills),
    )  # fmt: skip
    return ListingVector(posting.key + 1, HalfVector(vector), facets)


async def _copy_full_vectors(connection: _Connection, postings: Sequence[Posting], model: str) -> None:
    vectors = np.random.default_rng(postings[0].key).standard_normal((len(postings), 384), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    await connection.copy_records_to_table(
        "posting_full_vector", columns=["posting_id", "full_text", "model"],
        records=((one.key + 1, HalfVector(vector), model) for one, vector in zip(postings, vectors, strict=True)),
    )  # fmt: skip


async def _copy_texts(connection: _Connection, postings: Sequence[Posting], written: Texts) -> None:
    await connection.copy_records_to_table(
        "posting_text", columns=["posting_id", "description_text"],
        records=((one.key + 1, written.plain[one.occupation.name, one.language]) for one in postings),
    )  # fmt: skip


def profiles(count: int, seed: int = 3) -> Iterator[Profile]:
    """Different written profiles, German and English in turns: what somebody is, where, and what they know."""
    rng = Random(seed)
    for number in range(count):
        language: Language = ("de", "en")[number % 2]
        known = words(language)[rng.choice(OCCUPATIONS).name]
        city = some_city(rng.choice(("DE", "DE", "DE", "AT", "CH")), rng)
        said = "\n".join(rng.sample(known["skills"], 3) + rng.sample(known["tasks"], 2))
        years = rng.randint(1, 20)
        title = rng.choice(known["titles"])
        text = (
            f"Ich bin {title} mit {years} Jahren Erfahrung und suche eine Stelle.\n{said}"
            if language == "de"
            else f"I am a {title} with {years} years of experience, and look for a new job.\n{said}"
        )
        limits = Limits(countries=(city.country,)) if rng.random() < 0.3 else Limits()
        yield Profile(text=text, location=city.name, limits=limits)
