"""The API as a daemon: listens until it is asked to stop, then lets the requests in hand end."""

from __future__ import annotations

from collections.abc import Callable

from api.app import create_app
from api.listening import listening
from lib.life.actor import Life

_ALIVE_S = 5.0


async def serve(life: Life, on_ready: Callable[[str], None] = lambda url: None) -> None:
    """Serves on the configured address; `on_ready` gets the URL once connections are accepted.

    Raises OSError when the address is taken.
    """
    config = life.config
    app = create_app(config, life.database, life.cache)
    async with listening(life, app, config.api_host, config.api_port) as url:
        on_ready(url)
        while not await life.pause(_ALIVE_S):  # each turn is progress
            pass
