"""Many people who search at once, free and paying, through a restart of PostgreSQL: `python -m tests.adversity.rush`.

All parts are processes of their own: the API, the gateway, a discover daemon, and a simulated provider. Nobody may get
a wrong answer, no credit may be lost, and whoever is turned away is told when to come again.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import anyio
import msgspec

from api import accounts
from api.callers import Tier
from api.keys import create_key
from lib.life import logs
from lib.life.config import Config
from lib.match.answer import Answer
from lib.match.encoder import BUILTIN
from lib.match.profile import Profile
from lib.store.connections import Database
from lib.store.migrate import migrate
from tests.adversity.servers import Servers
from tests.bench import job_market
from tests.bench.live import at_work, provider
from tests.bench.match import percentile
from tests.bench.memory import running, started

_PAYING = 0.2
_ENDING_S = 180.0
_GOING_ON = """
SELECT EXISTS (SELECT FROM search_request WHERE live = 'running') OR EXISTS (SELECT FROM credit_open)
"""


@dataclass(frozen=True)
class Person:
    """Who searches, and what opens the API to them."""

    account: int
    tier: Tier
    key: str


@dataclass
class Outcome:
    """What came of a rush. `wrong`: what was answered and should not have been, in words."""

    answered: dict[uuid.UUID, Person] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    live: Counter[str] = field(default_factory=Counter)

    def note(self, person: Person, profile: Profile, answer: Answer) -> None:
        """Looks at one answer."""
        if answer.id in self.answered:
            self.wrong.append(f"{answer.id} was answered twice")
        self.answered[answer.id] = person
        self.live[f"{person.tier}: {answer.live}"] += 1
        if person.tier == "free" and (answer.live in ("running", "done") or answer.credits_used):
            self.wrong.append(f"{answer.id} of a free account is {answer.live}, {answer.credits_used} credits")
        accepted = profile.limits.folded().countries
        if accepted and any(match.country not in accepted for match in answer.matches):
            self.wrong.append(f"{answer.id} shows a country that was excluded")
        scores = [match.score for match in answer.matches]
        if scores != sorted(scores, reverse=True) or any(score < 40 for score in scores):
            self.wrong.append(f"{answer.id} has scores {scores}")


async def people(database: Database, count: int) -> list[Person]:
    """Accounts with a key each; one in five pays."""
    made = []
    for number in range(count):
        tier: Tier = "paid" if number < count * _PAYING else "free"
        account = await accounts.create_account(database, f"{tier}-{number}", tier, sealed=None, who="test")
        _, key = await create_key(database, "", secrets.token_bytes(32), account)
        made.append(Person(account, tier, key))
    return made


async def rush(
    url: str,
    crowd: Sequence[Person],
    profiles: Sequence[Profile],
    *,
    rate: float,
    seconds: float,
    midway: Callable[[], Awaitable[None]],
    rng: Random,
) -> Outcome:
    """Searches at `rate` a second, each by somebody, for something; `midway` happens in the middle."""
    outcome, began = Outcome(), time.perf_counter()
    connector = aiohttp.TCPConnector(limit=0)

    async def ask(session: aiohttp.ClientSession, due: float, person: Person, profile: Profile) -> None:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        headers = {"Authorization": f"Bearer {person.key}", "Content-Type": "application/json"}
        async with session.post("/match", data=msgspec.json.encode(profile), headers=headers) as response:
            outcome.statuses[response.status] += 1
            body = await response.read()
            if response.status == 200:
                outcome.note(person, profile, msgspec.json.decode(body, type=Answer))
                outcome.seconds.append(time.perf_counter() - due)
            elif response.status != 503 or not response.headers.get("Retry-After", "").isdecimal():
                outcome.wrong.append(f"{response.status} {dict(response.headers)} {body[:200]!r}")

    async def interrupt() -> None:
        await asyncio.sleep(seconds / 2)
        await midway()

    async with aiohttp.ClientSession(url, connector=connector) as session, asyncio.TaskGroup() as tasks:
        tasks.create_task(interrupt())
        for number in range(round(rate * seconds)):
            tasks.create_task(ask(session, began + number / rate, rng.choice(crowd), rng.choice(profiles)))
    return outcome


async def over(database: Database) -> None:
    """Waits until no search goes on and nothing is being bought. Raises TimeoutError."""
    async with asyncio.timeout(_ENDING_S):
        while await database.fetchval(_GOING_ON):  # noqa: ASYNC110 - only the tables say so
            await asyncio.sleep(0.2)


async def judge(database: Database, outcome: Outcome, charged: int) -> None:
    """Adds what the tables say: every answered search has its row, and the books agree with the provider, who `charged`
    so many credits."""
    rows = await database.fetch("SELECT id, account_id, live, profile IS NOT NULL AS keeps FROM search_request")
    kept = {row["id"]: row for row in rows}
    for search, person in outcome.answered.items():
        if search not in kept:
            outcome.wrong.append(f"{search} was answered and never written down")
        elif kept[search]["account_id"] != person.account:
            outcome.wrong.append(f"{search} is somebody else's")
    outcome.wrong += [f"{row['id']} keeps its profile" for row in rows if row["keeps"]]
    books = await database.fetchrow(
        """SELECT coalesce(sum(credits) FILTER (WHERE kind = 'settle'), 0)::bigint AS settled,
                  count(*) FILTER (WHERE kind = 'reserve') - count(*) FILTER (WHERE kind <> 'reserve') AS open,
                  count(*) FILTER (WHERE account_id IN (SELECT id FROM account WHERE tier = 'free')) AS free,
                  (SELECT coalesce(sum(used), 0)::bigint FROM credit_budget) AS used
             FROM credit_entry"""
    )
    assert books is not None
    if books["settled"] != books["used"] or books["open"] or books["free"]:
        outcome.wrong.append(f"the books say {dict(books)}")
    if books["settled"] != charged:
        outcome.wrong.append(f"{books['settled']} credits are settled, the provider charged {charged}")


@asynccontextmanager
async def _house(folder: Path, servers: Servers, postings: int) -> AsyncIterator[tuple[str, str, Database]]:
    """All parts at work; the addresses of the API and of the provider."""
    await migrate(servers.dsn)
    await job_market.fill(servers.dsn, postings, BUILTIN)
    with provider(2_000) as url:
        config = Config(
            home=folder, dsn=servers.dsn, redis_url=servers.redis_url, host="rush", log_level="error",
            hasdata_url=url, provider_keys=("hasdata=key-of-the-simulated-provider",), gateway_port=0, api_port=0,
            gateway_key="a-key-for-callers-of-the-rush", rate_free=10**6, rate_paid=10**6,
        )  # fmt: skip
        async with Database(servers.dsn) as database:
            with running(config, "gateway@0") as gateway:
                await started(servers.dsn, "gateway@0", gateway)
                reachable = replace(config, gateway_url=await at_work(database, "gateway@0"))
                with running(reachable, "discover@0") as discover, running(reachable, "api@0") as api:
                    await started(servers.dsn, "discover@0", discover)
                    await started(servers.dsn, "api@0", api)
                    await at_work(database, "discover@0")
                    yield await at_work(database, "api@0"), url, database


async def _warmed(url: str, person: Person) -> None:
    """Waits until the API has loaded its models."""
    headers = {"Authorization": f"Bearer {person.key}"}
    async with aiohttp.ClientSession(url, headers=headers) as session, asyncio.timeout(_ENDING_S):
        for profile in job_market.profiles(3, seed=99):
            ask = partial(session.post, "/match", data=msgspec.json.encode(profile))
            while (await ask()).status != 200:  # noqa: ASYNC110 - only its answers say so
                await asyncio.sleep(0.5)


async def _charged(shop: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(f"{shop}/_sim/statement") as response:
        return int((await response.json())["charged"])


async def main(arguments: argparse.Namespace) -> int:
    """Runs one rush and prints what came of it. Returns 0 where nothing was wrong."""
    with tempfile.TemporaryDirectory(prefix="vakanz-rush-") as folder, Servers(Path(folder, "servers")) as servers:
        async with _house(Path(folder), servers, arguments.postings) as (url, shop, database):
            crowd = await people(database, 50)
            profiles = list(job_market.profiles(120))
            await _warmed(url, crowd[-1])
            outcome = await rush(
                url, crowd, profiles, rate=arguments.rate, seconds=arguments.seconds, rng=Random(arguments.seed),
                midway=lambda: anyio.to_thread.run_sync(servers.restart_postgres),
            )  # fmt: skip
            await over(database)
            charged = await _charged(shop)
            await judge(database, outcome, charged)
    said: dict[str, Any] = {
        "statuses": dict(outcome.statuses), "live": dict(outcome.live), "charged": charged, "wrong": outcome.wrong[:20]
    }  # fmt: skip
    if outcome.seconds:
        said |= {f"p{share:.0%}"[:-1] + "_ms": percentile(outcome.seconds, share) for share in (0.5, 0.9, 0.99)}
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(said)) + b"\n")
    return 1 if outcome.wrong or not outcome.answered else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.adversity.rush", description=__doc__)
    parser.add_argument("--rate", type=float, default=200.0, help="searches a second (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="default: %(default)s")
    parser.add_argument("--postings", type=int, default=20_000, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    logs.configure("console", "error")
    sys.exit(anyio.run(main, parser.parse_args()))
