"""Visits to pages: fetched as the site allows it, kept as they came, read in a process of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import anyio
import anyio.to_thread
import msgspec

from daemons.careers.closing import Sight, sight_of
from daemons.careers.documents import read_ad
from daemons.careers.pages import Page
from daemons.careers.places import looked_up
from daemons.careers.reading import MAX_PAGE_BYTES, Fetched, Reading, read_pages
from daemons.careers.site import Site, address, external_id, is_aside
from daemons.careers.survey import Rights, Send
from daemons.crawl.archive import Archive
from lib.errors import Malformed, SourceError
from lib.life.documents import read_apart
from lib.life.sandbox import Sandbox
from lib.net.messages import Request, Response
from lib.net.robots import Disallowed
from lib.posting.contract import Posting
from lib.store.blobs import digest_of, key_of
from lib.text.documents import is_pdf
from lib.text.gazetteer import load_gazetteer
from lib.text.ocr import OcrMissing

AT_ONCE = 4
_MAX_BYTES = 20_000_000
_ACCEPT = {"Accept": "text/html,application/xhtml+xml,application/pdf;q=0.9"}
_NOT_PAGES = ("image/", "video/", "audio/", "font/", "application/zip", "application/octet-stream")


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What a visit to `page` brought. `reading` is None where there was nothing new to read.

    `postings`: as the page states them, complete. `led_to`: where the page sent us instead. `forbidden`: by the site's
    robots.txt or reservations.
    """

    page: Page
    sight: Sight
    reason: str | None = None
    response: Response | None = None
    body_hash: bytes | None = None
    raw_id: int | None = None
    reading: Reading | None = None
    postings: tuple[Posting, ...] = ()
    led_to: str | None = None
    unchanged: bool = False
    forbidden: bool = False


@dataclass(frozen=True)
class Readers:
    """The processes that foreign files are read in, shared by all sites that one daemon works on."""

    pages: Sandbox
    documents: Sandbox


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Visits pages of one site. `send` is patient; `version`: of the code, another one's readings do not count."""

    site: Site
    send: Send
    rights: Rights
    archive: Archive
    readers: Readers
    version: str

    async def visit(self, pages: Sequence[Page]) -> list[Visit]:
        """Fetches all, AT_ONCE at a time, and reads those that came and changed, together."""
        visits: list[Visit] = [Visit(page=page, sight=Sight.UNREACHABLE) for page in pages]
        slots = anyio.CapacityLimiter(AT_ONCE)

        async def one(at: int) -> None:
            async with slots:
                visits[at] = await self._fetch(pages[at])

        async with anyio.create_task_group() as tasks:
            for at in range(len(pages)):
                tasks.start_soon(one, at)
        return await self._read(visits)

    async def _fetch(self, page: Page) -> Visit:
        refusal = self.rights.forbid(page.url, {})
        if refusal is not None:
            return _forbidden(page, refusal)
        known = page.validators if self._counts(page) else None
        request = Request(url=page.url, headers=_ACCEPT, max_bytes=_MAX_BYTES)
        try:
            response = await self.send(request, known)
        except Disallowed as error:
            return _forbidden(page, str(error))
        except SourceError as error:
            return Visit(page=page, sight=sight_of(error), reason=f"{type(error).__name__}: {error}"[:300])
        refusal = self.rights.forbid(page.url, response.headers, response.body)
        if refusal is not None:
            return _forbidden(page, refusal)
        return await self._arrived(page, response)

    async def _arrived(self, page: Page, response: Response) -> Visit:
        end = address(response.url, page.url) or page.url
        if external_id(end) != external_id(page.url):
            return self._led(page, end)
        if response.status == 304:
            return Visit(page=page, sight=Sight.SHOWN, response=response, body_hash=page.body_hash, unchanged=True)
        if response.headers.get("content-type", "").lower().startswith(_NOT_PAGES):
            return Visit(page=page, sight=Sight.REFUSED, reason="not a page", response=response)
        body_hash = digest_of(key_of(response.body))
        if body_hash == page.body_hash and self._counts(page):
            return Visit(page=page, sight=Sight.SHOWN, response=response, body_hash=body_hash, unchanged=True)
        raw_id, _ = await self.archive.keep(response, datetime.now(UTC))
        return Visit(page=page, sight=Sight.UNREAD, response=response, body_hash=body_hash, raw_id=raw_id)

    def _led(self, page: Page, end: str) -> Visit:
        """A redirect: to the start or a shorter path is the end of a posting, to a login it says nothing."""
        if is_aside(end) or not self.site.has(end):
            return Visit(page=page, sight=Sight.UNREACHABLE, reason=f"leads to {end}"[:300], led_to=end)
        back = end.rstrip("/") == self.site.start.rstrip("/") or page.url.startswith(f"{end.rstrip('/')}/")
        return Visit(
            page=page, sight=Sight.LED_BACK if back else Sight.LED_ON, reason=f"leads to {end}"[:300], led_to=end
        )

    def _counts(self, page: Page) -> bool:
        """Whether what was read the last time still holds if the page has not changed."""
        return page.state == "read" and page.doubts == 0 and page.version == self.version

    async def _read(self, visits: list[Visit]) -> list[Visit]:
        """The visits with their readings: documents one by one, all pages in one process, or each alone if it dies."""
        fresh = [at for at, one in enumerate(visits) if one.sight is Sight.UNREAD and one.response is not None]
        for at in fresh:
            if is_pdf(_body(visits[at])):
                visits[at] = await self._read_document(visits[at])
        rest = [at for at in fresh if visits[at].sight is Sight.UNREAD and not is_pdf(_body(visits[at]))]
        for at, reading in zip(rest, await self._readings([visits[at] for at in rest]), strict=True):
            visits[at] = await self._read_as(visits[at], reading)
        return visits

    async def _readings(self, visits: list[Visit]) -> list[Reading | Malformed]:
        if not visits:
            return []
        fetched = [Fetched(self.site.tenant, one.page.url, _body(one)[: MAX_PAGE_BYTES + 1]) for one in visits]
        try:
            return list(await self.readers.pages.call(read_pages, msgspec.msgpack.encode(fetched)))
        except Malformed as error:
            if len(visits) == 1:
                return [error]
        return [reading for one in visits for reading in await self._readings([one])]

    async def _read_as(self, visit: Visit, reading: Reading | Malformed) -> Visit:
        if isinstance(reading, Malformed):
            return replace(visit, sight=Sight.UNREAD, reason=f"{type(reading).__name__}: {reading}"[:300])
        sight = Sight.SHOWN
        if reading.verdict == "ended":
            sight = Sight.ENDED
        elif reading.verdict == "shell":
            sight = Sight.UNREAD
        elif visit.page.external_ids and not set(visit.page.external_ids) <= {
            one.external_id for one in reading.postings
        }:
            sight = Sight.REFUSED
        postings = [await looked_up(posting, reading.place_hints) for posting in reading.postings]
        return replace(
            visit, sight=sight, reading=reading, postings=tuple(postings), reason=reading.reason[:300] or None
        )

    async def _read_document(self, visit: Visit) -> Visit:
        try:
            document = await read_apart(_body(visit), self.readers.documents)
        except (Malformed, OcrMissing) as error:
            return replace(visit, reason=f"{type(error).__name__}: {error}"[:300])
        # In a thread: reading the list of all towns for the first time takes more than a second.
        posting, likely = await anyio.to_thread.run_sync(lambda: read_ad(document, visit.page.url, load_gazetteer()))
        if posting is None:
            doubt = Sight.REFUSED if visit.page.external_ids else Sight.SHOWN
            other = Reading(verdict="other", probability=likely)
            return replace(visit, sight=doubt, reading=other, reason="no job ad, by its words")
        reading = Reading(verdict="ad", probability=likely)
        return replace(visit, sight=Sight.SHOWN, reading=reading, postings=(posting,))


def _forbidden(page: Page, reason: str) -> Visit:
    return Visit(page=page, sight=Sight.UNREACHABLE, reason=reason[:300], forbidden=True)


def _body(visit: Visit) -> bytes:
    return visit.response.body if visit.response is not None else b""
