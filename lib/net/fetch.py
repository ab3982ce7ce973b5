"""The one polite client: every request to the outside goes through `Fetcher.send`.

It decides nothing about retries, which are the callers' business. It keeps to the limits of the host, asks
robots.txt, stays on the public web, follows redirects one judged hop at a time, and hands on whole answers only.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import NamedTuple, Protocol, Self, TypeAlias

import aiohttp
import redis.asyncio as aioredis
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from lib.errors import Refused, SourceError, Transient
from lib.net.body import body_pieces, read_body
from lib.net.breaker import Event
from lib.net.egress import check_url
from lib.net.messages import Request, Response
from lib.net.policy import FetchPolicy
from lib.net.politeness import Politeness
from lib.net.redirects import REDIRECTS, Hop, first_hop, next_hop
from lib.net.robots import Robots, SiteRules
from lib.net.route import Direct, Route, Way
from lib.net.secrets import Veil, filled
from lib.net.status import error_of, event_of, pause_of
from lib.net.validators import Validators

MAX_REDIRECTS = 5

_Permit: TypeAlias = Callable[[URL], Awaitable[float]]  # the crawl delay of a URL, or an error when it is forbidden
Sink: TypeAlias = Callable[[bytes], Awaitable[None]]  # takes the next bytes of a body


class Observer(Protocol):
    """Told of every hop, for metrics. `outcome`: ok, not_modified, redirect, or the error's class in lower case.

    `seconds`: from the granted turn to the end of the body. `size`: bytes of the decompressed body.
    """

    def on_request(self, host: str, outcome: str, seconds: float, size: int) -> None: ...


class _Answer(NamedTuple):
    """`location`: where to go on, None when this is the end. `size`: of the body, wherever that went."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    size: int = 0
    location: str | None = None


class Fetcher:
    """One client for all requests of a process; use it as an async context manager.

    `client`: the Redis in which all processes share the limits, None for limits of this process alone.
    `key_of`: the operator's key by the name under which requests ask for it, None where it is not set.
    `route`: by which way requests go out, robots.txt included; None: from this machine's own address.
    `elsewhere`: the open clients of sources that this one sends nothing for.
    """

    def __init__(
        self,
        policy: FetchPolicy,
        client: aioredis.Redis | None = None,
        *,
        observer: Observer | None = None,
        rng: random.Random | None = None,
        key_of: Callable[[str], str | None] = lambda name: None,
        route: Route | None = None,
        elsewhere: Mapping[str, Fetcher] | None = None,
    ) -> None:
        self._policy = policy
        self._key_of = key_of
        self._politeness = Politeness(
            client, longest_s=policy.max_wait_s, rules=policy.breaker, rng=rng or random.Random()
        )
        self._robots = Robots(self._fetch_rules, policy.robot)
        self._observer = observer
        self._route = route or Direct(policy)
        self._elsewhere = elsewhere or {}

    async def __aenter__(self) -> Self:
        await self._route.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._robots.aclose()
        await self._route.aclose()
        await self._politeness.aclose()

    async def send(self, request: Request, *, validators: Validators | None = None) -> Response:
        """The whole answer to `request`: 2xx, or 304 with an empty body when `validators` still hold.

        Raises Refused, Denied, RateLimited, Gone, Transient, Malformed; `lib.net.status` says which status is what.
        `request.timeout_s` counts from the first byte sent to the last one read, over all redirects; time spent
        waiting for the host's turn is not in it. Denied, too, when a key that `request` names is not set.
        """
        return await self._ask(request, validators, None)

    async def site_rules(self, url: str, source: str = "") -> SiteRules:
        """What the robots.txt of `url`'s site says beside permissions: sitemaps and content signals.

        `source`: on whose behalf it is asked. Raises Refused, Transient, RateLimited.
        """
        if source in self._elsewhere:
            return await self._elsewhere[source].site_rules(url)
        return await self._robots.site_rules(check_url(url, self._policy))

    async def download(self, request: Request, sink: Sink, *, validators: Validators | None = None) -> Response:
        """Like `send`, but the body goes to `sink` piece by piece, and the response has an empty one.

        An error may come after `sink` took a part of the body, or all that `request.max_bytes` allows and a bit more.
        """
        return await self._ask(request, validators, sink)

    async def _ask(self, request: Request, validators: Validators | None, sink: Sink | None) -> Response:
        other = self._elsewhere.get(request.source)
        if other is not None:
            return await other._ask(request, validators, sink)
        if not request.secrets:
            return await self._send(request, validators, None, sink)
        if sink is not None:
            raise Refused("an answer to a request with a key is read whole, so that the key can be hidden in it")
        sent, veil = filled(request, self._key_of)
        try:
            return veil.response(request, await self._send(sent, validators, veil, sink))
        except SourceError as error:
            raise veil.error(error) from None

    async def _send(
        self, request: Request, validators: Validators | None, veil: Veil | None, sink: Sink | None
    ) -> Response:
        first = first_hop(request, validators, self._policy)

        async def permit(url: URL) -> float:
            if veil is not None and url.raw_host != first.url.raw_host and veil.covers(str(url)):
                raise Refused(f"{first.host} redirects to {url.raw_host} with our key")
            exempt = request.documented_api and url.raw_host == first.url.raw_host
            return 0.0 if exempt else await self._robots.crawl_delay_s(url)

        return await self._follow(request, first, permit, sink)

    async def _fetch_rules(self, request: Request) -> Response:
        async def permit(_: URL) -> float:
            return 0.0

        return await self._follow(request, first_hop(request, None, self._policy), permit)

    async def _follow(self, request: Request, hop: Hop, permit: _Permit, sink: Sink | None = None) -> Response:
        left_s = request.timeout_s
        for _ in range(MAX_REDIRECTS + 1):
            try:
                delay_s = await permit(hop.url)
                started, answer = await self._visit(hop, request, delay_s, left_s, sink)
            except SourceError as error:
                error.url = str(hop.url)
                raise
            if answer.location is None:
                return Response(
                    request=request,
                    url=str(hop.url),
                    status=answer.status,
                    headers=answer.headers,
                    body=answer.body,
                )
            left_s -= time.monotonic() - started
            hop = next_hop(hop, answer.status, answer.location, self._policy)
        raise Refused(f"more than {MAX_REDIRECTS} redirects from {request.url[:200]}")

    async def _visit(
        self, hop: Hop, request: Request, delay_s: float, left_s: float, sink: Sink | None
    ) -> tuple[float, _Answer]:
        """One hop in its host's turn: when it began (monotonic) and the answer. Raises what `send` raises."""
        limits = self._policy.limits_of(hop.host).slowed(delay_s)
        way = await self._route.way(hop.url)
        visit = await self._politeness.enter(hop.host, limits, max(left_s, 0.0))
        started = time.monotonic()
        event, pause_s, outcome, size = None, 0.0, "cancelled", 0
        try:
            answer = await self._exchange(way, hop, request, left_s, sink)
            event, outcome, size = Event.SUCCESS, _outcome(answer), answer.size
        except SourceError as error:
            event, pause_s = event_of(error), pause_of(error, datetime.now(UTC))
            outcome = type(error).__name__.lower()
            raise
        finally:
            self._politeness.leave(visit, event, pause_s)
            if self._observer is not None:
                self._observer.on_request(hop.host, outcome, time.monotonic() - started, size)
        return started, answer

    async def _exchange(self, way: Way, hop: Hop, request: Request, left_s: float, sink: Sink | None) -> _Answer:
        """The answer to one request within `left_s` seconds. Libraries' errors end here."""
        try:
            async with asyncio.timeout(left_s), way.open(hop) as answer:
                return await _read(hop, answer, request, sink)
        except TimeoutError as error:
            raise Transient(f"{hop.host}: no whole answer in time") from error
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise Refused(f"not a web address: {str(hop.url)[:200]!r}") from error
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            raise Transient(f"{hop.host}: {type(error).__name__}: {error}"[:500]) from error


async def _read(hop: Hop, answer: aiohttp.ClientResponse, request: Request, sink: Sink | None) -> _Answer:
    """Reads the body of an answer to hand on only: one that we do not want is dropped with its connection, unless it
    came along with the headers."""
    headers = _headers(answer)
    location = headers.get("location")
    if answer.status in REDIRECTS - request.answers and location is not None:
        return _Answer(answer.status, headers, location=location)
    error = error_of(
        answer.status, headers, datetime.now(UTC), conditional=hop.conditional, ranged="Range" in hop.headers
    )
    if error is not None and answer.status not in request.answers:
        error.args = (f"{hop.host}: {error}",)
        raise error
    chunks, encoding = answer.content.iter_any(), headers.get("content-encoding", "")
    if sink is None:
        body = await read_body(chunks, encoding, request.max_bytes)
        return _Answer(answer.status, headers, body, len(body))
    size = 0
    async for piece in body_pieces(chunks, encoding, request.max_bytes):
        await sink(piece)
        size += len(piece)
    return _Answer(answer.status, headers, size=size)


def _headers(answer: aiohttp.ClientResponse) -> dict[str, str]:
    """Lower-case names; values of repeated ones joined; bytes that are no UTF-8 replaced."""
    found: dict[str, str] = {}
    for name, value in answer.headers.items():
        name = name.lower()
        text = value if value.isascii() else value.encode("utf-8", "replace").decode()
        found[name] = f"{found[name]}, {text}" if name in found else text
    return found


def _outcome(answer: _Answer) -> str:
    if answer.location is not None:
        return "redirect"
    return "not_modified" if answer.status == 304 else "ok"
