"""Forms in parts (multipart/form-data), read as they arrive: who wants a field reads up to it, who wants the file goes
on from there. So a session's token is looked at before a file is held, and a file may be larger than any other body.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import BodyPartReader, hdrs, web
from aiohttp.multipart import MultipartReader
from multidict import MultiDict

FORM: Final = "multipart/form-data"
FIELD: Final = "file"
MOST_TEXT_BYTES: Final = 256 * 1024
_MOST_PARTS = 200
_STEP_BYTES = 1 << 16


class Parts:
    """One form. `fields`: the texts that were read so far; together they may have MOST_TEXT_BYTES."""

    def __init__(self, reader: MultipartReader) -> None:
        self.fields: MultiDict[str] = MultiDict()
        self._reader = reader
        self._text_left, self._parts_left = MOST_TEXT_BYTES, _MOST_PARTS

    async def next_file(self) -> BodyPartReader | None:
        """The next part that is called `file`, not yet read; None at the form's end. Fields before it are read.

        Raises ValueError (a broken form), HTTPRequestEntityTooLarge.
        """
        while True:
            part = await self._next()
            if part is None or part.name == FIELD:
                return part
            await self._keep(part)

    async def field(self, name: str) -> str | None:
        """The first field of this name, read as far as it takes; None where a file or the form's end comes before it.

        Raises as `next_file` does.
        """
        while name not in self.fields:
            part = await self._next()
            if part is None or part.name == FIELD:
                return None
            await self._keep(part)
        return self.fields[name]

    async def _next(self) -> BodyPartReader | None:
        while (part := await self._reader.next()) is not None:
            if self._parts_left == 0:
                raise ValueError("a form of too many parts")
            self._parts_left -= 1
            if isinstance(part, BodyPartReader) and part.name is not None:
                return part
        return None

    async def _keep(self, part: BodyPartReader) -> None:
        data = await bounded(part.read_chunk, self._text_left)
        self._text_left -= len(data)
        self.fields.add(part.name or "", data.decode("utf-8", "replace"))


_PARTS: web.RequestKey[Parts] = web.RequestKey("parts", Parts)


async def parts_of(request: web.Request) -> Parts:
    """The form in a request's body, as far as anybody has read it. Raises ValueError where there is none."""
    if _PARTS not in request:
        request[_PARTS] = Parts(await request.multipart())
    return request[_PARTS]


async def bounded(read: Callable[[int], Awaitable[bytes]], most_bytes: int) -> bytes:
    """All that `read` gives, some at a time. Raises HTTPRequestEntityTooLarge."""
    data = bytearray()
    while chunk := await read(_STEP_BYTES):
        data += chunk
        if len(data) > most_bytes:
            raise too_large(most_bytes)
    return bytes(data)


def too_large(most_bytes: int) -> web.HTTPException:
    """What is answered to a body of more than so many bytes."""
    error = web.HTTPRequestEntityTooLarge(most_bytes, most_bytes, text=f"the file has more than {most_bytes} bytes")
    error.headers[hdrs.CONNECTION] = "close"  # or the rest would have to be read
    return error
