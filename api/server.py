"""The API as a daemon: listens until it is asked to stop, then lets the requests in hand end."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from api.app import create_app
from lib.life import metrics
from lib.life.actor import Life

_ALIVE_S = 5.0


async def serve(life: Life, on_ready: Callable[[str], None] = lambda url: None) -> None:
    """Serves on the configured address; `on_ready` gets the URL once connections are accepted.

    Raises OSError when the address is taken.
    """
    config = life.config
    runner = web.AppRunner(
        create_app(config, life.database, life.cache), access_log=None, shutdown_timeout=config.drain_s / 2
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, config.api_host, config.api_port).start()
        port = runner.addresses[0][1]
        life.metrics_address = life.metrics_address or metrics.address(config.host, config.api_host, port)
        url = url_of(config.api_host, port)
        life.say("working", url)
        on_ready(url)
        while not await life.pause(_ALIVE_S):  # each turn is progress
            pass
    finally:
        await runner.cleanup()


def url_of(host: str, port: int) -> str:
    """The API's URL as a browser takes it."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
