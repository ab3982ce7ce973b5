"""The local-process backend: units as children of this process, which do not outlive it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import anyio

from keeper.observed import Ending, Exited, Process, Running, Unit

_PR_SET_PDEATHSIG = 1
_KILLED_S = 5.0  # a killed process may still sit in the kernel, waiting for a disk
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass
class _Child:
    unit: Unit
    popen: subprocess.Popen[bytes]
    since: float


class LocalProcesses:
    """Starts, observes and ends units as child processes.

    Each is the leader of a session of its own, so a terminal's Ctrl-C reaches only us, and whatever it started
    itself ends with it. Its output goes to `<logs>/<unit>.log`, moved to `.log.1` at a start beyond `log_bytes`.
    On Linux the kernel kills a child when the thread that started it ends: call from the event loop's thread only.
    """

    def __init__(self, logs: Path, *, clock: Callable[[], float], log_bytes: int = 10_000_000) -> None:
        self._logs = logs
        self._clock = clock
        self._log_bytes = log_bytes
        self._alive: dict[str, _Child] = {}
        self._exited: dict[str, Exited] = {}

    def start(self, unit: Unit) -> None:
        """Starts `unit`. One that cannot be started is seen as exited, with the reason.

        Raises ValueError where it runs already, and for an empty `argv`.
        """
        if unit.name in self._alive:
            raise ValueError(f"{unit.name} runs already")
        if not unit.argv:
            raise ValueError(f"{unit.name}: nothing to start")
        try:
            popen = self._spawn(unit)
        except (OSError, subprocess.SubprocessError) as error:
            self._exited[unit.name] = Exited(0, f"could not start: {error}", self._clock(), Ending.UNSTARTED)
            return
        self._exited.pop(unit.name, None)
        self._alive[unit.name] = _Child(unit, popen, self._clock())

    def observe(self) -> dict[str, Process]:
        """Every unit that was ever started here, as it is now."""
        for name, child in list(self._alive.items()):
            if _ended(child.popen.pid):
                _signal_group(child.popen.pid, signal.SIGKILL)  # its own children, while the zombie keeps the id ours
                code = child.popen.wait()
                del self._alive[name]
                self._exited[name] = _exited(child.popen.pid, code, self._clock())
        running = {name: Running(child.popen.pid, child.since) for name, child in self._alive.items()}
        return {**self._exited, **running}

    def kill(self, unit: Unit) -> None:
        """SIGKILL to `unit` and all that it started. Its exit is seen by `observe`."""
        child = self._alive.get(unit.name)
        if child is not None:
            _signal_group(child.popen.pid, signal.SIGKILL)

    async def stop_all(self, drain_s: float) -> None:
        """Ends all, the highest `order` first: SIGTERM, then SIGKILL for those that still live after `drain_s`."""
        children = sorted(self._alive.values(), key=lambda child: child.unit.order, reverse=True)
        for _, group in groupby(children, key=lambda child: child.unit.order):
            together = list(group)
            for child in together:
                os.kill(child.popen.pid, signal.SIGTERM)  # Popen.terminate() would reap behind the back of `observe`
            with anyio.move_on_after(drain_s):
                await self._gone(together)
            for child in together:
                self.kill(child.unit)
            with anyio.move_on_after(_KILLED_S):
                await self._gone(together)

    async def _gone(self, children: list[_Child]) -> None:
        while True:
            self.observe()
            if not any(child.unit.name in self._alive for child in children):
                return
            await anyio.sleep(0.02)

    def _spawn(self, unit: Unit) -> subprocess.Popen[bytes]:
        self._logs.mkdir(parents=True, exist_ok=True)
        path = self._logs / f"{unit.name}.log"
        if path.exists() and path.stat().st_size > self._log_bytes:
            path.replace(path.with_name(f"{path.name}.1"))
        with path.open("ab") as log:
            return subprocess.Popen(
                unit.argv,
                env=dict(unit.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with(os.getpid()),
            )


def _die_with(parent: int) -> Callable[[], None]:
    """What a new child does before it becomes its program: asks the kernel to kill it when `parent` dies."""

    def ask() -> None:
        if _LIBC is not None and _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask


def _ended(pid: int) -> bool:
    """Whether our child ended. It stays a zombie, so that its id cannot be anybody else's yet."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return  # all of it is gone
    except PermissionError:
        return  # macOS says this of a group that holds only zombies


def _exited(pid: int, code: int, at: float) -> Exited:
    if code >= 0:
        return Exited(pid, f"exit code {code}", at)
    return Exited(pid, f"killed by {signal.Signals(-code).name}", at, Ending.SIGNAL)
