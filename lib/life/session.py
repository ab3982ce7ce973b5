"""What a process opens before it works: servers, database, cache and blobs, as the configuration says."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import structlog

from lib.errors import ConfigError
from lib.life.config import Config, load
from lib.posting import boards
from lib.store.connections import Cache, Database
from lib.store.embedded import embedded
from lib.store.migrate import check, migrate


def make_home(config: Config) -> None:
    """Makes the folder of all that is kept on this machine. Raises ConfigError when nothing can be kept there."""
    try:
        config.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError([f"home: {error}"]) from error
    if not os.access(config.home, os.W_OK | os.X_OK):
        raise ConfigError([f"home: {config.home} cannot be written to"])


@contextmanager
def with_servers(config: Config) -> Iterator[Config]:
    """The configuration with both addresses filled in; the embedded servers run for as long as it is in use.

    Raises ConfigError, ServerFailed.
    """
    if config.dsn and config.redis_url:
        yield config
        return
    make_home(config)
    with embedded(config.home) as servers:
        yield replace(config, dsn=config.dsn or servers.dsn, redis_url=config.redis_url or servers.redis_url)


@asynccontextmanager
async def open_database(config: Config | None = None) -> AsyncIterator[Database]:
    """A database for a command: an embedded one is started and migrated when no address is configured. One of the
    operator's own is migrated by `vakanz migrate` only, in the stages of a rollout.

    Raises NoDatabase, SchemaTooOld.
    """
    config = config or load()
    with with_servers(config) as complete:
        await (check if config.dsn else migrate)(complete.dsn)
        async with Database(complete.dsn, pooled=complete.pooled) as database:
            yield database


@asynccontextmanager
async def open_stores(config: Config | None = None) -> AsyncIterator[tuple[Config, Database, Cache]]:
    """Like `open_database`, with the cache beside it and the configuration with both addresses."""
    config = config or load()
    with with_servers(config) as complete:
        await (check if config.dsn else migrate)(complete.dsn)
        async with Database(complete.dsn, pooled=complete.pooled) as database, Cache(complete.redis_url) as cache:
            yield complete, database, cache


def session_id(host: str) -> str:
    """A crawl session's id: when it began, where, and in which process."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}-{host}-{os.getpid()}"


async def begin_session(database: Database, config: Config) -> str:
    """Registers a crawl session of this process, and names it in every line that is logged from here on."""
    session = session_id(config.host)
    await boards.open_session(database, session, config.host, vakanz_version())
    structlog.contextvars.bind_contextvars(session=session)
    return session


@cache
def vakanz_version() -> str:
    """This release's version."""
    try:
        return version("vakanz")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0"
