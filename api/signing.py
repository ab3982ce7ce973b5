"""Signing in and out, for scripts of a page; people without scripts do the same by the web client's forms."""

from __future__ import annotations

import msgspec
from aiohttp import hdrs, web

from api.account_bodies import SignedIn, SignIn
from api.room import SESSIONS, json_response
from api.sessions import TooManyTries, WrongPassword, address_of, cookie_of, forget, keep


async def sign_in(request: web.Request) -> web.Response:
    """POST /session."""
    given = msgspec.json.decode(await request.read(), type=SignIn)
    sessions = request.app[SESSIONS]
    try:
        cookie = await sessions.sign_in(given.name, given.password, address_of(request), cookie_of(request))
    except WrongPassword as error:
        raise web.HTTPForbidden(text=str(error)) from error
    except TooManyTries as error:
        raise web.HTTPTooManyRequests(text=str(error), headers={hdrs.RETRY_AFTER: str(error.retry_s)}) from error
    session = await sessions.find(cookie)
    if session is None:
        raise web.HTTPForbidden(text="the account was closed")
    response = json_response(SignedIn(session.name, session.tier, session.csrf))
    keep(request, response, cookie)
    return response


async def sign_out(request: web.Request) -> web.Response:
    """DELETE /session."""
    await request.app[SESSIONS].sign_out(cookie_of(request))
    response = web.Response(status=204)
    forget(request, response)
    return response
