"""The actor of searching: who asks gets an answer, kept or computed, that is written down first.

Equal profiles that are asked at the same moment are computed once. Nothing in a result depends on who asked; what does
(the search's id, whether it goes on live) is added for each.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from lib.errors import VakanzError
from lib.match.answer import Answer, Live, Result
from lib.match.kept import KeptResults
from lib.match.live import Thresholds, decide, needs_discovery
from lib.match.matcher import Matcher
from lib.match.profile import Profile
from lib.match.recorder import Entry, Recorder, Stale
from lib.match.searches import Search

_COMPUTED_AT_ONCE = 4  # more would only share the same cores
MOST_IN_HAND: Final = 50  # a second of work or two: who would wait longer is better told so at once
_COMPUTE_S = 20.0


class TooMany(VakanzError):
    """More searches are waiting than can be answered soon."""


class Asker(NamedTuple):
    """Who asks. `may_spend`: whether credits may be spent for them."""

    account_id: int | None
    api_key_id: int | None
    may_spend: bool


class Searcher:
    """Answers searches. `gateway`: whether there is a way to paid sources. `spent`: whether their budget is known to be
    spent."""

    def __init__(
        self,
        matcher: Matcher,
        kept: KeptResults,
        recorder: Recorder,
        thresholds: Thresholds,
        *,
        gateway: bool,
        spent: Callable[[], Awaitable[bool]],
    ) -> None:
        self._matcher = matcher
        self._kept = kept
        self._recorder = recorder
        self._thresholds = thresholds
        self._gateway = gateway
        self._spent = spent
        self._computing: dict[bytes, asyncio.Task[Result]] = {}
        self._places = asyncio.Semaphore(_COMPUTED_AT_ONCE)
        self._in_hand = 0

    async def search(self, profile: Profile, asker: Asker) -> Answer:
        """The answer to a profile, recorded. Raises UnusableProfile, TooMany."""
        if self._in_hand >= MOST_IN_HAND:
            raise TooMany("too many searches at the moment, please try again")
        self._in_hand += 1
        try:
            return await self._answer(profile, asker)
        finally:
            self._in_hand -= 1

    async def kept(self, search: Search) -> Answer | None:
        """What a search answered that did not go on, as long as its result is kept."""
        result = await self._kept.get(search.profile_hash)
        if result is None:
            return None
        return Answer.of(
            result, search.id, took_ms=0.0, live=search.live, live_why=search.live_why,
            credits_used=search.credits_used, cached=True,
        )  # fmt: skip

    async def _answer(self, profile: Profile, asker: Asker) -> Answer:
        started, digest = time.perf_counter(), profile.digest()
        kept = await self._kept.get(digest)
        while True:
            result = kept or await self._computed(profile, digest)
            live, why = await self._live(result, asker)
            took_ms = (time.perf_counter() - started) * 1000
            answer = Answer.of(result, uuid.uuid4(), took_ms=took_ms, live=live, live_why=why, cached=kept is not None)
            entry = Entry(answer, profile, digest, asker.account_id, asker.api_key_id, again=kept is not None)
            try:
                await self._recorder.record(entry)
            except Stale:
                kept = None
                continue
            return answer

    async def _live(self, result: Result, asker: Asker) -> tuple[Live, str | None]:
        needed = needs_discovery(result.best, result.found, self._thresholds)
        possible = needed and asker.may_spend and self._gateway
        return decide(needed, may_spend=asker.may_spend, gateway=self._gateway, spent=possible and await self._spent())

    async def _computed(self, profile: Profile, digest: bytes) -> Result:
        """Computed now, together with whoever else asks the same at this moment."""
        task = self._computing.get(digest)
        if task is None:
            task = self._computing[digest] = asyncio.create_task(self._compute(profile, digest))
            task.add_done_callback(lambda done: self._forget(digest, done))
        return await asyncio.shield(task)

    async def _compute(self, profile: Profile, digest: bytes) -> Result:
        async with asyncio.timeout(_COMPUTE_S), self._places:
            result = await self._matcher.match(profile)
        await self._kept.put(digest, result)
        return result

    def _forget(self, digest: bytes, done: asyncio.Task[Result]) -> None:
        del self._computing[digest]
        if not done.cancelled():
            done.exception()  # whoever still waits raises it; where nobody does, it was told them as a time-out
