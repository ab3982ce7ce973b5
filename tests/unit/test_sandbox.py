"""Parsers that misbehave in a process of their own."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lib.errors import Malformed
from lib.life.confined import Limits
from lib.life.sandbox import Crashed, OutOfMemory, Sandbox, TimedOut, TooMuchOutput
from tests.unit import foreign

TIGHT = Limits(memory_bytes=256 << 20, cpu_s=10, wall_s=20.0, output_bytes=100_000)


@asynccontextmanager
async def _told(folder: Path) -> AsyncIterator[asyncio.Future[list[int]]]:
    """The process ids that a call tells through the socket `ids` of the folder."""
    told: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told.set_result([int(one) for one in (await reader.read()).split()])
        writer.close()

    async with await asyncio.start_unix_server(hear, folder / "ids"):
        yield told


async def _all_gone(pids: list[int]) -> None:
    for _ in range(500):
        if not any(_lives(pid) for pid in pids):
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"one of {pids} lives on")


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_a_result_comes_back() -> None:
    assert await Sandbox(TIGHT).call(foreign.size, b"abc" * 1_000_000) == 3_000_000


async def test_nothing_of_the_parent_is_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VAKANZ_DSN", "postgresql://user:secret@host/db")
    with (tmp_path / "held").open("wb") as held:
        os.set_inheritable(held.fileno(), True)
        seen = await Sandbox(TIGHT).call(foreign.surroundings, b"")
    assert set(seen) == {"PATH", "PYTHONPATH", "LC_ALL", "OMP_THREAD_LIMIT", "descriptors", "cwd"}
    assert len(seen["descriptors"].split()) <= 5  # three standard ones, the answer's, the listing's own
    assert seen["cwd"] == "/"


async def test_a_named_error_is_raised_as_it_is() -> None:
    with pytest.raises(Malformed, match="^page 3 is broken$") as caught:
        await Sandbox(TIGHT).call(foreign.complain, b"page 3 is broken")
    assert type(caught.value) is Malformed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (foreign.refuse, "Refused: an error that the caller did not name"),
        (foreign.fail, "KeyError: 'a bug'"),
        (foreign.lie, "something else than it promises"),
        (foreign.die, "SIGSEGV"),
        (foreign.leave, "exit status 3"),
    ],
)
async def test_every_other_end_is_a_crash_of_this_one_file(function: Callable[[bytes], int], message: str) -> None:
    with pytest.raises(Crashed, match=message):
        await Sandbox(TIGHT).call(function, b"")


async def test_what_is_printed_does_not_spoil_the_answer() -> None:
    assert await Sandbox(TIGHT).call(foreign.chatter, b"") == 7


async def test_an_answer_over_the_limit_is_refused() -> None:
    with pytest.raises(TooMuchOutput):
        await Sandbox(TIGHT).call(foreign.flood, b"")


async def test_memory_ends() -> None:
    with pytest.raises(OutOfMemory):
        await Sandbox(TIGHT).call(foreign.devour, b"")


async def test_processor_time_ends() -> None:
    with pytest.raises(TimedOut):
        await Sandbox(Limits(cpu_s=1, wall_s=20.0)).call(foreign.spin, b"")


async def test_no_file_can_be_filled(tmp_path: Path) -> None:
    path = tmp_path / "dropped"
    with pytest.raises(Crashed, match="File too large"):
        await Sandbox(TIGHT).call(foreign.scribble, str(path).encode())
    assert path.stat().st_size == 0


async def test_wall_clock_time_ends_for_the_whole_group(tmp_path: Path) -> None:
    async with _told(tmp_path) as ids:
        with pytest.raises(TimedOut):
            await Sandbox(Limits(wall_s=1.5)).call(foreign.sleep, str(tmp_path / "ids").encode())
        await _all_gone(await ids)


async def test_a_cancelled_call_kills_the_whole_group(tmp_path: Path) -> None:
    async with _told(tmp_path) as ids:
        call = asyncio.create_task(Sandbox(TIGHT).call(foreign.sleep, str(tmp_path / "ids").encode()))
        pids = await ids
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await _all_gone(pids)


async def test_no_more_calls_at_once_than_allowed() -> None:
    sandbox = Sandbox(Limits(cpu_s=1, wall_s=0.4), concurrency=1)
    started = time.monotonic()
    ends = await asyncio.gather(*[sandbox.call(foreign.spin, b"") for _ in range(3)], return_exceptions=True)
    assert all(isinstance(end, TimedOut) for end in ends)
    assert time.monotonic() - started > 3 * 0.4
