"""A small forward proxy that is real: absolute requests and CONNECT tunnels, Basic credentials, an exit of its own.

The exit is a source address of the loopback network, so that `echo` sees each proxy come from somewhere else.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import web

_HEAD_BYTES = 65_536


async def echo(request: web.Request) -> web.Response:
    """`/_sim/echo`: the address that the caller is seen with."""
    return web.json_response({"ip": request.remote})


@dataclass
class Proxy:
    """`seen`: the first lines of what it was asked. `fault`: what it does instead of its work: a status that it
    answers with, "silent" (never answers), "hang_up"."""

    exit: str
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    fault: int | str | None = None
    seen: list[str] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list, repr=False)
    port: int = 0

    @property
    def url(self) -> str:
        """Its address with credentials, as an operator writes it."""
        held = f"{self.user}:{self.password}@" if self.user else ""
        return f"http://{held}127.0.0.1:{self.port}"

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while await self._exchange(reader, writer):
                pass
        writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; whether the connection can carry another one."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        first, *lines = head.decode("latin-1").split("\r\n")
        self.seen.append(first)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        method, target, _ = first.split(" ")
        if self.fault == "silent":
            await asyncio.sleep(60)
        if self.fault == "hang_up":
            return False
        refusal = self.fault if isinstance(self.fault, int) else None if self._knows(headers) else 407
        if refusal is not None:
            writer.write(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % refusal)
            await writer.drain()
            return False
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            return await self._tunnel(host, int(port), reader, writer)
        return await self._forward(method, target, lines, headers, reader, writer)

    def _knows(self, headers: dict[str, str]) -> bool:
        if not self.user:
            return True
        expected = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return headers.get("proxy-authorization") == f"Basic {expected}"

    async def _tunnel(self, host: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        try:
            far_reader, far_writer = await asyncio.open_connection(host, port, local_addr=(self.exit, 0))
        except OSError:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return False
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        return False

    async def _forward(
        self,
        method: str,
        target: str,
        lines: list[str],
        headers: dict[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        url = urlsplit(target)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        try:
            far_reader, far_writer = await asyncio.open_connection(
                url.hostname, url.port or 80, local_addr=(self.exit, 0)
            )
        except OSError:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return False
        kept = [line for line in lines if line and not line.lower().startswith(("proxy-", "connection:"))]
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        far_writer.write(
            "\r\n".join([f"{method} {path} HTTP/1.1", *kept, "Connection: close", "", ""]).encode("latin-1")
        )
        far_writer.write(body)
        await _pump(far_reader, writer)
        far_writer.close()
        return False


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def proxying(
    exit_address: str, *, user: str = "", password: str = "", fault: int | str | None = None
) -> AsyncIterator[Proxy]:
    """A proxy on a free port of 127.0.0.1 that goes out from `exit_address`."""
    proxy = Proxy(exit_address, user, password, fault)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=_HEAD_BYTES)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
