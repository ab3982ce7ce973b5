"""What happens around every request: who asks and how often, problems as JSON, and an end to waiting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import msgspec
import structlog
from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from api.callers import NOBODY
from api.forgery import refuse_forged
from api.keys import PREFIX
from api.rates import Limit
from api.room import (
    CALLER,
    CONFIG,
    GRANT,
    KEYS,
    LOCAL_PATHS,
    LOOPBACK,
    NEEDED_SCOPES,
    OPEN_PATHS,
    RATES,
    SESSION,
    SESSIONS,
    SIGN_IN,
    STREAMING_PATHS,
    host_of,
    problem,
)
from api.sessions import cookie_of
from lib.errors import ConfigError
from lib.life import metrics
from lib.match.profile import UnusableProfile

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
REQUEST_S = 20.0
_RATE_WINDOW_S = 60.0
_SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
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
    except (web.RequestPayloadError, HttpProcessingError):
        response = problem(400, "malformed", "the body is not packed as its headers say")
    except TimeoutError:
        response = _too_late(request)
    except ConfigError as error:
        response = problem(503, "unavailable", str(error))
        response.headers[hdrs.RETRY_AFTER] = "60"
    except Exception:  # noqa: BLE001 - one request's bug must not end the others; it is logged and counted as 500
        structlog.get_logger("api").exception("request failed", method=request.method, path=request.path)
        response = problem(500, "internal", "this is our fault and has been logged")
    return response


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    resource = request.match_info.route.resource
    endless = resource is not None and resource.canonical in request.app[STREAMING_PATHS]
    async with asyncio.timeout(None if endless else REQUEST_S):
        return await handler(request)


def _too_late(request: web.Request) -> web.Response:
    if not request.content.is_eof():
        return problem(408, "request_timeout", f"the body did not arrive within {REQUEST_S:.0f} s")
    response = problem(503, "unavailable", "no answer in time, please try again")
    response.headers[hdrs.RETRY_AFTER] = "5"
    return response


def _of_status(error: web.HTTPException) -> web.Response:
    phrase = HTTPStatus(error.status).phrase
    own = error.text if error.text and not error.text.startswith(f"{error.status}:") else phrase
    response = problem(error.status, phrase.lower().replace(" ", "_"), own)
    for name in (hdrs.ALLOW, hdrs.LOCATION, hdrs.RETRY_AFTER, hdrs.WWW_AUTHENTICATE):
        if name in error.headers:
            response.headers[name] = error.headers[name]
    return response


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


@web.middleware
async def callers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Says who asks, and lets in whom the path is for: a key with its scope, somebody signed in, everybody where it is
    open. Unknown paths, too, need one of them."""
    request[CALLER], request[SESSION] = NOBODY, None
    caller = await request.app[KEYS].verify(_given_key(request))
    session = None
    if caller is None:
        session = await request.app[SESSIONS].find(cookie_of(request))
        await refuse_forged(request, session)
        caller = None if session is None else session.caller
    if caller is None and not _is_open(request):
        raise _stranger(request)
    request[CALLER], request[SESSION] = caller or NOBODY, session
    needed = _needed_scope(request)
    if caller is not None and not _is_open(request) and needed not in caller.scopes:
        raise web.HTTPForbidden(text=f"the scope {needed} is missing")
    return await handler(request)


@web.middleware
async def limited(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Holds every key, and everybody who is signed in, to the rate of their tier."""
    caller = request[CALLER]
    if caller.account_id is None or _is_open(request):
        return await handler(request)
    mark = f"account:{caller.account_id}" if caller.key_id is None else f"key:{caller.key_id}"
    quota: int = getattr(request.app[CONFIG], f"rate_{caller.tier}")
    grant = await request.app[RATES].take(mark, Limit(caller.tier, quota, _RATE_WINDOW_S))
    request[GRANT] = grant
    if not grant.allowed:
        raise web.HTTPTooManyRequests(text=f"more than {quota} requests in a minute, please wait {grant.retry_s} s")
    return await handler(request)


async def dress(request: web.Request, response: web.StreamResponse) -> None:
    """Adds the fields that every answer has, also those that are streamed."""
    for name, value in _SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if GRANT in request:
        response.headers.update(request[GRANT].fields())


def _stranger(request: web.Request) -> web.HTTPException:
    """People are shown where to sign in, programs are told what they lack."""
    reads_pages = request.method == hdrs.METH_GET and "text/html" in request.headers.get(hdrs.ACCEPT, "")
    if reads_pages and SIGN_IN in request.app[OPEN_PATHS]:
        return web.HTTPSeeOther(URL(SIGN_IN).with_query(next=request.path_qs))
    return web.HTTPUnauthorized(
        text="an API key is needed: Authorization: Bearer vk_..., made by `vakanz key create`",
        headers={hdrs.WWW_AUTHENTICATE: "Bearer"},
    )


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
    return resource.canonical not in LOCAL_PATHS or host_of(request) in LOOPBACK
