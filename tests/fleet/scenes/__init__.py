"""What can break, one class a scene, by name and in the order in which they are played."""

from __future__ import annotations

from typing import ClassVar, Protocol

from tests.fleet.report import Played
from tests.fleet.stage import Stage


class Scene(Protocol):
    """`alerts`: how many incidents may be told, at least and at most."""

    name: ClassVar[str]
    what: ClassVar[str]
    alerts: ClassVar[tuple[int, int]]

    def play(self, stage: Stage) -> Played:
        """Breaks something, measures, and leaves the fleet as it was. Raises NotInTime, CommandFailed."""
        ...
