"""How a simulator is served: on an address until a block ends, or as a process until it is told to stop.

A process prints its URL as one line when it is ready, so that whoever started it knows where, and when.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

from aiohttp import web

_DRAIN_S = 0.1


@asynccontextmanager
async def serving(
    app: web.Application, *, host: str = "127.0.0.1", port: int = 0, handler_cancellation: bool = False
) -> AsyncIterator[str]:
    """The URL of `app`, which is served until the block ends (port 0: any free one).

    `handler_cancellation`: a caller that hangs up ends what is done for it. Raises OSError when the address is taken.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_DRAIN_S, handler_cancellation=handler_cancellation)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def hang_up(request: web.Request) -> None:
    """Cuts the connection: what was not sent yet never comes."""
    if request.transport is not None:
        request.transport.abort()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where a process serves, and when it ends."""
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes any free port")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--until-eof", action="store_true", help="stop when standard input, a pipe, ends, too")


async def until_stopped(url: str, *, until_eof: bool) -> None:
    """Says that the process is ready at `url`, and waits for SIGTERM or SIGINT."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if until_eof:
        loop.add_reader(sys.stdin, stop.set)  # nobody writes to it: it is readable when its other end is gone
    sys.stdout.write(url + "\n")
    sys.stdout.flush()
    await stop.wait()


def run(process: Coroutine[None, None, None]) -> int:
    """Runs a simulator's process and returns its exit code; a wrong argument or a taken address is one line."""
    try:
        asyncio.run(process)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0
