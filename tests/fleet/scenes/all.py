"""The scenes in the order in which they are played."""

from __future__ import annotations

from collections.abc import Sequence

from tests.fleet.command import CommandFailed
from tests.fleet.scenes import Scene
from tests.fleet.scenes.hosts import DiskFull, NetworkCut, PowerOff, WrongClock
from tests.fleet.scenes.mornings import TelegramAway, Window
from tests.fleet.scenes.processes import Flap, Hang, Keeper, Kills
from tests.fleet.scenes.releases import BrokenRollout, Rollout
from tests.fleet.scenes.servers import PoolerRestarted, PostgresAway, RedisFlushed

SCENES: Sequence[Scene] = (
    Window(), Kills(), Hang(), Flap(), PostgresAway(), RedisFlushed(), PoolerRestarted(), Keeper(), NetworkCut(),
    PowerOff(), WrongClock(), DiskFull(), TelegramAway(), Rollout(), BrokenRollout(),
)  # fmt: skip
SHORT: Sequence[Scene] = (Kills(), PostgresAway(away_s=25.0), Rollout(), BrokenRollout())


def chosen(names: str) -> list[Scene]:
    """The scenes meant by `all`, `short`, or names separated by commas. Raises CommandFailed."""
    if names in ("all", "short"):
        return list(SCENES if names == "all" else SHORT)
    known = {scene.name: scene for scene in SCENES}
    unknown = [name for name in names.split(",") if name not in known]
    if unknown:
        raise CommandFailed(f"no such scene: {', '.join(unknown)}; there are all, short, {', '.join(known)}")
    return [known[name] for name in names.split(",")]
