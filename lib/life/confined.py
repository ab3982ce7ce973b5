"""The inside of `lib.life.sandbox`: a fresh process that gives up its means, runs one function, answers and ends.

Started as ``python -P -m lib.life.confined``. One message comes on standard input, one goes out where standard output
was; what libraries print goes nowhere. It knows nothing but the message: no file, secret or socket of its parent.
"""

from __future__ import annotations

import importlib
import os
import resource
import signal
import sys

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one call may use: address space, processor and wall-clock seconds of each of its processes, its answer."""

    memory_bytes: int = 1 << 30
    cpu_s: int = 60
    wall_s: float = 90.0
    output_bytes: int = 16_000_000


class Task(msgspec.Struct, frozen=True):
    """One call: `function` of `module` is given `data`. `errors`: names of the error classes to tell by name."""

    module: str
    function: str
    errors: tuple[str, ...]
    limits: Limits
    data: bytes


class Told(msgspec.Struct, frozen=True, tag=True):
    """The call raised an error; `name` is one of the task's, empty for any other one."""

    name: str
    message: str


class Given(msgspec.Struct, frozen=True, tag=True):
    """The call returned; `value` is its result in MessagePack."""

    value: msgspec.Raw


def main() -> None:
    """Reads the task, answers it."""
    answers = os.dup(1)  # not inherited by anything that is started from here
    nowhere = os.open(os.devnull, os.O_RDWR)
    task = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Task)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    _confine(task.limits)
    with os.fdopen(answers, "wb") as out:
        out.write(_answer(task))


def _confine(limits: Limits) -> None:
    """Limits that children of this process inherit, but for the alarm, which ends it alone."""
    os.nice(10)
    for which, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        _cap(which, most, most)
    _cap(resource.RLIMIT_CPU, limits.cpu_s, limits.cpu_s + 5)  # at the soft limit the signal says why it ends
    signal.setitimer(signal.ITIMER_REAL, limits.wall_s)  # for the case that nobody is left to kill us


def _cap(which: int, soft: int, hard: int) -> None:
    """Sets a limit, or leaves the harder one that we were born with."""
    born = resource.getrlimit(which)[1]
    if born != resource.RLIM_INFINITY:
        soft, hard = min(soft, born), min(hard, born)
    resource.setrlimit(which, (soft, hard))


def _answer(task: Task) -> bytes:
    try:
        function = getattr(importlib.import_module(task.module), task.function)
        return msgspec.msgpack.encode(Given(msgspec.Raw(msgspec.msgpack.encode(function(task.data)))))
    except MemoryError:
        told = Told(MemoryError.__name__, "")
    except Exception as error:  # noqa: BLE001 -- every error is told to the parent, which raises it there
        name = type(error).__name__
        told = Told(name, str(error)) if name in task.errors else Told("", f"{name}: {error}")
    return msgspec.msgpack.encode(told)


if __name__ == "__main__":
    main()
