"""The aiohttp application: its parts, its routes, its beginning and end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import cache as once
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from api.events import Listening, listening
from api.figures import FleetPast
from api.keys import KeyRing
from api.middleware import callers, dress, limited, measured, problems
from api.openapi import document
from api.operations import OPERATIONS
from api.profiles import Hermes
from api.publisher import Publisher
from api.rates import Rates
from api.room import (
    CACHE,
    CONFIG,
    DATABASE,
    ENCODERS,
    FLEET_PAST,
    HERMES,
    IMAGINATOR,
    KEYS,
    LISTENING,
    LOCAL_PATHS,
    NEEDED_SCOPES,
    OPEN_PATHS,
    PUBLISHER,
    RATES,
    READER,
    RECORDER,
    SEARCHER,
    SESSIONS,
    STREAMING_PATHS,
    is_local,
    json_response,
)
from api.sessions import Sessions
from api.tailoring import Imaginator, imagining
from api.web import routes
from api.web.pages import readable
from lib.life.config import Config
from lib.life.session import vakanz_version
from lib.match.encoder import load_text_encoder, load_title_encoder
from lib.match.encoders import Encoders
from lib.match.recorder import Recorder, recording
from lib.people.reader import Reader
from lib.spend.client import Gateway
from lib.store.connections import Cache, Database

if TYPE_CHECKING:
    from lib.match.matcher import Matcher
    from lib.match.searcher import Searcher

MAX_BODY_BYTES = 256 * 1024
_LAST_HINT_S = 1.0


def encoders_of(config: Config) -> Encoders:
    """The encoders that the configuration names, loaded when they are first needed.

    One thread embeds a profile: with more, several searches at once would take half as much time again of all cores.
    """
    return Encoders(
        load_title_encoder, partial(load_text_encoder, config.text_model, config.models, config.model_threads or 1)
    )


def matcher_of(config: Config, database: Database, encoders: Encoders) -> Matcher:
    """The matcher that the configuration describes. Its libraries take 15 MB, which an idle API does not carry."""
    from lib.match.matcher import Matcher

    return Matcher(
        database, encoders, text_model=config.text_model, expire_days=config.expire_days,
        min_score=config.match_min_score,
    )  # fmt: skip


def searcher_of(config: Config, database: Database, cache: Cache, encoders: Encoders, recorder: Recorder) -> Searcher:
    """The searcher that the configuration describes, with a matcher of its own."""
    from lib.match.kept import KeptResults
    from lib.match.live import Thresholds
    from lib.match.searcher import Searcher
    from lib.match.static import model_version
    from lib.spend.mirror import Mirror

    decides = (vakanz_version(), model_version(), config.text_model, config.expire_days, config.match_min_score)
    return Searcher(
        matcher_of(config, database, encoders),
        KeptResults(cache, repr(decides), config.match_cache_s),
        recorder,
        Thresholds(config.discovery_score, config.discovery_found),
        gateway=bool(config.gateway_url),
        spent=Mirror(database, cache, config.credits_monthly).spent,
    )


def create_app(config: Config, database: Database, cache: Cache, encoders: Encoders | None = None) -> web.Application:
    """The application, which opens nothing and closes nothing that it was given."""
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=(measured, readable, problems, callers, limited))
    app[CONFIG], app[DATABASE], app[CACHE] = config, database, cache
    app[KEYS] = KeyRing(database)
    app[RATES] = Rates(cache)
    app[SESSIONS] = Sessions(database, app[RATES])
    app.on_response_prepare.append(dress)
    app[PUBLISHER] = Publisher(cache)
    app[READER] = Reader(config.resume_readers)
    app[IMAGINATOR] = Imaginator(Gateway(config.gateway_url, config.gateway_key) if config.gateway_url else None)
    app[FLEET_PAST] = FleetPast(database)
    app[ENCODERS] = encoders or encoders_of(config)
    app[HERMES] = Hermes(config.models, app[ENCODERS])
    app[RECORDER] = Recorder(database, config.expire_days)
    searcher: Callable[[], Searcher] = once(partial(searcher_of, config, database, cache, app[ENCODERS], app[RECORDER]))
    app[SEARCHER] = searcher
    app[LISTENING] = Listening(database)
    for one in OPERATIONS:
        app.router.add_route(one.method, one.route, one.handler)
    described = document(config)

    async def openapi(request: web.Request) -> web.Response:
        return json_response(described)

    app.router.add_get("/openapi.json", openapi)
    routes.add_pages(app)
    app[OPEN_PATHS] = frozenset(one.path for one in OPERATIONS if one.open) | {"/openapi.json"} | routes.OPEN
    app[NEEDED_SCOPES] = {(one.method, one.path): one.scope for one in OPERATIONS if one.scope is not None}
    app[STREAMING_PATHS] = routes.UNHURRIED | {one.path for one in OPERATIONS if one.streams or one.patient}
    if is_local(config):
        app[OPEN_PATHS] |= LOCAL_PATHS
    app.cleanup_ctx.extend((_publishing, _recording, listening, imagining))
    return app


async def _recording(app: web.Application) -> AsyncIterator[None]:
    async with recording(app[RECORDER]):
        yield


async def _publishing(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(app[PUBLISHER].run())  # no task group: start and end may be different tasks
    yield
    # Cancelling alone is not enough: the Redis client may lose a cancellation that meets an answer.
    app[PUBLISHER].close()
    await asyncio.wait({task}, timeout=_LAST_HINT_S)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
