"""What a browser sends: a form's fields, and a résumé among them that may be larger than any other body."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from aiohttp import BodyPartReader, web
from multidict import MultiMapping

from api.parts import FORM, MOST_TEXT_BYTES, Parts, bounded, parts_of, too_large
from api.resumes import read_resume
from api.room import CONFIG
from lib.people.resumes import Resume

_SEND_S = 30.0


class Unsent(ValueError):
    """The form did not arrive in readable shape."""


async def read_form(request: web.Request) -> tuple[MultiMapping[Any], Resume | None]:
    """The form's fields, and the résumé in its field `file` where one was chosen, read.

    Raises Unsent, HTTPRequestEntityTooLarge, TimeoutError, and what `read_resume` raises.
    """
    try:
        if request.content_type != FORM:
            async with asyncio.timeout(_SEND_S):
                return await request.post(), None
        return await _parts(request)
    except (ValueError, LookupError) as error:  # no boundary, a broken part, an encoding that does not exist
        raise Unsent from error


async def _parts(request: web.Request) -> tuple[MultiMapping[Any], Resume | None]:
    most_bytes = request.app[CONFIG].resume_bytes
    if (request.content_length or 0) > most_bytes + MOST_TEXT_BYTES:
        raise too_large(most_bytes)
    form, resume = await parts_of(request), None
    while file := await _next_file(form):
        if file.filename and resume is None:  # without a name, none was chosen
            resume = await read_resume(request, partial(_file, file, most_bytes))
    return form.fields, resume


async def _next_file(form: Parts) -> BodyPartReader | None:
    async with asyncio.timeout(_SEND_S):
        return await form.next_file()


async def _file(part: BodyPartReader, most_bytes: int) -> bytes:
    async with asyncio.timeout(_SEND_S):
        return await bounded(part.read_chunk, most_bytes)
