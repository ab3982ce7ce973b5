"""The simulator: one HTTP server that plays every system, told apart by the Host header."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Protocol

from aiohttp import web

from tests.sim.careers import Sites
from tests.sim.control import control_routes
from tests.sim.faults import Fault, Faults
from tests.sim.market import Changes, Market
from tests.sim.overpass import Web
from tests.sim.serving import hang_up, serving
from tests.sim.systems import SYSTEMS
from tests.sim.traffic import Traffic
from tests.sim.wire import SHOWINGS, Answer, Asked, Call, Showing, System

_DRIPS = 20
_STATUSES = {"server_error": 500, "bad_request": 400, "not_found": 404, "forbidden": 403}


class World(Protocol):
    """What can be played: a market, or saved payloads."""

    def board_list(self) -> list[dict[str, Any]]: ...

    def answer(self, system: System, call: Call, showing: Showing) -> Answer: ...


class Simulator:
    """Plays `world`. `validators`: send ETags and answer 304 where the real systems do. `latency_s`: how far away it
    is, a wait before each answer."""

    def __init__(
        self,
        world: World,
        *,
        seed: int = 1,
        validators: bool = True,
        latency_s: float = 0.0,
        sites: Sites | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.world = world
        self.faults = Faults(seed)
        self.traffic = Traffic(clock)
        self.web = Web(world) if isinstance(world, Market) else None
        self.sites = sites
        self.url = ""
        self._validators = validators
        self._latency_s = latency_s
        self._now = now
        self._stopping = asyncio.Event()

    def misbehave(self, kind: str, **where: Any) -> Fault:
        """Switches a misbehaviour on; see `Fault` for what narrows it.

        Raises ValueError for unknown ones, and for those that need a market where saved payloads are played.
        """
        if kind in SHOWINGS and not isinstance(self.world, Market):
            raise ValueError(f"saved payloads are played untouched, they cannot be shown {kind}")
        return self.faults.add(kind, **where)

    def behave(self) -> None:
        """Switches all misbehaviour off."""
        self.faults.clear()

    @property
    def market(self) -> Market:
        """The market that is played. Raises ValueError where saved payloads are played."""
        if not isinstance(self.world, Market):
            raise ValueError("saved payloads are played: they have no days and no truth")
        return self.world

    def advance(self) -> Changes:
        """The market's next day."""
        if self.sites is not None:
            self.sites.advance()
        return self.market.advance()

    def application(self) -> web.Application:
        """The web application: control endpoints under /_sim/, everything else is played."""
        app = web.Application(client_max_size=1 << 20)
        app.add_routes(control_routes(self))
        app.router.add_route("*", "/{path:.*}", self._handle)
        app.on_shutdown.append(self._on_shutdown)
        return app

    async def _on_shutdown(self, app: web.Application) -> None:
        self._stopping.set()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        host = request.host.partition(":")[0].lower()
        with self.traffic.request(host, request.path, request.headers.get("User-Agent", "")) as seen:
            if self._latency_s:
                await asyncio.sleep(self._latency_s)
            response = await self._play(request, host)
            seen.statuses[response.status] += 1
            return response

    async def _play(self, request: web.Request, host: str) -> web.StreamResponse:
        system = next((system for system in SYSTEMS.values() if system.serves(host)), None)
        robots = request.path == "/robots.txt"
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        asked = Asked(host, request.path, dict(request.query), request.method, body, headers)
        call = system.route(asked) if system and not robots else None
        source, tenant = system.name if system else None, call.tenant if call else None
        listing = call is not None and call.kind == "list"
        fault = self.faults.pick(host, request.path, source, tenant, listing=listing)
        if system and robots:
            text = system.robots(host)
            answer = Answer(b"", 404) if text is None else Answer(text.encode(), content_type="text/plain")
        elif system and call:
            answer = self.world.answer(system, call, fault.showing if fault else "all")
        else:
            answer = (self.sites and self.sites.answer(asked)) or (self.web and self.web.answer(asked))
            answer = answer or Answer(b"Not Found", 404, "text/plain; charset=utf-8")
        return await self._strike(request, fault, answer) if fault else self._respond(request, answer)

    def _respond(self, request: web.Request, answer: Answer) -> web.Response:
        headers = {"Content-Type": answer.content_type, **answer.headers}
        if self._validators and answer.tagged and answer.status == 200:
            headers["ETag"] = answer.etag
            if request.headers.get("If-None-Match") == answer.etag:
                return web.Response(status=304, headers={"ETag": answer.etag})
        return web.Response(body=answer.body, status=answer.status, headers=headers)

    async def _strike(self, request: web.Request, fault: Fault, answer: Answer) -> web.StreamResponse:
        if fault.kind == "rate_limited":
            wait: str | int = fault.retry_after_s
            if fault.as_date:
                wait = format_datetime(self._now() + timedelta(seconds=fault.retry_after_s), usegmt=True)
            return web.Response(status=429, headers={"Retry-After": str(wait)}, text="Too Many Requests")
        if fault.kind in _STATUSES:
            return web.Response(status=_STATUSES[fault.kind], text="The simulator misbehaves as asked.")
        if fault.kind == "private_redirect":
            return web.Response(status=302, headers={"Location": fault.location})
        if fault.kind == "broken_json":
            return self._respond(request, _with_body(answer, answer.body[: len(answer.body) * 2 // 3]))
        if fault.kind == "broken_encoding":
            middle = len(answer.body) // 2
            return self._respond(request, _with_body(answer, answer.body[:middle] + b"\xff\xfe" + answer.body[middle:]))
        if fault.kind in ("half_body", "slow", "huge_body"):
            return await self._stream(request, fault, answer)
        if fault.kind == "hang":
            await self._stopping.wait()  # the handler is cancelled when the client gives up
        if fault.kind in ("hang", "reset"):
            hang_up(request)
            return web.Response(status=500)
        return self._respond(request, answer)

    async def _stream(self, request: web.Request, fault: Fault, answer: Answer) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
        whole = fault.size_bytes if fault.kind == "huge_body" else len(answer.body)
        response.content_length = whole
        await response.prepare(request)
        with suppress(ConnectionError):  # the client had enough, which is what these faults are for
            if fault.kind == "half_body":
                await response.write(answer.body[: whole // 2])
                hang_up(request)
            elif fault.kind == "slow":
                await self._drip(request, response, answer.body, fault.seconds)
            else:
                chunk = b'["' + b"x" * 65_534
                for start in range(0, whole, len(chunk)):
                    await response.write(chunk[: whole - start])
        return response

    async def _drip(self, request: web.Request, response: web.StreamResponse, body: bytes, seconds: float) -> None:
        step = max(1, -(-len(body) // _DRIPS))
        for start in range(0, len(body), step):
            await response.write(body[start : start + step])
            await asyncio.sleep(seconds / _DRIPS)
            if self._stopping.is_set():
                hang_up(request)
                return


def _with_body(answer: Answer, body: bytes) -> Answer:
    return Answer(body, answer.status, answer.content_type, answer.headers)


@asynccontextmanager
async def running(
    world: World,
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    seed: int = 1,
    validators: bool = True,
    latency_s: float = 0.0,
    sites: Sites | None = None,
) -> AsyncIterator[Simulator]:
    """A simulator that serves `world` until the block ends; `url` says where (port 0: any free one)."""
    simulator = Simulator(world, seed=seed, validators=validators, latency_s=latency_s, sites=sites)
    app = simulator.application()
    async with serving(app, host=host, port=port, handler_cancellation=True) as simulator.url:
        yield simulator
