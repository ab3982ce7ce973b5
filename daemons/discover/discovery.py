"""Jobs of the stream `discovery`: what a search asks of providers, page by page until there is enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import anyio
import structlog

from daemons.discover import claims
from daemons.discover.claims import Claims, Seen
from daemons.discover.intake import Intake, answered
from daemons.discover.query import Ask, Provider, plan, read_query
from daemons.discover.telling import Telling
from lib.errors import Malformed
from lib.match import searches
from lib.match.live import Thresholds, needs_discovery
from lib.match.profile import UnusableProfile
from lib.match.searches import Search
from lib.spend.client import BadCall, CachedOnly, Gateway
from lib.store.connections import Database
from lib.store.streams import Job, Stream

_LOG = structlog.get_logger("discover")
_LOOK_S = 0.2  # between two looks at what another one buys


@dataclass(frozen=True)
class Found:
    """How many matches there are now, and the ids of the whole shortlist, best first."""

    matches: int
    shortlist: list[int]

    def worth(self, most: int) -> list[int]:
        """Those whose texts are worth buying: what matches too little is shown to nobody.

        Texts lift few of them. Of 488 in 14 searches of the simulated market 32 scored enough afterwards, and 2 came
        among the twenty that an answer shows; a search that had found nothing found nothing in 100 texts either.
        """
        return self.shortlist[: min(self.matches, most)]


class Discovery:
    """`most_listings`: pages that one search may buy; `most_details`: postings whose texts it may."""

    def __init__(
        self,
        database: Database,
        gateway: Gateway,
        intake: Intake,
        telling: Telling,
        held: Claims,
        details: Stream,
        *,
        thresholds: Thresholds,
        most_listings: int,
        most_details: int,
        turned: Callable[[], None],
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._intake = intake
        self._telling = telling
        self._claims = held
        self._details = details
        self._thresholds = thresholds
        self._most_listings = most_listings
        self._most_details = most_details
        self._turned = turned

    async def handle(self, job: Job) -> None:
        """Works on the search that the job is named after; doing it again buys nothing again."""
        search = await searches.load(self._database, _search_id(job))
        if search is None or search.live != "running":
            return
        try:
            wanted, _ = await self._telling.read(search)
        except UnusableProfile:
            await self._telling.end(search.id, "unavailable", "failed")
            return
        query = read_query(wanted)
        if query is None:
            await self._telling.end(search.id, "unavailable", "place")
            return
        await self._telling.progress(search.id, "discovery", search.found, 0)
        found, why = await self._discover(search, plan(query, self._most_listings))
        if found is None:
            await self._telling.end(search.id, "unavailable", why)
            return
        missing = await claims.want_details(self._database, search.id, found.worth(self._most_details), why)
        if not missing:
            await self._telling.end(search.id, "done", why)
            return
        await self._telling.progress(search.id, "details", found.matches, len(missing))
        await self._details.publish_many({str(posting_id): {} for posting_id in missing})

    async def _discover(self, search: Search, asks: Sequence[Ask]) -> tuple[Found | None, str | None]:
        """What is there after as many pages as it takes, None where none could be had; and why it ended early."""
        pages: dict[Provider, str | None] = {}
        found: Found | None = None
        why: str | None = None
        for ask in asks:
            cursor = pages.get(ask.provider)
            if ask.page > 1 and cursor is None:
                continue
            try:
                seen = await self._see(search, ask, cursor)
            except CachedOnly as reason:
                _LOG.info("cached results only", search=str(search.id), why=reason.why, reason=str(reason))
                why = reason.why
                if why == "provider" and (reason.lost or reason.status is not None):  # another listing may be had
                    continue
                break
            except Malformed as reason:
                _LOG.warning("listing set aside", search=str(search.id), provider=ask.provider, reason=str(reason))
                why = "failed"
                continue
            pages[ask.provider] = seen.next_page
            answer, shortlist = await self._telling.matches(search, "discovery", 0, 0)
            found = Found(answer.found, shortlist)
            self._turned()
            best = answer.matches[0].score if answer.matches else None
            if not needs_discovery(best, answer.found, self._thresholds):
                break
        return found, why

    async def _see(self, search: Search, ask: Ask, cursor: str | None) -> Seen:
        """The page, bought by us or by whoever asked first. Raises CachedOnly, Malformed."""
        while (seen := await self._claims.look(ask.key)) is None:
            named = await self._claims.query(ask.key, search.id)
            if named is None:
                self._turned()
                await anyio.sleep(_LOOK_S)
                continue
            try:
                with self._claims.buying(ask.key):
                    return await self._buy(search, ask, cursor, named)
            except CachedOnly as reason:
                if not _only_theirs(reason):
                    await self._claims.leave_query(ask.key)
                    raise
                await self._claims.free_query(ask.key)
                if named == search.id:
                    raise
            except BaseException:  # also where we are cancelled: whoever waits for the page goes on at once
                with anyio.CancelScope(shield=True), anyio.move_on_after(2):
                    await self._claims.leave_query(ask.key)
                raise
        return seen

    async def _buy(self, search: Search, ask: Ask, cursor: str | None, named: UUID) -> Seen:
        """Buys the page in the name of `named`, the search that began with it: what a worker bought that died since
        is there under that name, and is not bought again."""
        first = search if named == search.id else await searches.load(self._database, named)
        payer = search if first is None else first
        operation, parameters = f"{ask.provider}_listing", ask.parameters(cursor)
        try:
            paid = await self._gateway.call(
                "hasdata", operation, parameters, account_id=payer.account_id,
                request_id=f"listing:{payer.id}:{ask.key.hex()[:32]}", search_id=payer.id,
            )  # fmt: skip
        except BadCall as error:
            raise Malformed(f"{operation}: {error}") from error
        try:
            seen = await self._intake.listing(ask, answered(operation, parameters, paid.body))
        except Malformed:  # the same would come again, and cost again
            await self._claims.bought(ask.key, paid.bought_at, Seen((), None))
            raise
        await self._claims.bought(ask.key, paid.bought_at, seen)
        return seen


def _only_theirs(reason: CachedOnly) -> bool:
    """Whether nothing can come of a call in this search's name, while it may in another's."""
    return reason.lost or reason.why in ("budget", "share")


def _search_id(job: Job) -> UUID:
    try:
        return UUID(job.id)
    except ValueError as error:
        raise Malformed(f"{job.id!r} is no search") from error
