"""What the keepers of a calm fleet take."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from tests.fleet.report import Check
from tests.fleet.stage import Stage

MEGABYTES, PERCENT = 64.0, 0.5
_OVER_S = 30.0
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Taken:
    """Of the keeper that takes most: resident memory in 10^6 bytes, and its share of one core in percent."""

    megabytes: float
    percent: float

    def checks(self) -> tuple[Check, ...]:
        """Whether that is little enough."""
        return (
            Check(
                f"memory of a keeper: at most {MEGABYTES:g} MB", f"{self.megabytes:.1f} MB", self.megabytes <= MEGABYTES
            ),
            Check(
                f"processor of a keeper: at most {PERCENT:g} %", f"{self.percent:.2f} %", self.percent <= PERCENT, True
            ),
        )


def measured(stage: Stage) -> Taken:
    """Looks at all keepers for half a minute. Raises CommandFailed."""
    before, began = _ticks(stage), time.monotonic()
    stage.pause(_OVER_S)
    after, passed = _ticks(stage), time.monotonic() - began
    used = [after[host][0] - before[host][0] for host in before]
    return Taken(
        megabytes=round(max(pages for _, pages in after.values()) * _PAGE / 1e6, 1),
        percent=round(100 * max(used) / _TICK / passed, 2),
    )


def _ticks(stage: Stage) -> dict[str, tuple[int, int]]:
    """Processor time in the kernel's ticks and resident pages, by host. Source: proc(5), stat and statm."""
    found = {}
    for name, state in stage.states().items():
        if name.startswith("keeper@"):
            stat, statm = stage.lab.host(state.host).run(
                ["cat", f"/proc/{state.pid}/stat", f"/proc/{state.pid}/statm"]
            ).splitlines()  # fmt: skip
            fields = stat.rpartition(")")[2].split()
            found[state.host] = (int(fields[11]) + int(fields[12]), int(statm.split()[1]))
    return found
