"""Control groups: what belongs to a lab dies with its group, and nothing else can be hit."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.fleet.command import CommandFailed

_GONE_S = 10.0


@dataclass(frozen=True)
class Group:
    """One group by its path below the root, such as vakanz-rehearsal/w3. Where the machine still has version 1
    hierarchies, systemd's own is entered too: a host's systemd would otherwise share it with its neighbours."""

    path: str

    def folders(self) -> tuple[Path, ...]:
        """The group in each hierarchy that counts, version 2 first. Raises CommandFailed where that is not mounted."""
        return tuple(root / self.path for root in hierarchies(Path("/proc/self/mounts").read_text(encoding="utf-8")))

    def make(self) -> None:
        """Makes the group."""
        for folder in self.folders():
            folder.mkdir(parents=True, exist_ok=True)

    def entering(self, line: Sequence[str]) -> list[str]:
        """`line` as a command that belongs to the group from its first moment on, with all that it starts."""
        enter = "".join(f'echo $$ > "{folder}/cgroup.procs" && ' for folder in self.folders())
        return ["sh", "-c", f'{enter}exec "$@"', "sh", *line]

    def processes(self) -> list[int]:
        """Who is in the group or below it."""
        found = []
        for file in self.folders()[0].rglob("cgroup.procs"):
            with suppress(OSError):  # a part of the group that has just gone
                found += [int(word) for word in file.read_text(encoding="ascii").split()]
        return found

    def kill(self) -> None:
        """Kills all of it at once and removes it. Raises CommandFailed if somebody stays."""
        switch = self.folders()[0] / "cgroup.kill"
        until = time.monotonic() + _GONE_S
        while switch.exists() and (left := self.processes()):
            if time.monotonic() > until:
                raise CommandFailed(f"{self.path}: processes {left} did not die")
            switch.write_text("1", encoding="ascii")
            time.sleep(0.05)
        for folder in self.folders():
            for part in sorted(_below(folder), key=lambda one: len(one.parts), reverse=True):
                part.rmdir()


def _below(folder: Path) -> Iterator[Path]:
    if folder.exists():
        yield folder
        yield from (one for one in folder.rglob("*") if one.is_dir())


def hierarchies(mounts: str) -> list[Path]:
    """The roots of version 2 and, behind it, of systemd's hierarchy of version 1, out of /proc/self/mounts."""
    rows = [line.split() for line in mounts.splitlines()]
    version2 = [Path(row[1]) for row in rows if row[2] == "cgroup2"]
    if not version2:
        raise CommandFailed("no cgroup2 file system is mounted")
    return version2[:1] + [Path(row[1]) for row in rows if row[2] == "cgroup" and "name=systemd" in row[3].split(",")]
