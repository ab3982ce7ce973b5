"""Work that begins anew, in the same process, when its settings were read again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Concatenate, ParamSpec

import anyio

from lib.life.actor import Life

P = ParamSpec("P")


def renewing(work: Callable[Concatenate[Life, P], Awaitable[None]]) -> Callable[Concatenate[Life, P], Awaitable[None]]:
    """`work`, asked to stop when the settings changed, given the usual time to do so, and started again with them.

    Each turn has a `life` of its own, whose `stop` ends no other.
    """

    @wraps(work)
    async def serve(life: Life, /, *args: P.args, **kwargs: P.kwargs) -> None:
        while not life.stop.is_set():
            turn = life.turn()
            async with anyio.create_task_group() as tasks:
                with anyio.CancelScope() as scope:
                    tasks.start_soon(_pass_on, life.stop, turn.stop)
                    tasks.start_soon(_end_on_change, life, life.changed, turn.stop, scope)
                    await work(turn, *args, **kwargs)
                tasks.cancel_scope.cancel()
            if not turn.stop.is_set():
                return  # unasked, which the actor takes for the error that it is

    return serve


async def _pass_on(asked: anyio.Event, ends: anyio.Event) -> None:
    await asked.wait()
    ends.set()


async def _end_on_change(life: Life, changed: anyio.Event, ends: anyio.Event, work: anyio.CancelScope) -> None:
    await changed.wait()
    ends.set()
    await anyio.sleep(life.config.drain_s)
    work.cancel()
