"""Killings for memory, as the kernel counts them in cgroup files. Either version of cgroups, and none, are fine.

Source   cgroup-v2.rst, memory.events (with all descendants, also those that are gone); cgroup-v1/memory.rst,
         memory.oom_control (of one group)
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
_MOST = 4096


def oom_kills(group: str, root: Path = ROOT) -> int | None:
    """How many processes were killed for memory in a control group such as /vakanz.slice; None where nobody counts."""
    inside = group.strip("/")
    if ".." in inside.split("/"):
        return None
    for path in (root / inside / "memory.events", root / "memory" / inside / "memory.oom_control"):
        try:
            with path.open(encoding="ascii") as file:
                lines = file.read(_MOST).splitlines()
        except (OSError, ValueError):  # not this version of cgroups, not our business, or no such group any more
            continue
        counts = [line.split()[1] for line in lines if line.startswith("oom_kill ") and len(line.split()) == 2]
        if counts and counts[0].isdigit():
            return int(counts[0])
    return None


def slice_of(group: str) -> str:
    """The slice that a unit's control group is in: it outlives the unit, and counts for it."""
    return group.rpartition("/")[0] or "/"
