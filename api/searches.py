"""GET /searches/{id}: a search as it stands, for whoever started it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import msgspec
from aiohttp import web

from api.bodies import SearchState
from api.room import CALLER, CONFIG, DATABASE, SEARCHER, json_response
from lib.match import searches
from lib.match.answer import Answer
from lib.match.searches import Search


async def own_search(request: web.Request) -> Search:
    """The search that the path names. Raises HTTPNotFound, also for a search of somebody else."""
    search = await searches.load(request.app[DATABASE], uuid.UUID(request.match_info["id"]))
    if search is None or search.account_id != request[CALLER].account_id:
        raise web.HTTPNotFound(text="you have no such search; old ones are forgotten")
    return search


async def show_search(request: web.Request) -> web.Response:
    """A search and its newest matches."""
    search = await own_search(request)
    return json_response(
        SearchState(
            id=search.id,
            at=search.at,
            live=search.live,
            live_why=search.live_why,
            credits_used=search.credits_used,
            candidates=search.candidates,
            found=search.found,
            best_score=search.best_score,
            posting_ids=search.posting_ids,
            events=search.events,
            answer=await newest_answer(request, search),
        )
    )


async def newest_answer(request: web.Request, search: Search) -> Answer | None:
    """What it told last; of a search that never went on, what is still kept for its profile. Without what closed
    since."""
    database = request.app[DATABASE]
    told = await searches.last_matches(database, search.id) if search.events else None
    if told is None:
        told = await request.app[SEARCHER]().kept(search)
    if told is None:
        return None
    seen_after = datetime.now(UTC) - timedelta(days=request.app[CONFIG].expire_days)
    told = await searches.still_open(database, told, seen_after)
    return msgspec.structs.replace(told, live=search.live, live_why=search.live_why, credits_used=search.credits_used)
