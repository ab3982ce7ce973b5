"""GET /searches/{id}/events: what a search tells, as it happens or as a list.

One task asks PostgreSQL for all searches that anybody here listens to, in one statement every fifth of a second, and
only while somebody does. It waits for PostgreSQL however long that is away, and goes on after whatever else fails;
listeners keep their connection, and miss nothing. Those whose key, session or account has ended are let go.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import msgspec
import structlog
from aiohttp import hdrs, web

from api.bodies import EventsQuery, SearchEvent, SearchEvents
from api.room import CALLER, DATABASE, LISTENING, json_response
from api.searches import own_search
from api.standing import Pass, pass_of, standing
from lib.match import searches
from lib.match.searches import Event, Search
from lib.store.connections import Database

_LOG = structlog.get_logger("api")
_EVERY_S = 0.2
_LOOK_S = 15.0  # between two looks at who may listen
_REST_S = 5.0  # after a failure
_PING_S = 15.0
_WRITE_S = 30.0
_LONGEST_S = 900.0
_MOST_WAITING = 500
MOST_PER_ACCOUNT: Final = 10
_MOST = 1_000
_STREAM = "text/event-stream"


class Listener:
    """One open connection and what it has yet to hear. `held`: what opened it, as long as that opens anything.

    `cut`: it is let go of, and may come again.
    """

    def __init__(self, search_id: uuid.UUID, after: int, held: Pass) -> None:
        self.search_id = search_id
        self.after = after
        self.held = held
        self.cut = False
        self._heard: list[Event] = []
        self._woken = asyncio.Event()

    def hear(self, event: Event) -> None:
        """Notes an event that is new to this listener."""
        if event.seq <= self.after or self.cut:
            return
        self.after = event.seq
        self._heard.append(event)
        self._woken.set()
        if len(self._heard) > _MOST_WAITING:
            self.end()

    def end(self) -> None:
        """Lets the connection go after what it was told already."""
        self.cut = True
        self._woken.set()

    async def next(self, patience_s: float) -> list[Event]:
        """What came since; empty after `patience_s` seconds of silence."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._woken.wait()
        self._woken.clear()
        heard, self._heard = self._heard, []
        return heard


class Listening:
    """All listeners of this process; `run` tells them, until it is cancelled."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: set[Listener] = set()
        self._accounts: Counter[int | None] = Counter()
        self._wanted = asyncio.Event()
        self._open = True
        self._look_at = 0.0

    @contextmanager
    def listener(self, search_id: uuid.UUID, after: int, account_id: int | None, held: Pass) -> Iterator[Listener]:
        """Tells of a search what follows the event `after`. Raises HTTPTooManyRequests, HTTPServiceUnavailable."""
        if not self._open or len(self._listeners) >= _MOST:
            raise web.HTTPServiceUnavailable(text="too many listeners, please try again", headers={"Retry-After": "5"})
        if self._accounts[account_id] >= MOST_PER_ACCOUNT:
            text = f"an account may listen to {MOST_PER_ACCOUNT} searches at a time"
            raise web.HTTPTooManyRequests(text=text, headers={"Retry-After": "5"})
        listener = Listener(search_id, after, held)
        self._listeners.add(listener)
        self._accounts[account_id] += 1
        self._wanted.set()
        try:
            yield listener
        finally:
            self._listeners.remove(listener)
            self._accounts[account_id] -= 1
            if not self._accounts[account_id]:
                del self._accounts[account_id]

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    async def run(self) -> None:
        """Asks for news while somebody listens."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while self._listeners:
                pause_s = await self._turn()
                await asyncio.sleep(pause_s)

    async def _turn(self) -> float:
        """Tells what is new; how many seconds to wait before the next time."""
        try:
            await self._look()
            told = await self._tell()
        except Exception:  # noqa: BLE001 - whatever it was, all listeners hear from this task or not at all
            _LOG.exception("events could not be read", listeners=len(self._listeners))
            return _REST_S
        return 0.0 if told >= searches.MOST_EVENTS else _EVERY_S

    async def _look(self) -> None:
        """Now and then lets go of those who may not listen any more."""
        now = asyncio.get_running_loop().time()
        if now < self._look_at:
            return
        held = {one.held for one in self._listeners}
        over = held - await standing(self._database, held)
        for one in self._listeners:
            if one.held in over:
                one.end()
        self._look_at = now + _LOOK_S

    async def _tell(self) -> int:
        """How many events there were; who is cut off wants none."""
        wants: dict[uuid.UUID, int] = {}
        for one in self._listeners:
            if not one.cut:
                wants[one.search_id] = min(one.after, wants.get(one.search_id, one.after))
        told = await searches.events_after(self._database, wants)
        for event in told:
            for one in self._listeners:
                if one.search_id == event.search_id:
                    one.hear(event)
        return len(told)

    def close(self) -> None:
        """Lets all connections go; they come again, to whoever serves then."""
        self._open = False
        for one in self._listeners:
            one.end()


async def listening(app: web.Application) -> AsyncIterator[None]:
    """The task beside the application."""

    async def close(app: web.Application) -> None:
        app[LISTENING].close()

    app.on_shutdown.append(close)
    task = asyncio.create_task(app[LISTENING].run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def search_events(request: web.Request) -> web.StreamResponse:
    """Streams, or lists for who accepts JSON only."""
    query = msgspec.convert(dict(request.query), EventsQuery, strict=False)
    search = await own_search(request)
    accepted = request.headers.get(hdrs.ACCEPT, "")
    if "application/json" in accepted and _STREAM not in accepted:
        told = await searches.events_after(request.app[DATABASE], {search.id: query.after})
        return json_response(SearchEvents(search.live, tuple(map(_body, told))))
    return await listen(request, search, query.after, _event)


async def listen(
    request: web.Request, search: Search, after: int, written: Callable[[Event], bytes]
) -> web.StreamResponse:
    """Streams what a search tells after an event, or after the last one that the browser saw, as `written` puts it."""
    after = max(after, _last_seen(request))
    if search.live != "running" and not await searches.events_after(request.app[DATABASE], {search.id: after}):
        return web.Response(status=204)  # which tells a browser not to come again
    account_id, held = request[CALLER].account_id, pass_of(request)
    with request.app[LISTENING].listener(search.id, after, account_id, held) as listener:
        return await _stream(request, listener, written)


async def _stream(request: web.Request, listener: Listener, written: Callable[[Event], bytes]) -> web.StreamResponse:
    """Ends after `done`, or after a quarter of an hour, from which a browser goes on by itself."""
    response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: _STREAM, "X-Accel-Buffering": "no"})
    until = asyncio.get_running_loop().time() + _LONGEST_S
    with suppress(ConnectionError, TimeoutError):  # gone, or not reading: nobody is left to be told
        await response.prepare(request)
        await response.write(b"retry: 1000\n\n")
        while not listener.cut and asyncio.get_running_loop().time() < until:
            heard = await listener.next(_PING_S)
            said = b"".join(map(written, heard)) or (b"" if listener.cut else b": still here\n\n")
            async with asyncio.timeout(_WRITE_S):
                await response.write(said)
            if any(event.kind == "done" for event in heard):
                break
        await response.write_eof()
    return response


def _event(event: Event) -> bytes:
    return f"id: {event.seq}\nevent: {event.kind}\ndata: {event.body}\n\n".encode()


def _body(event: Event) -> SearchEvent:
    return SearchEvent(event.seq, event.kind, msgspec.Raw(event.body.encode()))


def _last_seen(request: web.Request) -> int:
    """What a browser that comes again has seen; whatever is no number was not ours."""
    seen = request.headers.get("Last-Event-ID", "").strip()
    return int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else 0
