"""What happens around every request: problems as JSON, keys, and an end to waiting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import msgspec
import structlog
from aiohttp import hdrs, web
from yarl import URL

from api.callers import NOBODY
from api.keys import PREFIX
from api.room import (
    CALLER,
    KEYS,
    LOCAL_PATHS,
    LOOPBACK,
    NEEDED_SCOPES,
    OPEN_PATHS,
    STREAMING_PATHS,
    problem,
)
from lib.errors import ConfigError
from lib.life import metrics
from lib.match.profile import UnusableProfile

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
REQUEST_S = 20.0
_SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@web.middleware
async def measured(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Counts and times answers by the operation's path; paths that nobody knows share one label."""
    began = time.perf_counter()
    response = await handler(request)
    resource = request.match_info.route.resource
    path = "other" if resource is None else resource.canonical
    metrics.requests.labels(path, str(response.status)).inc()
    metrics.request_seconds.labels(path).observe(time.perf_counter() - began)
    return response


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every failure is a Problem; a bug is logged with its traceback and tells the caller nothing of our insides."""
    try:
        response = await _answer(request, handler)
    except web.HTTPException as error:
        response = _of_status(error)
    except UnusableProfile as error:
        response = problem(422, "unusable_profile", str(error))
    except msgspec.ValidationError as error:
        response = problem(422, "invalid", _printable(str(error)))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        response = problem(400, "malformed", f"the body is not JSON: {_printable(str(error))}")
    except web.RequestPayloadError:
        response = problem(400, "malformed", "the body is not packed as its headers say")
    except TimeoutError:
        response = problem(503, "unavailable", "no answer in time, please try again")
        response.headers[hdrs.RETRY_AFTER] = "5"
    except ConfigError as error:
        response = problem(503, "unavailable", str(error))
    except Exception:  # noqa: BLE001 - one request's bug must not end the others; it is logged and counted as 500
        structlog.get_logger("api").exception("request failed", method=request.method, path=request.path)
        response = problem(500, "internal", "this is our fault and has been logged")
    for name, value in _SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    return response


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    resource = request.match_info.route.resource
    endless = resource is not None and resource.canonical in request.app[STREAMING_PATHS]
    async with asyncio.timeout(None if endless else REQUEST_S):
        return await handler(request)


def _of_status(error: web.HTTPException) -> web.Response:
    phrase = HTTPStatus(error.status).phrase
    own = error.text if error.text and not error.text.startswith(f"{error.status}:") else phrase
    response = problem(error.status, phrase.lower().replace(" ", "_"), own)
    for name in (hdrs.ALLOW, hdrs.LOCATION, hdrs.WWW_AUTHENTICATE):
        if name in error.headers:
            response.headers[name] = error.headers[name]
    return response


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


@web.middleware
async def keys(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Says who asks, and lets in whom the path is for: a known caller, everybody where it is open. Unknown paths, too,
    need a key."""
    caller = await request.app[KEYS].verify(_given_key(request))
    if caller is None and not _is_open(request):
        raise web.HTTPUnauthorized(
            text="an API key is needed: Authorization: Bearer vk_..., made by `vakanz key create`",
            headers={hdrs.WWW_AUTHENTICATE: "Bearer"},
        )
    request[CALLER] = caller or NOBODY
    needed = _needed_scope(request)
    if caller is not None and needed not in caller.scopes:
        raise web.HTTPForbidden(text=f"this key lacks the scope {needed}")
    return await handler(request)


def _needed_scope(request: web.Request) -> str:
    """What pages and paths that nobody knows need is what searching needs."""
    resource = request.match_info.route.resource
    path = "" if resource is None else resource.canonical
    return request.app[NEEDED_SCOPES].get((request.method, path), "match")


def _given_key(request: web.Request) -> str:
    given = request.headers.get("X-API-Key", "").strip()
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip().startswith(PREFIX) else given


def _is_open(request: web.Request) -> bool:
    resource = request.match_info.route.resource
    if resource is None or resource.canonical not in request.app[OPEN_PATHS]:
        return False
    # Behind a name that is not this machine's own, a stranger's web page could read what only this machine may.
    return resource.canonical not in LOCAL_PATHS or _host(request) in LOOPBACK


def _host(request: web.Request) -> str | None:
    """The name by which the caller knows this machine, None when the header holds no name."""
    try:
        return URL.build(authority=request.host).host
    except ValueError:
        return None
