"""Tells searches what was found for them: ranked anew, with what it cost so far, a few times a second at most."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal
from uuid import UUID

import anyio
import anyio.to_thread
import msgspec
import structlog

from daemons.discover import claims
from lib.match import searches
from lib.match.answer import Answer
from lib.match.encoders import Encoders
from lib.match.matcher import Floats, Matcher
from lib.match.profile import Wanted, read_profile
from lib.match.searches import Search
from lib.store.connections import Connection, Database

_LOG = structlog.get_logger("discover")
_PAUSE_S = 0.4
_AT_ONCE = 4

Phase = Literal["discovery", "details"]


class Telling:
    """What searches hear. `nudge` says that there is something new for them; `run` tells it."""

    def __init__(self, database: Database, matcher: Matcher, encoders: Encoders) -> None:
        self._database = database
        self._matcher = matcher
        self._encoders = encoders
        self._read: dict[UUID, tuple[Wanted, Floats]] = {}
        self._nudged: set[UUID] = set()
        self._news, self._hurry = anyio.Event(), anyio.Event()

    def nudge(self, search_ids: Iterable[UUID], *, at_once: bool = False) -> None:
        """There is something new for these searches; `at_once`: the last thing for one of them, which does not wait."""
        self._nudged.update(search_ids)
        if self._nudged:
            self._news.set()
        if at_once:
            self._hurry.set()

    async def run(self) -> None:
        """Tells nudged searches without end; what comes for one of them meanwhile is told together."""
        places = anyio.CapacityLimiter(_AT_ONCE)
        while True:
            await self._news.wait()
            self._news, self._hurry = anyio.Event(), anyio.Event()
            nudged, self._nudged = self._nudged, set()
            started = anyio.current_time()
            async with anyio.create_task_group() as tasks:
                for search_id in nudged:
                    tasks.start_soon(self._tell_details, search_id, places)
            took = anyio.current_time() - started
            with anyio.move_on_after(max(_PAUSE_S, took)):  # half of the time is for encoding texts
                await self._hurry.wait()

    async def read(self, search: Search) -> tuple[Wanted, Floats]:
        """What a running search wants, and the vector of its occupation. Raises UnusableProfile."""
        held = self._read.get(search.id)
        if held is None:
            assert search.profile is not None  # kept while the search runs
            wanted = await anyio.to_thread.run_sync(read_profile, search.profile)
            held = wanted, await self._encoders.title_vector(wanted.phrases)
            self._read[search.id] = held
        return held

    async def forget(self) -> None:
        """Forgets what was read for searches that have ended, here or elsewhere."""
        running = await claims.running(self._database, list(self._read))
        for search_id in self._read.keys() - running:
            del self._read[search_id]

    async def matches(self, search: Search, phase: Phase, came: int, to_come: int) -> tuple[Answer, list[int]]:
        """Ranks and tells progress and matches; gives the answer, and the ids of the whole shortlist, best first.

        `came`, `to_come`: details.
        """
        wanted, vector = await self.read(search)
        credits_used = await claims.spent(self._database, search.id)
        answer, shortlist = await self._matcher.again(search.id, wanted, vector)
        answer = msgspec.structs.replace(answer, live="running", credits_used=credits_used)
        progress = _progress(phase, answer.found, came, to_come, credits_used)

        async def tell(connection: Connection) -> None:
            await searches.tell(connection, search.id, "progress", progress)
            await searches.tell(connection, search.id, "matches", answer)

        await self._database.transaction(tell)
        return answer, shortlist

    async def progress(self, search_id: UUID, phase: Phase, found: int, to_come: int) -> None:
        """Tells that a phase begins. `found`: matches so far; `to_come`: details."""
        progress = _progress(phase, found, 0, to_come, await claims.spent(self._database, search_id))

        async def tell(connection: Connection) -> None:
            await searches.tell(connection, search_id, "progress", progress)

        await self._database.transaction(tell)

    async def end(self, search_id: UUID, live: Literal["done", "unavailable"], why: str | None) -> None:
        """Ends a search; ending it again changes nothing."""
        credits_used = await claims.spent(self._database, search_id)

        async def finish(connection: Connection) -> bool:
            return await searches.finish(connection, search_id, live, why, credits_used)

        if await self._database.transaction(finish):
            _LOG.info("search ended", search=str(search_id), live=live, why=why, credits=credits_used)
        self._read.pop(search_id, None)

    async def _tell_details(self, search_id: UUID, places: anyio.CapacityLimiter) -> None:
        async with places:
            try:
                await self._details(search_id)
            except Exception:  # noqa: BLE001 - one person's search must not end those of all others
                _LOG.exception("search failed for an unforeseen reason", search=str(search_id))
                await self.end(search_id, "done", "failed")

    async def _details(self, search_id: UUID) -> None:
        # Counted before the ranking: all that came is in it. And before the search is read: whoever gave some up wrote
        # down why in the same breath.
        wanted, came = await claims.count_details(self._database, search_id)
        search = await searches.load(self._database, search_id)
        if search is None or search.live != "running":
            return
        await self.matches(search, "details", came, wanted - came)
        if came == wanted:
            await self.end(search_id, "done", search.live_why)


def _progress(phase: Phase, found: int, came: int, to_come: int, credits_used: int) -> dict[str, object]:
    return {"phase": phase, "found": found, "done": came, "to_do": to_come, "credits_used": credits_used}
