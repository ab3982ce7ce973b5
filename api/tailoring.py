"""POST /tailor: suggestions for one application, whole or as they are made."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import anyio.to_thread
import msgspec
from aiohttp import hdrs, web

from api.resumes import kept_resume
from api.room import CALLER, DATABASE, ENCODERS, IMAGINATOR, json_response, problem
from lib.people.tailoring.suggestions import Claim, Demand, Dropped, Suggestions, Tongue
from lib.spend.client import Gateway
from lib.spend.sse import Event, written

if TYPE_CHECKING:
    from lib.match.encoder import TextEncoder
    from lib.people.tailoring.demands import Posting
    from lib.people.tailoring.imaginator import Application, Step

MAX_RESUME_CHARS = 50_000
_MOST = 20  # at a time, of one process: each holds a call to the model
_WHOLE_S = 240.0
_PING_S = 15.0
_WRITE_S = 30.0
_STREAM = "text/event-stream"
_NAMES: dict[type, str] = {Demand: "demand", Claim: "claim", Dropped: "dropped", Suggestions: "done"}


class Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which posting, and whose résumé: its text, or the id of one that is kept. `language`: the posting's if unsaid."""

    posting_id: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    resume_text: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_RESUME_CHARS)] | None = None
    resume_id: uuid.UUID | None = None
    language: Tongue | None = None


class Imaginator:
    """The way to a language model, None where nothing is ever bought, and places for a few who use it."""

    def __init__(self, gateway: Gateway | None) -> None:
        self.gateway = gateway
        self._free = _MOST

    @contextmanager
    def place(self) -> Iterator[None]:
        """Raises HTTPServiceUnavailable when all places are taken."""
        if self._free == 0:
            raise web.HTTPServiceUnavailable(
                text="too many applications are being written, please try again", headers={hdrs.RETRY_AFTER: "5"}
            )
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


async def imagining(app: web.Application) -> AsyncIterator[None]:
    """Holds the connection to the gateway for as long as the application lives."""
    gateway = app[IMAGINATOR].gateway
    if gateway is None:
        yield
        return
    async with gateway:
        yield


async def tailor_application(request: web.Request) -> web.StreamResponse:
    """Streams for who accepts events, else answers when all is there."""
    wish = msgspec.json.decode(await request.read(), type=Wish)
    with request.app[IMAGINATOR].place():
        async with asyncio.timeout(_WHOLE_S):
            application = await application_of(request, wish)
            if isinstance(application, web.Response):
                return application
            async with aclosing(steps(request, application)) as made:
                if _STREAM in request.headers.get(hdrs.ACCEPT, ""):
                    return await _stream(request, made)
                return json_response([step async for step in made][-1])


async def application_of(request: web.Request, wish: Wish) -> Application | web.Response:
    """The application that is wished for, or the problem with it. Raises HTTPForbidden, HTTPNotFound."""
    from lib.people.tailoring.imaginator import Application

    caller = request[CALLER]
    if caller.account_id is None or not caller.may_spend:
        raise web.HTTPForbidden(text=f"applications are written for paying accounts; yours is {caller.tier}")
    resume = await _resume(request, wish)
    posting = await _posting(request, wish.posting_id)
    if not posting.text.strip():
        return problem(409, "no_text", "the text of this posting is not known yet, please try again later")
    spoken = await anyio.to_thread.run_sync(_language, resume)
    language: Tongue = wish.language or ("en" if posting.language == "en" else "de")
    return Application(
        posting=posting,
        resume=resume,
        language=language,
        account_id=caller.account_id,
        request_id=f"tailor-{uuid.uuid4()}",
        mark=secrets.token_hex(8),
        today=datetime.now(UTC).date(),
        closeness=None if spoken in (language, None) else partial(_closeness, await request.app[ENCODERS].text()),
    )


def steps(request: web.Request, application: Application) -> AsyncGenerator[Step, None]:
    """What is found and written, the whole of it at last."""
    from lib.people.tailoring.imaginator import tailor

    return tailor(application, request.app[IMAGINATOR].gateway)


async def _resume(request: web.Request, wish: Wish) -> str:
    if (wish.resume_text is None) == (wish.resume_id is None):
        raise msgspec.ValidationError("resume_text, resume_id: exactly one of them is needed")
    if wish.resume_id is not None:
        return (await kept_resume(request, wish.resume_id)).text
    return wish.resume_text or ""


async def _posting(request: web.Request, posting_id: int) -> Posting:
    from lib.people.tailoring.postings import load_posting

    posting = await load_posting(request.app[DATABASE], posting_id)
    if posting is None:
        raise web.HTTPNotFound(text="there is no job with this id")
    return posting


def _language(text: str) -> str | None:
    from lib.text.language import detect  # an idle API does not carry its tables

    return detect(text)


def _closeness(encoder: TextEncoder, one: str, other: str) -> float:
    vectors = encoder.encode_queries([one, other])
    return float(vectors[0] @ vectors[1])


async def _stream(request: web.Request, made: AsyncIterator[Step]) -> web.StreamResponse:
    response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: _STREAM, "X-Accel-Buffering": "no"})
    with suppress(ConnectionError):  # gone: nobody is left to be told, and the model may stop
        await response.prepare(request)
        async with aclosing(_audible(made)) as events:
            async for said in events:
                async with asyncio.timeout(_WRITE_S):
                    await response.write(said)
        await response.write_eof()
    return response


async def _audible(made: AsyncIterator[Step]) -> AsyncGenerator[bytes, None]:
    """Each step as an event, and a sign of life while the next one takes its time."""
    while True:
        waiting = asyncio.ensure_future(anext(made, None))
        try:
            while not (await asyncio.wait({waiting}, timeout=_PING_S))[0]:
                yield b": still here\n\n"
            step = waiting.result()
        finally:
            waiting.cancel()
            await asyncio.wait({waiting})  # nobody can close what is still at work
        if step is None:
            return
        yield written(Event(_NAMES[type(step)], msgspec.json.encode(step).decode()))
