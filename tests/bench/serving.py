"""`python -m tests.bench.serving DSN REDIS HOME`: the API alone. Prints its address, ends with stdin."""

from __future__ import annotations

import sys
from pathlib import Path

import anyio
import uvloop
from aiohttp import web

from api.app import create_app
from lib.life import logs
from lib.life.config import Config
from lib.store.connections import Cache, Database


async def main(dsn: str, redis_url: str, home: Path) -> None:
    """Serves until stdin ends."""
    config = Config(
        home=home, dsn=dsn, redis_url=redis_url, host="bench", log_level="error", rate_free=10**9, rate_paid=10**9,
        gateway_url="http://127.0.0.1:9", gateway_key="k" * 16,
    )  # fmt: skip
    async with Database(dsn) as database, Cache(redis_url) as cache:
        runner = web.AppRunner(create_app(config, database, cache), access_log=None, shutdown_timeout=5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        await anyio.to_thread.run_sync(sys.stdin.read)
        await runner.cleanup()


if __name__ == "__main__":
    logs.configure("console", "error")
    uvloop.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
