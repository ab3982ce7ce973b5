"""Files that callers send: the body itself, or the field `file` of a form. Read up to a limit of their own."""

from __future__ import annotations

import asyncio

from aiohttp import web

from api.parts import FIELD, FORM, MOST_TEXT_BYTES, bounded, parts_of, too_large

_READ_S = 15.0


async def read_upload(request: web.Request, max_bytes: int) -> bytes:
    """The file's bytes. Raises HTTPRequestEntityTooLarge, HTTPBadRequest (a broken form), TimeoutError."""
    # A form takes some bytes more than its file.
    if (request.content_length or 0) > max_bytes + MOST_TEXT_BYTES:
        raise too_large(max_bytes)
    async with asyncio.timeout(_READ_S):
        if request.content_type != FORM:
            return await bounded(request.content.read, max_bytes)
        try:
            file = await (await parts_of(request)).next_file()
            if file is None:
                raise web.HTTPBadRequest(text=f"the form has no field {FIELD}")
            return await bounded(file.read_chunk, max_bytes)
        except ValueError as error:
            raise web.HTTPBadRequest(text="the form is not packed as its headers say") from error
