"""Takes in what was bought: the raw answer, postings with all that a match compares, texts with their vectors, at once.

The followers of the change log do the same work later and find it done: both write by the same statements.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any
from urllib.parse import urlencode

import anyio.to_thread
import asyncpg
import structlog

from daemons.crawl.archive import raw_record
from daemons.discover import claims
from daemons.discover.claims import REFRESH_DAYS, Seen, Wanted
from daemons.discover.listings import read_listing
from daemons.discover.query import Ask
from daemons.discover.twins import Job, beginning, same_job
from daemons.embed.listings import ListingFold
from daemons.embed.texts import TextVectors
from daemons.enrich.actor import enrich_folds
from lib.errors import Transient
from lib.match.encoder import TitleEncoder
from lib.net.messages import Request, Response
from lib.posting import boards, writing
from lib.posting.boards import RawResponse
from lib.posting.contract import Posting, merge_rows
from lib.posting.writing import Described, Listed
from lib.store.batches import write_batch
from lib.store.blobs import Put, digest_of
from lib.store.changes import Fold, Item
from lib.store.connections import Connection, Database
from lib.text.titles import clean_title
from sql import statements

_SQL = statements("discover")
_LOG = structlog.get_logger("discover")
GONE = "gone"
BUYER = "discover"  # the one crawler of all metered boards


@dataclass(frozen=True)
class Came:
    """A detail that came: the posting in full, and the answer that brought it. None: the posting is gone, or what came
    has no text, as `outcome` says."""

    wanted: Wanted
    outcome: str
    detail: Posting | None = None
    response: Response | None = None


def answered(operation: str, parameters: Mapping[str, str], body: bytes) -> Response:
    """A provider's answer as the archive keeps it: what was asked, without any key."""
    url = f"hasdata:{operation}?{urlencode(parameters)}"
    return Response(request=Request(url=url), url=url, status=200, headers={}, body=body)


class Intake:
    """`session` is the lineage of all that is written; `turned` is called whenever the work went on."""

    def __init__(
        self,
        database: Database,
        blobs: Put,
        session: str,
        load_titles: Callable[[], TitleEncoder],
        texts: TextVectors,
        turned: Callable[[], None],
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._session = session
        self._texts = texts
        self._turned = turned
        self._folds: list[Fold[Any]] = [*enrich_folds(database), ListingFold(database, load_titles)]

    async def listing(self, ask: Ask, response: Response) -> Seen:
        """Takes in a page of a listing. Raises Malformed where it is none; its blob is kept all the same. Raises
        Transient after an outage that outlasted our hold on the board: nothing is written then."""
        now = datetime.now(UTC)
        key = await self._blobs.put(response.body)
        page = await anyio.to_thread.run_sync(read_listing, ask, response, now)
        for row in page.rejected:
            _LOG.warning("row set aside", provider=ask.provider, reason=row.reason)
        board_id = await self._database.fetchval(
            _SQL.hold_board, ask.provider, ask.query.country, f"https://{ask.domain}/", BUYER
        )
        raw = raw_record(board_id, self._session, response, digest_of(key), key, now)
        raw_id = await boards.add_raw(self._database, raw)
        rows = [Listed.of(row, raw_id) for row in merge_rows(page.rows)]
        found = await self._write(board_id, rows, now)
        return Seen(tuple(found), page.cursor)

    async def _write(self, board_id: int, listed: Sequence[Listed], now: datetime) -> list[int]:
        """Ids of all these postings but those that are gone, which lists go on showing; of what other boards have, the
        ids there."""
        known = await self._known(board_id, [row.posting.external_id for row in listed])
        held = {one["external_id"]: one["content_hash"] for one in known}
        gone = {one["external_id"] for one in known if one["gone"]}
        rows = [row for row in listed if row.posting.external_id not in gone]
        ids = [row.posting.external_id for row in rows]
        new = [row.posting for row in rows if row.posting.external_id not in held]
        elsewhere = await self._elsewhere(board_id, new)
        mine = [row for row in rows if row.posting.external_id not in elsewhere]
        changed = [row for row in mine if held.get(row.posting.external_id) != row.hash]

        async def write(connection: Connection, items: Sequence[Listed]) -> None:
            if not await writing.ingest(connection, board_id, self._session, BUYER, now, items):
                raise Transient("the hold on the board has lapsed")

        async def refuse(connection: Connection, item: Listed, reason: str) -> None:
            _LOG.warning("row set aside", reason=reason)

        await write_batch(self._database, changed, write, bury=refuse)
        await writing.touch(self._database, board_id, BUYER, now, [row.posting.external_id for row in mine])
        self._turned()
        written = {one["external_id"]: one["id"] for one in await self._known(board_id, ids)}
        found = written | elsewhere
        await self._derive([found[row.posting.external_id] for row in changed if row.posting.external_id in found])
        return [found[one] for one in ids if one in found]

    async def _known(self, board_id: int, ids: Sequence[str]) -> Sequence[asyncpg.Record]:
        return await self._database.fetch(_SQL.known, board_id, ids, REFRESH_DAYS)

    async def _elsewhere(self, board_id: int, postings: Sequence[Posting]) -> dict[str, int]:
        """Which of these are postings of other boards: external id -> posting id there."""
        named = [(place, posting.company) for place, posting in enumerate(postings) if posting.company]
        asked = [(place, begins) for place, company in named if (begins := beginning(company)) is not None]
        if not asked:
            return {}
        rows = await self._database.fetch(
            _SQL.namesakes, [place for place, _ in asked], [clean_title(postings[place].title) for place, _ in asked],
            [begins for _, begins in asked], board_id,
        )  # fmt: skip

        def compare() -> dict[str, int]:
            found: dict[str, int] = {}
            for row in rows:
                posting = postings[row["place"]]
                here = Job(posting.title, posting.company, posting.places, posting.country)
                there = Job(row["title"], row["company"], (row["city"] or "", *row["places"]), row["country_code"])
                if same_job(here, there):
                    found.setdefault(posting.external_id, row["id"])
            return found

        return await anyio.to_thread.run_sync(compare)

    async def details(self, came: Sequence[Came]) -> None:
        """Takes in texts with all that follows from them, and closes what is gone. Repeating it changes nothing.

        Nobody hears of them before all of it is there.
        """
        now = datetime.now(UTC)
        outcomes = {one.wanted.posting_id: one.outcome for one in came}
        full = await self._kept(sorted(came, key=lambda one: one.wanted.posting_id), now)

        async def describe(connection: Connection, items: Sequence[tuple[RawResponse, Described]]) -> None:
            raw_ids = await boards.add_raws(connection, [raw for raw, _ in items])
            described = [replace(one, raw_id=raw_id) for (_, one), raw_id in zip(items, raw_ids, strict=True)]
            await writing.describe(connection, self._session, now, described)

        async def refuse(connection: Connection, item: tuple[RawResponse, Described], reason: str) -> None:
            _LOG.warning("detail set aside", posting=item[1].posting_id, reason=reason)
            outcomes[item[1].posting_id] = "failed"

        async def settle(connection: Connection) -> None:
            gone = sorted(posting_id for posting_id, outcome in outcomes.items() if outcome == GONE)
            await writing.close_by_id(connection, self._session, now, gone)
            await claims.settle_details(connection, outcomes)

        await write_batch(self._database, full, describe, bury=refuse)
        self._turned()
        ids = [one.posting_id for _, one in full]
        await self._derive(ids)
        await self._embed(ids)
        await self._database.transaction(settle)

    async def _kept(self, came: Sequence[Came], now: datetime) -> list[tuple[RawResponse, Described]]:
        """The texts that came, each with the record of its answer; the answers are kept as one blob."""
        full = [(one.wanted, one.detail, one.response) for one in came if one.detail and one.response]
        if not full:
            return []
        key = await self._blobs.put(b"".join(response.body for _, _, response in full))
        begins = accumulate((len(response.body) for _, _, response in full), initial=0)
        return [
            (
                raw_record(
                    wanted.board_id, self._session, response, hashlib.sha256(response.body).digest(), key, now, begin
                ),
                Described(wanted.posting_id, detail),
            )
            for (wanted, detail, response), begin in zip(full, begins, strict=False)
        ]

    async def _derive(self, ids: Sequence[int]) -> None:
        """What enrichers and listing vectors say of these postings."""
        if not ids:
            return
        for fold in self._folds:
            prepared = await fold.prepare(ids)
            await write_batch(self._database, prepared.items, fold.write, bury=_left)
            self._turned()

    async def _embed(self, ids: Sequence[int]) -> None:
        made = await self._texts.make(ids)
        if made:
            await write_batch(self._database, made, self._texts.write, bury=_left)


async def _left(connection: Connection, item: Item, reason: str) -> None:
    """What cannot be written is left to the follower, which sets it aside in its own name."""
    _LOG.warning("left to the follower", posting=item.posting_id, reason=reason)
