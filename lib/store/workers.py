"""Works on a stream: several jobs at once, retries with backoff, dead letters, and the jobs of workers that died."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TypeAlias

import anyio
import structlog

from lib.backoff import full_jitter_delays
from lib.errors import Denied, Fenced, Gone, Malformed, Refused, VakanzError
from lib.store import letters
from lib.store.connections import Connection, Database
from lib.store.streams import Entry, Job, Stream

Handler: TypeAlias = Callable[[Job], Awaitable[None]]
"""Does a job and commits its result to PostgreSQL before it returns; may be called again with the same job."""

_HOPELESS = (Fenced, Gone, Malformed, Denied, Refused)


@dataclass(frozen=True)
class Policy:
    """How a worker works. `alive_s`: a worker without a heartbeat for so long is dead. `block_s`: how late a request
    to stop, a due retry or a free place is seen."""

    attempts: int = 5
    concurrency: int = 15
    alive_s: float = 10.0
    block_s: float = 0.5
    first_retry_s: float = 1.0
    longest_retry_s: float = 300.0
    longest_snooze_s: float = 86_400.0


@dataclass(frozen=True)
class Later:
    """Try again after `delay_s`; the job then counts `failures`."""

    delay_s: float
    failures: int


@dataclass(frozen=True)
class Dead:
    """Set it aside."""

    reason: str


def disposition(error: Exception, failures: int, policy: Policy, now: datetime, rng: random.Random) -> Later | Dead:
    """What follows from `error` in a job that failed `failures` times before.

    An error of ours that names a `retry_at` (a rate limit, a spent budget) is a wait and costs no attempt.
    """
    retry_at = getattr(error, "retry_at", None)
    if isinstance(error, VakanzError) and isinstance(retry_at, datetime):
        wait_s = min(max((retry_at - now).total_seconds(), 0.0), policy.longest_snooze_s)
        return Later(wait_s + rng.uniform(0.0, 1.0), failures)
    reason = f"{type(error).__name__}: {error}"
    if isinstance(error, _HOPELESS):
        return Dead(reason)
    if failures + 1 >= policy.attempts:
        return Dead(f"given up after {failures + 1} attempts; {reason}")
    delays = full_jitter_delays(rng, first_s=policy.first_retry_s, cap_s=policy.longest_retry_s)
    return Later(next(islice(delays, failures, None)), failures + 1)


async def consume(
    stream: Stream,
    database: Database,
    handler: Handler,
    stop: anyio.Event,
    *,
    policy: Policy | None = None,
    rng: random.Random | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Works on `stream` until `stop` is set, then finishes the jobs in hand and returns.

    Cancelled, it hands its jobs back untried. Killed, another worker takes them over when its heartbeat has expired.
    """
    await _Worker(stream, database, handler, policy or Policy(), rng or random.Random(), clock).run(stop)


class _Worker:
    def __init__(
        self,
        stream: Stream,
        database: Database,
        handler: Handler,
        policy: Policy,
        rng: random.Random,
        clock: Callable[[], datetime],
    ) -> None:
        self._stream = stream
        self._database = database
        self._handler = handler
        self._policy = policy
        self._rng = rng
        self._clock = clock
        # Never the same name twice: the heartbeat of a successor must not keep its predecessor's jobs.
        self._name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._in_hand: set[bytes] = set()
        self._freed = anyio.Event()
        self._next_look = 0.0
        self._next_move = 0.0
        self._log = structlog.get_logger("streams").bind(stream=stream.name, worker=self._name)

    async def run(self, stop: anyio.Event) -> None:
        try:
            async with anyio.create_task_group() as background:
                await background.start(self._beat)
                async with asyncio.TaskGroup() as jobs:  # starts a task in a third of the time, which is latency here
                    await self._read(jobs, stop)
                background.cancel_scope.cancel()
        finally:
            with anyio.move_on_after(2, shield=True):
                await self._stream.retire(self._name)

    async def _beat(self, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        """Keeps the heartbeat at its own pace: the patient reconnecting of everybody else would let it expire."""
        pause_s = self._policy.alive_s / 4
        started = False
        while True:
            if not await self._stream.beat(self._name, self._policy.alive_s, pause_s):
                # The reader reports the loss. The others lost their heartbeats too: give them time to show again.
                self._next_look = anyio.current_time() + self._policy.alive_s
            if not started:
                task_status.started()
                started = True
            await anyio.sleep(pause_s)

    async def _read(self, jobs: asyncio.TaskGroup, stop: anyio.Event) -> None:
        while not stop.is_set():
            await self._put_back_due()
            room = self._policy.concurrency - len(self._in_hand)
            if room <= 0:
                self._freed = anyio.Event()
                with anyio.move_on_after(self._policy.block_s):
                    await self._freed.wait()
                continue
            entries = await self._abandoned(room) or await self._stream.read(self._name, room, self._policy.block_s)
            for entry in entries:
                self._in_hand.add(entry.id)
                jobs.create_task(self._work(entry))
            await asyncio.sleep(0)  # the jobs begin before the next are asked for

    async def _put_back_due(self) -> None:
        if anyio.current_time() >= self._next_move:
            await self._stream.move_due(self._clock())
            self._next_move = anyio.current_time() + self._policy.block_s

    async def _abandoned(self, most: int) -> list[Entry]:
        """Now and then, jobs that nobody works on although they were given out."""
        if anyio.current_time() < self._next_look:
            return []
        self._next_look = anyio.current_time() + self._policy.alive_s / 2
        found = await self._stream.strayed(self._name, self._in_hand)
        if len(found) < most:
            found += await self._stream.take_over(self._name, most - len(found), self._policy.alive_s)
        if found:
            self._log.warning("jobs taken over", jobs=[entry.job_id for entry in found])
        return found[:most]

    async def _work(self, entry: Entry) -> None:
        try:
            verdict = await self._try(entry)
            if isinstance(verdict, Later):
                until = self._clock() + timedelta(seconds=verdict.delay_s)
                await self._stream.postpone(entry, verdict.failures, until)
                return
            if isinstance(verdict, Dead):
                await self._bury(entry, verdict.reason)
            await self._stream.finish(entry)
        finally:
            self._in_hand.discard(entry.id)
            self._freed.set()

    async def _try(self, entry: Entry) -> Later | Dead | None:
        if entry.failures >= self._policy.attempts:
            return Dead(f"given up after {entry.failures} attempts; the last worker died with it")
        try:
            await self._handler(entry.job())
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(2, shield=True):
                await self._stream.postpone(entry, entry.failures, self._clock())
            raise
        except Exception as error:  # whatever a handler raises costs its own job only; it is logged and counted
            verdict = disposition(error, entry.failures, self._policy, self._clock(), self._rng)
            log = self._log.bind(job=entry.job_id, failures=entry.failures, next=str(verdict))
            if isinstance(error, VakanzError):
                log.warning("job failed", reason=f"{type(error).__name__}: {error}"[:300])
            else:
                log.exception("job failed for an unforeseen reason")
            return verdict
        return None

    async def _bury(self, entry: Entry, reason: str) -> None:
        try:
            payload = entry.job().payload
        except Malformed:
            payload = {"unreadable": ascii(entry.body[:10_000])}

        async def work(connection: Connection) -> None:
            await letters.bury(connection, self._stream.queue, entry.job_id, None, payload, reason)

        await self._database.transaction(work)
