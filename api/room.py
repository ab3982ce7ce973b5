"""What the handlers share: the application's parts by typed key, and how an answer is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web
from yarl import URL

from api.bodies import Problem
from api.callers import Caller, Scope
from api.keys import KeyRing
from api.publisher import Publisher
from lib.life.config import Config
from lib.match.encoders import Encoders
from lib.people.reader import Reader
from lib.store.connections import Cache, Database

if TYPE_CHECKING:
    from api.events import Listening
    from api.figures import FleetPast
    from api.profiles import Hermes
    from api.rates import Grant, Rates
    from api.sessions import Session, Sessions
    from api.tailoring import Imaginator
    from lib.match.recorder import Recorder
    from lib.match.searcher import Searcher

CONFIG = web.AppKey("config", Config)
DATABASE = web.AppKey("database", Database)
CACHE = web.AppKey("cache", Cache)
ENCODERS = web.AppKey("encoders", Encoders)
SEARCHER: web.AppKey[Callable[[], Searcher]] = web.AppKey("searcher")  # made when it is first needed
RECORDER: web.AppKey[Recorder] = web.AppKey("recorder")
LISTENING: web.AppKey[Listening] = web.AppKey("listening")
KEYS = web.AppKey("keys", KeyRing)
FLEET_PAST: web.AppKey[FleetPast] = web.AppKey("fleet_past")
PUBLISHER = web.AppKey("publisher", Publisher)
READER = web.AppKey("reader", Reader)
HERMES: web.AppKey[Hermes] = web.AppKey("hermes")
IMAGINATOR: web.AppKey[Imaginator] = web.AppKey("imaginator")
SESSIONS: web.AppKey[Sessions] = web.AppKey("sessions")
RATES: web.AppKey[Rates] = web.AppKey("rates")
SESSION: web.RequestKey[Session | None] = web.RequestKey("session")  # None: came with a key, or with nothing
GRANT: web.RequestKey[Grant] = web.RequestKey("grant")  # where the caller's requests are limited
CALLER = web.RequestKey("caller", Caller)  # set for every request that reaches a handler

OPEN_PATHS: web.AppKey[frozenset[str]] = web.AppKey("open_paths", frozenset)  # canonical paths that need no key
NEEDED_SCOPES: web.AppKey[Mapping[tuple[str, str], Scope]] = web.AppKey("needed_scopes")  # by method and such a path
PAGE_PATHS: web.AppKey[frozenset[str]] = web.AppKey("page_paths", frozenset)  # for people: what fails is a page, too
STREAMING_PATHS: web.AppKey[frozenset[str]] = web.AppKey("streaming_paths", frozenset)  # that watch their own time

SIGN_IN = "/sign-in"  # the page that people without a session are sent to
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
# Open on a loopback address only, by canonical path.
LOCAL_PATHS = frozenset({"/", "/search", "/s/{id}", "/s/{id}/events", "/j/{id}", "/metrics", "/fleet/targets"})


def is_local(config: Config) -> bool:
    """Whether only this machine can reach the API: then the page and the figures need no key."""
    return config.api_host in LOOPBACK


def host_of(request: web.Request) -> str | None:
    """The name by which the caller knows this machine, None when the header holds no name."""
    try:
        return URL.build(authority=request.host).host
    except ValueError:
        return None


def json_response(body: Any, status: int = 200) -> web.Response:
    """`body` as JSON."""
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")


def problem(status: int, error: str, detail: str) -> web.Response:
    """A Problem as JSON."""
    return json_response(Problem(error, detail), status)
