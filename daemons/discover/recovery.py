"""Searches that fell silent: PostgreSQL has them all, so what Redis lost is published again, and none runs for ever."""

from __future__ import annotations

from collections.abc import Sequence

from daemons.discover import claims
from daemons.discover.claims import Quiet
from daemons.discover.telling import Telling
from lib.store.connections import Database
from lib.store.streams import Stream

LOOK_S = 30.0
_LATE_S = 600.0


class Recovery:
    """Looks after running searches that told nothing for LOOK_S."""

    def __init__(self, database: Database, telling: Telling, discovery: Stream, details: Stream) -> None:
        self._database = database
        self._telling = telling
        self._discovery = discovery
        self._details = details

    async def look(self, quiet_s: float = LOOK_S) -> int:
        """Wakes all that are silent; how many there were. A job that lives on finds that nothing is left to do."""
        silent = await claims.quiet_searches(self._database, quiet_s, _LATE_S)
        await self._end([search for search in silent if search.dead or search.late])
        await self._wake([search for search in silent if not (search.dead or search.late)])
        await self._telling.forget()
        await claims.forget_queries(self._database)
        return len(silent)

    async def _end(self, over: Sequence[Quiet]) -> None:
        for search in over:
            why = "failed" if search.dead else "abandoned"
            await self._telling.end(search.search_id, "done" if search.detailed else "unavailable", why)

    async def _wake(self, silent: Sequence[Quiet]) -> None:
        begun = [search.search_id for search in silent if search.detailed]
        missing = await claims.missing_details(self._database, begun)
        await self._details.publish_many({str(posting_id): {} for posting_id in missing})
        self._telling.nudge(begun)
        await self._discovery.publish_many({str(search.search_id): {} for search in silent if not search.detailed})
