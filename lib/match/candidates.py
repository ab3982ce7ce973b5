"""Finding candidates in PostgreSQL: the nearest by meaning, together with those whose titles say the same words.

Literal title matches are what vectors alone miss most. Hard limits are conditions of the statements themselves, so
that they cost no candidates. PostgreSQL's planner asks the HNSW index of titles when the limits keep much; when they
keep little it would have to walk far, and looking at everything that they keep is faster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from pgvector import HalfVector

from lib.match.profile import Accepted
from lib.store.connections import Connection, Database
from sql import statements

Floats = npt.NDArray[np.float32]

_SQL = statements("match")
_NEAREST_FIRST = _SQL.candidates.format(nearest=_SQL.nearest_first)
_EXACTLY = _SQL.candidates.format(nearest=_SQL.nearest_exactly)
NEAREST = 500
BY_WORDS = 100
_WORDS_LOOKED_AT = 2_000


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """What is compared of one posting; None is unknown. `cosine`: of its title's vector and the wanted one's.

    `skills` are canonical names, None where no text could name any. Salaries are a year's, in EUR. The fields have the
    order of the statement's columns.
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


async def find_candidates(
    connection: Connection, limits: Accepted, vector: Floats, words: str, seen_after: datetime
) -> list[Candidate]:
    """Up to NEAREST postings by meaning and BY_WORDS by their titles' words, each once, in no order.

    `vector` has 256 numbers and length 1. Call it inside a transaction.
    """
    await connection.execute(_SQL.tune_search)
    arguments = (*_asked(limits), HalfVector(vector), NEAREST, words, _WORDS_LOOKED_AT, BY_WORDS, seen_after)
    rows = await connection.fetch(_NEAREST_FIRST, *arguments)
    # What the limits keep may lie far from what is wanted: an index scan gives up after a while.
    if not rows or rows[0]["nearest"] < NEAREST:
        rows = await connection.fetch(_EXACTLY, *arguments)
    found = (Candidate(*row[1:]) for row in rows)
    return [candidate for candidate in found if candidate.within(limits)]


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
