"""Asks a provider: one request, its answer whole or piece by piece, and what came of it. Never asks twice.

Providers' answers are hostile: their size and time are bounded, redirects are not followed, and wherever an answer
repeats our key, the provider's name stands instead before anybody sees it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import aiohttp

from api.gateway.meanings import CUT, HUNG, LOST, UNREACHABLE, Meaning, of_status
from api.gateway.parameters import Parameters
from api.gateway.providers import Operation, Provider, Terms, packed
from lib.errors import Malformed, Refused, Transient
from lib.net.body import ACCEPT_ENCODING, read_body
from lib.net.retry_after import parse_retry_after
from lib.net.secrets import Veil

_CONNECT_S = 10.0
_PAUSE_S = 1.0  # after a 429 that does not say for how long: a place is free again as soon as a call ends
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)


class Answer(NamedTuple):
    """`status`: the provider's, None where it gave none. `pause_s`: for how long it wants to be left alone."""

    meaning: Meaning
    body: bytes = b""
    status: int | None = None
    pause_s: float = 0.0


@dataclass(frozen=True)
class Account:
    """Who a provider is, where, and the key that opens it; empty where it asks for none."""

    name: str
    url: str
    key: str = ""


@asynccontextmanager
async def open_upstream(terms: Terms) -> AsyncIterator[Upstream]:
    """The way out to all providers, until the block ends."""
    async with aiohttp.ClientSession(
        # A connection for each call: one that was kept may be closed just now, and nobody would know whether the
        # request was read.
        connector=aiohttp.TCPConnector(limit=0, force_close=True),
        middlewares=(_once,),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S),
        auto_decompress=False,
    ) as session:
        yield Upstream(terms, session)


class Upstream:
    """The way out to all providers; see `open_upstream`."""

    def __init__(self, terms: Terms, session: aiohttp.ClientSession) -> None:
        self._terms = terms
        self._session = session

    async def ask(
        self,
        provider: Provider,
        operation: Operation,
        parameters: Parameters,
        account: Account,
        on_piece: Callable[[bytes], None],
    ) -> Answer:
        """Sends the request. A streamed answer goes to `on_piece` while it comes, and is in the body as well."""
        veil = Veil({account.name: account.key}) if account.key else None
        try:
            async with asyncio.timeout(operation.busy_s):
                return await self._exchange(provider, operation, parameters, account, veil, on_piece)
        except _NEVER_SENT:
            return Answer(UNREACHABLE)
        except TimeoutError:
            return Answer(HUNG)
        except (aiohttp.ClientError, OSError):
            return Answer(LOST)

    async def _exchange(
        self,
        provider: Provider,
        operation: Operation,
        parameters: Parameters,
        account: Account,
        veil: Veil | None,
        on_piece: Callable[[bytes], None],
    ) -> Answer:
        query, body = packed(operation, parameters, self._terms)
        async with self._session.request(
            operation.method,
            account.url.rstrip("/") + operation.path,
            params=query,
            data=body,
            headers=_headers(provider, operation, account),
            allow_redirects=False,
        ) as response:
            meaning = of_status(response.status)
            if meaning is not None:
                return Answer(meaning, status=response.status, pause_s=_pause_s(response))
            coding = response.headers.get("Content-Encoding", "")
            if operation.streamed and coding:  # was not asked for, and could not be shown as it comes
                return Answer(CUT, status=response.status)
            shown = _veiled(response.content.iter_any(), operation, veil, on_piece)
            try:
                whole = await read_body(shown, coding, operation.max_bytes)
            except (aiohttp.ClientError, OSError, Transient, Malformed, Refused):
                return Answer(CUT, status=response.status)
            if veil is not None:
                whole = veil.body(whole)
            return Answer(operation.read(whole, self._terms), whole, response.status)


class _NoAnswer(aiohttp.ClientError):
    """The connection ended before an answer."""


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """aiohttp sends a GET again by itself when the connection ends before an answer: the provider would charge both."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _NoAnswer(str(error)) from error


def _headers(provider: Provider, operation: Operation, account: Account) -> dict[str, str]:
    headers = {
        "Accept": operation.media,
        "Accept-Encoding": "identity" if operation.streamed else ACCEPT_ENCODING,
        "Content-Type": "application/json",
    }
    if account.key:
        name, form = provider.key
        headers[name] = form.format(key=account.key)
    return headers


async def _veiled(
    chunks: AsyncIterator[bytes], operation: Operation, veil: Veil | None, on_piece: Callable[[bytes], None]
) -> AsyncIterator[bytes]:
    """The chunks. Those of a stream are shown line by line: a key that is cut in two would not be recognised."""
    held: list[bytes] = []
    async for chunk in chunks:
        if operation.streamed:
            head, newline, tail = chunk.rpartition(b"\n")
            if newline:
                lines = b"".join((*held, head, newline))
                on_piece(veil.body(lines) if veil is not None else lines)
                held.clear()
            held.append(tail)
        yield chunk


def _pause_s(response: aiohttp.ClientResponse) -> float:
    if response.status not in (429, 503):
        return 0.0
    now = datetime.now(UTC)
    retry_at = parse_retry_after(response.headers.get("Retry-After"), now)
    if retry_at is not None:
        return (retry_at - now).total_seconds()
    return _PAUSE_S if response.status == 429 else 0.0
