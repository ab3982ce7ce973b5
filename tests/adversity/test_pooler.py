"""Behind PgBouncer's transaction pooling no session is ours: what works directly works there as well."""

from __future__ import annotations

import os
import pwd
import random
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import anyio
import asyncpg
import pytest

from lib.spend.budget import NotGranted
from lib.store import followers, leases
from lib.store.connections import Connection, Database, Link
from lib.store.migrate import migrate
from tests.integration.change_log import Tally, add, change, following, open_log, shard_ids, tallied, to_the_end
from tests.integration.spending import Clock, ask, ledger, sums

_BINARY = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
_SESSIONS = 3  # fewer than the clients, so that they change hands all the time
pytestmark = pytest.mark.skipif(_BINARY is None, reason="pgbouncer is not installed (Debian: apt install pgbouncer)")


class Bouncer:
    """PgBouncer on a Unix socket of its own, before the servers of a DSN."""

    def __init__(self, dsn: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="vakanz-pgb-"))
        parts = urlsplit(dsn)
        server = parse_qs(parts.query)["host"][0]
        self.dsn = f"postgresql://vakanz@{parts.path}?host={self.folder}&port=6432"
        self._configuration = self.folder / "pgbouncer.ini"
        self._configuration.write_text(
            f"[databases]\n* = host={server} port=5432 user=vakanz\n"
            f"[pgbouncer]\nlisten_addr =\nunix_socket_dir = {self.folder}\nlisten_port = 6432\nauth_type = any\n"
            f"pool_mode = transaction\ndefault_pool_size = {_SESSIONS}\nmax_client_conn = 200\n"
            "ignore_startup_parameters = extra_float_digits\nserver_login_retry = 0.1\n"
        )
        # It refuses to run as root, and the embedded servers run as nobody then.
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user is not None:
            account = pwd.getpwnam(self._user)
            for path in (self.folder, self._configuration):
                os.chown(path, account.pw_uid, account.pw_gid)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert _BINARY is not None  # the whole file is skipped without it
        self._process = subprocess.Popen(
            [_BINARY, "-q", str(self._configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            user=self._user, extra_groups=None if self._user is None else [], cwd="/",
        )  # fmt: skip

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            (self.folder / ".s.PGSQL.6432").unlink(missing_ok=True)


@pytest.fixture
def bouncer(dsn: str) -> Iterator[Bouncer]:
    bouncer = Bouncer(dsn)
    bouncer.start()
    yield bouncer
    bouncer.kill()
    shutil.rmtree(bouncer.folder)


@pytest.fixture
async def pooled(bouncer: Bouncer) -> AsyncIterator[Database]:
    async def soon(_: float) -> None:
        await anyio.sleep(0.02)

    async with Database(bouncer.dsn, pooled=True, size=20, link=Link("postgresql", sleep=soon)) as database:
        with anyio.fail_after(60):
            await database.fetchval("SELECT 1")
        yield database


async def test_statements_of_many_callers_do_not_meet(pooled: Database) -> None:
    """Each is prepared and executed in one server session, whoever else is served in between."""

    async def ask(number: int) -> None:
        for _ in range(20):
            assert await pooled.fetchval("SELECT $1::int + 1", number) == number + 1
            assert await pooled.fetchval("SELECT $1::jsonb", {"n": [number]}) == {"n": [number]}
            assert await pooled.fetchval("SELECT $1::text[]", [str(number)]) == [str(number)]

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(ask, number)


async def test_transactions_of_many_callers_do_not_meet(pooled: Database) -> None:
    await pooled.execute("CREATE TABLE counted (n int)")

    async def insert(number: int) -> None:
        async def work(connection: Connection) -> None:
            await connection.execute("INSERT INTO counted VALUES ($1)", number)
            if number % 2:
                raise asyncpg.DataError

        if number % 2:
            with pytest.raises(asyncpg.DataError):
                await pooled.transaction(work)
        else:
            await pooled.transaction(work)

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            for number in range(100):
                tasks.start_soon(insert, number)
    assert await pooled.fetchval("SELECT count(*) FROM counted WHERE n % 2 = 0") == 50
    assert await pooled.fetchval("SELECT count(*) FROM counted") == 50


async def test_the_schema_is_migrated_through_it(pooled: Database, bouncer: Bouncer) -> None:
    await pooled.execute("UPDATE schema_migration SET name = name")
    assert await migrate(bouncer.dsn) == []


async def test_followers_and_leases_work_through_it(pooled: Database) -> None:
    board = await open_log(pooled, 1_000)
    shards = {shard: await shard_ids(pooled, shard) for shard in range(8)}

    async def follow(shard: int) -> None:
        one = following(pooled, Tally(pooled, poison=shards[shard][:1], unwritable=shards[shard][1:2]), shard)
        assert await one.join()
        await to_the_end(one)
        assert await leases.renew(pooled, "a", [one.lease_name]) == {one.lease_name}
        await one.leave()

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            for shard in shards:
                tasks.start_soon(follow, shard)
            tasks.start_soon(add, pooled, board, 10)
    assert set((await tallied(pooled)).values()) == {1}
    assert await pooled.fetchval("SELECT count(*) FROM dead_letter") == 16
    assert {status.epoch for status in await followers.status(pooled)} == {1}


async def _kill_often(bouncer: Bouncer, rng: random.Random, done: anyio.Event) -> None:
    for _ in range(6):
        await anyio.sleep(rng.uniform(0.02, 0.2))
        bouncer.kill()
        await anyio.sleep(rng.uniform(0.0, 0.1))
        bouncer.start()
    done.set()


async def test_the_pooler_is_killed_again_and_again(pooled: Database, bouncer: Bouncer) -> None:
    await open_log(pooled, 800)
    ids = await shard_ids(pooled, 0)
    rng, done = random.Random(3), anyio.Event()

    one = following(pooled, Tally(pooled))
    assert await one.join()
    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_kill_often, bouncer, rng, done)
            while not done.is_set():
                await one.step(5)
                await change(pooled, rng.sample(ids, 5))
    await to_the_end(one)
    last = await pooled.fetch("SELECT id, revision FROM posting WHERE shard = 0")
    seen = await tallied(pooled)
    assert {posting: max(revision for one, revision in seen if one == posting) for posting in ids} == {
        row["id"]: row["revision"] for row in last
    }
    assert set(seen.values()) == {1}


async def test_credits_are_spent_once_while_the_pooler_is_killed_again_and_again(
    pooled: Database, database: Database, bouncer: Bouncer
) -> None:
    rng, done = random.Random(4), anyio.Event()
    clock = Clock()
    gateways = [ledger(pooled, clock, monthly=300) for _ in range(2)]

    async def buy(number: int) -> None:
        gateway = gateways[number % 2]
        while not done.is_set():
            try:
                made = await gateway.reserve(ask(None))
            except NotGranted:
                await anyio.sleep(rng.uniform(0, 0.05))
                continue
            await (gateway.release(made.id, "failed") if rng.random() < 0.7 else gateway.settle(made.id, 3, "ok"))

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_kill_often, bouncer, rng, done)
            for number in range(20):
                tasks.start_soon(buy, number)
    clock.go(seconds=61)
    await gateways[0].sweep()
    used, reserved = await sums(database)
    assert (0 < used <= 300, reserved) == (True, 0)
    assert await database.fetchval("SELECT count(*) FROM credit_slot WHERE reservation IS NOT NULL") == 0
