"""Jobs of the stream `details`: the full text of one posting, fetched once however many searches wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import anyio
import anyio.to_thread
import structlog

from daemons.discover import claims
from daemons.discover.claims import LEASE_S, Claims, Wanted
from daemons.discover.details import read_detail, read_page_of
from daemons.discover.intake import GONE, Came, Intake, answered
from daemons.discover.telling import Telling
from lib.errors import Gone, Malformed, RateLimited, Transient
from lib.net.messages import Response
from lib.posting.contract import Posting
from lib.spend.client import BadCall, CachedOnly, Gateway
from lib.store.connections import Database
from lib.store.streams import Job

_LOG = structlog.get_logger("discover")
_BUSY_S = 3.0
_BATCH = 16  # texts that are taken in together
_NO_ADDRESS = 422  # the gateway's word for an address that a provider is not asked for
_NO_PAGE = range(400, 500)  # statuses by which a provider says that it finds no such posting


class Enrichment:
    """Fetches details, `at_once` of them, and takes in together those that came meanwhile: encoders like several texts
    at once. A job lasts until its text is there with its vector, which holds up no call."""

    def __init__(
        self,
        database: Database,
        gateway: Gateway,
        intake: Intake,
        telling: Telling,
        held: Claims,
        at_once: int,
        turned: Callable[[], None],
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._intake = intake
        self._telling = telling
        self._claims = held
        self._places = anyio.CapacityLimiter(at_once)
        self._turned = turned
        self._came: list[tuple[Came, asyncio.Future[None]]] = []
        self._some = anyio.Event()

    async def run(self) -> None:
        """Takes in what came, without end."""
        while True:
            await self._some.wait()
            self._some = anyio.Event()
            batch, self._came = self._came[:_BATCH], self._came[_BATCH:]
            if self._came:
                self._some.set()
            if not batch:  # the other one was faster
                continue
            try:
                await self._intake.details([came for came, _ in batch])
                ids = [came.wanted.posting_id for came, _ in batch]
                waiting = await claims.waiting_for(self._database, ids)
                self._telling.nudge(waiting, at_once=any(waiting.values()))
            except Exception as error:  # noqa: BLE001 - each of their jobs fails with it, and its worker decides
                for _, taken in batch:
                    if not taken.done():
                        taken.set_exception(error)
            else:
                for _, taken in batch:
                    if not taken.done():
                        taken.set_result(None)

    async def handle(self, job: Job) -> None:
        """Fetches the posting that the job is named after. Raises RateLimited while others do, or take all places."""
        if not job.id.isascii() or not job.id.isdigit() or len(job.id) > 18:
            raise Malformed(f"{job.id!r} is no posting")
        posting_id = int(job.id)
        while (wanted := await self._claims.detail(posting_id)) is not None:
            try:
                with self._claims.fetching(posting_id):
                    async with self._places:
                        came = await self._fetch(wanted)
                    await self._take_in(came)
                return
            except CachedOnly as reason:
                await self._claims.free_detail(posting_id)
                if reason.why == "busy":  # others' calls take all places, and will be done
                    raise RateLimited(str(reason), datetime.now(UTC) + timedelta(seconds=_BUSY_S)) from reason
                _LOG.info("cached results only", search=str(wanted.search_id), why=reason.why, reason=str(reason))
                await claims.give_up(self._database, wanted.search_id, reason.why)
                self._telling.nudge([wanted.search_id])  # and another one that waits may pay
            except BaseException:  # also where we are cancelled: another worker need not wait for our lease
                with anyio.CancelScope(shield=True), anyio.move_on_after(2):
                    await self._claims.free_detail(posting_id)
                raise
            finally:
                self._turned()
        if await claims.is_wanted(self._database, posting_id):
            raise RateLimited("another worker fetches it", datetime.now(UTC) + timedelta(seconds=LEASE_S / 4))
        self._telling.nudge(await claims.waiting_for(self._database, [posting_id]))

    async def _take_in(self, came: Came) -> None:
        taken = asyncio.get_running_loop().create_future()
        self._came.append((came, taken))
        self._some.set()
        await taken

    async def _fetch(self, wanted: Wanted) -> Came:
        """The provider's detail, else the page itself. Raises CachedOnly when nothing more can be bought, Transient."""
        listed = Posting(external_id=wanted.external_id, title=wanted.title, url=wanted.url)
        try:
            response = await self._buy(wanted, f"{wanted.provider}_job")
            return await _read(wanted, response, lambda: read_detail(wanted.provider, response, listed))
        except (Malformed, Transient) as reason:
            _LOG.info("the page instead of the detail", posting=wanted.posting_id, reason=str(reason))
        try:
            page = await self._buy(wanted, "web")
            return await _read(wanted, page, lambda: read_page_of(page, listed))
        except Malformed as reason:
            _LOG.info("no text", posting=wanted.posting_id, reason=str(reason))
            return Came(wanted, "empty")

    async def _buy(self, wanted: Wanted, operation: str) -> Response:
        """An answer about the posting. Raises Malformed where there is none to be had, Transient where the provider
        failed with this one, CachedOnly where it gives nothing at all, BadCall where the gateway does not know us."""
        parameters = {"url": wanted.url}
        try:
            paid = await self._gateway.call(
                "hasdata", operation, parameters, account_id=wanted.account_id,
                request_id=f"detail:{wanted.posting_id}:{wanted.round}:{operation}", search_id=wanted.search_id,
                record=f"{operation}:{wanted.provider}:{wanted.external_id}",
            )  # fmt: skip
        except BadCall as error:
            if error.status != _NO_ADDRESS:
                raise
            raise Malformed(str(error)) from error
        except CachedOnly as error:
            if error.lost or error.status in _NO_PAGE:
                raise Malformed(str(error)) from error
            if error.why != "provider" or error.status is None:
                raise
            raise Transient(str(error), error.status) from error
        return answered(operation, parameters, paid.body)


async def _read(wanted: Wanted, response: Response, read: Callable[[], Posting]) -> Came:
    try:
        return Came(wanted, "described", await anyio.to_thread.run_sync(read), response)
    except Gone:
        return Came(wanted, GONE)
