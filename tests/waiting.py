"""Waiting for what nobody tells: servers, processes and other tasks come to it in their own time."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable

import anyio


async def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Looks again and again until what `condition` returns, or what that comes to, is true. Raises TimeoutError."""
    with anyio.fail_after(seconds):
        while True:
            found = condition()
            if await found if isawaitable(found) else found:
                return
            await anyio.sleep(0.02)
