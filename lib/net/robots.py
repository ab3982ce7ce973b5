"""robots.txt as RFC 9309 reads it, kept in memory for a day."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from protego import Protego
from yarl import URL

from lib.errors import Denied, Gone, Malformed, ProxyFailed, Refused, Transient
from lib.net.body import TooLarge
from lib.net.messages import Request, Response

MAX_BYTES = 500 * 1024  # what RFC 9309 wants to be read at least; the rest of a longer file is not looked at
MAX_CRAWL_DELAY_S = 120.0  # a longer one is most likely a typing error
_KEPT_S = 24 * 3600.0
_RETRY_S = 300.0
_ORIGINS = 1_000
_LINES = 1_000  # of one kind that are kept of a file


class Disallowed(Denied):
    """robots.txt forbids it: nobody was asked."""


class SiteRules(NamedTuple):
    """What a robots.txt says beside permissions. `sitemaps`: their addresses, as written. `signals`: the values of the
    Content-Signal lines that are meant for us, each with the path that it begins with ("" for the whole site)."""

    sitemaps: tuple[str, ...] = ()
    signals: tuple[tuple[str, str], ...] = ()


class _Rules(NamedTuple):
    """One origin's rules until `stale_at`. `parsed` is None when everything is allowed (no such file).
    `unreachable`: why they could not be read; then everything is forbidden for now."""

    stale_at: float
    parsed: Protego | None = None
    unreachable: str = ""
    site: SiteRules = SiteRules()


class Robots:
    """Asks robots.txt files, each once a day, by `fetch`: the client itself, which does not ask robots.txt for it."""

    def __init__(
        self,
        fetch: Callable[[Request], Awaitable[Response]],
        robot: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._robot = robot
        self._clock = clock
        self._rules: OrderedDict[str, _Rules] = OrderedDict()
        self._reading: dict[str, asyncio.Task[_Rules]] = {}

    async def crawl_delay_s(self, url: URL) -> float:
        """Seconds that the site wants between two requests, 0 when it does not say.

        Raises Disallowed when it forbids `url`, Transient while its rules cannot be read, RateLimited while its host is
        not to be asked, ProxyFailed while there is no way to it.
        """
        rules = await self._of(url)
        if rules.parsed is None:
            return 0.0
        if not rules.parsed.can_fetch(str(url), self._robot):
            raise Disallowed(f"robots.txt of {url.origin()} forbids {url.path[:200]}")
        return min(MAX_CRAWL_DELAY_S, max(0.0, rules.parsed.crawl_delay(self._robot) or 0.0))

    async def site_rules(self, url: URL) -> SiteRules:
        """What the robots.txt of the site of `url` says beside permissions. Raises Transient, RateLimited as above."""
        return (await self._of(url)).site

    async def _of(self, url: URL) -> _Rules:
        origin = str(url.origin())
        rules = self._rules.get(origin)
        if rules is None or rules.stale_at <= self._clock():
            rules = await self._read_once(origin)
        if rules.unreachable:
            raise Transient(f"robots.txt of {origin} cannot be read: {rules.unreachable}")
        return rules

    async def aclose(self) -> None:
        """Stops what is still being read."""
        for task in self._reading.values():
            task.cancel()
        await asyncio.gather(*self._reading.values(), return_exceptions=True)

    async def _read_once(self, origin: str) -> _Rules:
        """The rules of `origin`, read by one task however many requests wait for them."""
        task = self._reading.get(origin)
        if task is None:
            task = self._reading[origin] = asyncio.create_task(self._read(origin))
            task.add_done_callback(lambda _: self._reading.pop(origin, None))
        return await asyncio.shield(task)

    async def _read(self, origin: str) -> _Rules:
        rules = await self._ask(origin)
        self._rules[origin] = rules
        self._rules.move_to_end(origin)
        while len(self._rules) > _ORIGINS:
            self._rules.popitem(last=False)
        return rules

    async def _ask(self, origin: str) -> _Rules:
        kept, retry = self._clock() + _KEPT_S, self._clock() + _RETRY_S
        try:
            response = await self._fetch(Request(url=f"{origin}/robots.txt", max_bytes=MAX_BYTES, timeout_s=15.0))
            body = response.body
        except TooLarge as error:
            body = error.head
        except (Gone, Denied, Refused):
            return _Rules(kept)  # RFC 9309, 2.3.1: no file that may be read, or redirects without end: no rules
        except ProxyFailed:
            raise
        except Transient as error:
            if error.status is not None and 400 <= error.status < 500:
                return _Rules(kept)
            return _Rules(retry, unreachable=str(error))
        except Malformed as error:
            return _Rules(retry, unreachable=str(error))
        text = body.decode("utf-8", "replace").removeprefix("\ufeff")
        # In a thread: a hostile file takes a third of a second.
        parsed = await asyncio.to_thread(Protego.parse, text)
        return _Rules(kept, parsed=parsed, site=site_rules(text, self._robot))


def site_rules(text: str, robot: str) -> SiteRules:
    """The sitemaps, and the content signals of the group for `robot`, else of that for all robots."""
    sitemaps: list[str] = []
    signals: dict[str, list[tuple[str, str]]] = {}
    agents: list[str] = []
    in_rules = True  # a user agent after rules begins another group
    for row in text.splitlines():
        name, _, value = (part.strip() for part in row.partition("#")[0].partition(":"))
        field = name.lower()
        if field == "sitemap" and value and len(sitemaps) < _LINES:
            sitemaps.append(value[:2_000])
        elif field == "user-agent":
            agents = [value.lower()] if in_rules else [*agents, value.lower()][:_LINES]
            in_rules = False
        elif field:
            in_rules = True
        if field == "content-signal":
            path, _, rest = value.partition(" ")
            signal = (path, rest[:500]) if path.startswith("/") else ("", value[:500])
            for agent in agents:
                if agent in ("*", robot.lower()) and len(signals.setdefault(agent, [])) < _LINES:
                    signals[agent].append(signal)
    return SiteRules(tuple(sitemaps), tuple(signals.get(robot.lower()) or signals.get("*") or ()))
