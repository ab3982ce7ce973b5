"""A proxy between a client and a server that loses connectivity on demand.

    async with Proxy(server_socket) as proxy:
        proxy.trouble(Trouble(b"COMMIT;", "after"))
        ...  # connect to proxy.host, proxy.port

It knows no protocol: a message is recognised by bytes that it contains, such as the simple queries `BEGIN;` and
`COMMIT;` of asyncpg, or a command of Redis.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

Moment = Literal["before", "within", "after"]
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Trouble:
    """What goes wrong once. `message`: bytes that a client sends.

    before: it never reaches the server. within: it does, and nobody waits for the answer. after: the server answers,
    and the answer is lost. `hangs`: the connection stays open and silent instead of being closed.
    """

    message: bytes
    moment: Moment
    hangs: bool = False


class Proxy:
    """Listens on a free local port and forwards to the Unix socket `server`."""

    def __init__(self, server: Path) -> None:
        self.host, self.port = "127.0.0.1", 0
        self.refusing = False
        self.struck: list[Trouble] = []
        self.connections = 0
        self._server = server
        self._troubles: list[Trouble] = []
        self._budget: int | None = None
        self._open: set[_Pair] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._accept, self.host, 0)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._listener.wait_closed()

    def trouble(self, *troubles: Trouble) -> None:
        """Adds what goes wrong, in this order, each once."""
        self._troubles += troubles

    def cut_after(self, count: int) -> None:
        """Cuts the connection that carries the last of so many further bytes, in whichever direction."""
        self._budget = count

    def cut(self) -> None:
        """Cuts every connection now."""
        for pair in list(self._open):
            pair.abort()

    @property
    def calm(self) -> bool:
        """Whether everything that was to go wrong did."""
        return not self._troubles and self._budget is None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.refusing:
            writer.transport.abort()
            return
        try:
            inner_reader, inner_writer = await asyncio.open_unix_connection(str(self._server))
        except OSError:
            writer.transport.abort()
            return
        pair = _Pair(writer, inner_writer)
        self._open.add(pair)
        for work in (self._from_client(reader, pair), self._from_server(inner_reader, pair)):
            task = asyncio.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _from_client(self, reader: asyncio.StreamReader, pair: _Pair) -> None:
        async for chunk in _chunks(reader):
            trouble = self._recognised(chunk)
            if trouble is not None and trouble.moment == "before":
                self._strike(trouble, pair)
                continue
            if trouble is not None and trouble.moment == "after":
                pair.losing = trouble
            if not self._pass(chunk, pair.server, pair):
                continue
            if trouble is not None and trouble.moment == "within":
                await pair.server.drain()
                self._strike(trouble, pair)
        self._close(pair)

    async def _from_server(self, reader: asyncio.StreamReader, pair: _Pair) -> None:
        async for chunk in _chunks(reader):
            if pair.losing is not None:
                self._strike(pair.losing, pair)
                pair.losing = None
            else:
                self._pass(chunk, pair.client, pair)
        self._close(pair)

    def _recognised(self, chunk: bytes) -> Trouble | None:
        if self._troubles and self._troubles[0].message in chunk:
            return self._troubles.pop(0)
        return None

    def _strike(self, trouble: Trouble, pair: _Pair) -> None:
        self.struck.append(trouble)
        if trouble.hangs:
            pair.silent = True
        else:
            pair.abort()

    def _pass(self, chunk: bytes, to: asyncio.StreamWriter, pair: _Pair) -> bool:
        """Forwards what may pass; False when the connection ended with it."""
        if pair.silent or to.is_closing():
            return False
        if self._budget is not None:
            chunk, self._budget = chunk[: self._budget], max(0, self._budget - len(chunk))
        to.write(chunk)
        if self._budget == 0:
            self._budget = None
            pair.abort(flush=to)
            return False
        return True

    def _close(self, pair: _Pair) -> None:
        pair.client.close()
        pair.server.close()
        self._open.discard(pair)


@dataclass(eq=False)
class _Pair:
    """Both ends of one connection. `losing`: the trouble that takes the next answer."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    losing: Trouble | None = None
    silent: bool = False

    def abort(self, flush: asyncio.StreamWriter | None = None) -> None:
        """Ends both at once, without sending what waits, except towards `flush`."""
        for end in (self.client, self.server):
            if end is flush:
                end.close()
            else:
                end.transport.abort()


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        try:
            chunk = await reader.read(_CHUNK)
        except ConnectionError:
            return
        if not chunk:
            return
        yield chunk
