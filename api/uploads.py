"""Files that callers send: the body itself, or the field `file` of a form. Read up to a limit of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import BodyPartReader, hdrs, web
from aiohttp.multipart import MultipartReader

FORM = "multipart/form-data"
FIELD = "file"
_READ_S = 15.0
_STEP_BYTES = 1 << 16
_MOST_FIELDS = 10


async def read_upload(request: web.Request, max_bytes: int) -> bytes:
    """The file's bytes. Raises HTTPRequestEntityTooLarge, HTTPBadRequest (a broken form), TimeoutError."""
    # A form takes some bytes more than its file.
    if (request.content_length or 0) > max_bytes + _STEP_BYTES:
        raise _too_large(max_bytes)
    async with asyncio.timeout(_READ_S):
        if request.content_type != FORM:
            return await bounded(request.content.read, max_bytes)
        try:
            return await _field(await request.multipart(), max_bytes)
        except ValueError as error:
            raise web.HTTPBadRequest(text="the form is not packed as its headers say") from error


async def _field(form: MultipartReader, max_bytes: int) -> bytes:
    for _ in range(_MOST_FIELDS):
        part = await form.next()
        if part is None:
            break
        if isinstance(part, BodyPartReader) and part.name == FIELD:
            return await bounded(part.read_chunk, max_bytes)
    raise web.HTTPBadRequest(text=f"the form has no field {FIELD}")


async def bounded(read: Callable[[int], Awaitable[bytes]], max_bytes: int) -> bytes:
    """All that `read` gives, some at a time. Raises HTTPRequestEntityTooLarge."""
    data = bytearray()
    while chunk := await read(_STEP_BYTES):
        data += chunk
        if len(data) > max_bytes:
            raise _too_large(max_bytes)
    return bytes(data)


def _too_large(max_bytes: int) -> web.HTTPException:
    error = web.HTTPRequestEntityTooLarge(max_bytes, max_bytes, text=f"the file has more than {max_bytes} bytes")
    error.headers[hdrs.CONNECTION] = "close"  # or the rest would have to be read
    return error
