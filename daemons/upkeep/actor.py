"""The upkeep daemon: what is too old expires, what is stuck gets another try, what is done with is pruned."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from daemons.upkeep.moves import settle_moves
from lib.life.actor import Life
from lib.life.domains import SHARDS
from lib.life.session import begin_session
from lib.match import searches
from lib.match.titles import forget_titles
from lib.people import resumes
from lib.posting import writing
from lib.posting.closing import RECHECK
from lib.spend import purchases
from lib.spend.ledger import Ledger
from lib.store import audit, proxies, schedules, spans
from lib.store.connections import Database
from sql import statements

_SQL = statements("postings")
_TICK_S = 5.0
_EXPIRE_ROWS = 1_000
_RETRY_ROWS = 500
_PURCHASES_KEPT = timedelta(days=90)
_SEARCH_SILENT_S = 300.0  # live results take seconds: nobody works on a search that is silent for so long
_SPANS_KEPT = timedelta(days=400)  # a year of uptime, and the same month of the year before


@dataclass(frozen=True)
class Chore:
    """Something to do once per slot, by whichever upkeep daemon claims the slot. `work` tells what it did."""

    job: str
    every: timedelta
    work: Callable[[Life, str], Awaitable[str]]


async def serve(life: Life) -> None:
    """Does each chore once in its slot until asked to stop."""
    session = await begin_session(life.database, life.config)
    done: dict[str, datetime] = {}
    while not life.stop.is_set():
        for chore in CHORES:
            due = schedules.due_times(chore.every, None, datetime.now(UTC)).last
            if due is None or done.get(chore.job) == due:
                continue
            done[chore.job] = due
            run = await schedules.claim(life.database, chore.job, due, f"{life.config.host}:{life.unit}")
            if run is not None:
                life.say("working", chore.job)
                outcome = await chore.work(life, session)
                await schedules.finish(life.database, run, outcome)
                life.count(chore.job)
                structlog.get_logger("upkeep").debug("done", job=chore.job, outcome=outcome)
        life.say("idle", "waiting for the next chore")
        await life.pause(_TICK_S)


async def _expire(life: Life, session: str) -> str:
    expired = 0
    while not life.stop.is_set():
        batch = await writing.expire(
            life.database, datetime.now(UTC), session, days=life.config.expire_days, limit=_EXPIRE_ROWS
        )
        expired += batch
        life.progress()
        if batch < _EXPIRE_ROWS:
            break
    return f"{expired} expired"


async def _retry_details(life: Life, session: str) -> str:
    return f"{len(await life.database.fetch(_SQL.retry_due, _RETRY_ROWS))} retried"


async def _recheck(life: Life, session: str) -> str:
    return f"{len(await life.database.fetch(_SQL.recheck, RECHECK))} marks forgotten"


async def _settle_moves(life: Life, session: str) -> str:
    return f"{await settle_moves(life.database, session, life.progress)} postings handed over"


async def _seal(life: Life, session: str) -> str:
    sealed = 0
    for shard in range(SHARDS):
        while not life.stop.is_set() and (rows := await audit.seal(life.database, shard)):
            sealed += rows
            life.progress()
    return f"{sealed} rows of history sealed"


async def _prune(life: Life, session: str) -> str:
    return f"{await schedules.prune(life.database, timedelta(days=30), datetime.now(UTC))} slots forgotten"


async def _prune_spans(life: Life, session: str) -> str:
    return f"{await spans.prune(life.database, _SPANS_KEPT)} spans of heartbeats forgotten"


async def _merge_spend(life: Life, session: str) -> str:
    long_over = datetime.now(UTC).date() - timedelta(days=3)
    return f"{await proxies.merge_spend(life.database, long_over)} days of proxies merged"


async def _forget_resumes(life: Life, session: str) -> str:
    return f"{await resumes.prune(life.database, datetime.now(UTC))} résumés forgotten"


async def _sweep_credits(life: Life, session: str) -> str:
    """The gateway does so every few seconds while it lives."""
    return f"{await Ledger(life.database).sweep()} reservations of credits presumed spent"


async def _prune_purchases(life: Life, session: str) -> str:
    return f"{await purchases.prune(life.database, _PURCHASES_KEPT)} answers of paid providers forgotten"


async def _forget_titles(life: Life, session: str) -> str:
    return f"{await _repeated(life, forget_titles)} titles that nobody bears forgotten"


async def _abandon_searches(life: Life, session: str) -> str:
    return f"{await searches.abandon(life.database, _SEARCH_SILENT_S)} searches given up"


async def _forget_searches(life: Life, session: str) -> str:
    now, config = datetime.now(UTC), life.config
    old_events, old = now - timedelta(hours=config.search_events_hours), now - timedelta(days=config.search_days)
    events = await _repeated(life, partial(searches.forget_events, before=old_events))
    gone = await _repeated(life, partial(searches.forget_searches, before=old))
    return f"{events} events, {gone} searches forgotten"


async def _repeated(life: Life, forget: Callable[[Database], Awaitable[int]]) -> int:
    """How much was forgotten until nothing was left to forget."""
    forgotten = 0
    while not life.stop.is_set() and (some := await forget(life.database)):
        forgotten += some
        life.progress()
    return forgotten


CHORES = (
    Chore("expire", timedelta(hours=1), _expire),
    Chore("retry_details", timedelta(seconds=30), _retry_details),
    Chore("recheck", timedelta(hours=1), _recheck),
    Chore("settle_moves", timedelta(minutes=1), _settle_moves),
    Chore("seal_history", timedelta(minutes=1), _seal),
    Chore("prune_schedules", timedelta(days=1), _prune),
    Chore("prune_spans", timedelta(days=1), _prune_spans),
    Chore("forget_resumes", timedelta(minutes=10), _forget_resumes),
    Chore("sweep_credits", timedelta(minutes=5), _sweep_credits),
    Chore("prune_purchases", timedelta(days=1), _prune_purchases),
    Chore("forget_titles", timedelta(days=1), _forget_titles),
    Chore("merge_proxy_spend", timedelta(days=1), _merge_spend),
    Chore("abandon_searches", timedelta(minutes=1), _abandon_searches),
    Chore("forget_searches", timedelta(hours=1), _forget_searches),
)
