"""Sources that are asked only so often a day as the operator grants, and those that wait for the operator's consent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Protocol, runtime_checkable

from daemons.crawl.crawler import Crawler
from daemons.crawl.walk import Client
from daemons.sources import SOURCES
from lib.errors import ConfigError, RateLimited, VakanzError
from lib.life.config import Config
from lib.net.fetch import Sink
from lib.net.messages import Request, Response
from lib.net.validators import Validators
from lib.posting.contract import Source
from lib.store.connections import Database
from sql import statements

_SQL = statements("metered")


class NotConsented(VakanzError):
    """The source is off until the operator decides on its terms; the message says why, and what to set."""


@runtime_checkable
class MeteredSource(Source, Protocol):
    """A source that is asked for money or by quota. `metered`: how many requests a day its own terms allow."""

    metered: int


@dataclass(frozen=True)
class Meter:
    """Sends what the day's grant has room for. All servers count together, in PostgreSQL, before they send."""

    fetcher: Client
    database: Database
    source: str
    daily: int

    async def send(self, request: Request, *, validators: Validators | None = None) -> Response:
        """Like the client's. Raises RateLimited until tomorrow (UTC) when the grant is used up."""
        await self._count()
        return await self.fetcher.send(request, validators=validators)

    async def download(self, request: Request, sink: Sink, *, validators: Validators | None = None) -> Response:
        """Likewise."""
        await self._count()
        return await self.fetcher.download(request, sink, validators=validators)

    async def _count(self) -> None:
        if await self.database.fetchval(_SQL.count_request, self.source, self.daily) is None:
            tomorrow = datetime.now(UTC).date() + timedelta(days=1)
            raise RateLimited(
                f"today's {self.daily} requests to {self.source} are used up (VAKANZ_METERED_DAILY)",
                datetime.combine(tomorrow, time(), UTC),
            )


def metered(crawler: Crawler, source: Source, config: Config) -> Crawler:
    """The crawler for `source`: with its grant where it is metered, as it is for others and on a simulated market."""
    if config.simulator or not isinstance(source, MeteredSource):
        return crawler
    daily = min(config.metered_daily, source.metered)
    return replace(crawler, fetcher=Meter(crawler.fetcher, crawler.database, source.name, daily))


def switched_on(config: Config, sources: Mapping[str, Source] = SOURCES) -> dict[str, Source]:
    """The sources that may be crawled by name. Raises ConfigError for consent to what is no such source, and
    for a proxied one that is none.

    A simulated market is ours: everything is on.
    """
    asking = [name for name, source in sources.items() if source.consent is not None]
    unknown = sorted(set(config.consented_sources) - set(asking))
    problems = []
    if unknown:
        problems.append(
            f"consented_sources: {', '.join(unknown)} is none of those that ask for consent: {', '.join(asking)}"
        )
    strangers = sorted(set(config.proxied_sources) - set(sources))
    if strangers:  # what is misspelt would go out directly
        problems.append(f"proxied_sources: {', '.join(strangers)} is no source (see `vakanz source list`)")
    if problems:
        raise ConfigError(problems)
    given = asking if config.simulator else config.consented_sources
    return {name: source for name, source in sources.items() if source.consent is None or name in given}


def check_consent(config: Config, source: Source) -> None:
    """Raises NotConsented when the source is off, ConfigError like `switched_on`."""
    if source.name not in switched_on(config, {**SOURCES, source.name: source}):
        names = ",".join((*config.consented_sources, source.name))
        raise NotConsented(f"{source.title} is off: {source.consent} Then set VAKANZ_CONSENTED_SOURCES={names}")
