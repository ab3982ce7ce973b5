"""POST /match."""

from __future__ import annotations

import time

import msgspec
from aiohttp import hdrs, web

from api.room import CALLER, PUBLISHER, SEARCHER, json_response
from lib.life import metrics
from lib.match.answer import Answer
from lib.match.profile import Profile


async def match(request: web.Request) -> web.Response:
    """Matches the profile in the body."""
    profile = msgspec.json.decode(await request.read(), type=Profile)
    return json_response(await find(request, profile))


async def find(request: web.Request, profile: Profile) -> Answer:
    """The answer to a profile, recorded for the caller, and handed on for embedding and for discovery.

    Raises UnusableProfile, HTTPServiceUnavailable.
    """
    from lib.match.searcher import Asker, TooMany

    started, caller = time.perf_counter(), request[CALLER]
    try:
        answer = await request.app[SEARCHER]().search(
            profile, Asker(caller.account_id, caller.key_id, caller.may_spend)
        )
    except TooMany as error:
        raise web.HTTPServiceUnavailable(text=str(error), headers={hdrs.RETRY_AFTER: "1"}) from error
    metrics.matches.observe(time.perf_counter() - started)
    if not answer.cached:
        request.app[PUBLISHER].found(answer.id, [found.id for found in answer.matches])
    if answer.live == "running":
        request.app[PUBLISHER].goes_on(answer.id)
    return answer
