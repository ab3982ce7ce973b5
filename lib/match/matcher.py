"""The actor of matching: profile in, result out. It asks PostgreSQL and the encoders; what it decides is in `rank`."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import anyio
import anyio.to_thread
import numpy as np
import numpy.typing as npt

from lib.match.answer import Answer, Copy, Match, Reason, Result
from lib.match.candidates import Looked, find_candidates, full_similarities, second_look
from lib.match.encoders import Encoders
from lib.match.profile import Profile, Wanted, read_profile
from lib.match.rank import ANSWERS, Found, Ranking, Scored, copy_suspects, rerank, score, unite_copies
from lib.match.reasons import reasons
from lib.store.connections import Database

Floats = npt.NDArray[np.float32]


class _Compared(NamedTuple):
    """All that came of comparing: `shown` is the shortlist after the second look, best first, copies as one."""

    candidates: int
    ranking: Ranking
    shown: list[Found]
    looked: Mapping[int, Looked]


class Matcher:
    """Matches profiles out of one database.

    Postings not seen for `expire_days` are not served, nor those that score less than `min_score`, from 0 to 100.
    """

    def __init__(
        self,
        database: Database,
        encoders: Encoders,
        *,
        text_model: str,
        expire_days: int,
        min_score: float,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._encoders = encoders
        self._text_model = text_model
        self._expire = timedelta(days=expire_days)
        self._min_score = min_score
        self._clock = clock
        self._full_texts = False

    async def match(self, profile: Profile) -> Result:
        """The ANSWERS best postings. Raises UnusableProfile."""
        wanted = await anyio.to_thread.run_sync(read_profile, profile)
        return await self.result(wanted, await self._encoders.title_vector(wanted.phrases))

    async def result(self, wanted: Wanted, vector: Floats) -> Result:
        """Everything but reading and encoding the profile."""
        now = self._clock()
        return self._result(wanted, await self._compare(wanted, vector, now), now)

    async def again(self, search_id: uuid.UUID, wanted: Wanted, vector: Floats) -> tuple[Answer, list[int]]:
        """What a search that goes on finds now, and all that is on its shortlist, best first."""
        started, now = time.perf_counter(), self._clock()
        compared = await self._compare(wanted, vector, now)
        result = self._result(wanted, compared, now)
        took_ms = (time.perf_counter() - started) * 1000
        answer = Answer.of(result, search_id, took_ms=took_ms, live="running")
        return answer, [one.best.candidate.id for one in compared.shown]

    async def _compare(self, wanted: Wanted, vector: Floats, now: datetime) -> _Compared:
        # The text is embedded while PostgreSQL looks for candidates, where the search before had use for that.
        text_vector = asyncio.create_task(self._encoders.query_vector(wanted.text)) if self._full_texts else None
        try:
            return await self._compare_with(wanted, vector, now, text_vector)
        finally:
            if text_vector is not None:
                text_vector.cancel()

    async def _compare_with(
        self, wanted: Wanted, vector: Floats, now: datetime, text_vector: asyncio.Task[Floats] | None
    ) -> _Compared:
        candidates = await self._database.transaction(
            lambda connection: find_candidates(connection, wanted.limits, vector, wanted.phrases[0], now - self._expire)
        )
        ranking = score(wanted, candidates, now)
        looked, similarities = await self._second_look(wanted, ranking.shortlist, text_vector)
        texts = {posting: one.text for posting, one in looked.items() if one.text is not None}
        # A posting that was purged meanwhile has no row any more.
        there = [one for one in rerank(ranking.shortlist, similarities) if one.candidate.id in looked]
        return _Compared(len(candidates), ranking, unite_copies(there, texts), looked)

    def _result(self, wanted: Wanted, compared: _Compared, now: datetime) -> Result:
        return Result(
            candidates=compared.candidates,
            found=compared.ranking.found(compared.shown, self._min_score),
            matches=tuple(
                _shown(one, compared.looked[one.best.candidate.id], reasons(wanted, one.best, now))
                for one in compared.shown[:ANSWERS]
                if one.best.score >= self._min_score
            ),
        )

    async def _second_look(
        self, wanted: Wanted, shortlist: Sequence[Scored], text_vector: asyncio.Task[Floats] | None
    ) -> tuple[Mapping[int, Looked], Mapping[int, float]]:
        """What else is known of the shortlist, and similarities of full texts; both by posting."""
        if not shortlist:
            return {}, {}
        ids = [one.candidate.id for one in shortlist]
        looked = await second_look(self._database, ids, self._text_model, copy_suspects(shortlist))
        embedded = [posting for posting, one in looked.items() if one.embedded]
        self._full_texts = bool(embedded)
        if not embedded:
            return looked, {}
        ours = await (text_vector or self._encoders.query_vector(wanted.text))
        return looked, await full_similarities(self._database, embedded, self._text_model, ours)


def _shown(found: Found, looked: Looked, why: tuple[Reason, ...]) -> Match:
    best = found.best.candidate
    return Match(
        id=best.id,
        title=best.title,
        company=best.company,
        url=looked.url,
        apply_url=looked.apply_url,
        places=tuple(looked.places),
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
