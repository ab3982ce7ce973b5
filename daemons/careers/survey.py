"""What a site says about itself before its pages are read: its reservations and its sitemaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

import anyio.to_thread

from daemons.careers import leads
from daemons.careers.pages import Lead
from daemons.careers.rights import TDM_FILE, forbidden_by_signals, read_tdm_file, reserved
from daemons.careers.site import Site
from daemons.careers.sitemaps import Sitemap, read_sitemap
from lib.errors import Denied, Gone, Malformed, Refused, SourceError, Transient
from lib.net.messages import Request, Response
from lib.net.robots import SiteRules
from lib.net.validators import Validators
from lib.posting.trees import decoded

MAX_SITEMAPS = 20
_MAX_SITEMAP_BYTES = 20_000_000
_USUAL = ("/sitemap.xml", "/sitemap_index.xml", "/wp-sitemap.xml")
_MAX_LEADS = 10_000
_HEAD_BYTES = 200_000


class Send(Protocol):
    """Sends a request, again after a while where that may help."""

    async def __call__(self, request: Request, validators: Validators | None = None) -> Response: ...


class Client(Protocol):
    """The polite client: `lib.net.fetch.Fetcher`, or a browser that asks through it."""

    async def send(self, request: Request, *, validators: Validators | None = None) -> Response: ...

    async def site_rules(self, url: str) -> SiteRules: ...


@dataclass(frozen=True)
class Rights:
    """What a site reserves."""

    signals: Sequence[tuple[str, str]] = ()
    tdm: Sequence[tuple[str, bool]] = ()

    def forbid(self, url: str, headers: Mapping[str, str], body: bytes = b"") -> str | None:
        """Why the page at `url` is not for us, None when it is."""
        if reserved(self.tdm, url, headers, decoded(body[:_HEAD_BYTES])):
            return "text and data mining is reserved (TDM Reservation Protocol)"
        return forbidden_by_signals(self.signals, url)


@dataclass
class Survey:
    """Asks a site's robots.txt, TDM file and sitemaps. `send` is patient; `problems`: what could not be read, and why.

    A sitemap that cannot be read costs only what it lists: pages that are known are visited all the same.
    """

    site: Site
    client: Client
    send: Send
    problems: list[str] = field(default_factory=list)

    async def rights(self) -> Rights:
        """The site's reservations. Raises Transient, RateLimited, Refused: without knowing them nothing is read."""
        rules = await self.client.site_rules(self.site.start)
        try:
            # Outside robots.txt's rules, as it is there to be read by robots.
            request = Request(url=f"https://{self.site.host}{TDM_FILE}", max_bytes=500_000, documented_api=True)
            tdm = read_tdm_file((await self.send(request)).body)
        except (Gone, Denied, Malformed, Refused):
            tdm = []
        except Transient as error:
            if error.status is None or error.status >= 500:
                raise
            tdm = []
        return Rights(rules.signals, tdm)

    async def leads(self) -> list[Lead]:
        """The jobs that the site's sitemaps list. Raises Transient, RateLimited of robots.txt only."""
        named = leads.sitemaps_to_read((await self.client.site_rules(self.site.start)).sitemaps, self.site)
        waiting = named or [f"https://{self.site.host}{path}" for path in _USUAL]
        guessed = not named
        asked: set[str] = set()
        found: list[Lead] = []
        while waiting and len(asked) < MAX_SITEMAPS and len(found) < _MAX_LEADS:
            url = waiting.pop(0)
            if url in asked:
                continue
            asked.add(url)
            sitemap = await self._read(url, guessed=url.endswith(_USUAL) and guessed)
            if sitemap is None:
                continue
            found += islice(leads.from_sitemap(sitemap.pages, self.site), _MAX_LEADS)
            waiting = leads.sitemaps_to_read(list(sitemap.sitemaps), self.site) + ([] if guessed else waiting)
            guessed = False
        return found

    async def _read(self, url: str, *, guessed: bool) -> Sitemap | None:
        try:
            response = await self.send(Request(url=url, max_bytes=_MAX_SITEMAP_BYTES))
            return await anyio.to_thread.run_sync(read_sitemap, response.body)
        except SourceError as error:
            if not guessed:
                self.problems.append(f"sitemap {url}: {error}"[:300])
            return None
