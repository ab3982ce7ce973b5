"""Résumés: read, and kept for as long as their owner asks; usually not at all."""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

import anyio.to_thread
import msgspec
from aiohttp import hdrs, web

from api.room import CALLER, CONFIG, DATABASE, READER, json_response, problem
from api.uploads import read_upload
from lib.people import resumes
from lib.people.reader import Busy, NoPictures, Unreadable
from lib.people.resumes import MAX_KEPT, Resume, resume_of

UPLOADS = (
    "multipart/form-data",
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.oasis.opendocument.text",
    "application/rtf",
    "text/plain",
    "image/png",
    "image/jpeg",
    "image/tiff",
    "image/webp",
    "application/octet-stream",
)
_READ_S = 120.0  # waiting for others' documents included
_INSTALL_S = 3600.0  # somebody has to install what reads pictures
_NOT_YOURS = "you keep no résumé with this id; one that is over is forgotten"


class ResumeQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to become of a résumé after it was read."""

    keep_days: Annotated[
        int, msgspec.Meta(ge=0, le=3650, description="days to keep it, at most what the operator allows; 0: not at all")
    ] = 0


class Forgotten(msgspec.Struct, frozen=True):
    """How many résumés were deleted."""

    forgotten: int


async def post_resume(request: web.Request) -> web.Response:
    """POST /resumes."""
    query, account_id = _asked(request), request[CALLER].account_id
    if query.keep_days > request.app[CONFIG].resume_keep_days:
        raise msgspec.ValidationError(f"keep_days: at most {request.app[CONFIG].resume_keep_days} here")
    if query.keep_days and account_id is None:
        raise web.HTTPForbidden(text="only who has an account can have a résumé kept; leave keep_days out")
    try:
        resume = await read_resume(request, lambda: read_upload(request, request.app[CONFIG].resume_bytes))
    except Unreadable as error:
        return problem(422, "unreadable", str(error))
    except (Busy, NoPictures) as error:
        return _later(error)
    if query.keep_days == 0 or account_id is None:
        return json_response(resume)
    kept = await keep_resume(request, account_id, resume, query.keep_days)
    if kept is None:
        return problem(409, "too_many", f"you keep {MAX_KEPT} résumés already: delete one first")
    return json_response(kept)


async def read_resume(request: web.Request, upload: Callable[[], Awaitable[bytes]]) -> Resume:
    """A résumé, not kept. `upload` gives the file, once there is a place to read it at.

    Raises Unreadable, Busy, NoPictures, TimeoutError.
    """
    reader = request.app[READER]
    with reader.place():
        data = await upload()
        async with asyncio.timeout(_READ_S):
            paper = await reader.read(data)
    return resume_of(paper, await anyio.to_thread.run_sync(_language, paper.text))


async def keep_resume(request: web.Request, account_id: int, resume: Resume, days: int) -> Resume | None:
    """The résumé as the account keeps it from now on; None when it keeps as many as it may."""
    now = datetime.now(UTC)
    return await resumes.keep(request.app[DATABASE], account_id, resume, uuid.uuid4(), now, now + timedelta(days=days))


async def show_resume(request: web.Request) -> web.Response:
    """GET /resumes/{id}."""
    return json_response(await kept_resume(request, uuid.UUID(request.match_info["id"])))


async def kept_resume(request: web.Request, resume_id: uuid.UUID) -> Resume:
    """A résumé that the caller keeps. Raises HTTPNotFound, also for anybody else's."""
    account_id = request[CALLER].account_id
    resume = await resumes.load(request.app[DATABASE], account_id, resume_id, datetime.now(UTC))
    if resume is None:
        raise web.HTTPNotFound(text=_NOT_YOURS)
    return resume


async def forget_resume(request: web.Request) -> web.Response:
    """DELETE /resumes/{id}."""
    resume_id = uuid.UUID(request.match_info["id"])
    if not await resumes.forget(request.app[DATABASE], request[CALLER].account_id, resume_id):
        raise web.HTTPNotFound(text=_NOT_YOURS)
    return json_response(Forgotten(1))


async def forget_resumes(request: web.Request) -> web.Response:
    """DELETE /resumes."""
    return json_response(Forgotten(await resumes.forget_all(request.app[DATABASE], request[CALLER].account_id)))


def _language(text: str) -> str | None:
    from lib.text.language import detect  # an idle API does not carry its tables

    return detect(text)


def _asked(request: web.Request) -> ResumeQuery:
    given = dict(request.query)
    if len(given) != len(request.query):
        raise msgspec.ValidationError("keep_days: given more than once")
    if not given.get("keep_days", "0").isdecimal():
        raise msgspec.ValidationError("keep_days: a whole number expected")
    return msgspec.convert(given, ResumeQuery, strict=False)


def _later(error: Busy | NoPictures) -> web.Response:
    word, after_s = ("busy", error.retry_after_s) if isinstance(error, Busy) else ("unavailable", _INSTALL_S)
    response = problem(503, word, str(error))
    response.headers[hdrs.RETRY_AFTER] = str(math.ceil(after_s))
    return response
