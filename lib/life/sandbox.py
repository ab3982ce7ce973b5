"""Runs parsers of foreign files where they can do no harm: in a fresh process each, with limits, killed as a whole.

A parser in C that a hostile file makes crash, loop, or fill the memory takes down its own process, and the caller gets
an error about this one file. The other side is `lib.life.confined`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar, get_type_hints

import anyio
import anyio.to_thread
import msgspec

from lib.errors import Malformed, VakanzError
from lib.life.confined import Given, Limits, Task, Told

_ROOT = Path(__file__).parents[2]
_GRACE_S = 2.0  # for the start of the interpreter, which is not the file's fault
_T = TypeVar("_T")


class Crashed(Malformed):
    """The parser died or failed in a way that it does not name, or its answer makes no sense."""


class TimedOut(Malformed):
    """The parser used up its processor or wall-clock time."""


class OutOfMemory(Malformed):
    """The parser asked for more memory than one file may take."""


class TooMuchOutput(Malformed):
    """The parser's answer is longer than it may be."""


class Sandbox:
    """Calls functions apart, `concurrency` of them at the same time; further calls wait for their turn.

    `limits`: of every call. A call that is cancelled kills its process, and whatever that one started.
    """

    def __init__(self, limits: Limits = Limits(), *, concurrency: int = 2) -> None:  # noqa: B008 -- frozen
        self._limits = limits
        self._turns = anyio.CapacityLimiter(concurrency)

    async def call(
        self, function: Callable[[bytes], _T], data: bytes, *, errors: tuple[type[VakanzError], ...] = (Malformed,)
    ) -> _T:
        """`function(data)`, worked out in a process of its own.

        `function` is a public one of a module, annotated; its result is something that msgspec can carry. Of its
        errors, those in `errors` (exactly these classes, made from a message) are raised as they are.
        Raises them, Crashed, TimedOut, OutOfMemory, TooMuchOutput.
        """
        names = {error.__name__: error for error in errors}
        task = Task(function.__module__, function.__qualname__, tuple(names), self._limits, data)
        async with self._turns:
            answer = await self._converse(msgspec.msgpack.encode(task))
        if isinstance(answer, Told):
            if answer.name == MemoryError.__name__:
                raise OutOfMemory(f"{function.__name__} needs more than {self._limits.memory_bytes} bytes")
            raise names.get(answer.name, Crashed)(answer.message)
        try:
            return msgspec.msgpack.decode(answer.value, type=get_type_hints(function)["return"])  # type: ignore[no-any-return]
        except msgspec.DecodeError as error:
            raise Crashed(f"{function.__name__} gave something else than it promises: {error}") from error

    async def _converse(self, message: bytes) -> Given | Told:
        process = _spawn()
        try:
            with anyio.fail_after(self._limits.wall_s + _GRACE_S):
                # The thread ends with its process: the pipes close when that is killed below.
                text = await anyio.to_thread.run_sync(
                    _exchange, process, message, self._limits.output_bytes, abandon_on_cancel=True
                )
        except TimeoutError as error:
            raise TimedOut(f"not done after {self._limits.wall_s:g} s") from error
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # before the wait, while the number is surely ours
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(process.wait)
        if len(text) > self._limits.output_bytes:
            raise TooMuchOutput(f"an answer of more than {self._limits.output_bytes} bytes")
        try:
            return msgspec.msgpack.decode(text, type=Given | Told)
        except msgspec.DecodeError as error:
            raise _death(process.returncode) from error


def _spawn() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "lib.life.confined"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=_environment(),
        start_new_session=True,
    )


def _exchange(process: subprocess.Popen[bytes], message: bytes, max_bytes: int) -> bytes:
    """Writes all, then reads up to one byte more than allowed: the process reads all before it writes."""
    assert process.stdin is not None and process.stdout is not None
    with process.stdout as answers:
        with suppress(BrokenPipeError), process.stdin as task:  # how it died is told by what it left unsaid
            task.write(message)
        return answers.read(max_bytes + 1)


def _death(returncode: int) -> Malformed:
    if -returncode in (signal.SIGXCPU, signal.SIGALRM):
        return TimedOut("no time left")
    how = signal.Signals(-returncode).name if returncode < 0 else f"exit status {returncode}"
    return Crashed(f"the parser died: {how}")


def _environment() -> dict[str, str]:
    """All that the process is told: where programs and our own code are. Nothing of our configuration is in it."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(_ROOT),
        "LC_ALL": "C.UTF-8",
        "OMP_THREAD_LIMIT": "1",
    }
