"""How a daemon serves HTTP: it accepts connections until its work ends, then lets the requests in hand end."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from lib.life import metrics
from lib.life.actor import Life


class _Told(logging.Handler):
    """What aiohttp says of its own accord, as lines of our log. A stranger who speaks no HTTP is no event: whoever can
    reach the port could fill the log."""

    def emit(self, record: logging.LogRecord) -> None:
        error, log = record.exc_info and record.exc_info[1], structlog.get_logger("http")
        if isinstance(error, HttpProcessingError):
            log.debug("no HTTP", reason=type(error).__name__)
        else:
            log.log(record.levelno, record.getMessage(), exc_info=error)


_HTTP = logging.Logger("http")
_HTTP.addHandler(_Told())


@asynccontextmanager
async def listening(
    life: Life, app: web.Application, host: str, port: int, *, handler_cancellation: bool = False
) -> AsyncIterator[str]:
    """The URL of `app`, which is served until the block ends (port 0: any free one).

    `life` says where to the keeper and Prometheus. `handler_cancellation`: a caller that hangs up ends what is done for
    it. Raises OSError when the address is taken.
    """
    runner = web.AppRunner(
        app,
        logger=_HTTP,
        access_log=None,
        shutdown_timeout=life.config.drain_s / 2,
        handler_cancellation=handler_cancellation,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound = runner.addresses[0][1]
        life.metrics_address = life.metrics_address or metrics.address(life.config.host, host, bound)
        url = f"http://[{host}]:{bound}" if ":" in host else f"http://{host}:{bound}"
        life.say("working", url)
        yield url
    finally:
        await runner.cleanup()
