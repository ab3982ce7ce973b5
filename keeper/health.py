"""Trouble that is no unit's: a clock that is wrong, a transaction that holds up all followers, followers far behind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import anyio

from keeper.incident import Kind
from keeper.marks import Finding
from lib.store import leases
from lib.store.connections import Database
from sql import statements

_SQL = statements("keeper")
_ANSWER_S = 2.0

CLOCK_S = 30.0
HORIZON_S = 300.0
LAG_ROWS = 20_000
LAG_S = 600.0
_COUNTED = 20_000  # per follower and shard


class Paced:
    """Asks every `every_s`, and says the same at every look in between; also while the database does not answer."""

    def __init__(
        self, ask: Callable[[], Awaitable[Sequence[Finding]]], every_s: float, clock: Callable[[], float]
    ) -> None:
        self._ask = ask
        self._every_s = every_s
        self._clock = clock
        self._next = float("-inf")
        self._found: Sequence[Finding] = ()

    async def look(self) -> Sequence[Finding]:
        """What was found last."""
        if self._clock() >= self._next:
            self._next = self._clock() + self._every_s
            with anyio.move_on_after(_ANSWER_S):
                self._found = await self._ask()
        return self._found


class HostClock:
    """This host's clock beside the database's. `offset_s`: what the database is ahead, as last seen."""

    def __init__(self, database: Database, host: str, wall: Callable[[], float]) -> None:
        self._database = database
        self._host = host
        self._wall = wall
        self._wrong = False
        self.offset_s = 0.0

    def now(self) -> float:
        """Seconds since 1970 as the database counts them, as far as is known."""
        return self._wall() + self.offset_s

    async def ask(self) -> Sequence[Finding]:
        """One finding from half a minute of difference on, until it is less than the half of that."""
        before = self._wall()
        theirs: float = await self._database.fetchval(_SQL.clock)
        self.offset_s = theirs - (before + self._wall()) / 2
        self._wrong = abs(self.offset_s) > (CLOCK_S / 2 if self._wrong else CLOCK_S)
        if not self._wrong:
            return []
        side = "behind" if self.offset_s > 0 else "ahead of"
        return [
            Finding(
                key=f"{Kind.CLOCK}: {self._host}",
                kind=Kind.CLOCK,
                title=f"the clock of {self._host} is wrong",
                why=f"{abs(self.offset_s):.0f} s {side} the database's",
                host=self._host,
                after_s=10.0,
                clear_s=30.0,
            )
        ]


@dataclass(frozen=True)
class Behind:
    """How many changes one follower is behind. `more`: some were not counted; `still_s`: since it last moved."""

    name: str
    rows: int
    more: bool
    still_s: float


def lagging(samples: Sequence[tuple[float, Sequence[Behind]]], now: float) -> list[Behind]:
    """The followers that are far behind and came no nearer in the last ten minutes.

    `samples`: times and readings, oldest first. One too far behind to be counted out comes nearer while it moves.
    """
    if not samples or now - samples[0][0] < LAG_S:
        return []
    past = {one.name: one for one in samples[0][1]}
    found = []
    for one in samples[-1][1]:
        before = past.get(one.name)
        stays = one.still_s > LAG_S if one.more else before is not None and one.rows >= before.rows
        if one.rows >= LAG_ROWS and stays:
            found.append(one)
    return found


class Followers:
    """What concerns all followers. One keeper of the fleet looks, the others leave it to that one."""

    def __init__(self, database: Database, host: str, clock: Callable[[], float]) -> None:
        self._database = database
        self._host = host
        self._clock = clock
        self._samples: list[tuple[float, Sequence[Behind]]] = []

    async def ask(self) -> Sequence[Finding]:
        """What is wrong with them, as far as this keeper is the one to know."""
        if await leases.acquire(self._database, "keeper-followers", self._host, term_s=180.0) is None:
            self._samples.clear()
            return []
        now = self._clock()
        rows = await self._database.fetch(_SQL.behind, _COUNTED)
        self._samples.append((now, [Behind(**row) for row in rows]))
        while len(self._samples) > 1 and now - self._samples[1][0] >= LAG_S:
            del self._samples[0]
        return [*await self._horizon(), *map(_lag, lagging(self._samples, now))]

    async def _horizon(self) -> list[Finding]:
        oldest = await self._database.fetchrow(_SQL.horizon)
        if oldest is None or oldest["age_s"] < HORIZON_S:
            return []
        return [
            Finding(
                key=str(Kind.HORIZON),
                kind=Kind.HORIZON,
                title="one transaction holds up all followers",
                why=f"{oldest['who']}, since {oldest['began']:%d %b %H:%M:%S} UTC",
                clear_s=60.0,
            )
        ]


def _lag(one: Behind) -> Finding:
    return Finding(
        key=f"{Kind.LAG}: {one.name}",
        kind=Kind.LAG,
        title=f"the follower {one.name} is far behind and comes no nearer",
        why=f"{one.rows}{' or more' if one.more else ''} changes are before it",
        clear_s=60.0,
    )
