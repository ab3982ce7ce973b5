"""What a browser sends: a form's fields, and a résumé among them that may be larger than any other body."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from aiohttp import BodyPartReader, web
from anyio import to_thread
from multidict import MultiDict, MultiMapping

from api.forgery import TOKEN_HEADER
from api.resumes import read_resume
from api.room import CONFIG, SESSION
from api.uploads import FIELD, FORM, bounded
from lib.people.resumes import Resume

_MOST_PARTS = 200
_SEND_S = 30.0
_MOST_TEXT_BYTES = 256 * 1024


class Unsent(ValueError):
    """The form did not arrive in readable shape."""


async def read_form(request: web.Request) -> tuple[MultiMapping[Any], Resume | None]:
    """The form's fields, and the résumé in its field `file` where one was chosen, read.

    Raises Unsent, HTTPRequestEntityTooLarge, and what `read_resume` raises.
    """
    try:
        if request.content_type == FORM and not _was_read(request):
            return await _parts(request)
        form = await request.post()
        sent = form.get(FIELD)
        if not isinstance(sent, web.FileField) or not sent.filename:
            return form, None
        return form, await read_resume(request, lambda: to_thread.run_sync(sent.file.read))
    except (ValueError, LookupError) as error:  # no boundary, a broken part, an encoding that does not exist
        raise Unsent from error


def _was_read(request: web.Request) -> bool:
    """Whether the middleware read the form for the session's token, which scripts send in a header."""
    return request[SESSION] is not None and TOKEN_HEADER not in request.headers


async def _parts(request: web.Request) -> tuple[MultiMapping[Any], Resume | None]:
    fields: MultiDict[str] = MultiDict()
    resume, left = None, _MOST_TEXT_BYTES
    form = await request.multipart()
    for _ in range(_MOST_PARTS):
        part = await form.next()
        if part is None:
            return fields, resume
        if not isinstance(part, BodyPartReader) or part.name is None:
            continue
        if part.name == FIELD:
            if part.filename:
                resume = await read_resume(request, partial(_file, part, request.app[CONFIG].resume_bytes))
            continue
        data = await bounded(part.read_chunk, left)
        left -= len(data)
        fields.add(part.name, data.decode("utf-8", "replace"))
    raise Unsent


async def _file(part: BodyPartReader, most_bytes: int) -> bytes:
    async with asyncio.timeout(_SEND_S):
        return await bounded(part.read_chunk, most_bytes)
