"""POST /match."""

from __future__ import annotations

import time

import msgspec
from aiohttp import web

from api.room import CALLER, MATCHER, PUBLISHER, json_response
from lib.life import metrics
from lib.match.answer import Answer
from lib.match.profile import Profile


async def match(request: web.Request) -> web.Response:
    """Matches the profile in the body."""
    profile = msgspec.json.decode(await request.read(), type=Profile)
    return json_response(await find(request, profile))


async def find(request: web.Request, profile: Profile) -> Answer:
    """The answer to a profile, recorded under the request's key and handed on for embedding."""
    started = time.perf_counter()
    answer = await request.app[MATCHER]().match(profile, request[CALLER].key_id)
    metrics.matches.observe(time.perf_counter() - started)
    request.app[PUBLISHER].tell(answer.id, [found.id for found in answer.matches])
    return answer
