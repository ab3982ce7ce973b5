"""The proxies that the operator named, and the account of what they carry."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime

import anyio
import structlog

from lib.life.config import Config
from lib.net.policy import FetchPolicy
from lib.net.proxies.address import parse
from lib.net.proxies.pool import ProxyPool
from lib.net.proxies.route import Proxied
from lib.net.proxies.standing import Standing
from lib.store.connections import Database
from lib.store.proxies import Spend, write_spend

_WRITE_S = 30.0


class Account:
    """Counts what each proxy carries on each day (UTC), and writes it down now and then."""

    def __init__(self, spender: str, today: Callable[[], date]) -> None:
        self._spender = spender
        self._today = today
        self._requests: Counter[tuple[str, date]] = Counter()
        self._failures: Counter[tuple[str, date]] = Counter()
        self._sizes: Counter[tuple[str, date]] = Counter()

    def spent(self, proxy: str, size: int, *, failed: bool) -> None:
        """One request by `proxy` ended; `size` bytes both ways."""
        key = proxy, self._today()
        self._requests[key] += 1
        self._failures[key] += failed
        self._sizes[key] += size

    def totals(self) -> dict[tuple[str, date], Spend]:
        """What was counted so far, by proxy and day."""
        return {key: Spend(self._requests[key], self._failures[key], self._sizes[key]) for key in self._requests}

    async def write(self, database: Database) -> None:
        """Writes all totals, and forgets those of days that are over."""
        totals = self.totals()
        await write_spend(database, self._spender, totals)
        for key in totals:
            if key[1] < self._today():
                for counts in (self._requests, self._failures, self._sizes):
                    counts.pop(key, None)


@asynccontextmanager
async def proxies(config: Config, database: Database | None) -> AsyncIterator[ProxyPool]:
    """The pool as configured. Its account is written into `database` every half minute and at the end; without one it
    is told in the log."""
    account = Account(f"{config.host}:{os.getpid()}:{time.time_ns()}", lambda: datetime.now(UTC).date())
    pool = ProxyPool(parse(config.proxies), config.echo, account, clock=time.time, rng=random.Random())
    if database is None:
        try:
            yield pool
        finally:
            for (name, _), spend in account.totals().items():
                structlog.get_logger("proxies").info("spent", proxy=name, requests=spend.requests, bytes=spend.size)
        return
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_keep_writing, account, database)
        try:
            yield pool
        finally:
            tasks.cancel_scope.cancel()
            with anyio.move_on_after(3, shield=True):
                await account.write(database)


async def check(config: Config, database: Database) -> list[tuple[str, Standing]]:
    """Has every proxy prove itself now. Raises ProxyFailed when our own address is not known."""
    policy = FetchPolicy(contact=config.contact or "simulated", reroute=config.simulator or None)
    async with proxies(config, database) as pool:
        route = Proxied(policy, pool)
        await route.start()
        try:
            await route.check()
        finally:
            await route.aclose()
        return [(proxy.name, standing) for proxy, standing in pool]


async def _keep_writing(account: Account, database: Database) -> None:
    while True:
        await anyio.sleep(_WRITE_S)
        await account.write(database)
