"""A crawler with limits on, although its market is simulated: `python -m tests.adversity.polite UNIT RATE CONCURRENCY`.

It is the crawl daemon's own loop, configured by the environment; only the client is made here, because limits are off
where the configuration names a simulator.
"""

from __future__ import annotations

import sys
from functools import partial

import anyio
from msgspec.structs import replace

from daemons.crawl import actor
from daemons.crawl.groups import GROUPS
from lib.life import logs
from lib.life.actor import run_actor
from lib.life.config import Config, load
from lib.net.fetch import Fetcher
from lib.net.messages import Request, Response
from lib.net.policy import FetchPolicy, HostLimits
from lib.net.validators import Validators
from lib.store.connections import Cache, Database


def main(unit: str, rate: str, concurrency: str) -> None:
    """Crawls until it is told to stop."""
    config = load()
    limits = HostLimits(rate_per_s=float(rate), concurrency=int(concurrency))

    class Hurried(Fetcher):
        """Requests that may take three seconds: that is how long a host rests when Redis forgot who is there."""

        async def send(self, request: Request, *, validators: Validators | None = None) -> Response:
            return await super().send(replace(request, timeout_s=3.0), validators=validators)

    def polite(config: Config, cache: Cache, database: Database) -> Fetcher:
        return Hurried(FetchPolicy(contact="tests", limits=limits, reroute=config.simulator), cache.client)

    actor.fetcher = polite  # type: ignore[assignment]
    logs.configure("json", "warning", unit=unit)
    serve = partial(actor.serve, groups=GROUPS)
    anyio.run(run_actor, unit, config, serve, backend_options={"use_uvloop": True})


if __name__ == "__main__":
    main(*sys.argv[1:])
