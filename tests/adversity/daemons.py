"""Real daemons that can be killed by the dozen: forked from one warm process, which has imported everything.

    async with Daemons(environment) as daemons:
        await daemons.start("crawl@0-5")
        await daemons.kill("crawl@0-5")

As a process (`python -m tests.adversity.daemons`) it reads `start UNIT` and `kill UNIT` from its standard input and
answers each with a line. Each daemon is what `vakanz daemon UNIT` runs, without the two seconds that its start takes.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Self

_ROOT = Path(__file__).parents[2]


class Daemons:
    """The warm process as a test sees it. `environment`: the settings of all daemons; their logs go to `log`."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._environment = environment
        self._log = log
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.adversity.daemons", cwd=_ROOT, env={**os.environ, **self._environment},
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log,
            )  # fmt: skip
        await self._hear("warm")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await asyncio.wait_for(self._process.wait(), 30)

    async def start(self, unit: str) -> None:
        """Starts a daemon."""
        await self._say(f"start {unit}")

    async def kill(self, unit: str) -> None:
        """Ends it with SIGKILL. Raises AssertionError when it had ended by itself."""
        await self._say(f"kill {unit}")

    def said(self) -> str:
        """The end of what all of them logged."""
        return self._log.read_text(errors="replace")[-4_000:]

    async def _say(self, command: str) -> None:
        async with self._turn:
            assert self._process.stdin is not None
            self._process.stdin.write(f"{command}\n".encode())
            await self._hear("done")

    async def _hear(self, expected: str) -> None:
        assert self._process.stdout is not None
        line = (await asyncio.wait_for(self._process.stdout.readline(), 60)).decode().strip()
        assert line == expected, f"{line}\n{self.said()}"


def _serve() -> None:
    import lib.match.static  # noqa: F401 - what the daemons would import later is warm as well
    from lib.life.domains import DOMAINS

    for domain in DOMAINS.values():
        import_module(domain.code.partition(":")[0])

    running: dict[str, int] = {}
    sys.stdout.write("warm\n")
    sys.stdout.flush()
    for line in sys.stdin:
        command, unit = line.split()
        answer = "done"
        if command == "start":
            running[unit] = _fork(unit)
        else:
            process = running.pop(unit)
            os.kill(process, signal.SIGKILL)
            _, status = os.waitpid(process, 0)
            if not os.WIFSIGNALED(status):
                answer = f"{unit} had ended with {os.waitstatus_to_exitcode(status)}"
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
    for process in running.values():
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def _fork(unit: str) -> int:
    process = os.fork()
    if process:
        return process
    try:
        _daemon(unit)
    finally:
        os._exit(1)  # never back into the loop that reads commands


def _daemon(unit: str) -> None:
    import anyio

    from lib.life import logs
    from lib.life.actor import run_actor
    from lib.life.config import load
    from vakanz import load_daemon

    config = load()
    logs.configure("json", config.log_level, unit=unit)
    anyio.run(run_actor, unit, config, load_daemon(unit), backend_options={"use_uvloop": True})


if __name__ == "__main__":
    _serve()
