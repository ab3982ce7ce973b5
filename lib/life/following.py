"""Hosts any number of followers, on any shards, in one daemon."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import anyio
import structlog

from lib.errors import Fenced
from lib.life.actor import Life
from lib.life.metrics import batch_seconds, followed
from lib.store import leases
from lib.store.changes import Following

_RENEW_S = leases.TERM_S / 3
_IDLE_FIRST_S = 0.2
_IDLE_CAP_S = 2.0
_RETRY_JOIN_S = 3.0
_TELL_S = 60.0


async def follow(life: Life, followings: Sequence[Following[Any]]) -> None:
    """Steps all followings until the daemon is asked to stop, then gives their leases back."""
    scopes: dict[str, anyio.CancelScope] = {}
    busy: set[str] = set()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_renew, life, followings, scopes)
        async with anyio.create_task_group() as steps:
            for following in followings:
                steps.start_soon(_keep_following, life, following, scopes, busy)
        tasks.cancel_scope.cancel()


async def _keep_following(
    life: Life, following: Following[Any], scopes: dict[str, anyio.CancelScope], busy: set[str]
) -> None:
    structlog.contextvars.bind_contextvars(follower=following.fold.follower.name, shard=following.shard)
    while not life.stop.is_set():
        if not await following.join():
            life.say("idle", f"waiting for the lease of shard {following.shard}")
            await life.pause(_RETRY_JOIN_S)
            continue
        try:
            with anyio.CancelScope() as scope:
                scopes[following.lease_name] = scope
                await _step_until_stop(life, following, busy)
        except Fenced as error:
            structlog.get_logger("follow").warning("taken over", reason=str(error))
            following.lease = None
        finally:
            scopes.pop(following.lease_name, None)
            busy.discard(following.lease_name)
            with anyio.move_on_after(3, shield=True):
                await following.leave()


async def _step_until_stop(life: Life, following: Following[Any], busy: set[str]) -> None:
    name = following.fold.follower.name
    idle_s = _IDLE_FIRST_S
    done, since = 0, time.monotonic()
    while not life.stop.is_set():
        with batch_seconds.labels(name).time():
            rows = await following.step()
        life.progress()
        done += rows
        if rows:
            life.count(name, rows)
            followed.labels(name).inc(rows)
            busy.add(following.lease_name)
            life.say("working", f"{name} on shard {following.shard}")
            idle_s = _IDLE_FIRST_S
            await anyio.lowlevel.checkpoint()
        else:
            busy.discard(following.lease_name)
            if not busy:
                life.say("idle", "at the end of the change log")
            if done and time.monotonic() - since >= _TELL_S:
                structlog.get_logger("follow").info("caught up", rows=done, within_s=round(time.monotonic() - since))
                done, since = 0, time.monotonic()
            await life.pause(idle_s)
            idle_s = min(_IDLE_CAP_S, idle_s * 1.6)


async def _renew(life: Life, followings: Sequence[Following[Any]], scopes: dict[str, anyio.CancelScope]) -> None:
    """Extends all leases in one statement; work under one that we lost is cancelled at once."""
    while True:
        await anyio.sleep(_RENEW_S)
        held = {one.lease_name: one for one in followings if one.lease is not None}
        by_owner: dict[str, set[str]] = {}
        for name, one in held.items():
            by_owner.setdefault(one.owner, set()).add(name)
        for owner, names in by_owner.items():
            for lost in names - await leases.renew(life.database, owner, names):
                structlog.get_logger("follow").warning("lease lost", lease=lost)
                held[lost].lease = None
                if lost in scopes:
                    scopes[lost].cancel()
