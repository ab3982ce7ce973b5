"""The simulated market as a child process, and its boards as registered ones."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import aiohttp
import anyio
import anyio.abc

from lib.errors import VakanzError
from lib.posting import boards
from lib.store.connections import Database

# The market plays a map server, too, whichever is configured.
MAP = "https://overpass-api.de/api/interpreter"
_START_S = 60.0
_SOURCE_TREE = Path(__file__).parents[2]


class NoMarket(VakanzError):
    """The simulated market cannot be started."""


@asynccontextmanager
async def simulated_market(
    *, companies: int, postings: int, seed: int, replay: Path | None = None
) -> AsyncIterator[str]:
    """The base address of a market that plays all boards, for as long as the context lasts. Raises NoMarket."""
    if replay is not None and not replay.is_dir():
        raise NoMarket(f"{replay} is no folder of saved payloads")
    command = ["tests.sim", "--seed", str(seed), "--companies", str(companies), "--postings", str(postings)]
    command += [] if replay is None else ["--replay", str(replay.resolve())]
    async with played(command) as address:
        yield address


@asynccontextmanager
async def played(command: Sequence[str]) -> AsyncIterator[str]:
    """The base address of something simulated, a module of the source tree with its options. Raises NoMarket."""
    if not (_SOURCE_TREE / "tests" / "sim").is_dir():
        raise NoMarket("the simulated market is part of the source tree: run this in a clone of it")
    line = [sys.executable, "-m", *command, "--port", "0", "--until-eof"]
    # A group of its own: Ctrl-C is for us, and the market must answer until the daemons have drained. Its standard
    # input is a pipe from us, which ends however we do.
    with TemporaryFile() as errors:
        process = await anyio.open_process(line, cwd=_SOURCE_TREE, stderr=errors, start_new_session=True)
        try:
            yield await _address(process, errors)
        finally:
            with anyio.CancelScope(shield=True):
                if process.returncode is None:
                    process.terminate()
                    with anyio.move_on_after(5):
                        await process.wait()
                    if process.returncode is None:
                        process.kill()
                await process.aclose()


async def _address(process: anyio.abc.Process, errors: IO[bytes]) -> str:
    assert process.stdout is not None
    said = b""
    with anyio.move_on_after(_START_S):
        async for chunk in process.stdout:
            said += chunk
            if b"\n" in said:
                break
    line = said.split(b"\n")[0].decode(errors="replace").strip()
    if not line.startswith("http://"):
        errors.seek(0)
        last = errors.read().decode(errors="replace").strip().rpartition("\n")[2]
        raise NoMarket(f"the simulated market did not start: {last.removeprefix('error: ')}")
    return line


@dataclass(frozen=True)
class Recognised:
    """What a board's address means: source, tenant, canonical address, and how often the board is crawled."""

    source: str
    tenant: str
    url: str
    every_s: int


Recognise = Callable[[str], Recognised | None]


async def register(database: Database, market: str, recognise: Recognise) -> None:
    """Registers all boards of the market by their addresses; known ones are left alone. Raises NoMarket."""
    async with aiohttp.ClientSession() as client, client.get(f"{market}/_sim/boards") as answer:
        offered = await answer.json()
    rows = []
    for one in offered:
        board = recognise(one["url"])
        if board is None:
            raise NoMarket(f"the market has a board that no source recognises: {one['url']}")
        rows.append((board.source, board.tenant, one["company"], board.url, board.every_s))
    if rows:
        await boards.add_many(database, rows)
