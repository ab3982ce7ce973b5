"""The way to paid providers: every call goes through the gateway, which holds the keys and counts the credits.

A call that fails for a while is tried again after a jittered wait. A call that will not succeed soon ends in
`CachedOnly`: whoever asked goes on with what is known already. What was bought under a `request_id` is answered again
without a credit, so a call may be repeated after any failure, under the same id.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal, Self, TypeAlias
from uuid import UUID

import aiohttp
import orjson

from lib.backoff import full_jitter_delays
from lib.errors import Malformed, SourceError, VakanzError
from lib.net.body import read_body
from lib.net.retry_after import parse_retry_after
from lib.spend.sse import Events

Why: TypeAlias = Literal["budget", "share", "provider", "busy"]

CREDITS, BOUGHT_AT, AGAIN = "X-Credits", "X-Bought-At", "X-Again"
PAID_EVENT = "paid"  # ends a stream: what it cost
MAX_BODY_BYTES = 16 * 1024 * 1024
_REFUSAL_BYTES = 64 * 1024
_CONNECT_S = 5.0
_BODY_S = 30.0  # it is there when its headers are
_SILENT_S = 200.0  # longer than any model may think
_FIRST_S, _CAP_S = 0.2, 5.0
_WHY: Mapping[int, Why] = {402: "budget", 403: "share", 429: "busy", 502: "provider", 503: "provider", 504: "busy"}
_PASSING = (429, 503)


class CachedOnly(VakanzError):
    """Nothing is bought for now. `status`: what the provider answered, None where it was not asked or fell silent.

    `lost`: this very call was paid for and its answer never came; others may do better.
    """

    def __init__(self, why: Why, message: str, status: int | None = None, *, lost: bool = False) -> None:
        super().__init__(message)
        self.why = why
        self.status = status
        self.lost = lost


class BadCall(VakanzError):
    """The gateway does not know what is asked for, or who asks: a mistake of ours, or of the settings.

    `status`: the gateway's; 422 is about these parameters, everything else about the call.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Paid:
    """What a provider answered. `again`: it was bought before, and costs nothing now."""

    body: bytes
    credits: int
    bought_at: datetime
    again: bool


@dataclass(frozen=True)
class Refusal:
    """Why the gateway gave nothing. `passing`: worth another try `after_s` seconds later."""

    error: VakanzError
    passing: bool = False
    after_s: float = 0.0


class Flow:
    """A streamed answer: iterate over the data of its events, each a text. `credits` is known after the last one."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self.credits: int | None = None

    async def __aiter__(self) -> AsyncIterator[str]:
        """Raises CachedOnly when the stream ends before it is paid."""
        events = Events()
        try:
            async for chunk in self._chunks:
                for name, data in events.feed(chunk):
                    if name == PAID_EVENT:
                        self.credits = _paid(data)
                    elif data != "[DONE]":
                        yield data
        except (aiohttp.ClientError, OSError, SourceError) as error:
            raise _cut(error) from error
        if self.credits is None:
            raise CachedOnly("provider", "the answer ends early")


class Gateway:
    """A client of the gateway at `url`. `patience_s`: how long one answer may take to begin, with all its tries."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        patience_s: float = 60.0,
        rng: random.Random | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._url = url.rstrip("/")
        self._key = key
        self._patience_s = patience_s
        self._rng = rng or random.Random()
        self._clock = clock
        self._sleep = sleep
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            headers={"Authorization": f"Bearer {self._key}"},
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=_CONNECT_S, sock_read=max(self._patience_s, _SILENT_S)
            ),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def call(
        self,
        provider: str,
        operation: str,
        parameters: Mapping[str, str],
        *,
        account_id: int | None,
        request_id: str,
        search_id: UUID | None = None,
        record: str | None = None,
    ) -> Paid:
        """Buys one answer, or gets what was bought before. Raises CachedOnly, BadCall."""
        question = _question(parameters, account_id, request_id, search_id, record)
        response = await self._ask(f"/proxy/{provider}/{operation}", question)
        async with response:
            try:
                async with asyncio.timeout(_BODY_S):
                    body = await read_body(response.content.iter_any(), "", MAX_BODY_BYTES)
            except (aiohttp.ClientError, OSError, SourceError) as error:
                raise _cut(error) from error
            try:
                return Paid(
                    body=body,
                    credits=int(response.headers[CREDITS]),
                    bought_at=datetime.fromisoformat(response.headers[BOUGHT_AT]),
                    again=response.headers[AGAIN] == "true",
                )
            except (KeyError, ValueError) as error:
                raise CachedOnly("provider", "what answers in the gateway's place says nothing of a price") from error

    @asynccontextmanager
    async def stream(
        self,
        provider: str,
        operation: str,
        parameters: Mapping[str, str],
        *,
        account_id: int | None,
        request_id: str,
        search_id: UUID | None = None,
        record: str | None = None,
    ) -> AsyncIterator[Flow]:
        """Buys one answer that is read while it comes. Raises CachedOnly, also in the middle of it, and BadCall."""
        question = _question(parameters, account_id, request_id, search_id, record)
        response = await self._ask(f"/proxy/{provider}/{operation}", question)
        async with response:
            yield Flow(response.content.iter_any())

    async def _ask(self, path: str, question: bytes) -> aiohttp.ClientResponse:
        """A good answer. What passes is tried again until patience ends."""
        deadline = self._clock() + self._patience_s
        delays = full_jitter_delays(self._rng, first_s=_FIRST_S, cap_s=_CAP_S)
        while True:
            found = await self._try(path, question, deadline - self._clock())
            if isinstance(found, aiohttp.ClientResponse):
                return found
            wait_s = found.after_s + next(delays)
            if not found.passing or self._clock() + wait_s >= deadline:
                raise found.error
            await self._sleep(wait_s)

    async def _try(self, path: str, question: bytes, patience_s: float) -> aiohttp.ClientResponse | Refusal:
        if self._session is None:
            raise RuntimeError("a Gateway is used as `async with Gateway(...)`")
        try:
            async with asyncio.timeout(patience_s):
                response = await self._session.post(
                    self._url + path, data=question, headers={"Content-Type": "application/json"}
                )
                if response.status == 200:
                    return response
                async with response:
                    body = await read_body(response.content.iter_any(), "", _REFUSAL_BYTES)
        except TimeoutError:
            return Refusal(CachedOnly("busy", f"no answer within {self._patience_s:.0f} s"))
        except (aiohttp.ClientError, OSError, SourceError) as error:
            return Refusal(CachedOnly("provider", f"the gateway does not answer: {error}"), passing=True)
        return refusal(response.status, response.headers.get("Retry-After"), body, datetime.now(UTC))


def refusal(status: int, retry_after: str | None, body: bytes, now: datetime) -> Refusal:
    """What an answer other than 200 says to do next."""
    try:
        said = orjson.loads(body)
        detail, theirs, lost = str(said["detail"])[:300], said.get("status"), said.get("error") == "lost"
    except (ValueError, TypeError, KeyError, AttributeError):
        detail, theirs, lost = f"status {status}", None, False
    if (why := _WHY.get(status)) is None:
        return Refusal(BadCall(f"the gateway refuses the call: {detail}", status))
    retry_at = parse_retry_after(retry_after, now)
    after_s = (retry_at - now).total_seconds() if retry_at is not None else 0.0
    error = CachedOnly(why, detail, theirs if isinstance(theirs, int) else None, lost=lost)
    return Refusal(error, status in _PASSING, after_s)


def _question(
    parameters: Mapping[str, str], account_id: int | None, request_id: str, search_id: UUID | None, record: str | None
) -> bytes:
    return orjson.dumps(
        {
            "parameters": dict(parameters),
            "account_id": account_id,
            "request_id": request_id,
            "search_id": search_id and str(search_id),
            "record": record,
        }
    )


def _paid(data: str) -> int:
    """Raises Malformed for what is not the gateway's: a provider may have said it."""
    try:
        return int(orjson.loads(data)["credits"])
    except (ValueError, TypeError, KeyError) as error:
        raise Malformed("the price of the answer cannot be read") from error


def _cut(error: Exception) -> CachedOnly:
    return CachedOnly("provider", f"the answer was cut off: {error}")
