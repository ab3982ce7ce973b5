"""Connections that come back: one PostgreSQL pool and one Redis client, each behind a `Link`.

A caller hands over work and gets its result, however often the server went away in between. Work is repeated whole,
so it must be idempotent: that is also the answer to a connection that dies during COMMIT, when nobody can know
whether it happened.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from functools import cache, cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias, TypeVar

import anyio
import asyncpg
import orjson
import structlog
from pgvector.asyncpg import register_vector

from lib.backoff import reconnect_delays

if TYPE_CHECKING:
    import redis.asyncio as aioredis

T = TypeVar("T")
Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

_LOST_POSTGRES = (
    OSError,  # refused, reset, no such socket, time-outs
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,  # starting up, shutting down
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.DiskFullError,  # until somebody makes room
    asyncpg.InvalidAuthorizationSpecificationError,  # a password that is being changed: until both sides know it
)
_REPEATABLE = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    # A migration changed a table or a type under our feet; asyncpg has forgotten the old one by now.
    asyncpg.InvalidCachedStatementError,
    asyncpg.OutdatedSchemaCacheError,
)


def _lost_postgres(error: BaseException) -> bool:
    # Interface errors are mostly bugs of the caller, except for those of a connection that is no more: "connection is
    # closed", "connection was closed in the middle of operation", "pool is closing".
    closed = isinstance(error, asyncpg.InterfaceError) and "clos" in str(error)
    # An idle connection hears the server's goodbye a moment before its end; whoever takes it in between gets this.
    leaving = isinstance(error, asyncpg.InternalClientError) and "cannot switch to state" in str(error)
    return closed or leaving or isinstance(error, _LOST_POSTGRES) or _closed_transport(error)


@cache
def _lost_redis_errors() -> tuple[type[BaseException], ...]:
    import redis.exceptions as kinds

    return OSError, kinds.ConnectionError, kinds.TimeoutError, kinds.BusyLoadingError, kinds.ReadOnlyError


def lost_redis(error: BaseException) -> bool:
    """Whether an error of the Redis client means that the server is away, for now."""
    return isinstance(error, _lost_redis_errors()) or _closed_transport(error)


def _closed_transport(error: BaseException) -> bool:
    # uvloop's word for writing to a connection of which it has just learnt that the other side is gone; asyncio's own
    # loop raises an OSError there.
    return isinstance(error, RuntimeError) and "handler is closed" in str(error)


class Waiter(Protocol):
    """Told that waiting for a server is going on, which counts as progress of the daemon that waits."""

    def __call__(self) -> None: ...


class Link:
    """One server as this process reaches it. Says once that it is lost and once that it is back."""

    def __init__(
        self,
        server: str,
        *,
        rng: random.Random | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        waiting: Waiter = lambda: None,
    ) -> None:
        self.server = server
        self.up = True
        self._rng = rng or random.Random()
        self._sleep = sleep
        self._waiting = waiting
        self._losses = 0
        self._log = structlog.get_logger("connections").bind(server=server)

    def on_waiting(self, waiting: Waiter) -> None:
        """Replaces whom to tell that we wait."""
        self._waiting = waiting

    async def call(self, attempt: Callable[[], Awaitable[T]], lost: Callable[[BaseException], bool]) -> T:
        """The result of `attempt`, repeated on the ladder 1, 2, 4, 8, 16, 30, 30 ... s while its errors mean `lost`."""
        delays = reconnect_delays(self._rng)
        while True:
            outage = self._losses  # an attempt from before an outage says nothing about its end, nor about a new one
            try:
                result = await attempt()
            except Exception as error:
                if not lost(error):
                    raise
                if self.up and outage == self._losses:
                    self.up = False
                    self._losses += 1
                    self._log.warning("server lost", reason=f"{type(error).__name__}: {error}"[:300])
                self._waiting()
                await self._sleep(next(delays))
                self._waiting()
                continue
            if not self.up and outage == self._losses:
                self.up = True
                self._log.info("server regained")
            return result


class Database:
    """PostgreSQL. `pooled`: a transaction pooler stands in between, so no statement outlives its transaction.

    `patience_s`: a statement that takes longer means that the server is lost. Noticing that a connection fell silent
    may take twice as long (the statement, then its cancellation), which must be less than `lib.life.actor.STUCK_S`.
    """

    def __init__(
        self, dsn: str, *, pooled: bool = False, size: int = 10, link: Link | None = None, patience_s: float = 60.0
    ) -> None:
        self._dsn = dsn
        self._patience_s = patience_s
        self._pooled = pooled
        self._size = size
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._opening = anyio.Lock()
        self.link = link or Link("postgresql")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            pool, self._pool = self._pool, None
            with anyio.move_on_after(5, shield=True):
                await pool.close()
            pool.terminate()

    async def transaction(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Runs `work` in one transaction and commits. Repeats it whole when the server is lost, or after a deadlock."""

        async def attempt() -> T:
            async with (await self._open()).acquire(timeout=30) as connection, connection.transaction():
                return await work(connection)

        return await self._persist(attempt)

    async def fetch(self, statement: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        """The rows of one statement, which is a transaction of its own and repeated like one."""

        async def attempt() -> Sequence[asyncpg.Record]:
            async with (await self._open()).acquire(timeout=30) as connection:
                rows: Sequence[asyncpg.Record] = await connection.fetch(statement, *arguments)
                return rows

        return await self._persist(attempt)

    async def fetchrow(self, statement: str, *arguments: Any) -> asyncpg.Record | None:
        """The first row of one statement, None when there is none."""
        rows = await self.fetch(statement, *arguments)
        return rows[0] if rows else None

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        """The first column of the first row, None when there is none."""
        row = await self.fetchrow(statement, *arguments)
        return row[0] if row is not None else None

    async def execute(self, statement: str, *arguments: Any) -> None:
        """Runs one statement for its effect."""
        await self.fetch(statement, *arguments)

    async def ping(self, timeout_s: float = 2.0) -> bool:
        """Whether the server answers now; does not wait for it to come back."""
        try:
            with anyio.fail_after(timeout_s):
                async with (await self._open()).acquire() as connection:
                    await connection.fetchval("SELECT 1")
        except Exception as error:
            if not _lost_postgres(error):
                raise
            return False
        return True

    async def _persist(self, transaction: Callable[[], Awaitable[T]]) -> T:
        """The result of `transaction`, repeated while the server is lost, and at once when it got in another's way."""

        async def attempt() -> T:
            while True:
                try:
                    return await transaction()
                except _REPEATABLE:
                    await anyio.sleep(random.uniform(0.01, 0.1))

        return await self.link.call(attempt, _lost_postgres)

    async def _open(self) -> asyncpg.Pool[asyncpg.Record]:
        if self._pool is not None:  # the usual case, without a turn of the event loop for the lock
            return self._pool
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._dsn,
                    min_size=0,
                    max_size=self._size,
                    init=_prepare,
                    timeout=10,
                    command_timeout=self._patience_s,
                    statement_cache_size=0 if self._pooled else 200,
                    reset=_no_reset,
                )
            return self._pool


async def _prepare(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind, schema="pg_catalog", encoder=lambda value: orjson.dumps(value).decode(), decoder=orjson.loads
        )
    if await connection.fetchval("SELECT true FROM pg_type WHERE typname = 'halfvec'"):
        await register_vector(connection)


async def _no_reset(connection: Any) -> None:
    """Nothing of ours outlives its transaction in a session, so giving a connection back costs no round trip; behind a
    transaction pooler it would be another session that is reset."""


class Cache:
    """Redis or Valkey: streams and the shared counters of politeness. Never the truth of anything.

    Its library takes 8 MB, and is loaded by those who really use it.
    """

    def __init__(self, url: str, *, link: Link | None = None) -> None:
        self._url = url
        self.link = link or Link("redis")

    @cached_property
    def client(self) -> aioredis.Redis:
        """The client itself; whoever calls it sees it fail."""
        import redis.asyncio as aioredis

        return aioredis.Redis.from_url(
            self._url, socket_connect_timeout=5, socket_timeout=30, health_check_interval=0, retry=None
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if "client" in vars(self):
            with anyio.move_on_after(5, shield=True):
                await self.client.aclose()

    async def call(self, work: Callable[[aioredis.Redis], Awaitable[T]]) -> T:
        """The result of `work`, repeated whole while the server is lost."""

        async def attempt() -> T:
            return await work(self.client)

        return await self.link.call(attempt, lost_redis)

    async def ping(self, timeout_s: float = 2.0) -> bool:
        """Whether the server answers now; does not wait for it to come back."""
        try:
            with anyio.fail_after(timeout_s):
                await self.client.ping()
        except Exception as error:
            if not lost_redis(error):
                raise
            return False
        return True
