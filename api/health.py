"""Whether the API lives, and whether it can answer."""

from __future__ import annotations

import asyncio

from aiohttp import web

from api.bodies import Health, Readiness
from api.room import CACHE, DATABASE, ENCODERS, json_response


async def healthz(request: web.Request) -> web.Response:
    """The process answers, whatever its servers do."""
    return json_response(Health("ok"))


async def readyz(request: web.Request) -> web.Response:
    """200 when requests can be answered, 503 when not."""
    database, cache = await asyncio.gather(request.app[DATABASE].ping(), request.app[CACHE].ping())
    model = request.app[ENCODERS].present()
    ready = database and model
    return json_response(Readiness(ready, database, cache, model), 200 if ready else 503)
