"""The local-process backend with real processes: what it starts, it also ends."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from keeper.local.processes import LocalProcesses
from keeper.observed import Exited, Running, Unit
from tests.integration.marked import Marked
from tests.waiting import until

ROOT = Path(__file__).parents[2]


class Shell(Marked):
    """Makes units out of shell scripts and knows which of their processes live."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.logs = folder / "log"
        self.processes = LocalProcesses(self.logs, clock=time.monotonic, log_bytes=1_000)

    def unit(self, name: str, script: str, order: int = 0) -> Unit:
        return Unit(name, ("/bin/sh", "-c", script), env=self.env, order=order)

    def log(self, name: str) -> str:
        return (self.logs / f"{name}.log").read_text()

    async def exit_of(self, name: str) -> Exited:
        await until(lambda: isinstance(self.processes.observe()[name], Exited))
        seen = self.processes.observe()[name]
        assert isinstance(seen, Exited)
        return seen


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    shell.check_all_ended()


async def test_a_unit_runs_in_a_session_of_its_own_and_its_exit_is_seen(shell: Shell) -> None:
    shell.processes.start(shell.unit("crawl@0", "echo out; echo err >&2; sleep 0.2; exit 3"))
    seen = shell.processes.observe()["crawl@0"]
    assert isinstance(seen, Running)
    assert os.getsid(seen.pid) == seen.pid != os.getsid(0)
    ended = await shell.exit_of("crawl@0")
    assert (ended.pid, ended.how) == (seen.pid, "exit code 3")
    assert shell.log("crawl@0") == "out\nerr\n"


async def test_a_second_start_of_what_runs_is_refused(shell: Shell) -> None:
    unit = shell.unit("one", "sleep 60")
    shell.processes.start(unit)
    with pytest.raises(ValueError, match="runs already"):
        shell.processes.start(unit)
    shell.processes.kill(unit)
    assert (await shell.exit_of("one")).how == "killed by SIGKILL"


async def test_what_cannot_be_started_is_seen_as_exited(shell: Shell) -> None:
    shell.processes.start(Unit("lost", (str(shell.folder / "nothing"),)))
    seen = shell.processes.observe()["lost"]
    assert isinstance(seen, Exited)
    assert seen.pid == 0
    assert "No such file" in seen.how
    shell.processes.start(shell.unit("lost", "exit 0"))
    assert (await shell.exit_of("lost")).how == "exit code 0"


@pytest.mark.parametrize("ending", ["is killed", "exits"])
async def test_its_own_children_end_with_a_unit(shell: Shell, ending: str) -> None:
    unit = shell.unit("parent", "sleep 600 & sleep 600 & echo ready; read _ < go")
    os.mkfifo(shell.folder / "go")
    unit = Unit(unit.name, ("/bin/sh", "-c", f"cd {shell.folder}; {unit.argv[2]}"), env=unit.env)
    shell.processes.start(unit)
    await until(lambda: len(shell.alive()) == 3)
    if ending == "exits":
        with anyio.fail_after(5):
            await anyio.to_thread.run_sync((shell.folder / "go").write_text, "\n")
    else:
        shell.processes.kill(unit)
    await shell.exit_of("parent")
    await until(lambda: shell.alive() == [])


async def test_all_stop_in_reverse_order_and_the_stubborn_are_killed(shell: Shell) -> None:
    order = shell.folder / "order"
    polite = f"trap 'echo $0 >> {order}; exit 0' TERM; echo ready; while :; do sleep 0.02; done"
    for name, script, rank in [
        ("first", polite.replace("$0", "first"), 1),
        ("second", polite.replace("$0", "second"), 2),
        ("stubborn", "trap '' TERM; echo ready; while :; do sleep 0.02; done", 2),
        ("third", polite.replace("$0", "third"), 3),
        ("gone", "echo ready", 4),
    ]:
        shell.processes.start(shell.unit(name, script, rank))
    names = ("first", "second", "stubborn", "third", "gone")
    await until(lambda: all(shell.log(name) == "ready\n" for name in names))
    began = time.monotonic()
    await shell.processes.stop_all(drain_s=0.5)
    assert 0.5 <= time.monotonic() - began < 3
    assert order.read_text().split() == ["third", "second", "first"]
    hows = {name: seen.how for name, seen in shell.processes.observe().items() if isinstance(seen, Exited)}
    assert hows == dict.fromkeys(("first", "second", "third", "gone"), "exit code 0") | {
        "stubborn": "killed by SIGKILL"
    }


async def test_a_long_log_is_moved_away_at_the_next_start(shell: Shell) -> None:
    for text in ("old", "older" * 400, "new"):
        shell.processes.start(shell.unit("wordy", f"echo {text}"))
        await shell.exit_of("wordy")
    assert shell.log("wordy") == "new\n"
    assert (shell.logs / "wordy.log.1").read_text() == f"old\n{'older' * 400}\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills the children of a killed parent")
async def test_nothing_is_left_when_the_keeper_is_killed(shell: Shell) -> None:
    keeper = """
import os, sys, time
from pathlib import Path
from keeper.observed import Unit
from keeper.local.processes import LocalProcesses
processes = LocalProcesses(Path(sys.argv[1]), clock=time.monotonic)
for name in "ab":
    processes.start(Unit(name, ("/bin/sh", "-c", "trap '' TERM; read _ < /dev/zero"), env=dict(os.environ)))
time.sleep(60)
"""
    command = [sys.executable, "-c", keeper, str(shell.logs)]
    async with await anyio.open_process(command, cwd=ROOT, env=shell.env) as parent:
        await until(lambda: len(shell.alive()) == 3)
        parent.send_signal(signal.SIGKILL)
        await parent.wait()
    await until(lambda: shell.alive() == [])


@pytest.mark.parametrize("name", ["", "../etc", "a/b", "A", "@x", "a b", "a\0", "ä"])
def test_a_unit_must_be_able_to_name_a_file(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be called"):
        Unit(name, ("x",))


def test_a_unit_without_a_command_is_not_ours_to_start(shell: Shell) -> None:
    with pytest.raises(ValueError, match="nothing to start"):
        shell.processes.start(Unit("empty"))
