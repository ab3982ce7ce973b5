"""The search page: a form, and beneath it what matches. Without scripts the form is sent and answered as a whole."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web

from api.matching import find
from api.resumes import keep_resume
from api.room import CALLER, CONFIG, DATABASE, HERMES
from api.web.chips import chips, chosen_profile
from api.web.forms import Entry, NoAmount, limits_of, mark_of, read_entry
from api.web.pages import render, words_of
from api.web.seen import remember
from api.web.sent import Unsent, read_form
from lib.match.profile import MAX_TEXT_CHARS, UnusableProfile
from lib.people.reader import Busy, NoPictures, Unreadable
from lib.people.refusals import explain
from lib.people.resumes import Resume
from sql import statements

_SQL = statements("api")
_ANSWER_S = 20.0
KEEP_DAYS = 30
_MB = 1_000_000


async def show(request: web.Request) -> web.StreamResponse:
    """GET /."""
    seen_after = datetime.now(UTC) - timedelta(days=request.app[CONFIG].expire_days)
    async with asyncio.timeout(_ANSWER_S):
        counts = await request.app[DATABASE].fetchrow(_SQL.market_counts, seen_after)
    return _form(request, Entry(), counts=counts)


async def search(request: web.Request) -> web.StreamResponse:
    """POST /search, the form; it may bring a résumé, which takes the place of the text."""
    said, entry = words_of(request), Entry()
    try:
        form, resume = await read_form(request)
        entry = read_entry(form)
        if resume is not None:
            entry = msgspec.structs.replace(entry, text=resume.text[:MAX_TEXT_CHARS], title="", skills=(), read=False)
            await _keep(request, resume, str(form.get("keep", "")))
        async with asyncio.timeout(_ANSWER_S):
            told = entry.text if resume is None else resume.sections
            reading = await request.app[HERMES].read(told, datetime.now(UTC).date())
            profile = chosen_profile(entry, reading)
            answer = await find(request, profile)
    except Unsent:
        return _form(request, entry, 400, problem=said("problem.unread"))
    except web.HTTPRequestEntityTooLarge:
        most = said.number(request.app[CONFIG].resume_bytes / _MB)
        return _form(request, entry, 413, problem=said("problem.large", most=most))
    except Unreadable as error:
        return _form(request, entry, 422, problem=said("problem.resume", detail=explain(str(error), said.tongue)))
    except NoPictures:
        return _form(request, entry, 503, problem=said("problem.pictures"))
    except (Busy, TimeoutError):
        return _form(request, entry, 503, problem=said("problem.busy"))
    except UnusableProfile:
        return _form(request, entry, 422, problem=said("problem.unusable"))
    except NoAmount:
        return _form(request, entry, 422, problem=said("problem.salary"))
    except msgspec.ValidationError as error:
        return _form(request, entry, 422, problem=said("problem.form", detail=error))
    entry = msgspec.structs.replace(entry, location=profile.location or "")
    shown = chips(profile, reading, said)
    response = _form(request, entry, answer=answer, reading=shown, resume=resume)
    if await remember(request, answer):
        response.headers["HX-Push-Url"] = f"/s/{answer.id}"
    return response


async def _keep(request: web.Request, resume: Resume, wish: str) -> None:
    account_id, allowed = request[CALLER].account_id, request.app[CONFIG].resume_keep_days
    if wish == "yes" and account_id is not None and allowed:
        await keep_resume(request, account_id, resume, min(KEEP_DAYS, allowed))


def _form(request: web.Request, entry: Entry, status: int = 200, **shown: Any) -> web.Response:
    config = request.app[CONFIG]
    blanks = {"answer": None, "counts": None, "problem": None, "reading": None, "resume": None}
    shared = {
        "entry": entry,
        "limits": limits_of(entry),
        "mark": mark_of(entry.text),
        "most_mb": config.resume_bytes / _MB,
        "keep_days": min(KEEP_DAYS, config.resume_keep_days) if request[CALLER].account_id is not None else 0,
    }
    return render(request, "search.html", status, **(shared | blanks | shown))
