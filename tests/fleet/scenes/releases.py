"""Releases: a good one that nobody notices, and a broken one that stops at the first server."""

from __future__ import annotations

import time
from typing import ClassVar

from tests.fleet.load import Load
from tests.fleet.report import Check, Played, equal, target
from tests.fleet.stage import Stage

_UPGRADE_S = 240.0
_WORK_S = 300.0
# Starts well, and falls over at once: what a check of the package alone would not find.
_BROKEN = """

async def run_actor(unit: str, config: object, serve: object) -> None:
    raise RuntimeError("this release was broken on purpose")
"""


class Rollout:
    """A new version is rolled out, server by server, while people ask the API and the day's work goes on."""

    name: ClassVar[str] = "rollout"
    what: ClassVar[str] = "a new version rolled out under load"
    alerts: ClassVar[tuple[int, int]] = (0, 0)

    def play(self, stage: Stage) -> Played:
        """No API call fails; every daemon runs the new version."""
        stage.control.version = next_version(stage.control.version)
        with Load(stage.api, stage.key) as load:
            ran = stage.control.play("rollout")
            stage.wait("all units run", lambda: not stage.amiss(), 60)
        stage.wait_for_beats(limit_s=60)
        stage.wait("the day's work is done", stage.finished, _WORK_S)
        checks = (
            equal("failed tasks", sum(ran.failed.values()), 0),
            equal("versions that run", versions(stage), {stage.control.version}),
            equal("failed API calls", dict(load.failures), {}),
            target("upgrade", ran.seconds, _UPGRADE_S),
            Check("the API was asked", str(load.asked), load.asked > ran.seconds),
        )
        return Played(healed_s=ran.seconds, checks=checks, facts={"load": load.told()})


class BrokenRollout:
    """A version whose daemons fall over at once is rolled out. It gets no further than the first server, which goes
    back to the version before; all others never saw it."""

    name: ClassVar[str] = "broken"
    what: ClassVar[str] = "a broken version rolled out: stops at the first server, and rolls back"
    alerts: ClassVar[tuple[int, int]] = (0, 1)

    def play(self, stage: Stage) -> Played:
        """The playbook fails, and the fleet runs what it ran before."""
        before, version = stage.states(), stage.control.version
        running = versions(stage)
        stage.control.version = next_version(version)
        started = time.monotonic()
        try:
            with Load(stage.api, stage.key) as load, stage.control.source_with("lib/life/actor.py", _BROKEN):
                ran = stage.control.play("rollout")
        finally:
            stage.control.version = version
        stage.wait("all units run", lambda: not stage.amiss(), 120)
        healed = time.monotonic() - started
        stage.wait_for_beats(limit_s=60)
        stage.wait("the day's work is done", stage.finished, _WORK_S)
        after = stage.states()
        touched = sorted({state.host for unit, state in before.items() if after[unit].pid != state.pid})
        checks = (
            Check("the playbook says that it failed", f"exit code {ran.code}", ran.code != 0),
            Check("servers that were touched: 1", ", ".join(touched), len(touched) <= 1),
            equal("versions that run", versions(stage), running),
            equal("failed API calls", dict(load.failures), {}),
        )
        return Played(detected_s=ran.seconds, healed_s=healed, checks=checks, facts={"load": load.told()})


def versions(stage: Stage) -> set[str]:
    """What the daemons say that they are."""
    expected = stage.expected
    return {str(beat["version"]) for unit, beat in stage.beats().items() if unit in expected}


def next_version(version: str) -> str:
    """The version after, by its last number; the first one is 0.1.0.post1."""
    stem, _, number = (version or "0.1.0.post0").rpartition("post")
    return f"{stem}post{int(number) + 1}"
