"""Searches over HTTP, from a written profile to its matches, among postings of the simulated market.

The API is a process of its own. Profiles are all different, so that each is read, embedded twice (its title, its whole
text) and compared; then the same are asked again, which is answered from what was kept. At a steady rate, time counts
from the moment at which a search was due, however late it was sent.
"""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import aiohttp
import anyio
import anyio.to_thread
import asyncpg
import msgspec

from api import accounts
from api.keys import create_key
from lib.match import rank, searches
from lib.match.candidates import find_candidates, full_similarities, second_look
from lib.match.encoder import BUILTIN, load_text_encoder, load_title_encoder
from lib.match.encoders import Encoders
from lib.match.matcher import Matcher
from lib.match.profile import Limits, Profile, read_profile
from lib.store.connections import Cache, Database
from tests.bench import job_market
from tests.bench.lab import REPOSITORY, Lab, environment
from tests.bench.match import percentile
from tests.bench.rows import Row, Target

_POSTINGS = 100_000
_PROFILES = 300
_RATE, _SECONDS = 30, 40
_EVENTS = 60
_WARM = 30
_INSERT = "INSERT INTO search_request (id, profile_hash, candidates, posting_ids, took_ms) VALUES ($1, '', 1, '{}', 1)"
_NOWHERE = Profile(text="Glasbläser", limits=Limits(countries=("FR",)))


@dataclass(frozen=True)
class Client:
    """A paying caller of the API."""

    session: aiohttp.ClientSession

    async def search(self, profile: Profile) -> dict[str, Any]:
        """The answer. Raises ClientResponseError for any other status than 200."""
        async with self.session.post("/match", data=msgspec.json.encode(profile)) as response:
            response.raise_for_status()
            answer: dict[str, Any] = await response.json()
            return answer

    async def timed(self, profile: Profile) -> float:
        """Seconds of one search."""
        started = time.perf_counter()
        await self.search(profile)
        return time.perf_counter() - started


@contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A module of this package in a process of its own, which ends when its input does."""
    with subprocess.Popen(
        [sys.executable, "-m", *command], cwd=REPOSITORY, env=environment(), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as child:  # fmt: skip
        try:
            yield child
        finally:
            assert child.stdin is not None
            child.stdin.close()


@asynccontextmanager
async def serving(dsn: str, redis_url: str, home: str, database: Database) -> AsyncIterator[Client]:
    """The API in a process of its own, and a paying caller."""
    account = await accounts.create_account(database, "bench", "paid", sealed=None, who="bench")
    _, key = await create_key(database, "", secrets.token_bytes(32), account)
    with process("tests.bench.serving", dsn, redis_url, home) as child:
        assert child.stdout is not None
        url = (await anyio.to_thread.run_sync(child.stdout.readline)).strip()
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(url, headers=headers, connector=connector) as session:
            yield Client(session)


async def measure(lab: Lab) -> list[Row]:
    """New and known profiles one at a time, new ones at a steady rate, and the way of an event."""
    count, redis_url = lab.count(_POSTINGS), f"{lab.servers.redis_url}?db=3"
    async with lab.template() as template, lab.clone(template) as dsn:
        await job_market.fill(dsn, count, BUILTIN)
        async with Database(dsn) as database, serving(dsn, redis_url, str(lab.folder / "home"), database) as client:
            profiles = job_market.profiles(_WARM + _PROFILES + _RATE * _SECONDS)
            for _ in range(_WARM):
                await client.search(next(profiles))
            some = [next(profiles) for _ in range(_PROFILES)]
            new = [await client.timed(one) for one in some]
            kept = [await client.timed(one) for one in some]
            return [
                *_new_rows(new, await _stages(database, lab, some), count),
                _kept_row(kept, await _bare_kept(dsn, redis_url), count),
                await _steady(client, dsn, list(profiles), count),
                await _event(client, database),
            ]


def _new_rows(seconds: Sequence[float], stages: dict[str, list[float]], count: int) -> Iterator[Row]:
    n = f"{count:,} postings, {len(seconds)} written profiles, one at a time"
    for share, most in ((0.5, 80), (0.99, 250)):
        figure, bare = percentile(seconds, share), percentile(stages["candidates"], share)
        name = f"p{share * 100:.0f}"
        yield Row(
            name=f"new search over HTTP, {name}", figure=figure, unit="ms", target=Target("<=", most, "figure"),
            bound="ms, its candidate statement", bound_figure=bare, ratio=figure / bare, n=n,
            beside={f"{stage}, ms": percentile(spent, share) for stage, spent in stages.items()},
        )  # fmt: skip


async def _stages(database: Database, lab: Lab, profiles: Sequence[Profile]) -> dict[str, list[float]]:
    """Seconds of each stage in this process, one after the other."""
    home = lab.folder / "home"
    encoders = Encoders(load_title_encoder, partial(load_text_encoder, BUILTIN, home / "models", 0))
    matcher = Matcher(database, encoders, text_model=BUILTIN, expire_days=45, min_score=40)
    text = await encoders.text()
    spent: dict[str, list[float]] = {}

    async def timed(stage: str, work: Awaitable[Any]) -> Any:
        started = time.perf_counter()
        result = await work
        spent.setdefault(stage, []).append(time.perf_counter() - started)
        return result

    for profile in profiles:
        now = datetime.now(UTC)
        wanted = await timed("read", anyio.to_thread.run_sync(read_profile, profile))
        vector = await timed("title vector", encoders.title_vector(wanted.phrases))
        limits, seen_after = wanted.limits, now - timedelta(days=45)
        find = partial(find_candidates, limits=limits, vector=vector, words=wanted.phrases[0], seen_after=seen_after)
        candidates = await timed("candidates", database.transaction(find))
        started = time.perf_counter()
        shortlist = rank.score(wanted, candidates, now).shortlist
        spent.setdefault("score", []).append(time.perf_counter() - started)
        ids, suspects = [one.candidate.id for one in shortlist], rank.copy_suspects(shortlist)
        await timed("second look", second_look(database, ids, BUILTIN, suspects))
        full = await timed("text vector", anyio.to_thread.run_sync(text.encode_queries, [wanted.text]))
        await timed("full similarities", full_similarities(database, ids, BUILTIN, full[0]))
        result = await timed("all of these and reasons", matcher.result(wanted, vector))
        started = time.perf_counter()
        msgspec.json.encode(result)
        spent.setdefault("JSON", []).append(time.perf_counter() - started)
    return spent


def _kept_row(seconds: Sequence[float], bare: Sequence[float], count: int) -> Row:
    figure, bound = percentile(seconds, 0.99), percentile(bare, 0.99)
    return Row(
        name="kept search over HTTP, p99", figure=figure, unit="ms", bound="ms, bare GET and INSERT",
        bound_figure=bound, ratio=figure / bound, n=f"{count:,} postings, {len(seconds)} known profiles, one at a time",
        beside={"p50, ms": percentile(seconds, 0.5), "its bare p50, ms": percentile(bare, 0.5)},
    )  # fmt: skip


async def _bare_kept(dsn: str, redis_url: str) -> list[float]:
    """Seconds of what no kept search can do without: reading the result, and writing down that it was asked for."""
    spent = []
    connection = await asyncpg.connect(dsn)
    try:
        async with Cache(redis_url) as cache:
            (key, *_) = await cache.client.keys("vakanz:match:*")
            for _ in range(_PROFILES):
                started = time.perf_counter()
                await cache.client.get(key)
                await connection.execute(_INSERT, uuid.uuid4())
                spent.append(time.perf_counter() - started)
    finally:
        await connection.close()
    return spent


async def _steady(client: Client, dsn: str, profiles: Sequence[Profile], count: int) -> Row:
    """New searches at a steady rate, however long each takes, beside all enrichers."""
    with process("tests.bench.beside", dsn) as beside:
        late = [one async for one in at_rate(_RATE, [partial(client.search, profile) for profile in profiles])]
        changes, _ = await anyio.to_thread.run_sync(beside.communicate)
    seconds = [one for one in late if one is not None]
    return Row(
        name=f"new searches at {_RATE}/s beside followers, p99", figure=percentile(seconds, 0.99), unit="ms",
        target=Target("<=", 500, "figure"), n=f"{count:,} postings, {len(profiles):,} written profiles, {_SECONDS} s",
        beside={
            "p50, ms": percentile(seconds, 0.5), "p90, ms": percentile(seconds, 0.9),
            "longest, ms": percentile(seconds, 1.0), "turned away": len(late) - len(seconds),
            "changes/s of the followers": int(changes) / _SECONDS,
        },
    )  # fmt: skip


async def at_rate(rate: float, asks: Sequence[Callable[[], Awaitable[Any]]]) -> AsyncIterator[float | None]:
    """Seconds from when each was due to its answer; None for one that was turned away with 503."""
    began = time.perf_counter()

    async def ask(number: int) -> float | None:
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        try:
            await asks[number]()
        except aiohttp.ClientResponseError as error:
            if error.status != 503:
                raise
            return None
        return time.perf_counter() - due

    for done in asyncio.as_completed([ask(number) for number in range(len(asks))]):
        yield await done


async def _event(client: Client, database: Database) -> Row:
    """From the commit of what a search tells to its reading by who listens."""
    search = uuid.UUID((await client.search(_NOWHERE))["id"])
    spent = []
    async with client.session.get(f"/searches/{search}/events?after=1") as response:
        for number in range(_EVENTS):
            body = {"phase": "details", "found": 0, "done": number, "to_do": _EVENTS, "credits_used": 0}
            await asyncio.sleep(0.137)  # no divisor of the reader's pace
            tell = partial(searches.tell, search_id=search, kind="progress", body=body)
            await database.transaction(tell)
            started = time.perf_counter()
            async for line in response.content:
                if line.startswith(b"id: ") and int(line[4:]) == number + 2:
                    break
            spent.append(time.perf_counter() - started)
    return Row(
        name="event to its listener, p99", figure=percentile(spent, 0.99), unit="ms",
        target=Target("<=", 1_500, "figure"), n=f"{_EVENTS} events of one search",
        beside={"p50, ms": percentile(spent, 0.5)},
    )  # fmt: skip
