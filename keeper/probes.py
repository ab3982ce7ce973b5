"""What all units share, and whether it is there: servers, names, room on the disk."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TypeAlias
from urllib.parse import parse_qs, urlsplit

import anyio
import anyio.to_thread
from anyio.abc import ByteStream

from lib.store.connections import Database

Probe: TypeAlias = Callable[[], Awaitable[str | None]]  # why it is not there; None: it is

FREE_BYTES = 200 << 20
FREE_SHARE = 0.01
FREE_INODES = 2_000
_SILENT = "no answer"
_NEIGHBOUR_S = 0.5
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


async def all_of(probes: dict[str, Probe], patience_s: float) -> dict[str, str]:
    """Why each of those that are not there is not, by name. One that does not answer within `patience_s` is not."""
    found: dict[str, str] = {}

    async def ask(name: str, probe: Probe) -> None:
        why: str | None = _SILENT
        with anyio.move_on_after(patience_s):
            why = await probe()
        if why is not None:
            found[name] = why

    async with anyio.create_task_group() as tasks:
        for name, probe in probes.items():
            tasks.start_soon(ask, name, probe)
    return found


def of_redis(url: str) -> Probe:
    """Redis: whether it answers at all, so no password is needed. Its protocol is asked by hand, for the client
    library would be a sixth of the keeper's memory. Source: the protocol's specification, inline commands.
    """
    parts = urlsplit(url)

    async def connect() -> ByteStream:
        if parts.scheme == "unix":
            return await anyio.connect_unix(parts.path)
        host, port = parts.hostname or "localhost", parts.port or 6379
        if parts.scheme == "rediss":
            return await anyio.connect_tcp(host, port, tls=True, tls_standard_compatible=False)
        return await anyio.connect_tcp(host, port)

    async def probe() -> str | None:
        try:
            async with await connect() as stream:
                await stream.send(b"PING\r\n")
                answer = await stream.receive(200)
        except (OSError, anyio.EndOfStream, anyio.BrokenResourceError) as error:
            return str(error) or _SILENT
        return None if answer.startswith((b"+PONG", b"-NOAUTH")) else answer.decode("utf-8", "replace").strip()

    return probe


def of_database(database: Database, patience_s: float) -> Probe:
    """PostgreSQL, by an address that is not the one heartbeats are read from."""

    async def probe() -> str | None:
        return None if await database.ping(patience_s) else _SILENT

    return probe


class Seldom:
    """Asks `probe` no more often than every `every_s` while all is well, and at every look while it is not."""

    def __init__(self, probe: Probe, every_s: float, clock: Callable[[], float]) -> None:
        self._probe = probe
        self._every_s = every_s
        self._clock = clock
        self._well_at: float | None = None

    async def __call__(self) -> str | None:
        """Why it is not there."""
        if self._well_at is not None and self._clock() - self._well_at < self._every_s:
            return None
        self._well_at = None
        why = await self._probe()
        if why is None:
            self._well_at = self._clock()
        return why


def names_of(addresses: Iterable[str]) -> list[str]:
    """The host names in these URLs that somebody must resolve: no numbers, no sockets."""
    found: dict[str, None] = {}
    for address in addresses:
        parts = urlsplit(address)
        asked = parse_qs(parts.query).get("host", [])
        for entry in [parts.netloc.rpartition("@")[2], *asked]:
            for one in entry.split(","):
                name = one if one.count(":") > 1 else one.partition(":")[0]
                if name and not name.startswith(("/", "[")) and not _is_number(name):
                    found[name] = None
    return list(found)


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def of_names(names: Iterable[str]) -> Probe:
    """The resolver. A lookup that hangs is left behind in its thread, which ends by itself."""
    wanted = list(names)

    async def probe() -> str | None:
        for name in wanted:
            try:
                await anyio.to_thread.run_sync(socket.getaddrinfo, name, None, abandon_on_cancel=True)
            except (OSError, UnicodeError) as error:  # the latter: a name that cannot be asked for
                return f"{name}: {error}"
        return None

    return probe


def of_network(neighbours: Callable[[], Iterable[str]], port: int) -> Probe:
    """The way to the other servers: whether one of `neighbours` answers on `port`, be it with a refusal. Where names
    cannot be looked up nothing is known, and nothing is said; nor where there is one neighbour only, which may be the
    one that is away.
    """

    async def answers(name: str) -> bool:
        try:
            async with await anyio.connect_tcp(name, port):
                return True
        except (socket.gaierror, UnicodeError):
            return True
        except OSError as error:
            causes = error.__cause__.exceptions if isinstance(error.__cause__, BaseExceptionGroup) else [error]
            return any(isinstance(cause, ConnectionRefusedError) for cause in (*causes, error.__cause__))

    async def probe() -> str | None:
        names = list(neighbours())
        for name in names:
            with anyio.move_on_after(_NEIGHBOUR_S):
                if await answers(name):
                    return None
        return f"none of {', '.join(names)} answers" if len(names) > 1 else None

    return probe


def of_disk(folders: Iterable[Path], written: Path) -> Probe:
    """Room in `folders`, and that a file in `written` can be written."""
    looked_at = list(folders)

    async def probe() -> str | None:
        return await anyio.to_thread.run_sync(_room, looked_at, written, abandon_on_cancel=True)

    return probe


def _room(folders: list[Path], written: Path) -> str | None:
    for folder in folders:
        try:
            facts = os.statvfs(folder)
        except FileNotFoundError:
            continue  # no daemon has made it yet
        except OSError as error:
            return f"{folder}: {error.strerror}"
        free, size = facts.f_bavail * facts.f_frsize, facts.f_blocks * facts.f_frsize
        if free < min(FREE_BYTES, size * FREE_SHARE):
            return f"{folder}: {free >> 20} MiB are free"
        if facts.f_files > 0 and facts.f_favail < min(FREE_INODES, facts.f_files * FREE_SHARE):
            return f"{folder}: {facts.f_favail} inodes are free"
    try:
        (written / "probe").write_bytes(b"room")
    except OSError as error:
        if error.errno in _DISK:  # a folder that is not ours says nothing about the disk
            return f"{written}: {error.strerror}"
    return None
