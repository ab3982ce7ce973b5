"""The actor of matching: profile in, answer out. It asks PostgreSQL and the encoders; what it decides is in `rank`."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import anyio.to_thread
import numpy as np
import numpy.typing as npt

from lib.match.answer import Answer, Copy, Match, Reason
from lib.match.candidates import find_candidates, full_similarities, second_look
from lib.match.encoders import Encoders
from lib.match.profile import Profile, Wanted, read_profile
from lib.match.rank import ANSWERS, Found, Scored, copy_suspects, rerank, score, unite_copies
from lib.match.reasons import reasons
from lib.store.connections import Database
from sql import statements

Floats = npt.NDArray[np.float32]
_SQL = statements("match")


class Matcher:
    """Answers profiles out of one database. Postings not seen for `expire_days` are not served."""

    def __init__(
        self,
        database: Database,
        encoders: Encoders,
        *,
        text_model: str,
        expire_days: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._encoders = encoders
        self._text_model = text_model
        self._expire = timedelta(days=expire_days)
        self._clock = clock

    async def match(self, profile: Profile, api_key_id: int | None = None) -> Answer:
        """The ANSWERS best postings, recorded as a search. Raises UnusableProfile."""
        wanted = await anyio.to_thread.run_sync(read_profile, profile)
        vector = await self._encoders.title_vector(wanted.phrases)
        return await self.answer(wanted, vector, profile.digest(), api_key_id)

    async def answer(self, wanted: Wanted, vector: Floats, digest: bytes, api_key_id: int | None) -> Answer:
        """Everything but reading and encoding the profile. `digest` tells equal profiles."""
        started = time.perf_counter()
        now = self._clock()
        candidates, ranked = await self._rank(wanted, vector, now)
        found = ranked[:ANSWERS]
        request, ids = uuid.uuid4(), [one.best.candidate.id for one in found]
        shown = await self._database.fetch(
            _SQL.record_search, request, api_key_id, digest, candidates, ids,
            found[0].best.score if found else None, (time.perf_counter() - started) * 1000,
        )  # fmt: skip
        return _answer(request, wanted, found, shown, candidates, now, started)

    async def again(self, search_id: uuid.UUID, wanted: Wanted, vector: Floats) -> tuple[Answer, list[int]]:
        """What a search that goes on finds now, and all that is on its shortlist, best first. Nothing is recorded."""
        started = time.perf_counter()
        now = self._clock()
        candidates, ranked = await self._rank(wanted, vector, now)
        found = ranked[:ANSWERS]
        shown = await self._database.fetch(_SQL.shown, [one.best.candidate.id for one in found])
        answer = _answer(search_id, wanted, found, shown, candidates, now, started)
        return answer, [one.best.candidate.id for one in ranked]

    async def _rank(self, wanted: Wanted, vector: Floats, now: datetime) -> tuple[int, list[Found]]:
        """How many postings were compared, and the shortlist, best first, copies as one."""
        candidates = await self._database.transaction(
            lambda connection: find_candidates(connection, wanted.limits, vector, wanted.phrases[0], now - self._expire)
        )
        shortlist = score(wanted, candidates, now)
        similarities, texts = await self._second_look(wanted, shortlist)
        return len(candidates), unite_copies(rerank(shortlist, similarities), texts)

    async def _second_look(
        self, wanted: Wanted, shortlist: Sequence[Scored]
    ) -> tuple[Mapping[int, float], Mapping[int, str]]:
        """Similarities of full texts, and the texts of those that may be copies; both by posting."""
        if not shortlist:
            return {}, {}
        ids = [one.candidate.id for one in shortlist]
        embedded, texts = await second_look(self._database, ids, self._text_model, copy_suspects(shortlist))
        if not embedded:
            return {}, texts
        encoder = await self._encoders.text()
        vectors = await anyio.to_thread.run_sync(encoder.encode_queries, [wanted.text])
        return await full_similarities(self._database, ids, self._text_model, vectors[0]), texts


def _answer(
    request: uuid.UUID,
    wanted: Wanted,
    found: Sequence[Found],
    shown: Sequence[Mapping[str, Any]],
    candidates: int,
    now: datetime,
    started: float,
) -> Answer:
    rows = {row["id"]: row for row in shown}
    return Answer(
        id=request,
        candidates=candidates,
        found=len(found),
        took_ms=round((time.perf_counter() - started) * 1000, 1),
        # A posting that was purged meanwhile has no row any more.
        matches=tuple(
            _shown(one, rows[one.best.candidate.id], reasons(wanted, one.best, now))
            for one in found
            if one.best.candidate.id in rows
        ),
    )


def _shown(found: Found, row: Mapping[str, Any], why: tuple[Reason, ...]) -> Match:
    best = found.best.candidate
    return Match(
        id=best.id,
        title=best.title,
        company=best.company,
        url=row["url"],
        apply_url=row["apply_url"],
        places=tuple(row["places"]),
        city=best.city,
        country=best.country_code,
        language=best.language,
        remote=best.remote,
        employment=best.employment,
        salary_min_eur=best.salary_min_eur,
        salary_max_eur=best.salary_max_eur,
        posted_at=best.posted_at,
        score=found.best.score,
        parts=found.best.points,
        reasons=why,
        copies=tuple(Copy(copy.candidate.id, copy.candidate.city) for copy in found.copies),
    )
