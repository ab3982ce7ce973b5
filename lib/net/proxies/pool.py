"""The proxies of a process: gives out a proved one, and remembers how each of them does."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Protocol

import aiohttp
import structlog

from lib.errors import ProxyFailed
from lib.net.proxies import standing
from lib.net.proxies.address import Proxy
from lib.net.proxies.proving import Address, exit_address, own_addresses
from lib.net.proxies.standing import ProxyRules, Standing
from lib.net.proxies.wire import Blame, blame

_TRIES = 4  # proofs that one request waits for


class Ledger(Protocol):
    """Told what each proxy carried. `size`: bytes both ways, as far as we see them."""

    def spent(self, proxy: str, size: int, *, failed: bool) -> None: ...


class ProxyPool:
    """`echo`: the endpoint that tells a caller's address. `clock`: epoch seconds."""

    def __init__(
        self,
        proxies: Sequence[Proxy],
        echo: str,
        ledger: Ledger,
        *,
        clock: Callable[[], float],
        rng: random.Random,
        rules: ProxyRules = ProxyRules(),  # noqa: B008 -- frozen
    ) -> None:
        self._proxies = {proxy.name: proxy for proxy in proxies}
        self._standings = {proxy.name: Standing() for proxy in proxies}
        self._proving = {proxy.name: asyncio.Lock() for proxy in proxies}
        self._echo = echo
        self._ledger = ledger
        self._clock = clock
        self._rng = rng
        self._rules = rules
        self._own: tuple[float, frozenset[Address]] = (float("-inf"), frozenset())
        self._asking_own = asyncio.Lock()
        self._log = structlog.get_logger("proxies")

    def __iter__(self) -> Iterator[tuple[Proxy, Standing]]:
        return iter([(proxy, self._standings[name]) for name, proxy in self._proxies.items()])

    async def take(self, session: aiohttp.ClientSession) -> Proxy:
        """The next proxy, proved.

        Raises ProxyFailed when all of them rest, several cannot prove themselves, or our own address is not known.
        """
        for _ in range(_TRIES):
            now = self._clock()
            name = standing.choose(self._standings, now, self._rng)
            if name is None:
                raise ProxyFailed(self._all_rest())
            self._standings[name] = standing.used(self._standings[name], now)
            if await self.prove(session, self._proxies[name]):
                return self._proxies[name]
        raise ProxyFailed(f"{_TRIES} proxies in a row could not prove themselves")

    async def prove(self, session: aiohttp.ClientSession, proxy: Proxy) -> bool:
        """Whether the proxy may be used now; asks the echo endpoint where the last proof is too old.

        Raises ProxyFailed while our own address is not known.
        """
        async with self._proving[proxy.name]:
            state = self._standings[proxy.name]
            if state.proved_until > self._clock() or state.resting_until > self._clock():
                return state.resting_until <= self._clock()
            own = await self._own_addresses()
            try:
                address = await exit_address(session, proxy, self._echo, own)
            except (ValueError, TimeoutError, aiohttp.ClientError, OSError) as error:
                told = str(error) if isinstance(error, ValueError) else "does not reach the echo endpoint"
                blamed = blame(error)
                self.failed(proxy, Blame(told if blamed is None else blamed.reason, surely=True))
                return False
            self._standings[proxy.name] = standing.proved(
                self._standings[proxy.name], self._clock(), str(address), self._rules
            )
            self._ledger.spent(proxy.name, len(self._echo), failed=False)
            return True

    def succeeded(self, proxy: Proxy, size: int) -> None:
        """A source answered through the proxy; `size` bytes went over it."""
        before = self._standings[proxy.name]
        if before.rests:
            self._log.info("proxy is back", proxy=proxy.name)
        self._standings[proxy.name] = standing.succeeded(before)
        self._ledger.spent(proxy.name, size, failed=False)

    def failed(self, proxy: Proxy, blame: Blame) -> None:
        """The proxy did not carry a request."""
        before, now = self._standings[proxy.name], self._clock()
        after = standing.failed(before, now, blame.reason, self._rules, surely=blame.surely)
        self._standings[proxy.name] = after
        self._ledger.spent(proxy.name, 0, failed=True)
        if after.rests > before.rests:
            self._log.warning(
                "proxy rests", proxy=proxy.name, reason=blame.reason, for_s=round(after.resting_until - now)
            )

    async def _own_addresses(self) -> frozenset[Address]:
        async with self._asking_own:
            until, own = self._own
            if until <= self._clock():
                own = await own_addresses(self._echo)
                self._own = (self._clock() + self._rules.proof_s, own)
            return own

    def _all_rest(self) -> str:
        first = min(self._standings.values(), key=lambda state: state.resting_until)
        back = datetime.fromtimestamp(first.resting_until, UTC)
        all_of_them = len(self._standings)
        return f"no proxy can be used: all {all_of_them} rest, the first until {back:%H:%M:%S} UTC ({first.reason})"
