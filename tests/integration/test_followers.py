"""Followers against a model: whatever happens in whatever order, each posting is seen in its last revision."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from typing import Any

import asyncpg
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lib.errors import Fenced
from lib.store.changes import Following
from lib.store.connections import Connection, Database, Link
from tests.integration.change_log import Seen, Tally, change, following, open_log, readable, tallied

_OWNERS = ("a", "b")
_POSTINGS = 12


class Cut(OSError):
    """The connection died here."""


class CutTally(Tally):
    """A tally whose connection dies on request: in the transaction, or after it was committed."""

    cut_within = False

    async def write(self, connection: Connection, items: Any) -> None:
        await super().write(connection, items)
        if self.cut_within:
            self.cut_within = False
            raise Cut


class CutDatabase(Database):
    """Loses the answer to the next COMMIT on request: the transaction happened, and nobody was told."""

    cut_answer = False

    async def transaction(self, work: Any) -> Any:
        if self.cut_answer:
            self.cut_answer = False
            await super().transaction(work)
        return await super().transaction(work)


async def _at_once(_: float) -> None:
    await asyncio.sleep(0)


class Log(RuleBasedStateMachine):
    """Two workers per follower, postings that change, transactions that commit in any order, and cuts."""

    dsn = ""
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[asyncpg.Connection, Any, dict[int, int]]] = []
        self.revisions: dict[int, int] = {}
        self.workers: dict[str, Following[Seen]] = {}
        self.read_before: defaultdict[int, int] = defaultdict(int)

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(work, 30))

    @initialize()
    def start(self) -> None:
        self.database = CutDatabase(self.dsn, link=Link("postgresql", rng=random.Random(1), sleep=_at_once))
        self.run(self._start())

    async def _start(self) -> None:
        await self.database.execute("TRUNCATE board, posting, follower, lease CASCADE")
        await self.database.execute("DROP TABLE IF EXISTS tally")
        board = await open_log(self.database)
        # As many postings as needed for a few on shard 0.
        while len(self.revisions) < _POSTINGS:
            rows = await self.database.fetch(
                "INSERT INTO posting (board_id, external_id, state, content_hash, title, url, first_seen, last_seen)"
                " SELECT $1, gen_random_uuid()::text, 'described', '', 't', 'u', now(), now()"
                " FROM generate_series(1, 40) RETURNING id, shard",
                board,
            )
            self.revisions |= {row["id"]: 1 for row in rows if row["shard"] == 0}
        self.ids = sorted(self.revisions)
        for owner in _OWNERS:
            self.workers[owner] = following(self.database, CutTally(self.database), owner=owner)
        await self._work(self.workers["a"], _POSTINGS - 2, "")

    @rule(picks=st.sets(st.integers(0, _POSTINGS - 1), min_size=1, max_size=4))
    def change_now(self, picks: set[int]) -> None:
        free = [self.ids[pick] for pick in sorted(picks) if not self._locked(self.ids[pick])]
        self.run(change(self.database, free))
        for posting in free:
            self.revisions[posting] += 1

    @precondition(lambda self: len(self.open) < 3)
    @rule(picks=st.sets(st.integers(0, _POSTINGS - 1), min_size=1, max_size=3))
    def begin_a_change(self, picks: set[int]) -> None:
        free = [self.ids[pick] for pick in sorted(picks) if not self._locked(self.ids[pick])]
        self.run(self._begin(free))

    async def _begin(self, ids: list[int]) -> None:
        connection = await asyncpg.connect(self.dsn)
        transaction = connection.transaction()
        await transaction.start()
        await change(connection, ids)
        self.open.append((connection, transaction, {posting: self.revisions[posting] + 1 for posting in ids}))

    @precondition(lambda self: self.open)
    @rule(which=st.integers(0, 2), commits=st.booleans())
    def end_a_change(self, which: int, commits: bool) -> None:
        connection, transaction, changed = self.open.pop(which % len(self.open))
        self.run(transaction.commit() if commits else transaction.rollback())
        self.run(connection.close())
        if commits:
            self.revisions |= changed

    @rule(owner=st.sampled_from(_OWNERS), rows=st.integers(1, 9), cut=st.sampled_from(["", "", "within", "answer"]))
    def work(self, owner: str, rows: int, cut: str) -> None:
        self.run(self._work(self.workers[owner], rows, cut))

    async def _work(self, worker: Following[Seen], rows: int, cut: str) -> None:
        if worker.lease is None and not await worker.join():
            return
        fold = worker.fold
        assert isinstance(fold, CutTally)
        fold.cut_within, self.database.cut_answer = cut == "within", cut == "answer"
        try:
            await worker.step(rows)
        except Fenced:
            worker.lease = None
        finally:
            fold.cut_within = self.database.cut_answer = False

    @precondition(lambda self: self.open)
    @rule(picks=st.sets(st.integers(0, _POSTINGS - 1), min_size=1, max_size=4))
    def overtake(self, picks: set[int]) -> None:
        """Changes commit and are followed to the end while earlier ones are still open."""
        self.change_now(picks)
        for worker in self.workers.values():
            self.run(self._work(worker, 2 * _POSTINGS, ""))

    @rule(owner=st.sampled_from(_OWNERS))
    def die(self, owner: str) -> None:
        """A worker is killed and another process takes its name; what it held stays held until its term is over."""
        self.workers[owner] = following(self.database, CutTally(self.database), owner=owner)

    @rule(owner=st.sampled_from(_OWNERS))
    def leave(self, owner: str) -> None:
        self.run(self.workers[owner].leave())

    @rule()
    def the_term_ends(self) -> None:
        self.run(self.database.execute("UPDATE lease SET expires_at = clock_timestamp() - interval '1 s'"))

    @invariant()
    def nothing_is_written_twice(self) -> None:
        """Places may be read in several revisions, but no batch commits twice."""
        if self.workers:
            assert set(self.run(tallied(self.database)).values()) <= {1}

    def teardown(self) -> None:
        if not self.workers:
            return
        try:
            while self.open:
                self.end_a_change(0, True)
            self.the_term_ends()
            last = following(self.database, CutTally(self.database), owner="last")
            self.run(self._finish(last))
            seen = self.run(tallied(self.database))
            assert {posting: max(r for p, r in seen if p == posting) for posting in self.ids} == self.revisions
            assert set(seen.values()) == {1}
        finally:
            self.run(self.database.__aexit__(None, None, None))

    async def _finish(self, last: Following[Seen]) -> None:
        assert await last.join()
        await readable(self.database)
        while await last.step(5):
            pass

    def _locked(self, posting: int) -> bool:
        return any(posting in changed for _, _, changed in self.open)


def test_followers_agree_with_a_model(dsn: str) -> None:
    with asyncio.Runner() as runner:
        Log.dsn, Log.loop = dsn, runner.get_loop()
        run_state_machine_as_test(
            Log,
            settings=settings(
                max_examples=40, stateful_step_count=25, deadline=None, derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
