"""Requests that another site's page made a browser send: refused, wherever something else than a key opens the door."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from multidict import MultiMapping

from api.parts import FORM, parts_of

if TYPE_CHECKING:
    from api.sessions import Session

SAFE_METHODS: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})
TOKEN_HEADER: Final = "X-CSRF-Token"
TOKEN_FIELD: Final = "csrf"
_WRITTEN = "application/x-www-form-urlencoded"
_READ_S = 20.0


def is_foreign(headers: Mapping[str, str], host: str) -> bool:
    """Whether a browser says that the request comes from another site's page.

    All current browsers send `Sec-Fetch-Site`, and those before them `Origin`; programs send neither.
    """
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get(hdrs.ORIGIN)
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc != host
    except ValueError:
        return True


async def refuse_forged(request: web.Request, session: Session | None) -> None:
    """Raises HTTPForbidden for a request that changes something and was not sent by a page of ours."""
    if request.method in SAFE_METHODS:
        return
    if is_foreign(request.headers, request.host):
        raise web.HTTPForbidden(text="this came from another site's page")
    if session is not None and not hmac.compare_digest(await _token(request), session.csrf.encode()):
        raise web.HTTPForbidden(text=f"the session's token is missing: field {TOKEN_FIELD}, or header {TOKEN_HEADER}")


async def form_of(request: web.Request) -> MultiMapping[Any]:
    """The fields of the form in the body, no files. Raises HTTPBadRequest, HTTPRequestEntityTooLarge, TimeoutError."""
    async with _reading():
        if request.content_type != FORM:
            return await request.post()
        form = await parts_of(request)
        while await form.next_file():
            pass
        return form.fields


async def _token(request: web.Request) -> bytes:
    """The token that was sent, "" without one. Of a form with a file, what stands before the file is read for it."""
    given: object = request.headers.get(TOKEN_HEADER)
    async with _reading():
        if given is None and request.content_type == FORM:
            given = await (await parts_of(request)).field(TOKEN_FIELD)
        elif given is None and request.content_type == _WRITTEN:
            given = (await request.post()).get(TOKEN_FIELD)
    return given.encode("utf-8", "surrogatepass") if isinstance(given, str) else b""


@asynccontextmanager
async def _reading() -> AsyncIterator[None]:
    """A form that cannot be read is its sender's fault, and one that never arrives has an end."""
    try:
        async with asyncio.timeout(_READ_S):
            yield
    except (ValueError, LookupError) as error:  # no boundary, a broken part, an encoding that does not exist
        raise web.HTTPBadRequest(text="the form cannot be read") from error
