"""Finding candidates in PostgreSQL: the nearest by meaning, together with those whose titles say the same words.

Literal title matches are what vectors alone miss most. Hard limits are conditions of the statements themselves, so
that they cost no candidates. The HNSW index of titles is asked when the limits keep much; when they keep little it
would have to walk far, and looking at everything that they keep is faster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import orjson
from pgvector import HalfVector

from lib.match.profile import Accepted
from lib.store.connections import Connection, Database
from sql import statements

Floats = npt.NDArray[np.float32]

_SQL = statements("match")
_BY_INDEX = _SQL.candidates.format(nearest=_SQL.nearest_by_index)
_EXACTLY = _SQL.candidates.format(nearest=_SQL.nearest_exactly)
NEAREST = 500
BY_WORDS = 100
_WORDS_LOOKED_AT = 2_000
# An index scan walks over NEAREST * titles/allowed titles and looks up who bears them, 13 us each; an exact one looks
# at all that the limits keep, 2.6 us each (PostgreSQL 18, pgvector 0.8.6, 100,000 postings of 20,000 or more titles).
_INDEX_COST = 5.0


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """What is compared of one posting; None is unknown. `cosine`: of its title's vector and the wanted one's.

    `posted_at`: where its board does not say (not `dated`), when it was first seen. `skills` are canonical names, None
    where no text could name any. Salaries are a year's, in EUR. The fields have the order of the statement's columns.
    """

    id: int
    title: str
    company: str | None
    city: str | None
    country_code: str | None
    lat: float | None
    lon: float | None
    language: str | None
    remote: str | None
    employment: str | None
    salary_min_eur: float | None
    salary_max_eur: float | None
    posted_at: datetime
    dated: bool
    seniority: str | None
    skills: Sequence[str] | None
    cosine: float

    def within(self, limits: Accepted) -> bool:
        """Whether it keeps within the hard limits."""
        return limits.allow(
            country=self.country_code,
            language=self.language,
            remote=self.remote,
            employment=self.employment,
            salary_eur=self.salary_max_eur if self.salary_max_eur is not None else self.salary_min_eur,
        )


def looks_exactly(allowed: float, titles: float) -> bool:
    """Whether looking at all `allowed` postings beats the index, which must walk further the less the limits keep."""
    return allowed * allowed <= _INDEX_COST * NEAREST * titles


async def find_candidates(
    connection: Connection, limits: Accepted, vector: Floats, words: str, seen_after: datetime
) -> list[Candidate]:
    """Up to NEAREST postings by meaning and BY_WORDS by their titles' words, each once, in no order.

    `vector` has 256 numbers and length 1. Call it inside a transaction.
    """
    await connection.execute(_SQL.tune_search)
    asked = _asked(limits)
    arguments = (*asked, HalfVector(vector), NEAREST, words, _WORDS_LOOKED_AT, BY_WORDS, seen_after)
    rows: Sequence[Any] = ()
    titles, allowed = await _estimate(connection, asked)
    if not looks_exactly(allowed, titles):
        rows = await connection.fetch(_BY_INDEX, *arguments)
    # Also after an index scan that gave up: what the limits keep may lie far from what is wanted.
    if not rows or rows[0]["nearest"] < NEAREST:
        rows = await connection.fetch(_EXACTLY, *arguments)
    found = (Candidate(*row[1:]) for row in rows)
    return [candidate for candidate in found if candidate.within(limits)]


async def _estimate(connection: Connection, asked: Sequence[Any]) -> tuple[float, float]:
    """Of all titles, and of the postings that the limits keep."""
    plan = await connection.fetchval(_SQL.estimate, *asked)
    read: Any = orjson.loads(plan) if isinstance(plan, str) else plan
    titles, allowed = (float(part["Plan Rows"]) for part in read[0]["Plan"]["Plans"])
    return titles, allowed


def _asked(limits: Accepted) -> tuple[Any, ...]:
    return (limits.countries, limits.languages, limits.remote, limits.employment, limits.min_salary_eur)


async def full_similarities(database: Database, ids: Sequence[int], model: str, vector: Floats) -> Mapping[int, float]:
    """Posting -> cosine of its full text and the profile, for those that `model` has embedded. 384 numbers."""
    rows = await database.fetch(_SQL.full_similarities, list(ids), model, HalfVector(vector))
    return {row["posting_id"]: row["cosine"] for row in rows}


class Looked(msgspec.Struct, frozen=True, gc=False):
    """What is shown of a posting besides what was compared, whether its full text has a vector, and its plain text
    where it was asked for. The fields have the order of the statement's columns."""

    url: str
    apply_url: str | None
    places: Sequence[str]
    embedded: bool
    text: str | None


async def second_look(
    database: Database, ids: Sequence[int], model: str, suspects: Sequence[int]
) -> Mapping[int, Looked]:
    """Posting -> what else there is of it, with the texts of `suspects`; without those that were purged meanwhile."""
    rows = await database.fetch(_SQL.second_look, list(ids), model, list(suspects))
    return {row[0]: Looked(*row[1:]) for row in rows}
