"""Work that a user triggers: jobs on a Redis stream, at least once each, never kept after they are done.

PostgreSQL holds the truth of every request. A handler commits there itself and must be idempotent; only when it has
returned is its job acknowledged and deleted. Redis may be flushed at any moment: then whoever published derives the
open jobs from PostgreSQL and publishes them again.

Keys of one stream share a hash tag, so that a cluster keeps them together:

    vakanz:stream:{name}                the jobs, deleted with their acknowledgement; stays, empty, with its group
    vakanz:stream:{name}:delayed        jobs that wait for their next attempt, scored with its time; moved when due
    vakanz:stream:{name}:alive:<worker> heartbeat, expires by itself
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

import anyio
import orjson
import redis.asyncio as aioredis
from redis.exceptions import ResponseError

from lib.errors import Malformed
from lib.store.connections import Cache, Connection, lost_redis
from lib.store.letters import DeadLetter, NotRetryable

QUEUE = "stream:"
_GROUP = "workers"
_NAME = re.compile(r"[a-z0-9_]{1,60}")
_NO_GROUP = ("NOGROUP", "UNBLOCKED", "no such key")

_MOVE_DUE = """
-- KEYS: delayed, stream. ARGV: now in ms.
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 100)
for _, member in ipairs(due) do
  local id, failures, payload = string.match(member, '^([^\\n]*)\\n(%d+)\\n(.*)$')
  redis.call('XADD', KEYS[2], '*', 'id', id, 'failures', failures, 'payload', payload)
  redis.call('ZREM', KEYS[1], member)
end
return #due
"""

_TAKE_OVER = """
-- KEYS: stream, heartbeat of a worker, our heartbeat. ARGV: group, that worker, us, least idle ms, most jobs.
-- One atomic step: a worker that shows a heartbeat again keeps its jobs, and none is taken twice. Whose own heartbeat
-- has lapsed takes nothing, because then the others' may have lapsed for the same reason.
if redis.call('EXISTS', KEYS[2]) == 1 or redis.call('EXISTS', KEYS[3]) == 0 then return {} end
local taken = {}
local left = redis.call('XPENDING', KEYS[1], ARGV[1], 'IDLE', ARGV[4], '-', '+', ARGV[5], ARGV[2])
for _, entry in ipairs(left) do
  local claimed = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[3], 0, entry[1])
  if claimed[1] then table.insert(taken, {entry[1], claimed[1][2], entry[4] + 1}) end
end
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
end
return taken
"""

_RETIRE = """
-- KEYS: stream, heartbeat. ARGV: group, worker.
redis.call('DEL', KEYS[2])
if redis.call('EXISTS', KEYS[1]) == 1
   and #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
end
"""


@dataclass(frozen=True)
class Job:
    """What a handler gets. `failures`: how often it was tried in vain before."""

    id: str
    payload: dict[str, Any]
    failures: int


@dataclass(frozen=True)
class Entry:
    """A job as it lies in the stream. `failures` counts the attempts that failed and the workers that died with it."""

    id: bytes
    job_id: str
    body: bytes
    failures: int

    def job(self) -> Job:
        """The readable form. Raises Malformed."""
        try:
            payload = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise Malformed(f"the payload is not JSON: {error}") from error
        if not isinstance(payload, dict):
            raise Malformed(f"the payload is a {type(payload).__name__}, not an object")
        return Job(self.job_id, payload, self.failures)


@dataclass(frozen=True)
class Backlog:
    """How many jobs wait for a worker, are worked on, and wait for their next attempt."""

    waiting: int
    working: int
    delayed: int


class Stream:
    """One stream and its only consumer group. Every method waits while Redis is away, and makes a lost group anew."""

    def __init__(self, cache: Cache, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(f"a stream's name has 1-60 of a-z, 0-9 and _, not {name!r}")
        self.name = name
        self.queue = f"{QUEUE}{name}"
        self.key = f"vakanz:stream:{{{name}}}"
        self._delayed = f"{self.key}:delayed"
        self._cache = cache

    def alive_key(self, worker: str) -> str:
        """Where a worker's heartbeat is."""
        return f"{self.key}:alive:{worker}"

    async def publish(self, job_id: str, payload: Mapping[str, Any]) -> None:
        """Hands a job to the workers. Publishing it again runs it again. Raises Malformed for what JSON cannot hold."""
        fields = _fields(job_id, payload)
        await self._cache.call(lambda client: client.xadd(self.key, cast(Any, fields)))

    async def publish_many(self, jobs: Mapping[str, Mapping[str, Any]]) -> None:
        """The same for several jobs (id -> payload), in one round trip: all of them, or none."""
        entries = [_fields(job_id, payload) for job_id, payload in jobs.items()]
        if not entries:
            return

        async def add(client: aioredis.Redis) -> None:
            async with client.pipeline(transaction=True) as pipe:
                for fields in entries:
                    pipe.xadd(self.key, cast(Any, fields))
                await pipe.execute()

        await self._cache.call(add)

    async def read(self, worker: str, most: int, block_s: float) -> list[Entry]:
        """Up to `most` new jobs, now `worker`'s; waits up to `block_s` for the first."""
        answer = await self._in_group(
            lambda client: client.xreadgroup(_GROUP, worker, {self.key: ">"}, count=most, block=round(block_s * 1000))
        )
        return [_entry(entry_id, fields, 1) for _, entries in answer for entry_id, fields in entries]

    async def finish(self, entry: Entry) -> None:
        """Acknowledges and deletes in one step: an acknowledgement alone frees no memory."""
        await self._cache.call(lambda client: self._remove(client, entry, None))

    async def postpone(self, entry: Entry, failures: int, until: datetime) -> None:
        """Takes the job out of the stream until then; it counts `failures` when it comes back."""
        member = b"%s\n%d\n%s" % (entry.job_id.encode(), failures, entry.body)
        await self._cache.call(lambda client: self._remove(client, entry, (member, _ms(until))))

    async def move_due(self, now: datetime) -> None:
        """Puts postponed jobs whose time has come back into the stream."""
        await self._cache.call(lambda client: _eval(client, _MOVE_DUE, [self._delayed, self.key], [_ms(now)]))

    async def take_over(self, worker: str, most: int, idle_s: float) -> list[Entry]:
        """Up to `most` jobs of workers without a heartbeat, now `worker`'s. Forgets the dead that hold nothing."""
        consumers = await self._in_group(lambda client: client.xinfo_consumers(self.key, _GROUP))
        others = [name for name in (consumer["name"].decode() for consumer in consumers) if name != worker]
        taken: list[Entry] = []
        for other in others:
            keys = [self.key, self.alive_key(other), self.alive_key(worker)]
            arguments = [_GROUP, other, worker, round(idle_s * 1000), most - len(taken)]
            for entry_id, flat, deliveries in await self._in_group(
                partial(_eval, script=_TAKE_OVER, keys=keys, arguments=arguments)
            ):
                taken.append(_entry(entry_id, dict(zip(flat[::2], flat[1::2], strict=True)), deliveries))
            if len(taken) >= most:
                break
        return taken

    async def strayed(self, worker: str, known: set[bytes]) -> list[Entry]:
        """Jobs that Redis gave to `worker` in an answer that never arrived: pending there, not among the `known`."""
        held = await self._in_group(
            lambda client: client.xpending_range(self.key, _GROUP, "-", "+", len(known) + 100, worker)
        )
        found = []
        for pending in held:
            entry_id = pending["message_id"]
            if entry_id not in known:
                found += await self._cache.call(partial(self._range, entry_id))
        return found

    async def beat(self, worker: str, alive_s: float, timeout_s: float) -> bool:
        """Shows for the next `alive_s` that `worker` lives. Does not wait for Redis: False when it is away."""
        try:
            with anyio.fail_after(timeout_s):
                await self._cache.client.set(self.alive_key(worker), b"1", px=round(alive_s * 1000))
        except Exception as error:
            if not lost_redis(error):
                raise
            return False
        return True

    async def retire(self, worker: str) -> None:
        """Ends a worker's heartbeat, and forgets its name unless it still holds jobs."""
        keys = [self.key, self.alive_key(worker)]
        await self._in_group(lambda client: _eval(client, _RETIRE, keys, [_GROUP, worker]))

    async def backlog(self) -> Backlog:
        """What there is to do now."""

        async def count(client: aioredis.Redis) -> list[Any]:
            async with client.pipeline(transaction=True) as pipe:
                pipe.xlen(self.key)
                pipe.xpending(self.key, _GROUP)
                pipe.zcard(self._delayed)
                return await pipe.execute()

        length, pending, delayed = await self._in_group(count)
        return Backlog(length - pending["pending"], pending["pending"], delayed)

    async def _remove(self, client: aioredis.Redis, entry: Entry, later: tuple[bytes, int] | None) -> None:
        async with client.pipeline(transaction=True) as pipe:
            if later is not None:
                pipe.zadd(self._delayed, {later[0]: later[1]})
            pipe.xack(self.key, _GROUP, entry.id)
            pipe.xdel(self.key, entry.id)
            await pipe.execute()

    async def _range(self, entry_id: bytes, client: aioredis.Redis) -> list[Entry]:
        rows: Any = await client.xrange(self.key, cast(Any, entry_id), cast(Any, entry_id))
        return [_entry(entry_id, fields, 1) for _, fields in rows]

    async def _in_group(self, work: Callable[[aioredis.Redis], Awaitable[Any]]) -> Any:
        while True:
            try:
                return await self._cache.call(work)
            except ResponseError as error:
                if not any(words in str(error) for words in _NO_GROUP):
                    raise
            try:
                # From the first entry on, so that nothing published before the group is passed over.
                await self._cache.call(lambda client: client.xgroup_create(self.key, _GROUP, id="0", mkstream=True))
            except ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):  # another worker was faster
                    raise


def republisher(cache: Cache) -> Callable[[Connection, DeadLetter], Awaitable[None]]:
    """The Retrier of streams: publishes a letter's job again, as if it were new."""

    async def republish(_: Connection, letter: DeadLetter) -> None:
        if not letter.readable:
            raise NotRetryable(f"{letter.queue}: the payload of {letter.key} could not be kept, ask for it anew")
        await Stream(cache, letter.queue.removeprefix(QUEUE)).publish(letter.key, letter.payload)

    return republish


def _fields(job_id: str, payload: Mapping[str, Any]) -> dict[str, bytes | int]:
    """A new job as it lies in the stream. Raises Malformed."""
    if not job_id or "\n" in job_id:
        raise Malformed(f"a job's id is one line of text, not {job_id!r}")
    try:
        return {"id": job_id.encode(), "failures": 0, "payload": orjson.dumps(payload)}
    except (orjson.JSONEncodeError, UnicodeEncodeError) as error:
        raise Malformed(f"job {job_id!r} cannot be published: {error}") from error


def _entry(entry_id: bytes, fields: Mapping[bytes, bytes], deliveries: int) -> Entry:
    """An entry of any shape: what somebody else put there must be set aside, not end the worker."""
    failures = fields.get(b"failures", b"")
    return Entry(
        id=entry_id,
        job_id=fields.get(b"id", entry_id).decode("utf-8", "replace"),
        body=fields.get(b"payload", b""),
        failures=(int(failures) if failures.isdigit() and len(failures) < 10 else 0) + deliveries - 1,
    )


def _ms(moment: datetime) -> int:
    return round(moment.astimezone(UTC).timestamp() * 1000)


async def _eval(client: aioredis.Redis, script: str, keys: list[str], arguments: list[Any]) -> Any:
    return await client.eval(script, len(keys), *keys, *arguments)
