"""Signing in and out, and what an account has: its credits of the month, and the résumés that it keeps."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime

from aiohttp import web

from api.forgery import form_of
from api.room import CONFIG, DATABASE, SESSION, SESSIONS, SIGN_IN
from api.sessions import Session, TooManyTries, WrongPassword, address_of, cookie_of, forget, keep
from api.web.pages import render, words_of
from lib.people import resumes
from lib.spend.status import load_days

_INSIDE = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,1000}")  # a path of ours, never another site's


def _next(given: object) -> str:
    return given if isinstance(given, str) and _INSIDE.fullmatch(given) else "/"


async def show_sign_in(request: web.Request) -> web.StreamResponse:
    """GET /sign-in, with the path `next` to go on to."""
    return render(request, "signin.html", next=_next(request.query.get("next")), name="", problem=None)


async def sign_in(request: web.Request) -> web.StreamResponse:
    """POST /sign-in, the form."""
    form = await form_of(request)
    name, password = (str(form.get(field, "")) for field in ("name", "password"))
    to, said = _next(form.get("next")), words_of(request)
    try:
        cookie = await request.app[SESSIONS].sign_in(name, password, address_of(request), cookie_of(request))
    except WrongPassword:
        return render(request, "signin.html", 403, next=to, name=name, problem=said("signin.wrong"))
    except TooManyTries as error:
        response = render(request, "signin.html", 429, next=to, name=name, problem=said("signin.slow"))
        response.headers["Retry-After"] = str(error.retry_s)
        return response
    answer = web.Response(status=303, headers={"Location": to})
    keep(request, answer, cookie)
    return answer


async def sign_out(request: web.Request) -> web.StreamResponse:
    """POST /sign-out."""
    await request.app[SESSIONS].sign_out(cookie_of(request))
    response = web.Response(status=303, headers={"Location": "/"})
    forget(request, response)
    return response


async def show(request: web.Request) -> web.StreamResponse:
    """GET /account."""
    session, now = _session(request), datetime.now(UTC)
    days = await load_days(request.app[DATABASE], session.account_id, now)
    kept = await resumes.list_kept(request.app[DATABASE], session.account_id, now)
    return render(
        request, "account.html", session=session, days=days, used=sum(day.used for day in days), kept=kept,
        keeps=request.app[CONFIG].resume_keep_days > 0,
    )  # fmt: skip


async def forget_resumes(request: web.Request) -> web.StreamResponse:
    """POST /account/resumes: deletes the one with the form's `id`, or all."""
    session, form = _session(request), await form_of(request)
    given = form.get("id")
    if given == "all":
        await resumes.forget_all(request.app[DATABASE], session.account_id)
    else:
        try:
            resume_id = uuid.UUID(str(given))
        except ValueError as error:
            raise web.HTTPBadRequest from error
        await resumes.forget(request.app[DATABASE], session.account_id, resume_id)
    return web.Response(status=303, headers={"Location": "/account"})


def _session(request: web.Request) -> Session:
    """Who is signed in. A key opens no account's page."""
    session = request[SESSION]
    if session is None:
        raise web.HTTPSeeOther(f"{SIGN_IN}?next={request.path}")
    return session
